"""The custody log: what happened to every recording, in an order nobody can change unseen."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bodycam.custody.service import destroy_openings, history, receipt_for, record, record_now

__all__ = ["destroy_openings", "history", "receipt_for", "record", "record_now"]


def __getattr__(name: str) -> object:
    """Load the service when it is first used: who only verifies needs no database, and starts twice as fast without one."""
    if name not in __all__:
        raise AttributeError(name)
    from bodycam.custody import service  # late, see above

    return getattr(service, name)
