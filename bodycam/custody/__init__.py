"""The custody log: what happened to every recording, in an order nobody can change unseen."""

from bodycam.custody.service import destroy_openings, history, receipt_for, record, record_now

__all__ = ["destroy_openings", "history", "receipt_for", "record", "record_now"]
