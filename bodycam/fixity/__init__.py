"""Scrubbing the vault: re-read everything sealed, and say what is not as it was."""
