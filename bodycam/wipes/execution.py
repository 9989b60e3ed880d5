"""What the station asks before it deletes a file, and what it writes down: intent before, result after.

An order counts only when the log itself has its approval and its signed minute for the very list that stands in the tables, both
proven under a signed head, and the scan still lies in the vault: a row changed by hand deletes nothing. An intent without a result (the power went between the
deletion and its event) is settled at the next docking: a file that is gone then was wiped.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.custody.canonical import JSON
from bodycam.custody.errors import LogDamagedError, NoteError, ReceiptError
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.proof import parse_proof, prove
from bodycam.custody.receipts import verify_receipt
from bodycam.custody.service import opened
from bodycam.recordings.models import CameraFile, CameraFileState, Recording
from bodycam.runtime import Runtime
from bodycam.vault.errors import DamagedObjectError, KeyMissingError, ObjectMissingError, VaultIoError
from bodycam.wipes.listing import items_of, list_sha256
from bodycam.wipes.models import ItemState, OrderState, WipeItem, WipeOrder
from bodycam.wipes.service import authors_of, begun_items, close_when_done, get_order
from bodycam.wipes.signed import signed_copy

NOT_YET = "not_yet"
REASONS: dict[str, tuple[str, str]] = {
    "withdrawn": ("lệnh đã rút", "the order was withdrawn"),
    "refused": ("lệnh không được duyệt", "the order was refused"),
    "order_not_in_log": ("nhật ký không có duyệt và bản ký của lệnh này", "the log has no approval and signed copy of it"),
    "list_changed": ("danh sách không còn đúng như lúc duyệt", "the list is not the one that was approved"),
    "own_order": ("người lập lệnh tự duyệt", "approved by who raised it"),
    "no_signed_copy": ("không mở được bản ký trong kho", "the signed copy can't be opened in the vault"),
    "not_listed": ("không còn trên máy khi cắm lại", "no longer on the camera when it came"),
    "changed": ("tệp trên máy đã khác (cỡ hoặc giờ)", "the camera's file is another one (size or time)"),
    "other_bytes": ("nội dung trên máy khác bản đã lưu", "the camera's bytes are not those that were sealed"),
    "receipt": ("biên nhận không đúng", "the receipt doesn't prove it"),
    "vault": ("bản trong kho không đọc lại được nguyên vẹn", "the vault's copy doesn't read back sound"),
    "still_listed": ("máy báo đã xóa nhưng tệp vẫn còn", "the camera said it was deleted, yet lists it"),
    "file_unreadable": ("không đọc được tệp trên máy", "the camera's file can't be read"),
    "file_replaced": ("máy đã thay tệp khác", "the camera replaced the file"),
    "camera_read_only": ("nguồn chỉ được đọc, phải xóa bằng chính máy", "only read here: to be deleted with the camera itself"),
    "camera_refused": ("máy từ chối xóa", "the camera refused"),
    "camera_stalled": ("máy không trả lời", "the camera stopped answering"),
    "camera_protocol": ("máy trả lời sai giao thức", "the camera broke the protocol"),
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One file to wipe: what the order says of it, and where its sealed copy lies."""

    item_id: str
    order_id: str
    number: str
    camera_id: str
    path: str
    size: int
    modified_raw: str
    sha256: str
    leaf_index: int
    recording_id: str
    object_id: str
    event_id: str


def tasks_for(session: Session, station_id: str, camera_id: str) -> list[Task]:
    """Return the files of this station's ordered batches that wait on a camera, oldest order first.

    Of a batch that was taken back only those wait whose deletion had begun: what became of them is to be settled.
    """
    return _tasks(
        session,
        WipeItem.camera_id == camera_id,
        WipeItem.state == ItemState.WAITING,
        WipeOrder.station_id == station_id,
        WipeOrder.state.in_((OrderState.ORDERED, OrderState.WITHDRAWN)),
    )


