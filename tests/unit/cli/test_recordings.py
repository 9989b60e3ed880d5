"""`bodycam recordings`: what goes out is the original, whole or not at all."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bodycam.__main__ as entry
from bodycam.cli.recordings import recordings
from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent
from bodycam.intake import service as intake
from bodycam.recordings.models import Origin
from bodycam.settings import load_settings

DATA = os.urandom(2_500_001)


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "data"))
    with standalone(load_settings()) as rt:
        attempt = intake.begin(rt.db, "camera|a.mp4")
        with rt.spool.open(attempt.id) as writer:
            writer.write(DATA)
            spooled = writer.finish()
        return intake.finish(rt, attempt, spooled, intake.Facts(Origin.DOCK, "Tổ 1/dừng xe.mp4", "system")).recording_id


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(recordings, list(arguments), catch_exceptions=True)


def test_the_list_and_one_recording_are_json_with_the_same_facts(recording: str) -> None:
    listed = json.loads(_run("list", "--json").stdout)
    assert (listed["id"], listed["size"], listed["name"]) == (recording, len(DATA), "Tổ 1/dừng xe.mp4")
    assert {"id", "sha256", "size", "started_at", "camera", "officer", "verdict"} <= set(listed)
    shown = json.loads(_run("show", recording).stdout)
    assert {key: shown[key] for key in listed} == listed
    assert [event["kind"] for event in shown["events"]] == ["recording.sealed"]


def test_an_export_is_the_original_byte_for_byte_and_an_event(recording: str, tmp_path: Path) -> None:
    place = tmp_path / "ra" / "bản gốc.mp4"
    place.parent.mkdir()
    assert _run("export", recording, "-o", str(place)).exit_code == 0
    assert place.read_bytes() == DATA
    assert _kinds() == ["recording.sealed", "recording.exported"]
    again = _run("export", recording, "-o", str(place))
    assert again.exit_code == 1
    assert "đã có" in again.stderr
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("reason", ["vụ anh Nam", "CASE", "a" * 41, ""])
def test_no_story_gets_into_the_log_as_a_reason_code(recording: str, tmp_path: Path, reason: str) -> None:
    assert _run("export", recording, "-o", str(tmp_path / "a.mp4"), "--reason", reason).exit_code == 2
    assert _kinds() == ["recording.sealed"]


def test_an_export_that_cannot_be_written_leaves_nothing(
    recording: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ra"
    assert "no such folder" in _run("export", recording, "-o", str(folder / "a.mp4")).stderr
    folder.mkdir()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        assert _run("export", recording, "-o", str(folder / "a.mp4")).exit_code == 1
    assert list(folder.iterdir()) == []
    assert _run("export", recording, "-o", str(folder / "a.mp4")).exit_code == 0


def test_what_the_system_refuses_is_a_line_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/data")

    monkeypatch.setattr(entry, "cli", refused)
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    assert stopped.value.code == 1
    assert "/data" in capsys.readouterr().err


def _kinds() -> list[str]:
    with standalone(load_settings()) as rt, rt.db.read() as session:
        return [event.kind for event in session.query(CustodyEvent).order_by(CustodyEvent.id)]
