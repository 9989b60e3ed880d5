"""The custody log: what happened to every recording, in an order nobody can change unseen."""

from bodycam.custody.service import history, receipt_for, record, record_now

__all__ = ["history", "receipt_for", "record", "record_now"]
