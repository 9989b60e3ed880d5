"""Space for uploads: capped in all, growing with what arrives, and never so given away that nobody can finish.

Every live upload holds a reservation that grows in steps. Handing steps to whoever asks first would let ten large uploads fill
the cap half-way each, and all fail. So a step is granted only if afterwards some order remains in which every live upload can
still be completed (the banker's rule: Dijkstra, EWD 623); an upload that must wait keeps what it sent and goes on when another
one is sealed or expires. Below the cap lies the docks' own reserve of the disk, which no upload touches.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.petitions.errors import NoRoomError
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.settings import PublicSettings

LIVE = (FileState.RECEIVING, FileState.COMPLETE, FileState.MISMATCH)  # their bytes lie in the spool


def grow(session: Session, file_id: str, wanted: int, limits: PublicSettings, free_bytes: int) -> int:
    """Reserve at least up to the byte `wanted` of an upload, and return how far it may write now.

    `free_bytes` is what the spool's disk has left. Raises NoRoomError when the step must wait.
    """
    query = select(SubmissionFile).where(SubmissionFile.state.in_(LIVE)).order_by(SubmissionFile.id)
    live = list(session.scalars(query.with_for_update()))
    file = next(item for item in live if item.id == file_id)
    target = min(file.size, max(wanted, file.reserved_bytes + limits.reserve_step_bytes))
    step = target - file.reserved_bytes
    if step <= 0:
        return file.reserved_bytes
    if free_bytes - step < limits.dock_reserve_bytes:
        raise NoRoomError
    file.reserved_bytes = target
    if not all_can_finish([(item.size, item.reserved_bytes) for item in live], limits.reserve_total_bytes):
        file.reserved_bytes = target - step
        raise NoRoomError
    return target


def all_can_finish(uploads: Sequence[tuple[int, int]], total: int) -> bool:
    """Tell whether some order lets every upload (size, reserved) reach its size, each giving its space back when done."""
    free = total - sum(reserved for _, reserved in uploads)
    if free < 0:
        return False
    for size, reserved in sorted(uploads, key=lambda upload: upload[0] - upload[1]):
        if size - reserved > free:
            return False
        free += reserved
    return True
