"""`bodycam vault`: read back what is sealed, replace its key, and get keys and catalogue back after a loss."""

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from bodycam.fixity.problems import PROBLEMS

if TYPE_CHECKING:
    from bodycam.fixity.rewrap import Report as RewrapReport
    from bodycam.fixity.rewrap import Rewrap
    from bodycam.fixity.service import Report, Step


class _Counted(Protocol):
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


_S = TypeVar("_S", bound=_Counted)


@click.group()
def vault() -> None:
    """Kho lưu trữ đã khóa chống sửa / The vault of sealed bytes."""


@vault.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
@click.pass_context
def scrub(ctx: click.Context, as_json: bool) -> None:
    """Đọc lại và so sánh mọi dữ liệu đã lưu, khóa chống sửa / Re-read and compare everything sealed.

    Ctrl-C is safe: the next call goes on with the same round. A copy that isn't as it was sealed is
    repaired from one that is. Exit code 1 when something is damaged still, 0 when all is sound.

    Example: bodycam vault scrub
    """
    from bodycam.cli.standalone import settle, standalone  # late: --help needs none of this
    from bodycam.fixity.service import Scrub
    from bodycam.settings import load_settings
    from bodycam.tasks.vault import known_objects

    with standalone(load_settings()) as rt:
        run = Scrub(rt, lambda: known_objects(rt.db), actor="system")
        with closing(_shown(run.steps(), "Kiểm tra / Checking", quiet=as_json)) as steps, _stoppable(ctx):
            for step in steps:
                if not step.checked.result.ok and not as_json:
                    _tell(step)
        report = run.finish()
        settle(rt, [])
    _tell_report(report, as_json=as_json)
    ctx.exit(1 if report.damaged else 0)


@vault.command("rotate-key")
@click.option("--rewrap-only", is_flag=True, help="Make no new key: bring envelopes to the keys and escrow there are.")
@click.pass_context
def rotate_key(ctx: click.Context, rewrap_only: bool) -> None:
    """Thay khóa kho và gói lại mọi khóa dữ liệu / Replace the vault's key and wrap every data key anew.

    Nothing sealed is renamed or encrypted anew. Ctrl-C is safe: the next call, or the running system, goes on. The old key is
    kept until every envelope of every copy is done and an hour has passed. Exit code 1 when an envelope can't be opened.

    Example: bodycam vault rotate-key
    """
    from bodycam.cli.standalone import settle, standalone  # late: --help needs none of this
    from bodycam.fixity.rewrap import Rewrap, replace_key
    from bodycam.settings import load_settings
    from bodycam.tasks.keys import rewrap_rest

    with standalone(load_settings()) as rt:
        if not rewrap_only:
            key_id = replace_key(rt, "system")
            click.echo(f"Khóa đang dùng: {key_id}. Sao lưu {rt.keyring.path} ngay.")
            click.echo(f"The key that wraps now: {key_id}. Back up {rt.keyring.path} at once.")
        report = _run_rewrap(ctx, Rewrap(rt, lambda: rewrap_rest(rt)))
        settle(rt, [])
    _tell_rewrap(report)
    ctx.exit(1 if report.lost else 0)


