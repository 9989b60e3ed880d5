"""Reads the file on a card in which a camera says who it is; its name's case is the camera's, and links are not followed."""

import os
import stat
from pathlib import Path

from dock_service.profiles.identity import IdentityRecord
from dock_service.profiles.profile import Identity

_MOST = 4096 + 256  # bytes: the furthest a record may begin, and more than it is long


def identity_on(root: Path, identity: Identity) -> IdentityRecord | None:
    """Return what the identity file in a card's root says; None when there is none that names a serial."""
    try:
        files = sorted(path for path in root.iterdir() if is_identity_file(path.name, identity))
        for path in files[:1]:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                return identity.read(file.read(_MOST)) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except OSError:
        return None
    return None


def is_identity_file(name: str, identity: Identity) -> bool:
    """Tell whether a name in the root is the identity file's."""
    return name.casefold() == identity.file.casefold()
