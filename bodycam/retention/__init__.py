"""How long what is sealed is kept, what stops its disposal, how it is disposed of, and what was searched for and not found."""
