"""In which order a camera's files come: what was marked by hand, then the newest, each with its sidecars right behind it.

Only what the camera says counts. The dock knows no complaint and no hold, so the order can't tell anybody of one.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from bodycam.recordings.names import stem_of
from dock_service.cameras.camera import CameraFile
from dock_service.profiles import Profile

_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


def in_order(files: Sequence[CameraFile], profile: Profile) -> list[CameraFile]:
    """Return the files as they are to be copied; every file once."""
    recordings: dict[str, list[str]] = defaultdict(list)  # by stem, so that a full card is gone through once
    for file in files:
        if profile.is_recording(file.path):
            recordings[stem_of(file.path)].append(file.path)
            recordings[file.path.lower()].append(file.path)
    sidecars: dict[str, list[CameraFile]] = defaultdict(list)
    others: list[CameraFile] = []
    for file in files:
        owner = profile.sidecar_of(file.path, recordings.get(stem_of(file.path), ()))
        if owner is None:
            others.append(file)
        else:
            sidecars[owner].append(file)
    ordered = sorted(others, key=lambda file: file.path)
    ordered.sort(key=lambda file: _moment(file, profile), reverse=True)
    ordered.sort(key=lambda file: _rank(file, profile))
    beside = {path: sorted(found, key=lambda file: file.path) for path, found in sidecars.items()}
    return [each for file in ordered for each in (file, *beside.pop(file.path, ()))]


def _rank(file: CameraFile, profile: Profile) -> int:
    if profile.is_event(file.path):
        return 0
    return 1 if profile.is_recording(file.path) else 2


def _moment(file: CameraFile, profile: Profile) -> datetime:
    """Return when the camera says it was recorded: by its name, else when it was written."""
    said = profile.read_name(file.path)
    return (said.start if said else None) or file.modified or _NO_TIME
