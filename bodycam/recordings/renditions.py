"""Make and keep what is looked at first: thumbnail, filmstrip, viewing copy.

A rendition is sealed in the vault like an original and names its recording; making one twice changes nothing. The pictures are
made in the sandbox from byte ranges of the sealed original; only the rendition itself touches a private folder on the way.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import new_id
from bodycam.media import previews, proxies
from bodycam.media.errors import MediaError
from bodycam.media.info import MediaInfo, MediaKind
from bodycam.media.sandbox import Limits, Sandbox
from bodycam.media.source import as_file
from bodycam.recordings.models import Recording, Rendition
from bodycam.runtime import Runtime

THUMBNAIL, FILMSTRIP, PROXY = "thumbnail", "filmstrip", "proxy"
_JPEG, _MP4 = "image/jpeg", "video/mp4"
_PROXY_LIMITS = Limits(wall_s=4 * 3600.0, cpu_s=4 * 3600)
_LEFT_S = 5 * 3600  # longer than any making takes
_BLOCK = 1 << 20
logger = structlog.get_logger(__name__)


def wanted(info: MediaInfo) -> list[str]:
    """Return which renditions a file of this kind gets."""
    pictures = [THUMBNAIL, FILMSTRIP] if info.kind is MediaKind.VIDEO else [THUMBNAIL]
    if info.kind not in {MediaKind.VIDEO, MediaKind.IMAGE}:
        pictures = []
    return [*pictures, PROXY] if proxies.needs_proxy(info) else pictures


def make(rt: Runtime, recording_id: str, info: MediaInfo) -> list[str]:
    """Make the renditions that are wanted and missing; return their kinds. What can't be decoded is left out, logged."""
    with rt.db.read() as session:
        recording = session.get_one(Recording, recording_id)
        have = set(session.scalars(select(Rendition.kind).where(Rendition.recording_id == recording_id)))
    return [kind for kind in wanted(info) if kind not in have and _make_one(rt, recording, kind)]


def rendition_of(session: Session, recording_id: str, kind: str) -> Rendition | None:
    """Return a recording's rendition of this kind, or None."""
    query = select(Rendition).where(Rendition.recording_id == recording_id, Rendition.kind == kind)
    return session.scalar(query)


def _make_one(rt: Runtime, recording: Recording, kind: str) -> bool:
    makers: dict[str, tuple[Callable[..., Any], str]] = {
        THUMBNAIL: (previews.thumbnail, _JPEG),
        FILMSTRIP: (previews.filmstrip, _JPEG),
        PROXY: (proxies.proxy, _MP4),
    }
    maker, mime = makers[kind]
    work = rt.settings.data_dir / "work"
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(work)
    with tempfile.TemporaryDirectory(dir=work) as folder, rt.vault.open(recording.object_id) as reader:
        out = Path(folder) / kind
        try:
            with Sandbox(_PROXY_LIMITS if kind == PROXY else None) as sandbox:
                sandbox.call(maker, [as_file(reader)], out=str(out))
        except MediaError as error:
            logger.info("rendition.not_made", recording=recording.id, kind=kind, reason=error.code)
            return False
        _seal(rt, recording, kind, mime, out)
    return True


def _sweep(work: Path) -> None:
    """Remove what a killed process left: pictures out of the vault must not lie about in the clear."""
    for left in work.iterdir():
        with suppress(FileNotFoundError):  # its own process ended meanwhile
            if clock.now().timestamp() - left.stat().st_mtime > _LEFT_S:
                shutil.rmtree(left, ignore_errors=True)


def _seal(rt: Runtime, recording: Recording, kind: str, mime: str, path: Path) -> None:
    attempt = f"{recording.id}.{kind}"
    rt.spool.discard(attempt)  # what a killed try left: made anew is not byte for byte the same
    with rt.spool.open(attempt, expected=path.stat().st_size) as writer, path.open("rb") as file:
        while block := file.read(_BLOCK):
            writer.write(block)
        spooled = writer.finish()
    manifest = {"rendition_of": recording.id, "kind": kind, "sha256": spooled.sha256, "size": spooled.size}
    sealed = rt.vault.seal(spooled, manifest)
    with rt.db.write() as session:
        if rendition_of(session, recording.id, kind) is None:
            session.add(
                Rendition(
                    id=new_id(),
                    recording_id=recording.id,
                    kind=kind,
                    object_id=sealed.object_id,
                    sha256=sealed.sha256,
                    size=sealed.size,
                    mime=mime,
                    created_at=clock.now(),
                )
            )
            custody.record(
                session,
                "recording.rendered",
                object_id=recording.id,
                actor="system",
                sha256=sealed.sha256,
                size=sealed.size,
                details={"kind": kind, "object": sealed.object_id},
            )
    rt.spool.discard(attempt)
