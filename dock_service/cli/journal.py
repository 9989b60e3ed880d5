"""`bodycam journal`: recompute a docking station's own journal."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.sections import Settings
    from dock_service.journal_audit import JournalReport

# imports inside the functions are late on purpose: --help needs none of them
_VERDICTS = {
    "valid": ("HỢP LỆ: không có gì bị sửa", "VALID: nothing was altered"),
    "incomplete": ("THIẾU THÀNH PHẦN", "INCOMPLETE"),
    "tampered": ("DỮ LIỆU ĐÃ THAY ĐỔI", "TAMPERED"),
}


@click.group()
def journal() -> None:
    """Nhật ký của trạm cắm / The docking station's own journal."""


@journal.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--key", "keys", multiple=True, help="A station's public key, name+id+base64 / Khóa công khai. Repeatable."
)
@click.option("--alone", is_flag=True, help="Without the database / Không đối chiếu cơ sở dữ liệu.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {verdict, lines, head, …, problems}.")
@click.pass_context
def verify(ctx: click.Context, folder: Path | None, keys: tuple[str, ...], alone: bool, as_json: bool) -> None:
    """Tính lại nhật ký trạm, đối chiếu nhật ký chứng cứ / Recompute a station's journal and compare it with the custody log.

    Every line's signature and place in the chain; the heads that the custody log kept; every recording it saw sealed. FOLDER is
    by default this machine's own. With --alone the journal's word for its own key is taken, unless --key gives it. Nothing is
    written. Exit codes: 0 valid, 4 incomplete (something is gone), 5 tampered (something was altered).

    Example: bodycam journal verify    bodycam journal verify /media/usb/journal --alone --key "$(cat station.pub)"
    """
    from bodycam.settings import load_settings

    found = _audit(load_settings(), folder, keys, alone=alone)
    if as_json:
        click.echo(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        _show(found)
    ctx.exit(found.verdict.exit_code)


def _audit(settings: "Settings", folder: Path | None, keys: tuple[str, ...], *, alone: bool) -> "JournalReport":
    from bodycam.custody.note import Verifier
    from bodycam.db import Database
    from bodycam.errors import NotFoundError
    from dock_service.journal import FOLDER
    from dock_service.journal_audit import JournalAudit, known_keys, own_key_ids

    where = folder or settings.data_dir / FOLDER
    if not where.is_dir():
        raise NotFoundError(what=f"journal {where}")
    given = {verifier.key_id.hex(): verifier for verifier in map(Verifier.parse, keys)}
    url = settings.database.url
    if alone or (url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()):
        return JournalAudit(where, given).chain()
    db = Database(url)
    try:
        audit = JournalAudit(where, {**known_keys(db), **given})
        audit.chain()
        return audit.compare(db, own_key_ids(settings.keys.dir) if folder is None else frozenset())
    finally:
        db.close()


def _as_json(found: "JournalReport") -> dict[str, object]:
    return {
        "verdict": found.verdict.value,
        "lines": found.lines,
        "head": found.head,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "keys": sorted(found.keys),
        "keys_vouched": found.vouched,
        "compared": found.compared,
        "shown_done": found.shown_done,
        "torn_bytes": found.torn,
        "set_aside": found.set_aside,
        "missed_lines": found.missed,
        "problems": [
            {"code": one.code, "where": one.where, "vi": one.vi, "en": one.en} for one in found.report.problems
        ],
    }


def _show(found: "JournalReport") -> None:
    vi, en = _VERDICTS[found.verdict.value]
    click.echo(f"{vi} / {en}")
    click.echo(f"  {found.lines} dòng, {found.shown_done} lần báo xong / lines, times green was shown")
    click.echo(f"  {found.first_at} – {found.last_at}\n  {found.head}")
    if not found.vouched:
        click.echo("  Khóa chỉ do chính nhật ký này nêu / The key is named by this journal alone")
    if not found.compared:
        click.echo("  Chưa đối chiếu nhật ký chứng cứ / Not compared with the custody log")
    if found.torn or found.set_aside:
        names = ", ".join(found.set_aside) or f"{found.torn} byte"
        click.echo(f"  Đoạn ghi dở để riêng / Torn ends set aside: {names}")
    if found.missed:
        click.echo(f"  {found.missed} dòng không ghi được vì ổ đĩa / lines the disk did not take")
    for one in found.report.problems:
        click.echo(f"  {one.where}: {one.vi} / {one.en}", file=sys.stderr)
