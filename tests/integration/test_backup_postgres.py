"""The same drill with PostgreSQL: dumped while in use, put back into an empty database, brought forward to the log."""

import pytest
from sqlalchemy import create_engine, func, select, text

from bodycam.backup.errors import BackupToolError, RestoreTargetError
from bodycam.backup.restore import note_restored, plan_restore, restore
from bodycam.backup.service import make_backup
from bodycam.custody import record_now
from bodycam.custody.audit import audit
from bodycam.custody.models import CustodyEvent
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.migrations.runner import upgrade_to_head
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings

pytestmark = pytest.mark.postgres


def quiet(_what, _count):
    """Show nothing."""


def settings_with(folder, url):
    return load_settings({"BODYCAM_DATA_DIR": str(folder), "BODYCAM_DATABASE__URL": url})


def add(rt, count):
    for number in range(count):
        record_now(rt.db, "recording.sealed", object_id=f"r{number}", sha256="ee" * 32, size=number)
    Sequencer(rt.db, rt.log).run_once()


@pytest.fixture
def empty_url(postgres_server, postgres_url):
    """A second, empty database on the same server."""
    name = postgres_url.rpartition("/")[2] + "_back"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return postgres_url.rpartition("/")[0] + f"/{name}"


def test_an_older_postgresql_is_put_back_and_brought_forward_to_the_log(tmp_path, postgres_url, empty_url):
    upgrade_to_head(postgres_url)
    settings = settings_with(tmp_path / "here", postgres_url)
    with open_runtime(settings) as rt:
        add(rt, 5)
        made = make_backup(settings, rt.db, rt.log, tmp_path / "backup", progress=quiet)
        add(rt, 3)
        size = rt.log.checkpoint().size
    assert made.log_size < size
    with pytest.raises(RestoreTargetError):
        plan_restore(settings, tmp_path / "backup", progress=quiet, database_only=True)
    there = settings_with(tmp_path / "here", empty_url)
    plan = plan_restore(there, tmp_path / "backup", progress=quiet, database_only=True)
    restore(there, plan, progress=quiet)
    with open_runtime(there) as rt:
        note_restored(rt.db, plan)
        Sequencer(rt.db, rt.log).run_once()
        with rt.db.read() as session:
            assert session.scalar(select(func.count(CustodyEvent.log_index))) == size + 2
        assert audit(rt.db, rt.log).verdict is Verdict.VALID


def test_a_missing_or_failing_program_of_postgresql_is_named(tmp_path, postgres_url, monkeypatch):
    upgrade_to_head(postgres_url)
    settings = settings_with(tmp_path / "here", postgres_url)
    with open_runtime(settings) as rt:
        with monkeypatch.context() as patch:
            patch.setattr("bodycam.backup.database.shutil.which", lambda _tool: None)
            patch.setattr("bodycam.backup.database._ALSO_IN", str(tmp_path))
            with pytest.raises(BackupToolError, match="pg_dump can't do it: not found"):
                make_backup(settings, rt.db, rt.log, tmp_path / "none", progress=quiet)
        elsewhere = settings_with(tmp_path / "here", postgres_url + "_nowhere")
        with pytest.raises(BackupToolError, match="does not exist"):
            make_backup(elsewhere, rt.db, rt.log, tmp_path / "failed", progress=quiet)
