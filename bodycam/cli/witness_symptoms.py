"""What `bodycam doctor` says of the log's witnesses."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bodycam.cli.symptom import Symptom
from bodycam.custody.errors import PolicyError
from bodycam.custody.log import Log
from bodycam.custody.witness_state import WitnessesState, witnesses_state
from bodycam.custody.witnessing import own_policy
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.sections import Settings


def look(settings: Settings) -> Iterator[Symptom]:
    """Say whether a quorum is late, or the policy can't be read; nothing when the log has no witnesses."""
    path, url = settings.log.policy_file, settings.database.url
    if path is None or (url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()):
        return
    db = Database(url)
    try:
        log = Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin)
        with db.read() as session:
            late = timedelta(minutes=settings.witnesses.late_minutes)
            state = witnesses_state(session, log, own_policy(log, path), late)
    except PolicyError as error:
        yield Symptom("witnesses", "bad", error.text("vi"), error.text("en"))
    except (SQLAlchemyError, BodycamError):  # the look at the database or `bodycam log verify` says why
        return
    else:
        yield _judge(state)
    finally:
        db.close()


def _judge(state: WitnessesState) -> Symptom:
    if not state.late:
        vi, en = f"Đủ bên xác nhận đến mục {state.size}", f"Witnessed by a quorum up to entry {state.size}"
        return Symptom("witnesses", "ok", vi, en)
    away = ", ".join(f"{line.name} ({line.trouble or '?'})" for line in state.each if line.trouble or not line.size)
    return Symptom(
        "witnesses",
        "bad",
        f"Quá lâu chưa đủ bên xác nhận độc lập; đủ đến mục {state.size}, còn {state.behind} mục. {away}",
        f"A quorum of witnesses is late: witnessed up to entry {state.size}, {state.behind} wait. {away}",
        "Kiểm tra đường truyền tới các bên xác nhận; dữ liệu vẫn được ghi bình thường. Xem docs/witnesses.md.",
        "Check the lines to the witnesses; recording goes on as usual. See docs/witnesses.md.",
    )
