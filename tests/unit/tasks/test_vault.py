"""What a process killed right after its commit left in the spool."""

from datetime import timedelta
from pathlib import Path

from bodycam import clock
from bodycam.intake import service as intake
from bodycam.models import Base
from bodycam.recordings.models import Origin
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.vault import tidy_spool


def test_the_spooled_bytes_of_a_catalogued_recording_go_and_those_of_an_open_attempt_stay(
    tmp_path: Path, monkeypatch
) -> None:
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})) as rt:
        Base.metadata.create_all(rt.db.engine)
        done, going = intake.begin(rt.db, "a"), intake.begin(rt.db, "b")
        with rt.spool.open(done.id) as writer:
            writer.write(b"film")
            spooled = writer.finish()
        with rt.spool.open(going.id) as writer:
            writer.write(b"half a film")
        with monkeypatch.context() as patch:
            patch.setattr(rt.spool, "discard", lambda _: None)  # killed after the commit
            intake.finish(rt, done, spooled, intake.Facts(Origin.DOCK, "a.mp4", "system"))
        tidy_spool(rt)
        assert rt.spool.attempts() == sorted([done.id, going.id]), "just committed: its own process may still be at it"
        later = clock.now() + timedelta(hours=1)
        clock.set_now(lambda: later)
        tidy_spool(rt)
        assert rt.spool.attempts() == [going.id]