def _tasks(session: Session, *conditions: ColumnElement[bool]) -> list[Task]:
    query = (
        select(WipeItem, WipeOrder, CameraFile, Recording)
        .join(WipeOrder, WipeOrder.id == WipeItem.order_id)
        .join(CameraFile, CameraFile.id == WipeItem.camera_file_id)
        .join(Recording, Recording.id == WipeItem.recording_id)
        .where(*conditions)
        .order_by(WipeItem.id)
        .limit(5_000)
    )
    return [
        Task(
            item_id=item.id,
            order_id=order.id,
            number=order.number,
            camera_id=item.camera_id,
            path=file.path,
            size=item.size,
            modified_raw=file.modified_raw,
            sha256=item.sha256,
            leaf_index=item.leaf_index,
            recording_id=recording.id,
            object_id=recording.object_id,
            event_id=recording.sealed_event_id,
        )
        for item, order, file, recording in session.execute(query)
    ]


def settle_begun(session: Session, camera_id: str, *, actor: str, visit_id: str) -> None:
    """Settle what a station that died left open, once a new visit has listed the camera: what it lists no more was wiped."""
    query = select(WipeItem.id, WipeItem.order_id).join(CameraFile, CameraFile.id == WipeItem.camera_file_id)
    query = query.where(
        WipeItem.camera_id == camera_id,
        WipeItem.state == ItemState.WAITING,
        CameraFile.last_visit_id.is_distinct_from(visit_id),
    )
    waiting = dict(session.execute(query.order_by(WipeItem.id)).all())
    begun = begun_items(session, camera_id) if waiting else set()
    for task in _tasks(session, WipeItem.id.in_(begun & set(waiting))) if begun else []:
        wiped(session, task, actor=actor, visit_id=visit_id, reconciled=True)


def order_trouble(rt: Runtime, order_id: str) -> str:
    """Return why an order deletes nothing, a key of `REASONS`, or "" when it may; call with no session open.

    `NOT_YET` is no reason to keep a file: the log's signed head is about to cover the order.
    """
    with rt.db.read() as session:
        order = get_order(session, order_id)
        if order.state != OrderState.ORDERED:
            return "withdrawn"
        scan = signed_copy(session, order)
        if list_sha256(order, items_of(session, order_id)) != order.list_sha256:
            return "list_changed"
        if order.approved_by is None or order.approved_by in authors_of(session, order):
            return "own_order"
        doubt = "order_not_in_log" if scan is None else _log_trouble(rt, session, order, scan)
    if doubt or scan is None:
        return doubt
    return "" if _reads_back(rt, scan.object_id, scan.sha256) else "no_signed_copy"


def seal_trouble(rt: Runtime, task: Task) -> str:
    """Return why a file's sealed copy can't stand for it, a key of `REASONS`, or "" when it can; with no session open.

    The receipt must prove that this camera's recording of this hash and size stands in the log at the index that the minute
    names; then the vault's object is read back from the disk, and decrypted to that hash.
    """
    with rt.db.read() as session:
        row, recording = session.get(Receipt, task.event_id), session.get_one(Recording, task.recording_id)
    if row is None or (recording.sha256, recording.size) != (task.sha256, task.size):
        return "receipt"
    try:
        proven = verify_receipt(row.body, rt.log.verifier)
    except ReceiptError:
        return "receipt"
    told = tuple(proven.event.get(name) for name in ("kind", "object", "device"))
    wanted = ("recording.sealed", task.recording_id, task.camera_id)
    if told != wanted or (proven.index, proven.sha256, proven.size) != (task.leaf_index, task.sha256, task.size):
        return "receipt"
    is_sound = rt.vault.verify(task.object_id).ok and _reads_back(rt, task.object_id, task.sha256)
    return "" if is_sound else "vault"


def begin(session: Session, task: Task, *, actor: str, visit_id: str) -> bool:
    """Record that a file is about to be deleted; False when the order was taken back, or the file is settled already."""
    order = session.get(WipeOrder, task.order_id, with_for_update=True, populate_existing=True)
    item = session.get(WipeItem, task.item_id, populate_existing=True)
    if order is None or item is None or (order.state, item.state) != (OrderState.ORDERED, ItemState.WAITING):
        return False
    _record(session, "camera.file_wiping", task, actor, visit_id)
    return True


def has_begun(session: Session, task: Task) -> bool:
    """Tell whether an intent to delete this file stands in the log without its result."""
    return task.item_id in begun_items(session, task.camera_id)


