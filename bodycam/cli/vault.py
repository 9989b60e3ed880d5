"""`bodycam vault`: read back everything that is sealed, and say what is not as it was."""

import json
import sys
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

import click

from bodycam.fixity.problems import PROBLEMS

if TYPE_CHECKING:
    from bodycam.fixity.service import Report, Scrub, Step

_PAGE = 5000


@click.group()
def vault() -> None:
    """Kho lưu trữ đã khóa chống sửa / The vault of sealed bytes."""


@vault.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
@click.pass_context
def scrub(ctx: click.Context, as_json: bool) -> None:
    """Đọc lại và so sánh mọi dữ liệu đã lưu, khóa chống sửa / Re-read and compare everything sealed.

    Ctrl-C is safe: the next call goes on with the same round. Exit code 1 when something is damaged, 0 when all is sound.

    Example: bodycam vault scrub
    """
    from bodycam.cli.standalone import settle, standalone  # late: --help needs none of this
    from bodycam.fixity.service import Scrub
    from bodycam.settings import load_settings
    from bodycam.tasks.vault import known_objects

    with standalone(load_settings()) as rt:
        run = Scrub(rt, lambda: known_objects(rt.db), actor="system")
        try:
            with closing(_shown(run, quiet=as_json)) as steps:
                for step in steps:
                    if not step.result.ok and not as_json:
                        _tell(step)
        except KeyboardInterrupt:
            click.echo("Đã dừng; lần sau sẽ kiểm tra tiếp / Stopped; the next call goes on from here", err=True)
            ctx.exit(130)
        report = run.finish()
        settle(rt, [])
    _tell_report(report, as_json=as_json)
    ctx.exit(1 if report.damaged else 0)


def _shown(run: "Scrub", *, quiet: bool) -> "Generator[Step, None, None]":
    """Pass the steps through; on a terminal with a bar."""
    if quiet or not sys.stderr.isatty():
        yield from run.steps()
        return
    from rich.console import Console  # late: --help needs none of this
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar, closing(run.steps()) as steps:
        task = bar.add_task("Kiểm tra / Checking", total=None)
        for step in steps:
            bar.update(task, completed=step.done, total=step.total)
            yield step


def _tell(step: "Step") -> None:
    for problem in step.result.problems:
        vi, en = PROBLEMS[problem]
        click.echo(f"HỎNG / DAMAGED  {step.result.object_id}  {vi} / {en}")


def _tell_report(report: "Report", *, as_json: bool) -> None:
    if as_json:
        named = [{"object": object_id, "problems": list(problems)} for object_id, problems in report.named]
        body = {
            "round": report.round_id,
            "objects": report.objects,
            "bytes": report.size,
            "damaged": report.damaged,
            "problems": named,
            "unlisted": list(report.unlisted),
        }
        click.echo(json.dumps(body))
        return
    for object_id in report.unlisted:
        click.echo(f"Không có trong danh mục, giữ nguyên / In no catalogue, left as it is  {object_id}")
    size = f"{report.size / 1e6:,.1f} MB"
    click.echo(f"Đã kiểm tra {report.objects} đối tượng, {size}; hỏng: {report.damaged}")
    click.echo(f"Checked {report.objects} objects, {size}; damaged: {report.damaged}")
