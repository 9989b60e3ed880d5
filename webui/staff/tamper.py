"""The demo's outside hand: it changes one byte of one sealed film in every copy, and puts it back.

It stands for somebody with all the disks in his hands (a single copy would be repaired from the other), so it goes past the vault on purpose. It exists only where `demo` is set, for
the auditor, and takes one byte of the first of the day's films, so that the story of 14:20 stays whole. Which film it was is kept
in a file while its byte is changed: an earlier one may come in meanwhile, and the byte must be put back where it was.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, abort, redirect, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from bodycam.people.models import Role
from bodycam.recordings.models import Kind, Origin, Recording
from webui.common.base import runtime
from webui.common.permissions import allowed
from webui.common.signin import viewer

bp = Blueprint("tamper", __name__)


@dataclass(frozen=True)
class Target:
    """The film whose byte is changed: its recording, its sealed file, the byte's place and value now, and whether it differs."""

    recording: Recording
    path: Path
    offset: int
    value: int
    is_changed: bool


def find_target() -> Target | None:
    """Return what the demo changes; None while no film is sealed yet."""
    rt = runtime()
    query = select(Recording).where(Recording.kind == Kind.VIDEO, Recording.origin == Origin.DOCK)
    with rt.db.read() as session:
        recording = session.get(Recording, _changed_one()) or session.scalar(
            query.order_by(Recording.shown_at, Recording.id).limit(1)
        )
    if recording is None:
        return None
    path = rt.vault.root / "objects" / recording.object_id[:2] / recording.object_id
    offset = path.stat().st_size // 2
    with path.open("rb") as sealed:
        sealed.seek(offset)
        value = sealed.read(1)[0]
    return Target(recording, path, offset, value, is_changed=not rt.vault.verify(recording.object_id).ok)


@bp.post("/demo/tamper/flip")
@allowed("vault.scrub")
def flip() -> Response:
    """Flip the lowest bit of the byte; a second press puts it back."""
    if not runtime().settings.demo or Role.AUDITOR not in viewer().roles:
        abort(404)
    target = find_target()
    if target is None:
        abort(404)
    _note().unlink(missing_ok=True)
    if not target.is_changed:
        _note().write_text(target.recording.id, encoding="ascii")
    rt = runtime()
    second = rt.settings.vault.second_dir
    for root in (rt.vault.root, *((second,) if second else ())):
        path = root / target.path.relative_to(rt.vault.root)
        if path.exists():
            _write(path, target.offset, target.value ^ 1)
    return redirect(url_for("signin.demo_story", key="tamper"))


def _write(path: Path, offset: int, value: int) -> None:
    mode = path.stat().st_mode
    path.chmod(0o600)
    handle = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(handle, bytes([value]), offset)
        os.fsync(handle)
    finally:
        os.close(handle)
        path.chmod(mode)


def _note() -> Path:
    return runtime().settings.data_dir / "demo-changed-film"


def _changed_one() -> str:
    try:
        return _note().read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
