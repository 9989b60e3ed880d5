"""An administrator changes the database behind the log's back, and `bodycam log verify` sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.cli.catalogues import CATALOGUES
from bodycam.custody.audit import audit
from bodycam.custody.models import CustodyEvent
from bodycam.custody.report import Report, Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.db import new_id
from bodycam.intake import service as intake
from bodycam.intake.models import IntakeAttempt
from bodycam.models import Base
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.petitions.models import FileState, Submission, SubmissionFile
from bodycam.recordings.models import Origin, Recording, Rendition
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings

SHA256 = "ab" * 32


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    """Two recordings, a viewing copy of one, and a citizen's file, all in the log."""
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})) as runtime:
        Base.metadata.create_all(runtime.db.engine)
        made = [bring(runtime, name) for name in ("DCIM/A.MP4", "DCIM/B.MP4")]
        with runtime.db.write() as session:
            for recording_id in made:
                custody.record(session, "recording.read", object_id=recording_id, details={"officer": None})
                custody.record(session, "recording.checked", object_id=recording_id, details={"verdict": "not_checked"})
            make_copy(session, made[0])
            make_submission(session)
        Sequencer(runtime.db, runtime.log).run_once()
        yield runtime


def bring(rt: Runtime, name: str) -> str:
    attempt = intake.begin(rt.db, name)
    with rt.spool.open(attempt.id) as writer:
        writer.write(name.encode())
        spooled = writer.finish()
    return intake.finish(rt, attempt, spooled, intake.Facts(Origin.DOCK, name, "system")).recording_id


def make_copy(session: Session, recording_id: str) -> None:
    row = Rendition(id=new_id(), recording_id=recording_id, kind="proxy", object_id="c" * 64, sha256=SHA256, size=7)
    row.mime, row.created_at = "video/mp4", clock.now()
    session.add(row)
    details = {"object": row.object_id, "kind": row.kind}
    custody.record(session, "recording.rendered", object_id=recording_id, details=details, sha256=SHA256, size=7)


def make_submission(session: Session) -> None:
    now = clock.now()
    report = Submission(id=new_id(), wrapped_key=b"", content=b"", created_at=now, changed_at=now)
    session.add(report)
    session.flush()
    file = SubmissionFile(id=new_id(), submission_id=report.id, object_id="d" * 64, sha256=SHA256, size=7)
    file.metadata_sealed, file.state, file.created_at, file.expires_at = b"", FileState.SEALED, now, now
    session.add(file)
    details = {"object": file.object_id}
    custody.record(session, "submission.file_sealed", object_id=report.id, details=details, sha256=SHA256, size=7)


def verify(rt: Runtime) -> Report:
    return audit(rt.db, rt.log, catalogues=CATALOGUES)


def test_an_untouched_installation_is_valid(rt: Runtime) -> None:
    assert verify(rt).problems == []


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (Recording, {"sha256": "0" * 64}),
        (Recording, {"size": 1}),
        (Recording, {"object_id": "0" * 64}),
        (Recording, {"name": "DCIM/C.MP4"}),
        (Recording, {"origin": "citizen"}),
        (Recording, {"verdict": "match"}),
        (Rendition, {"object_id": "0" * 64}),
        (Rendition, {"sha256": "0" * 64}),
        (SubmissionFile, {"object_id": "0" * 64}),
        (SubmissionFile, {"sha256": "0" * 64}),
    ],
)
def test_a_changed_row_is_tampering(rt: Runtime, table: type, change: dict[str, object]) -> None:
    with rt.db.write() as session:
        last = session.query(table.id).order_by(table.id.desc()).limit(1).scalar_subquery()  # type: ignore[attr-defined]
        session.execute(update(table).where(table.id == last).values(**change))  # type: ignore[attr-defined]
    report = verify(rt)
    assert report.verdict is Verdict.TAMPERED
    assert all(problem.code.startswith("catalogue") for problem in report.problems)


def test_another_officer_than_the_log_says_is_tampering(rt: Runtime) -> None:
    with rt.db.write() as session:
        unit = create_unit(session, name="Đội 1", force=Force.OTHER)
        officer = create_officer(session, unit_id=unit.id, number="1", name="Trần Văn Nam", force=Force.OTHER)
        session.execute(update(Recording).values(officer_id=officer.id))
    assert [problem.code for problem in verify(rt).problems] == ["catalogue", "catalogue"]


@pytest.mark.parametrize("table", [Rendition, SubmissionFile, Recording])
def test_a_row_taken_away_is_missed(rt: Runtime, table: type) -> None:
    with rt.db.write() as session:
        session.execute(text("PRAGMA defer_foreign_keys=ON"))
        if table is Recording:
            session.execute(delete(IntakeAttempt))
            session.execute(delete(Rendition))
        session.execute(delete(table))
    report = verify(rt)
    assert report.verdict is Verdict.INCOMPLETE
    assert {problem.code for problem in report.problems} == {"catalogue_missing"}


def test_a_row_slipped_in_is_tampering(rt: Runtime) -> None:
    with rt.db.write() as session:
        row = Recording(id=new_id(), object_id="e" * 64, sha256="f" * 64, size=1, name="x.mp4", kind="video")
        row.origin, row.sealed_event_id, row.sealed_at = Origin.DOCK, new_id(), clock.now()
        row.shown_at = row.sealed_at
        session.add(row)
    assert [problem.code for problem in verify(rt).problems] == ["catalogue_surplus"]


def test_a_lost_opening_is_said_since_nothing_is_left_to_compare_with(rt: Runtime) -> None:
    with rt.db.write() as session:
        session.execute(update(CustodyEvent).where(CustodyEvent.kind == "recording.sealed").values(openings=None))
        session.execute(update(Recording).values(sha256="0" * 64))
    report = verify(rt)
    assert {problem.code for problem in report.problems} == {"opening_missing"}
    assert report.verdict is Verdict.INCOMPLETE
