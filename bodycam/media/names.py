"""Read the time that cameras put in file names, such as `DSJ_0412_030577_20261121_142006.mp4`.

A name carries no zone: Vietnam's is assumed and the time is marked derived.
"""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from bodycam.clock import VIETNAM
from bodycam.media.info import MediaTime, TimeKind

NAME = "name"  # the source of such a time
_STAMP = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})[-_ T.]?(\d{2})[-_.:]?(\d{2})[-_.:]?(\d{2})(?!\d)"
)


def time_in_name(name: str) -> MediaTime | None:
    """Return the time in a file's name (its last 14-digit date and time), or None."""
    for match in reversed(list(_STAMP.finditer(PurePosixPath(name.replace("\\", "/")).name[:255]))):
        try:
            moment = datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM)
        except ValueError:
            continue
        return MediaTime(NAME, match.group(), moment.astimezone(UTC), TimeKind.DERIVED)
    return None
