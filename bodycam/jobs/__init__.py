"""Durable jobs: a row first, a message after, so that a lost broker loses nothing."""
