"""Working without `bodycam up`: bring the embedded database up to date, and do one's own jobs and log entries.

If `bodycam up` runs, its sequencer holds the log's lock; then this process only waits for the receipts it needs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select

from bodycam.custody.models import Receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.errors import BodycamError
from bodycam.jobs import service as jobs
from bodycam.migrations.runner import ensure
from bodycam.process import AlreadyRunningError, log_to_stderr
from bodycam.runtime import Runtime, open_runtime
from bodycam.sections import Settings
from bodycam.tasks.table import bind

RECEIPT_WAIT_SECONDS = 60.0


class ReceiptLateError(BodycamError):
    """The sequencer that holds the log's lock gave no receipt in time."""

    code = "receipt_late"
    vi = "Đã lưu nhưng chưa có biên nhận sau {seconds} giây. Không rút máy; xem nhật ký của bộ ghi (sequencer)."
    en = "Sealed, but no receipt after {seconds} s. Leave the camera in; see the sequencer's log."


@contextmanager
def standalone(settings: Settings) -> Iterator[Runtime]:
    """Open the installation with its database brought up to date."""
    log_to_stderr()
    if settings.database.url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ensure(settings.database.url)
    with open_runtime(settings) as rt:
        yield rt


def settle(rt: Runtime, event_ids: Sequence[str]) -> None:
    """Put what happened into the log, make sure of these events' receipts, then run the jobs that are due.

    Raises:
        ReceiptLateError: another process is the sequencer and gave no receipt within a minute.
    """
    sequencer = Sequencer(rt.db, rt.log)
    try:
        sequencer.run_once(wait_s=RECEIPT_WAIT_SECONDS)
    except AlreadyRunningError:
        raise ReceiptLateError(seconds=int(RECEIPT_WAIT_SECONDS)) from None
    if _without_receipt(rt, event_ids):
        raise ReceiptLateError(seconds=int(RECEIPT_WAIT_SECONDS))
    jobs.drain(rt.db, bind(rt))
    sequencer.run_once(wait_s=RECEIPT_WAIT_SECONDS)


def _without_receipt(rt: Runtime, event_ids: Sequence[str]) -> set[str]:
    missing = set(event_ids)
    ordered = sorted(missing)
    with rt.db.read() as session:
        for start in range(0, len(ordered), 500):
            part = ordered[start : start + 500]
            missing -= set(session.scalars(select(Receipt.event_id).where(Receipt.event_id.in_(part)).limit(500)))
    return missing
