"""Care of copies in a bucket, against a real S3 server: read back, repaired, wrapped anew, and back after a loss."""

import os
from datetime import timedelta

import pytest
import services
from click.testing import CliRunner
from sqlalchemy import select

from bodycam import clock
from bodycam.cli.standalone import settle, standalone
from bodycam.cli.vault import vault
from bodycam.fixity.rewrap import Outcome, Rewrap, replace_key
from bodycam.fixity.service import Scrub
from bodycam.intake import service as intake
from bodycam.recordings.models import Origin, Recording
from bodycam.sections import BucketSettings
from bodycam.settings import load_settings
from bodycam.tasks.keys import rewrap_rest
from bodycam.tasks.vault import known_objects
from bodycam.vault.envelope import is_current
from bodycam.vault.escrow import EscrowKey
from bodycam.vault.s3_requests import Credentials, Requests

FILM = os.urandom(300_000)


@pytest.fixture
def bucket(seaweedfs, tmp_path, monkeypatch):
    """Make an installation whose second copy lies in a bucket, with one recording in it; return the bucket's requests."""
    url = f"s3://care-{os.urandom(6).hex()}/evidence?endpoint={seaweedfs.endpoint}"
    requests = Requests("s3", BucketSettings.parse(url), Credentials(services.SeaweedFS.KEY, services.SeaweedFS.SECRET))
    assert requests.send("PUT").status == 200
    values = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_VAULT__COPIES": url,
        "BODYCAM_VAULT__REQUIRED_COPIES": "2",
        "BODYCAM_VAULT__ESCROW": EscrowKey.create(tmp_path / "escrow.key").recipient.text,
        "AWS_ACCESS_KEY_ID": services.SeaweedFS.KEY,
        "AWS_SECRET_ACCESS_KEY": services.SeaweedFS.SECRET,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with standalone(load_settings()) as rt:
        attempt = intake.begin(rt.db, "film")
        with rt.spool.open(attempt.id) as writer:
            writer.write(FILM)
            spooled = writer.finish()
        intake.finish(rt, attempt, spooled, intake.Facts(origin=Origin.IMPORT, name="film.mp4", actor="system"))
        settle(rt, [])
    return requests


def object_id(rt):
    with rt.db.read() as session:
        return session.scalars(select(Recording.object_id).limit(1)).one()


def scrubbed(rt):
    run = Scrub(rt, lambda: known_objects(rt.db))
    assert len(list(run.steps())) == 2
    return run.finish()


def test_a_changed_object_in_the_bucket_is_repaired_from_the_disk_and_the_other_way_round(bucket):
    with standalone(load_settings()) as rt:
        name = object_id(rt)
        key = f"evidence/objects/{name[:2]}/{name}"
        bucket.send("PUT", key, body=bucket.send("GET", key).body[:-1] + b"!")
        report = scrubbed(rt)
        assert (report.repaired, report.damaged) == (1, 0)
        path = rt.vault.root / "objects" / name[:2] / name
        path.unlink()
        assert scrubbed(rt).repaired == 1
        assert b"".join(rt.vault.open(name).chunks()) == FILM
        assert rt.vault.verify_copy(name, "s3").ok


def test_envelopes_in_the_bucket_are_wrapped_anew_and_the_old_key_retires(bucket):
    with standalone(load_settings()) as rt:
        name, old = object_id(rt), rt.keyring.key_id
        earlier = clock.now() - timedelta(hours=2)
        clock.set_now(lambda: earlier)  # the server refuses such requests: the bucket is away while the key is replaced
        new = replace_key(rt, "system")
        clock.set_now(None)
        run = Rewrap(rt, lambda: rewrap_rest(rt))
        assert [step.outcome for step in run.steps()] == [Outcome.REWRAPPED] * 2
        assert run.finish("system").retired == (old,)
        label = bucket.send("GET", "evidence/vault.json").body.decode()
        assert new in label
        assert '"older"' not in label
    with standalone(load_settings()) as rt:
        assert is_current(name, rt.vault.place("s3").beside(name, ".env"), rt.keyring)
        assert rt.vault.verify_copy(name, "s3").ok


def test_drill_the_disk_is_lost_with_key_and_database_and_the_bucket_gives_the_footage_back(bucket, tmp_path):
    assert bucket
    data = tmp_path / "data"
    with standalone(load_settings()) as rt:
        name = object_id(rt)
    for path in [
        *data.glob("bodycam.db*"),
        *(data / "keys").glob("vault.key*"),
        *(data / "vault" / "objects").rglob("*"),
    ]:
        path.unlink() if path.is_file() else None
    recovered = CliRunner().invoke(vault, ["recover-keys", "--escrow", str(tmp_path / "escrow.key")])
    assert recovered.exit_code == 0, recovered.output
    restored = CliRunner().invoke(vault, ["restore-catalogue"])
    assert restored.exit_code == 0, restored.output
    assert "Restored: 1" in restored.output
    with standalone(load_settings()) as rt:
        assert b"".join(rt.vault.open(name).chunks()) == FILM
        assert scrubbed(rt).repaired == 1
        assert rt.vault.verify(name).ok
