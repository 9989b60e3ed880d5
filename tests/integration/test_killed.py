"""`bodycam up` killed in the middle of an offload: the same result as without, no duplicate, no orphan, no child left."""

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from installation import RECORDINGS, Installation, until

from bodycam import clock
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.vault import tidy_spool


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def _on_cards(installation: Installation) -> set[str]:
    cards = installation.data.glob("cameras/*/card/**/*")
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in cards if path.is_file()}


@pytest.mark.timeout(300)
def test_a_killed_dock_goes_on_where_it_was_and_nothing_is_twice(installation: Installation) -> None:
    installation.start()
    until(lambda: "uploading" in installation.slots() and installation.count("recording") >= 1, "an offload under way")
    installation.kill()
    before = installation.count("recording")
    assert before < RECORDINGS, "killed too late to prove anything"

    installation.start()
    until(installation.settled, "all cameras to be done")
    [dock] = _docks(installation)
    os.kill(dock, signal.SIGKILL)
    until(lambda: "dock      đã dừng (mã -9)" in installation.log.read_text(), "the dock's death to be said")
    until(lambda: _docks(installation) not in ([], [dock]), "the dock to be started again")
    until(installation.settled, "the board to be as before")
    assert installation.stop() == 0
    assert installation.children() == []

    sealed = {str(row[0]) for row in installation.rows("SELECT sha256 FROM recording")}
    assert sealed == _on_cards(installation)
    assert installation.count("recording") == RECORDINGS
    catalogued = installation.rows("SELECT object_id FROM recording UNION SELECT object_id FROM rendition")
    odd = {str(row[0]) for row in catalogued} ^ _objects(installation)
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(installation.data)})) as rt:
        assert [rt.vault.manifest(one) for one in odd] == [], "an object nobody catalogued, or the reverse"
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(installation.data)})) as rt:
        tomorrow = clock.now() + timedelta(days=1)
        clock.set_now(lambda: tomorrow)
        tidy_spool(rt)  # a kill right after a commit leaves the bytes of what is catalogued: the periodic job's work
        assert rt.spool.attempts() == []
    receipts = installation.rows(
        "SELECT count(*) FROM recording r JOIN custody_receipt c ON c.event_id = r.sealed_event_id"
    )
    assert receipts == [(RECORDINGS,)]
    verified = installation.bodycam("log", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    second = f"file://{installation.data / 'vault-second'}"  # as the demo keeps them
    installation.environ |= {"BODYCAM_VAULT__COPIES": second, "BODYCAM_VAULT__REQUIRED_COPIES": "2"}
    scrubbed = installation.bodycam("vault", "scrub", "--json")
    assert scrubbed.returncode == 0, scrubbed.stdout + scrubbed.stderr
    listed = installation.bodycam("recordings", "list", "--json")
    assert len([json.loads(line) for line in listed.stdout.splitlines()]) == RECORDINGS


def _docks(installation: Installation) -> list[int]:
    command = {pid: Path(f"/proc/{pid}/cmdline") for pid in installation.children()}
    return [pid for pid, path in command.items() if path.exists() and b"dock_service.station" in path.read_bytes()]


def _objects(installation: Installation) -> set[str]:
    return {path.name for path in (installation.data / "vault" / "objects").glob("*/*") if "." not in path.name}
