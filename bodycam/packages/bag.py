"""Closing a package: its manifest, the log's event over it, and the proof that binds the two (docs/formats.md, "Tag files")."""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import write_durably
from bodycam.custody.log import Log
from bodycam.custody.proof import parse_proof, prove
from bodycam.packages import layout
from bodycam.packages.documents import ProofDocument, read_as, write_document
from bodycam.packages.evidence import consistency, paths_below
from bodycam.packages.layout import render_manifest


def write_manifest(root: Path, known: Mapping[str, str], info: Mapping[str, str]) -> tuple[str, str, int, int]:
    """Write `bagit.txt`, `bag-info.txt` and the manifest; `known` are hashes that need no second reading.

    Returns the SHA-256 (hex) of the manifest and of `bag-info.txt`, the number of files and of bytes.
    """
    hashes, size = {}, 0
    for path in paths_below(root):
        hashes[path] = known.get(path) or sha256((root / path).read_bytes()).hexdigest()
        size += (root / path).stat().st_size
    manifest = render_manifest(hashes)
    lines = {**info, "Payload-Oxum": f"{size}.{len(hashes)}"}
    told = "".join(f"{label}: {' '.join(value.split())}\n" for label, value in lines.items()).encode()
    for path, data in ((layout.BAGIT, layout.BAGIT_TEXT), (layout.BAG_INFO, told), (layout.MANIFEST, manifest)):
        write_durably(root / path, data)
    return sha256(manifest).hexdigest(), sha256(told).hexdigest(), len(hashes), size


def write_proof(root: Path, log: Log, *, leaf: str, index: int, head: Checkpoint) -> None:
    """Write the proof of `package.created` under a head, and the tag manifest over all four."""
    own = _own_size(root)
    document: dict[str, JSON] = {
        "schema": "bodycam/package-proof/1",
        "event": parse(leaf),
        "proof": list(prove(log, index, head).removesuffix("\n").split("\n")),
        "consistency": list(consistency(log, own, head)),
    }
    write_durably(root / layout.PROOF, write_document(document))
    hashes = {path: sha256((root / path).read_bytes()).hexdigest() for path in layout.IN_TAG_MANIFEST}
    write_durably(root / layout.TAG_MANIFEST, render_manifest(hashes))


def renew_proof(root: Path, log: Log, head: Checkpoint) -> None:
    """Put the package's event under a newer head, with more cosignatures; the leaf stays what it is."""
    told = read_as(ProofDocument, (root / layout.PROOF).read_bytes())
    index = parse_proof("\n".join(told.proof) + "\n").index
    write_proof(root, log, leaf=canonical(told.event), index=index, head=head)


def sync_tree(root: Path) -> None:
    """Make a finished folder last: every small file and every folder of it."""
    for folder, _, files in os.walk(root):
        for name in files:
            _sync(Path(folder) / name, os.O_RDONLY)
        _sync(Path(folder), os.O_RDONLY | os.O_DIRECTORY)


def _own_size(root: Path) -> int:
    """Return the size of the head that the package's events stand under: the second line of its note."""
    return int((root / layout.CHECKPOINT).read_text("utf-8").split("\n")[1])


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
