import os
import subprocess
import sys
from pathlib import Path

from bodycam import custody
from bodycam.models import Base
from bodycam.petitions import sealing, service, uploads
from bodycam.petitions.models import SubmissionFile
from bodycam.recordings.models import Origin, Recording
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
DRAIN = """
from bodycam.jobs import service
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.table import bind
with open_runtime(load_settings()) as rt:
    with rt.db.read() as session:
        first = service.due(session)[0]
    assert service.run(rt.db, first, bind(rt))
"""


def test_a_sealed_file_is_catalogued_once_by_a_process_that_did_nothing_before(tmp_path: Path) -> None:
    environ = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0"}
    with open_runtime(load_settings(environ)) as rt:
        Base.metadata.create_all(rt.db.engine)
        with rt.db.write() as session:
            submission = service.start(session, rt.keyring)
            metadata = "filename Li4vVmlkZW8gY+G7p2EgdMO0aS5tcDQ="  # "../Video của tôi.mp4"
            file = uploads.create(
                session, rt.keyring, rt.settings, submission.id, size=3, metadata=metadata, sha256=None
            )
        with uploads.writing(rt.db, rt.spool, rt.settings, submission.id, file.id, 0) as writer:
            writer.write(b"abc")
        with rt.db.write() as session:
            service.receive(session, rt.keyring, submission.id)
        sealing.seal_file(rt, file.id)
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        for _ in range(3):  # the hold of the report; the sealing, which finds its work done; the adopting
            subprocess.run([sys.executable, "-c", DRAIN], check=True, env={**os.environ, **environ, "PYTHONPATH": path})
        with rt.db.read() as session:
            kept = session.get_one(SubmissionFile, file.id)
            assert kept.recording_id is not None
            recording = session.get_one(Recording, kept.recording_id)
            assert (recording.origin, recording.name, recording.size) == (Origin.CITIZEN, f"{file.id}.mp4", 3)
            assert recording.unit_id is None
            assert [e.kind for e in custody.history(session, recording.id)] == ["recording.sealed"]
