"""What lies under a folder that is read as a camera: the operating system's calls, and whether the device is still there."""

import errno
import os
from pathlib import Path

_GONE = {errno.EIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ENXIO}


class Medium:
    """A folder of this machine. A camera's card knows its device and overrides what it can tell better."""

    def is_gone(self, error: OSError) -> bool:
        """Tell whether an error means that the device was pulled out, not that one file is damaged."""
        return error.errno in _GONE

    def check(self) -> None:
        """Raise OSError (ENODEV) when the device is gone: a listing that went well may be that of an empty shell."""

    def entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """List a folder by name."""
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)

    def begin(self, descriptor: int, offset: int) -> None:
        """Get ready to read an open file from `offset` on."""
        os.posix_fadvise(descriptor, offset, 0, os.POSIX_FADV_SEQUENTIAL)

    def read(self, descriptor: int, count: int, offset: int) -> bytes:
        """Read up to `count` bytes of an open file at `offset`; b"" at its end."""
        return os.pread(descriptor, count, offset)
