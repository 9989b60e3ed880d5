"""Backups made while everything runs, put back elsewhere, refused when they are damaged, older or in the way."""

import itertools
import json
import shutil
import threading
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bodycam import clock
from bodycam.__main__ import cli
from bodycam.backup import queries
from bodycam.backup.errors import BackupDamagedError, BackupFolderError, LogOlderError, RestoreTargetError
from bodycam.backup.models import Backup
from bodycam.backup.restore import note_restored, plan_restore, restore
from bodycam.backup.service import make_backup
from bodycam.cli.catalogues import CATALOGUES
from bodycam.cli.standalone import standalone
from bodycam.custody import record_now
from bodycam.custody.audit import audit
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.receipts import verify_receipt
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.intake import service as intake
from bodycam.recordings.models import Origin, Recording
from bodycam.settings import load_settings

_numbers = itertools.count()


def quiet(_what, _count):
    """Show nothing."""


def settings_in(folder, **more):
    return load_settings(
        {"BODYCAM_DATA_DIR": str(folder)} | {f"BODYCAM_{name}": str(value) for name, value in more.items()}
    )


def seal(rt):
    """Take one recording in and give it its receipt."""
    number = next(_numbers)
    attempt = intake.begin(rt.db, f"source {number}")
    with rt.spool.open(attempt.id) as writer:
        writer.write(b"%d " % number * 5000)
        spooled = writer.finish()
    intake.finish(rt, attempt, spooled, intake.Facts(origin=Origin.IMPORT, name=f"{number}.mp4", actor="system"))
    Sequencer(rt.db, rt.log).run_once()


def put_back(settings, folder, **options):
    plan = plan_restore(settings, folder, progress=quiet, **options)
    restore(settings, plan, progress=quiet)
    return plan


def receipts_of(rt):
    with rt.db.read() as session:
        return {row.event_id: row.body for row in session.scalars(select(Receipt))}


@pytest.fixture
def site(tmp_path):
    """An installation with three recordings, and a backup with keys of it."""
    settings = settings_in(tmp_path / "here")
    with standalone(settings) as rt:
        for _ in range(3):
            seal(rt)
        make_backup(settings, rt.db, rt.log, tmp_path / "backup", progress=quiet, with_keys=True)
    return settings


def test_a_backup_made_while_recordings_are_sealed_loses_nothing_that_had_its_receipt(tmp_path):
    settings, stop = settings_in(tmp_path / "here"), threading.Event()
    with standalone(settings) as rt:
        seal(rt)

        def go_on():
            while not stop.is_set():
                seal(rt)

        sealing = threading.Thread(target=go_on)
        sealing.start()
        try:
            backups = []
            for number in range(4):
                before = receipts_of(rt)
                made = make_backup(
                    settings, rt.db, rt.log, tmp_path / f"backup{number}", progress=quiet, with_keys=True
                )
                backups.append((tmp_path / f"backup{number}", before, made))
        finally:
            stop.set()
            sealing.join()
    assert backups[-1][2].log_size > backups[0][2].log_size
    for folder, before, _made in backups:
        there = settings_in(tmp_path / f"from {folder.name}", VAULT__URL=settings.vault.url)
        plan = put_back(there, folder)
        assert plan.parts == ("database", "log", "keys")
        with standalone(there) as rt:
            note_restored(rt.db, plan)
            Sequencer(rt.db, rt.log).run_once()
            # what was sealed between the copy of the database and that of the log stands in the log alone: missing, and said so
            assert audit(rt.db, rt.log, catalogues=CATALOGUES).verdict in {Verdict.VALID, Verdict.INCOMPLETE}
            after = receipts_of(rt)
            assert before.keys() <= after.keys()
            for text in [*before.values(), *after.values()]:
                verify_receipt(text, rt.log.verifier)
            with rt.db.read() as session:
                catalogued = list(session.scalars(select(Recording)))
            assert before.keys() <= {recording.sealed_event_id for recording in catalogued}
            assert all(rt.vault.verify(recording.object_id).ok for recording in catalogued)


