"""Space for uploads: capped in all, growing with what arrives, and never so given away that nobody can finish.

Every live upload holds a reservation that grows in steps. Handing steps to whoever asks first would let ten large uploads fill
the space part-way each, and all fail. So a step is granted only under two rules:

- *The cap* on unfinished uploads together gives its space back as each is sealed: some order must remain in which every live
  upload can still be completed (the banker's rule: Dijkstra, EWD 623).
- *The disks* give nothing back, since what is sealed stays. There older uploads come first: a step must fit beside all that the
  older ones claim and the younger ones hold, on every disk where a copy will lie. A claim grows with what has come (a declared
  size alone claims nothing), and an older one that can't fit at all doesn't stand in the way.

An upload that must wait keeps what it sent, goes on when there is room, and expires without progress. Below all this lies the
docks' own reserve of each disk, which no upload touches.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import statvfs
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.petitions.errors import NoRoomError
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.sections import PublicSettings, Settings

LIVE = (FileState.RECEIVING, FileState.COMPLETE, FileState.MISMATCH)  # their bytes lie in the spool
_AHEAD = 8  # an upload claims so many times what it has sent


@dataclass(frozen=True)
class Room:
    """One disk's free bytes, whether uploads arrive there, and how many sealed copies are written to it anew."""

    free: int
    holds_spool: bool = True
    copies: int = 0

    def needs(self, claimed: int, present: int) -> int:
        """Return what an upload still writes here that reaches `claimed` bytes and has `present` of them in the spool."""
        return self.copies * claimed + (max(0, claimed - present) if self.holds_spool else 0)


def rooms(settings: Settings) -> list[Room]:
    """Measure the disks that uploads and their sealed copies fill: spool, vault, second place. One that is away is left out."""
    spool = settings.spool.dir.stat().st_dev
    copies, paths = Counter[int](), {spool: settings.spool.dir}
    for path in (settings.vault.dir, settings.vault.second_dir):
        with suppress(OSError):
            if path is not None:
                paths.setdefault(path.stat().st_dev, path)
                is_link = path == settings.vault.dir and path.stat().st_dev == spool
                copies[path.stat().st_dev] += 0 if is_link else 1
    return [Room(_free(path), device == spool, copies[device]) for device, path in paths.items()]


def grow(session: Session, file_id: str, wanted: int, limits: PublicSettings, disks: Sequence[Room]) -> int:
    """Reserve at least up to the byte `wanted` of an upload, and return how far it may write now.

    Raises NoRoomError when the step must wait.
    """
    query = select(SubmissionFile).where(SubmissionFile.state.in_(LIVE)).order_by(SubmissionFile.id)
    live = list(session.scalars(query.with_for_update()))
    file = next(item for item in live if item.id == file_id)
    target = min(file.size, max(wanted, file.reserved_bytes + limits.reserve_step_bytes))
    step = target - file.reserved_bytes
    if step <= 0:
        return file.reserved_bytes
    file.reserved_bytes = target
    uploads = [(item.size, item.reserved_bytes, item.offset) for item in live]
    on_disks = all(
        fits_on(disk, uploads, live.index(file), limits.dock_reserve_bytes, limits.reserve_step_bytes) for disk in disks
    )
    if not on_disks or not all_can_finish([upload[:2] for upload in uploads], limits.reserve_total_bytes):
        file.reserved_bytes = target - step
        raise NoRoomError
    return target


def fits_on(disk: Room, uploads: Sequence[tuple[int, int, int]], asking: int, kept: int, step: int) -> bool:
    """Tell whether the upload number `asking` may hold what it reserves beside all others, older ones first.

    `uploads` are (size, reserved, present); `kept` bytes of the disk are the docks'. What came in pieces is written once more,
    as a whole, before it's sealed: room for the largest stays free.
    """
    left, largest = disk.free - kept, 0
    for number, (size, reserved, present) in enumerate(uploads):
        if number > asking:
            left -= disk.needs(reserved, present)
            continue
        claimed = max(reserved, min(size, step + _AHEAD * present))
        rewritten = max(largest, claimed) if disk.holds_spool else 0
        if disk.needs(claimed, present) + rewritten <= left:
            left, largest = left - disk.needs(claimed, present), rewritten
        elif number == asking:
            return False
        else:
            left -= disk.needs(reserved, present)
    return left - largest >= 0


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


def _free(path: Path) -> int:
    found = statvfs(path)
    return found.f_bavail * found.f_frsize
