"""PTP (ISO 15740) and MTP 1.1 over USB bulk pipes: containers, datasets, sessions, objects."""
