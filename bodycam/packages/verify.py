"""Checking a package with nothing but its folder and a policy: no database, settings or network (docs/formats.md, "The algorithm").

Every step collects reasons; the worst one is the verdict. What was hashed and fitted is read, nothing else is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodycam.custody.policy import Policy
from bodycam.packages import layout
from bodycam.packages.errors import NotAPackageFolderError
from bodycam.packages.folder import Folder, Progress, missing_tags
from bodycam.packages.layout import ManifestError, parse_manifest
from bodycam.packages.payload import Payload
from bodycam.packages.reasons import Reason, Reasons, Verdict

if TYPE_CHECKING:
    from bodycam.packages.contents import Confirm
    from bodycam.packages.documents import PackageDocument
    from bodycam.packages.proving import Head

# imports inside the functions are late on purpose: they are loaded while the files are being hashed


@dataclass(frozen=True)
class Verified:
    """What a verification found; `package` and `head` as far as they could be read, the head being the one that was judged."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    package: "PackageDocument | None"
    head: "Head | None"
    files: int
    size: int

    @property
    def witnesses(self) -> tuple[tuple[str, datetime], ...]:
        """Who confirmed the log's head, by the policy's names, with their times (UTC)."""
        return self.head.witnesses if self.head else ()


@dataclass(frozen=True)
class Bound:
    """What `proof/package.json` proves: the leaf `package.created`, and the head it stands under."""

    leaf: Mapping[str, Any]
    head: "Head"
    consistency: tuple[str, ...]

    @property
    def details(self) -> Mapping[str, Any]:
        """The leaf's details."""
        details: Mapping[str, Any] = self.leaf["details"]
        return details


def verify(
    root: Path, policy: Policy, progress: Progress | None = None, *, confirm: "Confirm | None" = None
) -> Verified:
    """Check a package; `confirm` says what the user's timestamp authorities make of a token.

    Raises:
        NotAPackageFolderError: the path is no folder.
    """
    if not root.is_dir():
        raise NotAPackageFolderError(path=root)
    reasons = Reasons()
    folder = Folder(root, reasons)
    notes = [f"bỏ qua / ignored: {path}" for path in folder.ignored[:20]]
    manifest = None if folder.overflowed else _tag_files(folder, reasons)
    if manifest is None:
        return Verified(reasons.verdict(), tuple(reasons.found), tuple(notes), None, None, len(folder.sizes), 0)
    payload = Payload(folder, manifest, reasons)
    payload.start(progress)
    bound = _bound(folder, policy, reasons)
    payload.check()
    package = _contents(payload, policy, bound, reasons, confirm, notes)
    size = sum(folder.sizes.get(path, 0) for path in manifest)
    head = bound.head if bound else None
    return Verified(reasons.verdict(), tuple(reasons.found), tuple(notes), package, head, len(manifest), size)


def _tag_files(folder: Folder, reasons: Reasons) -> dict[str, str] | None:
    """Step 2: the tag files in their forms; return the manifest, or None when there is none to go on with."""
    for path in missing_tags(folder):
        reasons.add("file_missing", path)
    texts = {path: folder.read(path, layout.LIMITS[path]) for path in layout.TAG_FILES}
    if texts[layout.BAGIT] not in {None, layout.BAGIT_TEXT}:
        reasons.add("tag_malformed", layout.BAGIT)
    _tag_manifest(texts, reasons)
    text = texts[layout.MANIFEST]
    if text is None:
        return None
    try:
        return parse_manifest(text, prefix="data/")
    except ManifestError as error:
        reasons.add(error.code, error.where or layout.MANIFEST)
        return None


def _tag_manifest(texts: Mapping[str, bytes | None], reasons: Reasons) -> None:
    text = texts[layout.TAG_MANIFEST]
    if text is None:
        return
    try:
        told = parse_manifest(text, prefix="")
    except ManifestError as error:
        reasons.add(error.code, layout.TAG_MANIFEST)
        return
    if tuple(told) != layout.IN_TAG_MANIFEST:
        reasons.add("tag_malformed", layout.TAG_MANIFEST)
    for path, digest in told.items():
        data = texts.get(path)
        if data is not None and sha256(data).hexdigest() != digest:
            reasons.add("tag_changed", path)


def _bound(folder: Folder, policy: Policy, reasons: Reasons) -> Bound | None:
    """Step 3: the log's event over the manifest, and who confirmed the head it stands under."""
    from bodycam.packages.documents import DocumentError
    from bodycam.packages.proving import UnprovenError

    if layout.PROOF not in folder.sizes:
        reasons.add("proof_missing", layout.PROOF)
        return None
    data = folder.read(layout.PROOF, layout.LIMITS[layout.PROOF])
    if data is None:
        return None
    try:
        bound = _read_bound(data, policy)
    except (DocumentError, UnprovenError, ValueError) as error:
        reasons.add(error.code if isinstance(error, UnprovenError) else "proof_false", layout.PROOF)
        return None
    for name, path in (("manifest", layout.MANIFEST), ("bag_info", layout.BAG_INFO)):
        text = folder.read(path, layout.LIMITS[path])
        if text is not None and sha256(text).hexdigest() != bound.details.get(name):
            reasons.add("manifest_changed", path)
    if not bound.head.quorum:
        reasons.add("unwitnessed", layout.PROOF)
    return bound


def _read_bound(data: bytes, policy: Policy) -> Bound:
    from bodycam.packages.documents import ProofDocument, read_as
    from bodycam.packages.proving import UnprovenError, includes, judge, leaf_of, read_proof

    document = read_as(ProofDocument, data)
    details = document.event.get("details")
    named = isinstance(details, dict) and all(
        isinstance(details.get(name), str) for name in ("package", "order", "manifest", "bag_info")
    )
    if document.event.get("kind") != "package.created" or not named:
        raise UnprovenError("proof_false")
    proof = read_proof("\n".join(document.proof) + "\n")
    head = judge(policy, proof.note)
    if not includes(proof, leaf_of(document.event), head.checkpoint):
        raise UnprovenError("proof_false")
    return Bound(document.event, head, tuple(document.consistency))


def _contents(
    payload: Payload, policy: Policy, bound: Bound | None, reasons: Reasons, confirm: "Confirm | None", notes: list[str]
) -> "PackageDocument | None":
    """Steps 5 to 9, under the package's own head of the log."""
    from bodycam.packages.contents import check_contents

    own = _own_head(payload, policy, bound, reasons)
    return check_contents(payload, policy, own, bound.leaf if bound else None, confirm, notes)


def _own_head(payload: Payload, policy: Policy, bound: Bound | None, reasons: Reasons) -> "Head | None":
    """Step 5: the head that the events stand under, and that the later, judged one continues it."""
    from bodycam.packages.proving import UnprovenError, continues, judge

    note = payload.text(layout.CHECKPOINT, layout.MAX_CHECKPOINT)
    if note is None:
        return None
    try:
        head = judge(policy, note)
    except UnprovenError as error:
        reasons.add(error.code, layout.CHECKPOINT)
        return None
    if bound is not None and not continues(head.checkpoint, bound.head.checkpoint, bound.consistency):
        reasons.add("log_forked", layout.CHECKPOINT)
        return None
    return head
