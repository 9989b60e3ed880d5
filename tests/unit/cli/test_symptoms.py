"""What `bodycam doctor` sees."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from witness_world import SIGNER, Liar

from bodycam import clock
from bodycam.backup.service import make_backup
from bodycam.cli.standalone import standalone
from bodycam.cli.symptom import Symptom
from bodycam.cli.symptoms import look
from bodycam.custody import record_now
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.docking import finish_visit, start_visit
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import register_camera
from bodycam.jobs.models import Job, JobState
from bodycam.jobs.service import enqueue
from bodycam.models import Base
from bodycam.recordings.on_camera import Seen, note_seen
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings


def test_work_that_failed_is_named_and_never_passes_unnoticed(tmp_path: Path) -> None:
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})
    with open_runtime(settings) as rt:
        Base.metadata.create_all(rt.db.engine)
        with rt.db.write() as session:
            enqueue(session, "submission.seal_file", {"file_id": "x"})
            assert [symptom for symptom in look(settings) if symptom.check == "jobs"] == []
        with rt.db.write() as session:
            session.execute(update(Job).values(state=JobState.FAILED))
    [symptom] = [symptom for symptom in look(settings) if symptom.check == "jobs"]
    assert symptom.level == "bad"
    assert "submission.seal_file (1)" in symptom.vi


def test_footage_that_was_seen_on_a_camera_and_never_came_is_named_until_it_comes(tmp_path: Path) -> None:
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})
    with open_runtime(settings) as rt:
        Base.metadata.create_all(rt.db.engine)
        with rt.db.write() as session:
            camera = register_camera(session, serial="S-9", label="BWC-9")
            visit = start_visit(session, camera_id=camera.id, serial="S-9")
            note_seen(
                session,
                camera_id=camera.id,
                visit_id=visit.id,
                files=[Seen("a.mp4", 9, "20260921T200000")],
                offset_s=None,
            )
        assert [symptom for symptom in look(settings) if symptom.check == "footage"] == []  # it is being read now
        with rt.db.write() as session:
            finish_visit(session, visit.id, state=VisitState.LOST, files=0, size=0)
    [symptom] = [symptom for symptom in look(settings) if symptom.check == "footage"]
    assert symptom.level == "note"
    assert "BWC-9 (1)" in symptom.vi
    assert "Do not delete the spool" in symptom.todo_en


def test_a_late_quorum_of_witnesses_and_a_broken_policy_are_named(tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_LOG__POLICY": str(policy)})

    def seen() -> list[Symptom]:
        return [symptom for symptom in look(settings) if symptom.check == "witnesses"]

    with open_runtime(settings) as rt:
        Base.metadata.create_all(rt.db.engine)
        record_now(rt.db, "recording.read", object_id="rec")
        Sequencer(rt.db, rt.log).run_once()
        for wrong in ("nonsense\n", f"log {SIGNER.verifier}\nquorum none\n"):  # no policy; another log's policy
            policy.write_text(wrong)
            assert [symptom.level for symptom in seen()] == ["bad"]
        policy.write_text(f"log {rt.log.verifier}\nwitness toa-an {Liar(7).vkey}\nquorum toa-an\n")
        assert [symptom.level for symptom in seen()] == ["ok"]
        with rt.db.write() as session:
            session.execute(update(CustodyEvent).values(created_at=clock.now() - timedelta(hours=1)))
        [symptom] = seen()
        assert symptom.level == "bad"
        assert "toa-an" in symptom.en


def test_a_backup_that_is_missing_or_a_week_old_is_worth_a_word(tmp_path: Path) -> None:
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})

    def told() -> tuple[str, str]:
        [symptom] = [symptom for symptom in look(settings) if symptom.check == "backup"]
        return symptom.level, symptom.en

    with standalone(settings) as rt:
        assert told() == ("note", "Never backed up")
        make_backup(settings, rt.db, rt.log, tmp_path / "backup", progress=lambda _what, _count: None)
        assert told()[0] == "ok"
        now = clock.now()
        clock.set_now(lambda: now + timedelta(days=8))
        try:
            assert told() == ("note", "The last backup is 8 days old")
        finally:
            clock.set_now(None)
