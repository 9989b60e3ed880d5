"""What a package says it is, against what its events prove: recordings, the order it was made on, timestamps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from bodycam.custody.canonical import canonical
from bodycam.custody.leaf import CONTENT
from bodycam.custody.policy import Policy
from bodycam.packages import layout
from bodycam.packages.documents import Copy, EventDocument, File, OrderDocument, PackageDocument, Packed, Stamped
from bodycam.packages.payload import Payload
from bodycam.packages.proving import Head, ProvenEvent, UnprovenError, check_receipt, prove_event, stamps

Confirm = Callable[
    [bytes, bytes], datetime | None
]  # token, what it stamps -> its time (UTC), when an authority confirms it


@dataclass
class _Contents:
    payload: Payload
    policy: Policy
    head: Head | None
    _events: dict[str, ProvenEvent | None] = field(default_factory=dict)

    def add(self, code: str, where: str) -> None:
        self.payload.reasons.add(code, where)

    def event(self, path: str, object_id: str) -> ProvenEvent | None:
        """Return a proven event of this object; None when its reason was noted."""
        if path not in self._events:
            self._events[path] = self._prove(path)
        event = self._events[path]
        if event is not None and event.leaf.get("object") != object_id:
            self.add("event_of_another", path)
            return None
        return event

    def _prove(self, path: str) -> ProvenEvent | None:
        document = self.payload.document(path, EventDocument, layout.MAX_EVENT, code="event_false")
        beside = path.removesuffix(".json") + ".tlog-proof"
        proof = self.payload.data(beside, layout.MAX_TLOG_PROOF)
        if document is None or proof is None or self.head is None:
            return None
        try:
            return prove_event(document, proof.decode(), self.head.checkpoint)
        except (UnprovenError, UnicodeDecodeError):
            self.add("event_false", path)
            return None


def check_contents(
    payload: Payload,
    policy: Policy,
    head: Head | None,
    created: Mapping[str, Any] | None,
    confirm: Confirm | None,
    notes: list[str],
) -> PackageDocument | None:
    """Go through steps 6 to 9; `created` is the leaf `package.created`, when it was proven. Returns `data/package.json`."""
    contents = _Contents(payload, policy, head)
    package = payload.document(layout.PACKAGE, PackageDocument, layout.LIMITS[layout.PACKAGE])
    order = payload.document(layout.ORDER, OrderDocument, layout.LIMITS[layout.ORDER])
    if package is not None:
        _identity(contents, package, order, created)
        _recordings(contents, package)
        for stamped in package.timestamps:
            _timestamp(contents, stamped, confirm, notes)
        for path in (*package.documents, *(item.findings for item in package.recordings if item.findings)):
            payload.names(path)
    if package is not None and order is not None:
        _order(contents, package, order, created)
    return package


def _identity(
    contents: _Contents, package: PackageDocument, order: OrderDocument | None, created: Mapping[str, Any] | None
) -> None:
    """Step 6: package, order and the leaf are about each other."""
    details = created["details"] if created else {}
    is_other = order is not None and (package.order != order.id or package.number != order.number)
    if created is not None and (details["package"] != package.id or details["order"] != package.order):
        is_other = True
    if is_other or (created is not None and created.get("object") != package.order):
        contents.add("order_differs", layout.PACKAGE)


def _recordings(contents: _Contents, package: PackageDocument) -> None:
    """Step 7, and that nothing is there twice."""
    seen: set[str] = set()
    for recording in package.recordings:
        sealed = _recording(contents, recording)
        marks = {f"id {recording.id}", f"path {recording.original.path}"}
        if sealed is not None:
            marks.add(f"index {sealed.index}")
        if seen & marks:
            contents.add("recording_twice", recording.original.path[:400])
        seen |= marks


def _recording(contents: _Contents, recording: Packed) -> ProvenEvent | None:
    original, payload = recording.original, contents.payload
    payload.names(original.path)
    sealed = contents.event(recording.sealed, recording.id)
    if sealed is not None and sealed.leaf.get("kind") != "recording.sealed":
        contents.add("event_of_another", recording.sealed)
        sealed = None
    if sealed is not None:
        if CONTENT not in sealed.openings:
            contents.add("opening_missing", recording.sealed)
        elif not _is_content(contents, sealed, original):
            contents.add("original_differs", original.path[:400])
    for path in recording.events:
        contents.event(path, recording.id)
    for copy in recording.copies:
        _copy(contents, recording, copy)
    if recording.receipt is not None:
        _receipt(contents, recording.receipt, sealed)
    return sealed


def _copy(contents: _Contents, recording: Packed, copy: Copy) -> None:
    contents.payload.names(copy.path)
    made = contents.event(copy.event, recording.id)
    if made is None:
        return
    is_made = made.leaf.get("kind") == "recording.rendered" and made.says("kind") == copy.kind
    if not is_made or CONTENT not in made.openings or not _is_content(contents, made, copy):
        contents.add("copy_differs", copy.path[:400])


def _is_content(contents: _Contents, event: ProvenEvent, file: File | Copy) -> bool:
    """Say whether the event's content is what the package says of a file, and what the manifest has for its path."""
    opened = event.openings[CONTENT]
    same = (opened["sha256"], opened["size"]) == (file.sha256, file.size)
    return same and contents.payload.manifest.get(file.path, file.sha256) == file.sha256


