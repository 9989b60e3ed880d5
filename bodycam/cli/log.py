"""`bodycam log`: recompute the custody log, prove single events, give and check receipts."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodycam.cli.log_upkeep import inventories, rebuild
from bodycam.cli.log_witnesses import export_checkpoint, import_cosignature

if TYPE_CHECKING:
    from bodycam.custody.log import Log
    from bodycam.custody.note import Verifier
    from bodycam.custody.policy import Policy
    from bodycam.custody.receipts import VerifiedReceipt
    from bodycam.custody.report import Report
    from bodycam.db import Database

# imports inside the functions are late on purpose: --help needs none of them
_UNWITNESSED = 3  # as the package verifier's VALID-UNWITNESSED
_VERDICTS = {
    "valid": ("HỢP LỆ: không có gì bị sửa", "VALID: nothing was altered"),
    "incomplete": ("THIẾU THÀNH PHẦN", "INCOMPLETE"),
    "tampered": ("DỮ LIỆU ĐÃ THAY ĐỔI", "TAMPERED"),
}


@click.group()
def log() -> None:
    """Nhật ký chứng cứ / The custody log."""


log.add_command(export_checkpoint)
log.add_command(import_cosignature)
log.add_command(inventories)
log.add_command(rebuild)


@log.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {verdict, size, root, …, problems}.")
@click.option(
    "--checkpoint",
    "kept",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint kept elsewhere that the log must begin with / Điểm giữ riêng để đối chiếu. Repeatable.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Which witnesses count: the newest witnessed checkpoint must have their quorum / Chính sách xác nhận.",
)
@click.option(
    "--max-age",
    type=click.IntRange(min=1),
    help="Seconds: an older newest entry is a problem, since an idle log ticks every minute / Tuổi tối đa của mục mới nhất.",
)
@click.pass_context
def verify(ctx: click.Context, as_json: bool, kept: tuple[Path, ...], policy: Path | None, max_age: int | None) -> None:
    """Tính lại toàn bộ nhật ký và so với cơ sở dữ liệu / Recompute the whole log and compare it with the database.

    Every leaf, tile, root and signature, every event's row, salt and receipt, every recording, viewing copy and citizen's
    file as it was sealed, and whose recording it was found to be. Nothing is written. Exit codes: 0 valid, 4
    incomplete (something is gone), 5 tampered (something was altered).

    Example: bodycam log verify --checkpoint /media/usb/checkpoint-2026-11
    """
    from bodycam.cli.catalogues import CATALOGUES
    from bodycam.custody.audit import audit
    from bodycam.custody.policy import Policy

    bar = click.progressbar(length=1, label="Kiểm tra / Checking", file=sys.stderr, hidden=not sys.stderr.isatty())
    with opened() as (db, custody_log), bar:

        def progress(done: int, size: int) -> None:
            bar.length = size
            bar.update(done - bar.pos)

        notes = [path.read_text("utf-8", errors="replace") for path in kept]
        trusted = Policy.load(policy) if policy else None
        age = timedelta(seconds=max_age) if max_age is not None else None
        report = audit(
            db, custody_log, kept=notes, catalogues=CATALOGUES, policy=trusted, max_age=age, progress=progress
        )
    if as_json:
        click.echo(json.dumps(_report(report), ensure_ascii=False))
    else:
        _print_report(report)
    ctx.exit(report.verdict.exit_code)


@log.command()
def checkpoint() -> None:
    """In điểm đã ký mới nhất; nên giữ một bản ở nơi khác / Print the published checkpoint; keep a copy elsewhere.

    Example: bodycam log checkpoint > /media/usb/checkpoint-2026-11
    """
    from bodycam.errors import NotFoundError

    with opened() as (_, custody_log):
        published = custody_log.checkpoint()
    if published is None:
        raise NotFoundError(what="checkpoint")
    click.echo(published.note, nl=False)


@log.command()
@click.argument("event_or_recording")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write, else standard output."
)
def prove(event_or_recording: str, output: Path | None) -> None:
    """Bằng chứng một sự kiện nằm trong nhật ký / The proof that an event is in the log (C2SP tlog-proof, the event as extra).

    Under the newest checkpoint that witnesses cosigned, when it covers the event.

    Example: bodycam log prove 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d -o sealed.tlog-proof
    """
    from bodycam.custody.errors import NotInLogError
    from bodycam.custody.proof import prove as prove_entry
    from bodycam.custody.queries import find_event

    with opened() as (db, custody_log):
        with db.read() as session:
            event = find_event(session, event_or_recording)
        published = custody_log.checkpoint()
        witnessed = custody_log.witnessed_checkpoint()
        if witnessed is not None and event.log_index is not None and event.log_index < witnessed.size:
            published = witnessed
        if event.log_index is None or published is None or event.log_index >= published.size:
            raise NotInLogError(event_id=event.id)
        text = prove_entry(custody_log, event.log_index, published, entry=event.body.encode())
    write_new(text, output)


@log.command()
@click.argument("event_or_recording")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write, else standard output."
)
def receipt(event_or_recording: str, output: Path | None) -> None:
    """Xuất biên nhận của một bản ghi hoặc sự kiện / Give the receipt of a recording or an event.

    Example: bodycam log receipt 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d -o bien-nhan.json
    """
    from bodycam.custody import receipt_for
    from bodycam.custody.errors import NotInLogError
    from bodycam.custody.queries import find_event

    with opened() as (db, _), db.read() as session:
        event = find_event(session, event_or_recording)
        row = receipt_for(session, event.id)
        if row is None:
            raise NotInLogError(event_id=event.id)
    write_new(row.body, output)


@log.command("verify-receipt")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The log's public key (log.vkey); without it, this installation's own / Khóa công khai của nhật ký.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Whose log and which witnesses count; your own copy / Chính sách: nhật ký và các bên xác nhận được tin.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify_receipt(ctx: click.Context, file: Path, key: Path | None, policy: Path | None, as_json: bool) -> None:
    """Kiểm tra biên nhận, không cần mạng hay cơ sở dữ liệu / Check a receipt, with no network and no database.

    Exit codes: 0 valid, 3 valid but not witnessed by the policy's quorum, 5 not valid.

    Example: bodycam log verify-receipt bien-nhan.json --policy policy.txt
    """
    from bodycam.custody.errors import ReceiptError
    from bodycam.custody.receipts import verify_receipt as verify

    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise ReceiptError(reason="it is not text") from None
    verified = verify(text, _trusted(key, policy))
    if as_json:
        click.echo(json.dumps(_receipt(verified), ensure_ascii=False))
    else:
        _print_receipt(verified)
    if verified.judged is not None and not verified.judged.quorum:
        ctx.exit(_UNWITNESSED)


def _trusted(key: Path | None, policy: Path | None) -> "Verifier | Policy":
    from bodycam.custody.log import Log
    from bodycam.custody.note import Verifier
    from bodycam.custody.policy import Policy
    from bodycam.settings import load_settings

    if policy is not None:
        return Policy.load(policy)
    if key is not None:
        return Verifier.parse(key.read_text("utf-8", errors="replace"))
    settings = load_settings()
    return Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin).verifier


@contextmanager
def opened() -> "Iterator[tuple[Database, Log]]":
    """Open the database and the log alone: neither vault nor keys of the vault are needed here."""
    from bodycam.custody.log import Log
    from bodycam.db import Database
    from bodycam.errors import NotFoundError
    from bodycam.migrations.runner import ensure
    from bodycam.settings import load_settings

    settings = load_settings()
    if not settings.log.dir.is_dir():
        raise NotFoundError(what=settings.log.dir)
    ensure(settings.database.url)
    db = Database(settings.database.url)
    try:
        yield db, Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin)
    finally:
        db.close()


def _report(report: "Report") -> dict[str, object]:
    from dataclasses import asdict

    return {"verdict": report.verdict.value} | asdict(report)


def _print_report(report: "Report") -> None:
    for text in _VERDICTS[report.verdict]:
        click.echo(text)
    click.echo(f"{report.size} mục / entries, {report.events} dòng / rows, {report.receipts} biên nhận / receipts")
    click.echo(f"gốc / root {report.root or '—'}")
    click.echo(f"mục mới nhất / newest entry {report.newest_at or '—'}")
    if report.pending:
        click.echo(f"{report.pending} sự kiện đang chờ ghi / events waiting for the log")
    for problem in report.problems:
        click.echo(f"{problem.where}: {problem.vi} / {problem.en}")


def _receipt(verified: "VerifiedReceipt") -> dict[str, object]:
    return {
        "valid": True,
        "event": verified.event,
        "index": verified.index,
        "leaf_hash": verified.leaf_hash,
        "log": verified.checkpoint.origin,
        "log_size": verified.checkpoint.size,
        "sha256": verified.sha256,
        "size": verified.size,
        "witnessed": verified.judged.quorum if verified.judged else None,
        "witnesses": {name: at.isoformat() for name, at in verified.judged.witnesses} if verified.judged else {},
    }


def _print_receipt(verified: "VerifiedReceipt") -> None:
    from datetime import datetime

    from bodycam import clock
    from bodycam.custody.kinds import KINDS

    name = str(verified.event.get("kind"))
    kind = KINDS.get(name)
    moment = clock.local(datetime.fromisoformat(str(verified.event["time"])))
    click.echo("BIÊN NHẬN HỢP LỆ / THE RECEIPT IS VALID")
    click.echo(f"{kind.vi} / {kind.en}" if kind else name)
    click.echo(f"mã / id            {verified.event.get('object')}")
    click.echo(f"lúc / at           {moment:%d/%m/%Y %H:%M:%S} (UTC+7)")
    if verified.sha256 is not None:
        click.echo(f"tệp / file         {verified.size} B, SHA-256 {verified.sha256}")
    click.echo(f"mục / entry        {verified.index} / {verified.checkpoint.size} ({verified.checkpoint.origin})")
    click.echo(f"băm mục / leaf     {verified.leaf_hash}")
    if verified.judged is None:
        return
    for witness, at in verified.judged.witnesses:
        click.echo(f"bên xác nhận / witness  {witness}, {clock.local(at):%d/%m/%Y %H:%M:%S} (UTC+7)")
    click.echo(
        "Đã có đủ bên xác nhận độc lập / Witnessed by a quorum"
        if verified.judged.quorum
        else "CHƯA đủ bên xác nhận độc lập theo chính sách / NOT witnessed by the policy's quorum"
    )


def write_new(text: str, output: Path | None) -> None:
    """Write a text to a new file, or to standard output; never over a file that is there."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{output} đã có; chọn tên khác / already exists; choose another name") from None
    click.echo(str(output))
