"""Originals out of the vault into a package: decrypted and hashed as they are written, once, and compared with what was sealed.

A file that is there under its name was whole, synced and had the sealed hash when it got it. One that was cut off by a crash lies
beside as `.part`; the next try hashes what is there and goes on from its end.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bodycam.custody.durable import make_folder
from bodycam.packages.errors import NotTheSealedFileError
from bodycam.runtime import Runtime

_BLOCK = 4 << 20


class _Digest(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def extract(
    rt: Runtime, object_id: str, target: Path, *, sha256: str, size: int, step: Callable[[int], None]
) -> None:  # fmt: skip
    """Write a sealed object's original to `target`, unless it is there; `step` is told the bytes as they are done.

    Raises:
        NotTheSealedFileError: the vault gave other bytes than were sealed; the file is removed.
        the vault's errors, DiskFullError: what was written stays for the next try.
    """
    if target.exists() and target.stat().st_size == size:
        step(size)
        return
    make_folder(target.parent)
    part = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    with part.open("ab+") as file, rt.vault.open(object_id) as reader:
        done = _resume(part, size, digest)
        file.truncate(done)
        step(done)
        for block in reader.chunks(done, block=_BLOCK):
            file.write(block)
            digest.update(block)
            step(len(block))
        file.flush()
        os.fsync(file.fileno())
        written = file.tell()
    if digest.hexdigest() != sha256 or written != size:
        part.unlink()
        raise NotTheSealedFileError(recording=target.parent.name)
    part.rename(target)


def _resume(part: Path, size: int, digest: _Digest) -> int:
    """Hash what an earlier try left, up to `size`, and return how many bytes that is."""
    done = 0
    with part.open("rb") as file:
        while block := file.read(min(_BLOCK, size - done)):
            digest.update(block)
            done += len(block)
    return done