def wiped(session: Session, task: Task, *, actor: str, visit_id: str, reconciled: bool = False) -> None:
    """Record that a file is gone from the camera, by this order; `reconciled` when it was deleted before and only now settled."""
    _record(session, "camera.file_wiped", task, actor, visit_id, **({"reconciled": True} if reconciled else {}))
    item = _settle(session, task, ItemState.WIPED, "reconciled" if reconciled else "")
    file = session.get_one(CameraFile, item.camera_file_id)
    file.state, file.ended_at = CameraFileState.WIPED, now()
    close_when_done(session, get_order(session, task.order_id))


def kept(session: Session, task: Task, reason: str, *, actor: str, visit_id: str) -> None:
    """Record that a file was left on the camera, with why (a key of `REASONS`, or an error's code)."""
    _record(session, "camera.file_kept", task, actor, visit_id, reason=reason)
    item = _settle(session, task, ItemState.KEPT, reason)
    file = session.get_one(CameraFile, item.camera_file_id)
    if file.state == CameraFileState.WIPED:  # it was thought so a moment ago
        file.state, file.ended_at = CameraFileState.ON_CAMERA, None
    close_when_done(session, get_order(session, task.order_id))


def reason_words(code: str) -> tuple[str, str]:
    """Return in both languages why a file was kept."""
    return REASONS.get(code, (code, code))


def _settle(session: Session, task: Task, state: ItemState, reason: str) -> WipeItem:
    item = session.get_one(WipeItem, task.item_id)
    item.state, item.reason, item.done_at = state, reason, now()
    session.flush()
    return item


def _record(session: Session, kind: str, task: Task, actor: str, visit_id: str, **details: JSON) -> None:
    custody.record(
        session,
        kind,
        object_id=task.camera_id,
        actor=actor,
        device=task.camera_id,
        sha256=task.sha256,
        size=task.size,
        device_time=task.modified_raw or None,
        details={
            "order": task.order_id,
            "item": task.item_id,
            "recording": task.recording_id,
            "visit": visit_id,
            **details,
        },
        private={"path": task.path},
    )


def _log_trouble(rt: Runtime, session: Session, order: WipeOrder, scan: Recording) -> str:
    """Return "" when the log proves that this very list was approved by whom the row says, and ordered with this very scan."""
    query = select(CustodyEvent).where(
        CustodyEvent.object_id == order.id, CustodyEvent.kind.in_(("wipe.approved", "wipe.ordered"))
    )
    found = {event.kind: event for event in session.scalars(query.order_by(CustodyEvent.id))}
    approval, command = found.get("wipe.approved"), found.get("wipe.ordered")
    if approval is None or command is None:
        return "order_not_in_log"
    agreed, ordered = _details(approval.body), _details(command.body)
    said = (json.loads(approval.body).get("actor"), agreed.get("list"), ordered.get("list"))
    if said != (order.approved_by, order.list_sha256, order.list_sha256):
        return "order_not_in_log"
    if (ordered.get("recording"), opened(command).get("scan")) != (scan.id, scan.sha256):
        return "order_not_in_log"
    return _proof_trouble(rt.log, approval) or _proof_trouble(rt.log, command)


def _proof_trouble(log: Log, event: CustodyEvent) -> str:
    """Return "" when the event stands in the log's tree, `NOT_YET` when no signed head covers it so far."""
    checkpoint = log.checkpoint()
    if event.log_index is None or checkpoint is None or event.log_index >= checkpoint.size:
        return NOT_YET
    try:
        parse_proof(prove(log, event.log_index, checkpoint)).check(event.body.encode(), log.verifier)
    except (NoteError, LogDamagedError):
        return "order_not_in_log"
    return ""


def _details(body: str) -> dict[str, JSON]:
    value = json.loads(body).get("details")
    return value if isinstance(value, dict) else {}


def _reads_back(rt: Runtime, object_id: str, sha256: str) -> bool:
    """Decrypt an object to its end and compare what it holds."""
    try:
        with rt.vault.open(object_id) as reader:
            return _hash(reader.chunks()) == sha256
    except (ObjectMissingError, DamagedObjectError, KeyMissingError, VaultIoError):
        return False


def _hash(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
