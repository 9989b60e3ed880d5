"""Backups of what the vault's copies don't hold: the database, the custody log, and on request the keys."""
