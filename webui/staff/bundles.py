"""A folder sent as one archive while it is read: stored, not compressed, with no second copy on the disk."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 1 << 20


def zipped(folder: Path) -> Iterator[bytes]:
    """Yield the bytes of a ZIP64 archive of a folder's files, under the folder's own name."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo.from_file(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    if piece := pipe.take():
                        yield piece
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """What is written goes on at once; it can't be sought, so the archive writes its sizes behind each file."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # the base takes any buffer
        self._held += view
        return view.nbytes

    def take(self) -> bytes:
        """Return what was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held
