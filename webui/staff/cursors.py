"""The cursor of a listing sorted by (moment, id), as it travels in an address: "2026-11-09T07:20:07+00:00~<id>".

It is only ever compared, so a forged one shows nothing that the listing's own scope would not; a broken one is the first page.
"""

from datetime import datetime

from flask import request


def write_cursor(moment: datetime, row_id: str) -> str:
    """Return the cursor of the last row shown."""
    return f"{moment.isoformat()}~{row_id}"


def read_cursor() -> tuple[datetime, str] | None:
    """Return the request's `after`, None for the first page."""
    text, _, row_id = request.args.get("after", "").partition("~")
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return (moment, row_id) if moment.tzinfo and row_id else None
