"""The embedded broker's folder, made safe against a full disk and a reader that is too quick.

kombu's own filesystem transport opens a message's file under its final name before anything is written: a full disk leaves it
empty, a quick reader takes it half-written, and either ends the worker. Here a message appears whole or not at all, and what
is no message is dropped: the job's row stands, and the sweep sends it again.
"""

import json
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """kombu's channel with a whole-or-nothing put and a get that survives foreign files."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # noqa: ANN401  kombu's, twice
        name = f"{monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"  # taken in the order of names
        aside, place = (Path(self.data_folder_out) / prefix / name for prefix in (".new", ""))
        try:
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            aside.write_text(json.dumps(payload), encoding="utf-8")
            aside.replace(place)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise ChannelError(f"cannot write {place}: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ANN401, ARG002  kombu's signature
        try:
            return super()._get(queue)  # type: ignore[no-untyped-call]
        except ValueError:
            raise Empty from None


class Transport(filesystem.Transport):
    """The `filesystem://` transport over that channel."""

    Channel = Channel
