"""The signed minute: a scan that goes into the vault through the one door, and opens the way to wiping.

Its bytes are sealed as they came, under the origin "import" and no unit, so that it is found with its order and not among the
footage. Attaching it is the one step from "approved" to "ordered"; nothing of an order is wiped before.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.db import nfc
from bodycam.intake import service as intake
from bodycam.recordings.models import Origin, Recording
from bodycam.runtime import Runtime
from bodycam.wipes.errors import SignedCopyError
from bodycam.wipes.minute import minute_of
from bodycam.wipes.models import OrderState, WipeOrder
from bodycam.wipes.service import get_order, mark_ordered

MAX_BYTES = 50_000_000
_LEAST_BYTES = 500  # less holds no picture of a page
_BLOCK = 1 << 20
_HEADS = {b"%PDF-": ("pdf", "application/pdf"), b"\xff\xd8\xff": ("jpg", "image/jpeg")}


def attach(rt: Runtime, order_id: str, source: BinaryIO, *, actor: str) -> WipeOrder:
    """Seal the scan and order the wiping; call with no session open. Trying again after a crash goes on.

    Raises:
        SignedCopyError: empty, too large, neither PDF nor JPEG, the minute as it was printed, or another order's copy.
        WipeStateError: the order isn't approved, or was ordered before.
    """
    with rt.db.read() as session:
        order = get_order(session, order_id, OrderState.APPROVED)
    digest, ending = _look(source)
    with rt.db.read() as session:
        _refuse_unsigned(session, order_id, digest)
        _refuse_used(session, order_id, digest)
    key = f"wipe-order|{order_id}|{digest}"
    with rt.db.read() as session:
        sealed = intake.already_sealed(session, key)
    recording_id = sealed.id if sealed else _seal(rt, order, source, key, digest, ending, actor)
    with rt.db.write() as session:
        return mark_ordered(session, order_id, recording_id=recording_id, sha256=digest, actor=actor)


def signed_copy(session: Session, order: WipeOrder) -> Recording | None:
    """Return the sealed scan of an order, or None when there is none yet."""
    return session.get(Recording, order.signed_recording_id) if order.signed_recording_id else None


def mime_of(recording: Recording) -> str:
    """Return the scan's type, by the name we gave it."""
    return next(
        (mime for ending, mime in _HEADS.values() if recording.name.endswith(ending)), "application/octet-stream"
    )


def _look(source: BinaryIO) -> tuple[str, str]:
    """Return SHA-256 and ending of the scan, and wind it back."""
    digest, size, head = hashlib.sha256(), 0, b""
    for piece in _pieces(source):
        head = head or piece[:16]
        digest.update(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise SignedCopyError(reason="it has more than 50 MB", reason_vi="tệp lớn hơn 50 MB")
    ending = next((ending for mark, (ending, _) in _HEADS.items() if head.startswith(mark)), "")
    if size == 0:
        raise SignedCopyError(reason="the file is empty", reason_vi="tệp rỗng")
    if not ending:
        raise SignedCopyError(reason="it is neither PDF nor JPEG", reason_vi="không phải PDF hoặc ảnh JPEG")
    if size < _LEAST_BYTES:
        raise SignedCopyError(reason="it is too short to show a page", reason_vi="tệp quá ngắn, không có trang nào")
    source.seek(0)
    return digest.hexdigest(), ending


def _refuse_unsigned(session: Session, order_id: str, digest: str) -> None:
    for language in ("vi", "en"):
        if hashlib.sha256(minute_of(session, order_id, language).pdf()).hexdigest() == digest:
            raise SignedCopyError(
                reason="it is the minute as it was printed, nobody signed it", reason_vi="đây là bản in chưa có chữ ký"
            )


def _refuse_used(session: Session, order_id: str, digest: str) -> None:
    query = (
        select(WipeOrder.number)
        .join(Recording, Recording.id == WipeOrder.signed_recording_id)
        .where(Recording.sha256 == digest, WipeOrder.id != order_id)
    )
    number = session.scalar(query.limit(1))
    if number is not None:
        raise SignedCopyError(
            reason=f"it is the signed copy of the order {number}", reason_vi=f"đây là bản ký của lệnh {number}"
        )


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(_BLOCK):
        yield piece


def _seal(rt: Runtime, order: WipeOrder, source: BinaryIO, key: str, digest: str, ending: str, actor: str) -> str:
    attempt = intake.begin(rt.db, key)
    rt.spool.discard(attempt.id)  # what a broken try left is sent again, as a whole
    with rt.spool.open(attempt.id) as writer:
        for piece in _pieces(source):
            writer.write(piece)
        spooled = writer.finish()
    if spooled.sha256 != digest:
        raise SignedCopyError(reason="it changed while it was read", reason_vi="tệp thay đổi khi đang đọc")
    name = nfc(f"Biên bản xóa dữ liệu trên thiết bị/{order.number}.{ending}")
    return intake.finish(rt, attempt, spooled, intake.Facts(origin=Origin.IMPORT, name=name, actor=actor)).recording_id