def test_drill_a_database_older_than_the_log_is_noticed_and_brought_forward(tmp_path, site):
    with standalone(site) as rt:
        seal(rt)
        seal(rt)
        size, receipts = rt.log.checkpoint().size, receipts_of(rt)
    for path in site.data_dir.glob("bodycam.db*"):
        path.unlink()  # the database is lost, log and vault are not
    plan = put_back(site, tmp_path / "backup", database_only=True)
    assert plan.parts == ("database",)
    assert plan.brought_forward > 0
    with standalone(site) as rt:
        with rt.db.read() as session:
            known = session.scalars(select(CustodyEvent.id).where(CustodyEvent.log_index.is_not(None))).all()
        assert len(known) == size - plan.brought_forward
        note_restored(rt.db, plan)
        Sequencer(rt.db, rt.log).run_once()
        assert audit(rt.db, rt.log).verdict is Verdict.VALID
        assert receipts.keys() <= receipts_of(rt).keys()
        with rt.db.read() as session:
            kinds = session.scalars(select(CustodyEvent.kind).where(CustodyEvent.log_index >= size)).all()
        assert sorted(kinds) == ["backup.restored", "log.rows_restored"]


def test_a_log_older_than_its_key_remembers_is_refused_before_anything_is_touched(tmp_path, site):
    with standalone(site) as rt:
        seal(rt)  # the log goes on after the backup
    shutil.rmtree(site.log.dir)
    for path in site.data_dir.glob("bodycam.db*"):
        path.unlink()
    with pytest.raises(LogOlderError, match="signing key here"):
        put_back(site, tmp_path / "backup")
    assert not site.log.dir.exists()
    assert not (site.data_dir / "bodycam.db").exists()


@pytest.mark.usefixtures("site")
def test_a_log_older_than_the_database_is_refused(tmp_path):
    older = settings_in(tmp_path / "older")
    with standalone(older) as rt:
        record_now(rt.db, "recording.read", object_id="x")
        Sequencer(rt.db, rt.log).run_once()
    for path in older.data_dir.glob("bodycam.db*"):
        path.unlink()
    with pytest.raises(LogOlderError, match="the database of this backup"):
        put_back(older, tmp_path / "backup", database_only=True)


def test_nothing_is_ever_overwritten(tmp_path, site):
    with pytest.raises(RestoreTargetError, match="log"):
        put_back(site, tmp_path / "backup")
    with pytest.raises(RestoreTargetError, match=r"bodycam\.db"):
        put_back(site, tmp_path / "backup", database_only=True)
    with standalone(site) as rt, pytest.raises(BackupFolderError, match="not empty"):
        make_backup(site, rt.db, rt.log, tmp_path / "backup", progress=quiet)
    with standalone(site) as rt, pytest.raises(BackupFolderError, match="lies in"):
        make_backup(site, rt.db, rt.log, site.log.dir / "backup", progress=quiet)


@pytest.mark.usefixtures("site")
def test_one_flipped_bit_in_any_file_of_a_backup_is_found_before_anything_is_restored(tmp_path):
    there = settings_in(tmp_path / "there")
    paths = [path for path in (tmp_path / "backup").rglob("*") if path.is_file() and path.name != "backup.json"]
    assert len(paths) > 10
    for path in paths:
        whole = path.read_bytes()
        for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1]):
            path.write_bytes(damaged)
            with pytest.raises(BackupDamagedError):
                put_back(there, tmp_path / "backup")
        path.write_bytes(whole)
    assert not there.data_dir.exists()
    assert put_back(there, tmp_path / "backup").parts == ("database", "log", "keys")


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "log/../../x", "log/a\\..\\b"])
@pytest.mark.usefixtures("site")
def test_a_backup_that_names_a_file_outside_itself_is_refused(tmp_path, path):
    listing, about = tmp_path / "backup" / "files.sha256", tmp_path / "backup" / "backup.json"
    listing.write_text(listing.read_text() + f"{'0' * 64}  {path}\n")
    rewrite_list_hash(listing, about)
    with pytest.raises(BackupDamagedError, match="something else than a file in it"):
        put_back(settings_in(tmp_path / "there"), tmp_path / "backup")


