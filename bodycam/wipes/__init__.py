"""Wiping cameras: only by an approved order whose signed minute is attached, file by file, each checked again."""
