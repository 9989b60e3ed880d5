"""The catalogue: what was recorded, by whom, when and where, and what was derived from it."""