@vault.command("escrow-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def escrow_key(file: Path) -> None:
    """Tạo cặp khóa ký gửi / Make an escrow key: its private half goes into FILE, its public half is printed.

    Put the printed line into the setting vault.escrow, run `bodycam vault rotate-key --rewrap-only`, and lock FILE away from
    this machine: whoever has it can open everything sealed.

    Example: bodycam vault escrow-key /media/usb/escrow.key
    """
    from bodycam.vault.escrow import EscrowKey  # late: --help needs none of this

    try:
        key = EscrowKey.create(file)
    except FileExistsError:
        raise click.ClickException(
            f"Tệp đã có, không ghi đè / The file exists and is not overwritten: {file}"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    click.echo(key.recipient.text)


@vault.command("recover-keys")
@click.option("--escrow", "file", required=True, type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.pass_context
def recover_keys(ctx: click.Context, file: Path) -> None:
    """Lấy lại khóa kho đã mất từ khóa ký gửi / Get the vault's lost key back from escrow.

    Ctrl-C is safe: the same call goes on. Exit code 1 when an envelope can't be opened.

    Example: bodycam vault recover-keys --escrow /media/usb/escrow.key
    """
    from bodycam.cli.standalone import settle, standalone  # late: --help needs none of this
    from bodycam.fixity.recovery import note_recovery, restore_key
    from bodycam.fixity.rewrap import Rewrap
    from bodycam.settings import load_settings
    from bodycam.tasks.keys import rewrap_rest
    from bodycam.vault.escrow import EscrowKey

    settings, escrow = load_settings(), EscrowKey.open(file)
    source = restore_key(settings, escrow)
    with standalone(settings) as rt:
        note_recovery(rt, escrow, source, "system")
        report = _run_rewrap(ctx, Rewrap(rt, lambda: rewrap_rest(rt), escrow))
        settle(rt, [])
    vi, en = _SOURCES[source]
    click.echo(f"{vi}\n{en}")
    _tell_rewrap(report)
    ctx.exit(1 if report.lost else 0)


@vault.command("restore-catalogue")
@click.pass_context
def restore_catalogue(ctx: click.Context) -> None:
    """Dựng lại danh mục từ bản kê trong kho khi mất cơ sở dữ liệu / Bring the catalogue back from the vault's manifests.

    Only what the custody log says was sealed comes back, and nothing that it says was destroyed. Ctrl-C is safe: the same call
    goes on. Exit code 1 when a manifest can't be opened or contradicts the log.

    Example: bodycam db upgrade && bodycam vault restore-catalogue
    """
    from bodycam.cli.standalone import RECEIPT_WAIT_SECONDS, standalone  # late: --help needs none of this
    from bodycam.custody.sequencer import Sequencer
    from bodycam.intake.restore import Outcome, Restore
    from bodycam.settings import load_settings
    from bodycam.tasks.vault import known_objects, stray_attempts

    counts = dict.fromkeys(Outcome, 0)
    with standalone(load_settings()) as rt:
        sequencer = Sequencer(rt.db, rt.log)
        sequencer.run_once(wait_s=RECEIPT_WAIT_SECONDS)  # brings the log's rows up from its tiles
        run = Restore(rt, lambda: known_objects(rt.db))
        with closing(_shown(run.steps(), "Dựng lại / Restoring")) as steps, _stoppable(ctx):
            for step in steps:
                counts[step.outcome] += 1
                if step.outcome in _RESTORE_WORDS:
                    click.echo(f"{' / '.join(_RESTORE_WORDS[step.outcome])}  {step.object_id}")
        sequencer.run_once(wait_s=RECEIPT_WAIT_SECONDS)
        for name in stray_attempts(rt):
            click.echo(f"Chưa lưu xong, để nguyên trong bộ đệm / Never finished, left in the spool  {name}")
    click.echo(f"Dựng lại: {counts[Outcome.RESTORED]}; đã có: {counts[Outcome.KNOWN]}")
    click.echo(f"Restored: {counts[Outcome.RESTORED]}; known before: {counts[Outcome.KNOWN]}")
    ctx.exit(1 if counts[Outcome.UNREADABLE] or counts[Outcome.CONTRADICTED] else 0)


_RESTORE_WORDS = {
    "destroyed": ("Nhật ký ghi đã hủy, không dựng lại", "Destroyed by the log, not brought back"),
    "contradicted": ("Bản kê trái với nhật ký, không dựng lại", "Its manifest contradicts the log, not brought back"),
    "unreadable": ("Không mở được bản kê nào", "No manifest of it opens"),
    "unproven": ("Nhật ký không ghi lần lưu này, để nguyên", "In no event of the log, left as it is"),
}
_SOURCES = {
    "label": ("Đã lấy lại chính khóa kho cũ từ nhãn kho.", "The vault's own key came back, from the vault's label."),
    "envelopes": (
        "Đã tạo khóa kho mới và gói lại khóa của từng đối tượng. Nội dung tin người dân và dữ liệu chưa lưu xong trong bộ đệm cần khóa cũ.",
        "A new vault key was made and each object's key wrapped by it. Citizens' texts and what rests in the spool need the old key.",
    ),
}


@contextmanager
def _stoppable(ctx: click.Context) -> Iterator[None]:
    """Have Ctrl-C say that nothing is lost, and end with 130."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Đã dừng; lần sau sẽ làm tiếp / Stopped; the next call goes on from here", err=True)
        ctx.exit(130)


def _run_rewrap(ctx: click.Context, run: "Rewrap") -> "RewrapReport":
    with closing(_shown(run.steps(), "Gói lại khóa / Wrapping keys")) as steps, _stoppable(ctx):
        for step in steps:
            if step.outcome == "lost":
                click.echo(f"KHÔNG MỞ ĐƯỢC / CAN'T BE OPENED  {step.object_id}  ({step.place})")
    return run.finish("system")


def _tell_rewrap(report: "RewrapReport") -> None:
    done = {outcome.value: count for outcome, count in report.counts.items()}
    click.echo(
        f"Phong bì khóa: gói lại {done['rewrapped']}, sửa {done['mended']}, đã đúng {done['current']}, không mở được {done['lost']}, nơi không truy cập được {done['away']}"
    )
    click.echo(
        f"Envelopes: wrapped anew {done['rewrapped']}, mended {done['mended']}, current {done['current']}, not opened {done['lost']}, places away {done['away']}"
    )
    for key_id in report.retired:
        click.echo(f"Khóa cũ {key_id} đã nghỉ / Old key {key_id} retired")
    for key_id, vi, en in report.kept:
        click.echo(f"Khóa cũ {key_id} còn giữ: {vi} / Old key {key_id} kept: {en}")


def _shown(steps: Generator[_S, None, None], title: str, *, quiet: bool = False) -> Generator[_S, None, None]:
    """Pass the steps through; on a terminal with a bar."""
    if quiet or not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console  # late: --help needs none of this
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar, closing(steps):
        task = bar.add_task(title, total=None)
        for step in steps:
            bar.update(task, completed=step.done, total=step.total)
            yield step


def _tell(step: "Step") -> None:
    checked = step.checked
    for problem in checked.result.problems:
        vi, en = PROBLEMS[problem]
        click.echo(f"HỎNG / DAMAGED  {checked.result.object_id}  ({checked.place})  {vi} / {en}")
    if checked.repaired_from:
        click.echo(
            f"ĐÃ SỬA / REPAIRED  {checked.result.object_id}  ({checked.place}) từ / from {checked.repaired_from}"
        )


def _tell_report(report: "Report", *, as_json: bool) -> None:
    if as_json:
        named = [
            {"place": place, "object": object_id, "problems": list(problems)}
            for place, object_id, problems in report.named
        ]
        body = {
            "round": report.round_id,
            "copies": report.copies,
            "bytes": report.size,
            "damaged": report.damaged,
            "repaired": report.repaired,
            "problems": named,
            "away": list(report.away),
            "unlisted": list(report.unlisted),
        }
        click.echo(json.dumps(body))
        return
    for object_id in report.unlisted:
        click.echo(f"Không có trong danh mục, giữ nguyên / In no catalogue, left as it is  {object_id}")
    for place in report.away:
        click.echo(
            f"Không truy cập được nơi lưu {place}, lần sau sẽ kiểm tra / Place {place} is away, left for next time"
        )
    size = f"{report.size / 1e6:,.1f} MB"
    click.echo(f"Đã kiểm tra {report.copies} bản sao, {size}; đã sửa: {report.repaired}; còn hỏng: {report.damaged}")
    click.echo(f"Checked {report.copies} copies, {size}; repaired: {report.repaired}; damaged still: {report.damaged}")