def rewrite_list_hash(listing, about):
    from hashlib import sha256  # late: for this alone

    body = json.loads(about.read_text())
    about.write_text(json.dumps(body | {"list": sha256(listing.read_bytes()).hexdigest()}))


@pytest.mark.usefixtures("site")
def test_a_link_in_a_backup_is_refused(tmp_path):
    key = tmp_path / "backup" / "log" / "log.vkey"
    (tmp_path / "elsewhere").write_bytes(key.read_bytes())
    key.unlink()
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupDamagedError, match="is a link"):
        put_back(settings_in(tmp_path / "there"), tmp_path / "backup")


def test_a_backup_that_was_broken_off_is_none_and_stays_in_the_register(tmp_path, site, monkeypatch):
    monkeypatch.setattr("bodycam.backup.files.write_list", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with standalone(site) as rt:
        with pytest.raises(OSError, match="full"):
            make_backup(site, rt.db, rt.log, tmp_path / "half", progress=quiet)
        with rt.db.read() as session:
            rows = session.scalars(select(Backup).order_by(Backup.began_at)).all()
            assert [row.finished_at is None for row in rows] == [False, True]
            assert queries.gone_by(session, clock.now()) == rows[1].expires_at  # it may hold what was copied until then
            assert queries.last_finished(session).id == rows[0].id
    with pytest.raises(BackupDamagedError, match="broken off"):
        put_back(settings_in(tmp_path / "there"), tmp_path / "half")


def test_what_is_destroyed_is_gone_for_good_only_when_the_last_backup_from_before_has_expired(tmp_path, site):
    with standalone(site) as rt:
        make_backup(site, rt.db, rt.log, tmp_path / "longer", progress=quiet, keep_days=400)
        destroyed_at = clock.now()
        clock.set_now(lambda: destroyed_at + timedelta(days=1))
        try:
            make_backup(site, rt.db, rt.log, tmp_path / "later", progress=quiet, keep_days=9000)
        finally:
            clock.set_now(None)
        with rt.db.read() as session:
            assert 399 <= (queries.gone_by(session, destroyed_at) - destroyed_at).days <= 400
            assert queries.gone_by(session, destroyed_at - timedelta(days=1)) is None


@pytest.mark.usefixtures("site")
def test_a_restore_that_was_interrupted_is_begun_anew(tmp_path, monkeypatch):
    there = settings_in(tmp_path / "there")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bodycam.backup.database.load", stop)
        with pytest.raises(KeyboardInterrupt):
            put_back(there, tmp_path / "backup")
    assert there.log.dir.exists()
    (there.data_dir / "log.restoring").mkdir()
    (there.data_dir / "bodycam.db.restoring").write_bytes(b"half")
    assert put_back(there, tmp_path / "backup").parts == ("database",)
    shutil.rmtree(there.data_dir / "log.restoring")
    assert sorted(path.name for path in there.data_dir.iterdir()) == ["bodycam.db", "keys", "log"]


def test_without_keys_none_leave_the_machine_and_the_commands_say_where_they_are(tmp_path, site, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(site.data_dir))
    said = CliRunner().invoke(cli, ["backup", str(tmp_path / "plain")])
    assert said.exit_code == 0, said.output
    assert f"keep a copy of {site.keys.dir} apart" in said.output
    assert not (tmp_path / "plain" / "keys").exists()
    secret = (site.keys.dir / "vault.key").read_bytes()
    assert not any(secret in path.read_bytes() for path in (tmp_path / "plain").rglob("*") if path.is_file())
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "plain").rglob("*")} == {0}
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "there"))
    said = CliRunner().invoke(cli, ["restore", str(tmp_path / "plain")])
    assert said.exit_code == 0, said.output
    assert "The keys are not here" in said.output
    told = CliRunner().invoke(cli, ["backup", str(tmp_path / "secret"), "--with-keys", "--json"])
    assert "This backup holds the KEYS" in told.stderr
