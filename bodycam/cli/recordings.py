"""`bodycam recordings`: list the catalogue, show one recording, give back an original byte for byte."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bodycam.recordings.models import Recording

MEBIBYTE = 1 << 20


@click.group()
def recordings() -> None:
    """Danh mục bản ghi / The catalogue."""


@recordings.command("list")
@click.option("--text", default="", help="Words, without diacritics if you like / Từ cần tìm.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(text: str, as_json: bool) -> None:
    """Liệt kê bản ghi, mới nhất trước / List recordings, newest first.

    Example: bodycam recordings list --text "duc ql1a" --json
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.settings import load_settings

    with standalone(load_settings()) as rt, rt.db.read() as session:
        for row in _every(session, text):
            facts = _facts(session, row)
            if as_json:
                click.echo(json.dumps(facts, ensure_ascii=False))
            else:
                started = facts["started_at"] or facts["sealed_at"]
                click.echo(f"{row.id}  {started}  {row.verdict:<13}  {facts['camera'] or '—'}  {row.name}")


@recordings.command()
@click.argument("recording_id")
def show(recording_id: str) -> None:
    """In mọi điều đã biết về một bản ghi / Print all that is known of one recording, as JSON.

    Example: bodycam recordings show 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d
    """
    from bodycam import custody  # late: --help needs none of this
    from bodycam.cli.standalone import standalone
    from bodycam.settings import load_settings

    with standalone(load_settings()) as rt, rt.db.read() as session:
        row = _one(session, recording_id)
        events = [json.loads(event.body) for event in custody.history(session, row.id, limit=1000)]
        click.echo(json.dumps(_facts(session, row) | {"events": events}, ensure_ascii=False, indent=1))


@recordings.command()
@click.argument("recording_id")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--reason", default="command_line", show_default=True, help="Reason code for the log / Mã lý do.")
def export(recording_id: str, output: Path, reason: str) -> None:
    """Trả lại bản gốc, đúng từng byte / Give back the original, byte for byte; the log keeps it.

    Example: bodycam recordings export 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d -o stop.mp4
    """
    import os  # late: --help needs none of this
    import re

    from bodycam import custody
    from bodycam.cli.standalone import standalone
    from bodycam.settings import load_settings

    if re.fullmatch("[a-z_]{1,40}", reason) is None:  # the log keeps it in the open, for ever: no names, no story
        raise click.BadParameter("một mã như case_work / a code such as case_work", param_hint="--reason")
    if output.exists():
        raise click.ClickException(f"{output} đã có; chọn tên khác / already exists; choose another name")
    if not output.absolute().parent.is_dir():
        raise click.ClickException(f"{output.parent}: không có thư mục này / there is no such folder")
    with standalone(load_settings()) as rt:
        with rt.db.read() as session:
            row = _one(session, recording_id)
        custody.record_now(
            rt.db, "recording.exported", object_id=row.id, actor=f"shell:{os.getuid()}", reason_code=reason
        )
        with rt.vault.open(row.object_id) as reader:
            _write_out(reader.chunks(block=MEBIBYTE), output, row.sha256)
    click.echo(f"{output}  {row.size} B  sha256 {row.sha256}")


def _write_out(blocks: "Iterator[bytes]", output: Path, sha256: str) -> None:
    """Write a file that is whole and has this hash when it gets its name; leave nothing behind otherwise."""
    import hashlib  # late: --help needs none of this
    import os
    import tempfile

    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=output.absolute().parent, prefix=".bodycam-", delete=False) as file:
        part = Path(file.name)
        try:
            for block in blocks:
                file.write(block)
                digest.update(block)
            file.flush()
            os.fsync(file.fileno())
            if digest.hexdigest() != sha256:
                raise click.ClickException(f"{output}: dữ liệu không khớp mã băm / the bytes don't match their hash")
            part.rename(output)
        finally:
            part.unlink(missing_ok=True)


def _one(session: "Session", recording_id: str) -> "Recording":
    from bodycam.errors import NotFoundError  # late: --help needs none of this
    from bodycam.recordings.models import Recording

    row = session.get(Recording, recording_id)
    if row is None:
        raise NotFoundError(what=recording_id)
    return row


def _every(session: "Session", text: str) -> "Iterator[Recording]":
    """Walk all pages; the command line belongs to the machine's owner, so nothing is left out."""
    from bodycam.people.scope import EVERYTHING  # late: --help needs none of this
    from bodycam.search.recordings import RecordingFilter, find_recordings

    after = None
    while True:
        wanted = RecordingFilter(text=text, citizens=True, sidecars=True)
        page = find_recordings(session, EVERYTHING, wanted, cases=EVERYTHING, after=after, limit=200)
        yield from page.recordings
        after = page.after
        if after is None:
            return


def _facts(session: "Session", row: "Recording") -> dict[str, object]:
    from bodycam.fleet.models import Camera  # late: --help needs none of this
    from bodycam.people.models import Officer

    camera = session.get(Camera, row.camera_id) if row.camera_id else None
    officer = session.get(Officer, row.officer_id) if row.officer_id else None
    return {
        "id": row.id,
        "sha256": row.sha256,
        "size": row.size,
        "name": row.name,
        "kind": row.kind,
        "origin": row.origin,
        "state": row.state,
        "started_at": row.started_at and row.started_at.isoformat(),
        "sealed_at": row.sealed_at.isoformat(),
        "duration_s": row.duration_s,
        "camera": camera and (camera.label or camera.serial),
        "officer": officer and officer.name,
        "verdict": row.verdict,
    }
