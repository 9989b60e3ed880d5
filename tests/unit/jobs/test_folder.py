"""The embedded broker's folder: a message is whole or not there, and junk ends nobody."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from bodycam.jobs import service
from bodycam.jobs.app import make_app
from bodycam.settings import load_settings


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Celery]:
    yield make_app(load_settings({"BODYCAM_DATA_DIR": str(tmp_path)}))
    service.send_with(None)


def _take(app: Celery) -> list[str]:
    """Return the job ids of all messages that can be taken now."""
    found = []
    with app.connection_for_read() as connection, connection.SimpleQueue("bodycam") as queue:
        while True:
            try:
                message = queue.get(block=False)
            except queue.Empty:
                return found
            found.append(message.payload[0][0])
            message.ack()


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "broker" / "queue").rglob("*") if path.is_file()]


def test_messages_come_out_as_they_went_in(app: Celery, tmp_path: Path) -> None:
    for job_id in ("one", "two"):
        app.send_task("recording.read", args=[job_id])
    assert _take(app) == ["one", "two"]
    assert _files(tmp_path) == []


def test_on_a_full_disk_a_message_is_refused_and_leaves_no_half(
    app: Celery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OperationalError, match="No space left"):
            app.send_task("recording.read", args=["lost"])
    assert _files(tmp_path) == []
    app.send_task("recording.read", args=["later"])
    assert _take(app) == ["later"]


@pytest.mark.parametrize("junk", [b"", b"{", b"\xff\xfe"])
def test_what_is_no_message_is_dropped(app: Celery, tmp_path: Path, junk: bytes) -> None:
    app.send_task("recording.read", args=["good"])
    place = tmp_path / "broker" / "queue" / "0_junk.bodycam.msg"
    place.write_bytes(junk)
    os.utime(place)
    taken = _take(app)
    assert taken + _take(app) == ["good"]
    assert _files(tmp_path) == []
