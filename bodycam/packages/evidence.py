"""The small files of a package: events with their proofs, receipts, findings, the log's head, and what the package says it is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bodycam.clock import now
from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.leaf import CONTENT
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.note import encode
from bodycam.custody.proof import prove
from bodycam.custody.service import format_time, openings_of
from bodycam.packages import layout
from bodycam.packages.documents import write_document
from bodycam.packages.plan import Item, Plan

_OPENED = {"recording.sealed": ("name",), "package.requested": ("purpose", "recipient")}  # besides the content


class Evidence:
    """Writes a plan's small files below a package's folder, under one head of the log."""

    def __init__(self, root: Path, plan: Plan, log: Log, head: Checkpoint) -> None:
        """Take the folder, the plan, and the head that all its events' proofs stand under."""
        self._root, self._plan, self._log, self._head = root, plan, log, head

    def write(self, policy: str | None, documents: Mapping[str, bytes], timestamps: Sequence[JSON]) -> None:
        """Write everything that is not copied out of the vault; `documents` are the PDFs by their path."""
        plan = self._plan
        order_events: list[JSON] = [self._event(event, "order") for event in plan.order_events]
        recordings: list[JSON] = [self._recording(item) for item in plan.items]
        self._put(layout.CHECKPOINT, self._head.note.encode())
        names = [*documents]
        if policy is not None:
            self._put(layout.POLICY, policy.encode())
            names.append(layout.POLICY)
        for path, data in documents.items():
            self._put(path, data)
        self._put(layout.ORDER, write_document(order_of(plan)))
        self._put(
            layout.PACKAGE,
            write_document(
                {
                    "schema": "bodycam/package/1",
                    "id": plan.order.package_id,
                    "order": plan.order.id,
                    "number": plan.order.number,
                    "made_at": format_time(now()),
                    "maker": plan.unit.name if plan.unit else "",
                    "log": {"origin": self._log.origin, "key": str(self._log.verifier)},
                    "recordings": recordings,
                    "order_events": order_events,
                    "timestamps": list(timestamps),
                    "documents": sorted(names),
                }
            ),
        )

    def consistency_to(self, head: Checkpoint) -> list[str]:
        """Return the consistency proof from this package's head to a later one."""
        return consistency(self._log, self._head.size, head)

    def _recording(self, item: Item) -> JSON:
        recording = item.recording
        paths = {event.id: self._event(event, recording.id) for event in item.events}
        copies: list[JSON] = []
        if item.proxy is not None:
            rendition, made = item.proxy
            if made.id not in paths:
                paths[made.id] = self._event(made, recording.id)
            copies.append({"path": item.proxy_path, "kind": rendition.kind, "sha256": rendition.sha256,
                           "size": rendition.size, "event": paths[made.id]})  # fmt: skip
        receipt = f"data/receipts/{item.sealed.id}.json" if item.receipt else None
        if receipt and item.receipt:
            self._put(receipt, item.receipt.encode())
        findings = f"data/findings/{recording.id}.json" if item.findings else None
        if findings:
            self._put(findings, write_document(findings_document(item)))
        original: JSON = {"path": item.original_path, "sha256": recording.sha256, "size": recording.size}
        return {
            "id": recording.id,
            "name": recording.name,
            "original": original,
            "sealed": paths[item.sealed.id],
            "events": sorted(paths.values()),
            "copies": copies,
            "receipt": receipt,
            "findings": findings,
        }

    def _event(self, event: CustodyEvent, folder: str) -> str:
        """Write an event's two files and return the path of the first."""
        assert event.log_index is not None  # the plan takes no others
        path = f"data/events/{folder}/{event.log_index:012d}-{event.id}.json"
        leaf = parse(event.body)
        opened = (CONTENT, *_OPENED.get(event.kind, ()))
        openings: dict[str, JSON] = {name: value for name, value in openings_of(event).items() if name in opened}
        document: dict[str, JSON] = {
            "schema": "bodycam/package-event/1",
            "index": event.log_index,
            "event": leaf,
            "openings": openings,
        }
        self._put(path, write_document(document))
        proof = prove(self._log, event.log_index, self._head)
        self._put(f"{path.removesuffix('.json')}.tlog-proof", proof.encode())
        return path

    def _put(self, path: str, data: bytes) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def consistency(log: Log, old_size: int, head: Checkpoint) -> list[str]:
    """Return the consistency proof (RFC 6962, 2.1.2) from an older size to a head, in Base64."""
    proof = merkle.consistency_proof(old_size, head.size, log.tiles.node(head.size))
    return [encode(item) for item in proof]


def order_of(plan: Plan) -> Mapping[str, JSON]:
    """Return `data/order.json`."""
    order, approver, requester = plan.order, plan.approver, plan.requester
    assert order.approved_at is not None  # the plan takes no others
    return {
        "schema": "bodycam/extraction-order/1",
        "id": order.id,
        "number": order.number,
        "purpose": order.purpose,
        "recipient": order.recipient,
        "case": {"id": plan.case.id, "number": plan.case.number or ""} if plan.case else None,
        "requested_by": {"id": requester.id, "name": requester.display_name},
        "approved_by": {"id": approver.id, "name": approver.display_name},
        "requested_at": format_time(order.requested_at),
        "approved_at": format_time(order.approved_at),
        "expires_at": format_time(order.expires_at),
        "renditions": order.renditions,
        "recordings": [item.recording.id for item in plan.items],
        "list": order.list_sha256,
    }


def findings_document(item: Item) -> Mapping[str, JSON]:
    """Return what the checks of time, place and continuity said of a recording."""
    findings: list[JSON] = [
        {"row": finding.row.value, "code": finding.code, "result": finding.result.value, "vi": finding.vi,
         "en": finding.en, "numbers": _plain(finding.numbers), "span_s": list(finding.span) if finding.span else None}
        for finding in item.findings
    ]  # fmt: skip
    return {
        "schema": "bodycam/findings/1",
        "recording": item.recording.id,
        "verdict": item.recording.verdict,
        "findings": findings,
    }


def _plain(numbers: Mapping[str, str | int | float | bool | None]) -> dict[str, JSON]:
    """Return numbers that canonical JSON has: one too large is written as text."""
    limit = 2**53 - 1
    return {
        name: str(value) if isinstance(value, int | float) and not abs(value) <= limit else value
        for name, value in numbers.items()
    }


def leaf_of(event: CustodyEvent) -> Mapping[str, JSON]:
    """Return an event's leaf as an object."""
    leaf: Mapping[str, JSON] = json.loads(event.body)
    return leaf


def paths_below(root: Path) -> Iterable[str]:
    """Yield the paths of all files below a package's `data/`."""
    return (path.relative_to(root).as_posix() for path in sorted((root / "data").rglob("*")) if path.is_file())