def _receipt(contents: _Contents, path: str, sealed: ProvenEvent | None) -> None:
    data = contents.payload.data(path, layout.MAX_RECEIPT)
    if data is None:
        return
    try:
        receipt = check_receipt(contents.policy, data.decode())
    except (UnprovenError, UnicodeDecodeError):
        contents.add("receipt_false", path)
        return
    if sealed is not None and canonical(receipt.event) != canonical(sealed.leaf):
        contents.add("receipt_false", path)


def _order(
    contents: _Contents, package: PackageDocument, order: OrderDocument, created: Mapping[str, Any] | None
) -> None:
    """Step 8: the order is the one that was requested and approved, by two people, in time, for these recordings."""
    events = [contents.event(path, order.id) for path in package.order_events]
    told = sha256(canonical(order.recordings).encode()).hexdigest()
    if told != order.list_ or order.recordings != sorted(set(order.recordings)):
        contents.add("order_differs", layout.ORDER)
    requested = [event for event in events if event and event.leaf.get("kind") == "package.requested"]
    approved = [event for event in events if event and event.leaf.get("kind") == "package.approved"]
    if None in events:
        pass  # its own reason is known: what is not proven is not missing
    elif len(requested) != 1 or len(approved) != 1:
        contents.add("order_missing", layout.ORDER)
    if len(requested) == 1 and len(approved) == 1:
        if not _as_logged(order, requested[0], approved[0]):
            contents.add("order_differs", layout.ORDER)
        made_at = created.get("time") if created else None
        if isinstance(made_at, str) and not str(approved[0].leaf.get("time")) <= made_at <= order.expires_at:
            contents.add("order_expired", layout.ORDER)
    if order.requested_by.id == order.approved_by.id:
        contents.add("order_self_approved", layout.ORDER)
    _covered(contents, package, order)


def _as_logged(order: OrderDocument, requested: ProvenEvent, approved: ProvenEvent) -> bool:
    return (
        requested.says("list") == approved.says("list") == order.list_
        and requested.leaf.get("actor") == order.requested_by.id
        and approved.leaf.get("actor") == order.approved_by.id
        and requested.value("purpose") == order.purpose
        and requested.value("recipient") == order.recipient
        and approved.says("expires_at") == order.expires_at
    )


def _covered(contents: _Contents, package: PackageDocument, order: OrderDocument) -> None:
    ordered = set(order.recordings)
    for recording in package.recordings:
        if recording.id not in ordered or (recording.copies and not order.renditions):
            contents.add("recording_not_ordered", recording.original.path[:400])
    for missing in sorted(ordered - {recording.id for recording in package.recordings}):
        contents.add("recording_missing", missing)


def _timestamp(contents: _Contents, stamped: Stamped, confirm: Confirm | None, notes: list[str]) -> None:
    """Step 9: what was stamped is an earlier head of this log; the tokens' signatures are for their authorities' certificates."""
    payload, head = contents.payload, contents.head
    text = payload.data(stamped.checkpoint, layout.MAX_STAMPED)
    for token in stamped.tokens:
        data = payload.data(token.path, layout.MAX_TOKEN)
        if data is not None and text is not None and sha256(text).digest() not in data:
            contents.add("timestamp_false", token.path)
        elif data is not None and text is not None:
            notes.append(f"{token.path}: {_confirmed(confirm, data, text)}")
        if token.chain is not None:
            payload.names(token.chain)
    if text is None or head is None:
        return
    if not stamps(text, head.checkpoint, stamped.consistency):
        contents.add("timestamp_false", stamped.checkpoint)


def _confirmed(confirm: Confirm | None, token: bytes, text: bytes) -> str:
    """Say what an authority's own certificate makes of a token."""
    if confirm is None:
        return "dấu thời gian chưa kiểm tra / timestamp not checked"
    moment = confirm(token, text)
    if moment is None:
        return "không cơ quan nào đã nêu xác nhận / confirmed by none of the authorities given"
    return f"dấu thời gian / stamped at {moment:%Y-%m-%dT%H:%M:%SZ}"
