"""What `bodycam doctor` sees."""

from pathlib import Path

from sqlalchemy import update

from bodycam.cli.symptoms import look
from bodycam.jobs.models import Job, JobState
from bodycam.jobs.service import enqueue
from bodycam.models import Base
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
