"""`bodycam doctor`: what is wrong on this machine, and what to do about it."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.cli.symptom import Symptom

_MARKS = {"ok": "✓", "note": "•", "bad": "✗"}
_COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line: {check, level, vi, en, todo_vi, todo_en}."
)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Có gì chưa ổn, phải làm gì / What is wrong and what to do: settings, disk, clock, USB, ports, keys, services.

    Exit code 1 when something is wrong. Example: bodycam doctor
    """
    from bodycam.cli import symptoms  # late: --help needs none of this
    from bodycam.settings import load_settings

    found = symptoms.look(load_settings())
    for symptom in found:
        if as_json:
            click.echo(json.dumps(symptom.as_json(), ensure_ascii=False))
        else:
            _show(symptom)
    if any(symptom.level == "bad" for symptom in found):
        ctx.exit(1)


def _show(symptom: "Symptom") -> None:
    click.secho(f"{_MARKS[symptom.level]} {symptom.vi}", fg=_COLOURS[symptom.level])
    click.echo(f"  {symptom.en}")
    if symptom.todo_vi:
        click.echo(f"  → {symptom.todo_vi}\n  → {symptom.todo_en}")
