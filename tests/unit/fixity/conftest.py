"""An installation with two local places and an escrow key, and recordings sealed through the one door."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bodycam.cli.standalone import settle, standalone
from bodycam.intake import service as intake
from bodycam.intake.service import Facts
from bodycam.recordings.models import Origin
from bodycam.runtime import Runtime
from bodycam.sections import Settings
from bodycam.settings import load_settings
from bodycam.vault.escrow import EscrowKey


@dataclass
class Two:
    """Two places of one installation; `rt` is opened anew by every `with two.open()`."""

    settings: Settings
    escrow: EscrowKey
    escrow_file: Path

    def open(self):
        return standalone(self.settings)

    @property
    def roots(self):
        return self.settings.vault.dir, self.settings.vault.second_dir

    def path(self, place, object_id, suffix=""):
        return self.roots[("main", "second").index(place)] / "objects" / object_id[:2] / (object_id + suffix)

    def spoil(self, place, object_id, suffix="", bit=7003):
        path = self.path(place, object_id, suffix)
        path.chmod(0o600)
        body = bytearray(path.read_bytes())
        body[bit // 8 % len(body)] ^= 1 << bit % 8
        path.write_bytes(body)
        return bytes(body)


@pytest.fixture
def two(tmp_path, monkeypatch):
    escrow = EscrowKey.create(tmp_path / "escrow.key")
    values = {
        "BODYCAM_DATA_DIR": tmp_path / "data",
        "BODYCAM_VAULT__COPIES": f"file://{tmp_path / 'second'}",
        "BODYCAM_VAULT__REQUIRED_COPIES": 2,
        "BODYCAM_VAULT__ESCROW": escrow.recipient.text,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    return Two(load_settings(), escrow, tmp_path / "escrow.key")


def seal(rt: Runtime, data: bytes, name: str = "DCIM/clip.mp4", *, origin: Origin = Origin.IMPORT):
    """Bring bytes in through the one door; return what intake says."""
    attempt = intake.begin(rt.db, f"{name}|{len(data)}|{data[:20]!r}")
    with rt.spool.open(attempt.id) as writer:
        writer.write(data)
        spooled = writer.finish()
    facts = Facts(origin=origin, name=name, actor="system", device_time_raw="2026-05-06T07:08:09")
    return intake.finish(rt, attempt, spooled, facts)


@pytest.fixture
def bring():
    """Return `seal`, for tests that bring in more."""
    return seal


@pytest.fixture
def films(two):
    """Three recordings, sealed, logged and receipted: object id -> original bytes."""
    made = {}
    with two.open() as rt:
        for number in range(3):
            data = bytes([number + 1]) * (20_000 + number)
            sealed = seal(rt, data, f"DCIM/clip{number}.mp4")
            made[_object(rt, sealed.recording_id)] = data
        settle(rt, [])
    return made


def _object(rt, recording_id):
    from bodycam.recordings.models import Recording

    with rt.db.read() as session:
        return session.get_one(Recording, recording_id).object_id
