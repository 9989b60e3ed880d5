"""`bodycam coverage`: what is still missing, the most urgent first."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.coverage.queries import OpenDebt

_WORDS = {
    "footage": ("bản ghi còn trên máy", "footage still on a camera"),
    "docking": ("máy chưa về trạm", "camera not docked"),
    "minute": ("số biên bản", "minute number"),
}


@click.command()
@click.option("--kind", type=click.Choice(sorted(_WORDS)), default=None, help="One kind / Một loại.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def coverage(kind: str | None, as_json: bool) -> None:
    """Những gì còn thiếu, gấp nhất trước / What is still missing, the most urgent first.

    Example: bodycam coverage --kind footage --json
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.coverage.queries import open_debts
    from bodycam.people.scope import EVERYTHING
    from bodycam.settings import load_settings

    settings, after = load_settings(), None
    with standalone(settings) as rt, rt.db.read() as session:
        while True:
            page = open_debts(session, EVERYTHING, kind=kind or "", after=after, limit=200)
            for row in page.debts:
                facts = _facts(row)
                click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _line(row, settings.language))
            after = page.after
            if after is None:
                return


def _facts(row: "OpenDebt") -> dict[str, str | int | None]:
    debt = row.debt
    return {
        "id": debt.id,
        "kind": debt.kind,
        "officer": row.officer.name if row.officer else None,
        "number": row.officer.number if row.officer else None,
        "unit": row.unit.name if row.unit else None,
        "camera": (row.camera.label or row.camera.serial) if row.camera else None,
        "recordings": row.recordings,
        "allowed_by": row.allowed_by.number if row.allowed_by else None,
        "since": debt.opened_at.isoformat(),
        "due": debt.due_at.isoformat(),
    }


def _line(row: "OpenDebt", language: str) -> str:
    from bodycam.clock import local, now  # late, as above

    vi, en = _WORDS[row.debt.kind]
    late = ("quá hạn" if language == "vi" else "overdue") if row.debt.due_at < now() else ""
    who = f"{row.officer.name} {row.officer.number}" if row.officer else (row.unit.name if row.unit else "–")
    camera = (row.camera.label or row.camera.serial) if row.camera else ""
    parts = [f"{local(row.debt.due_at):%d/%m/%Y %H:%M}", vi if language == "vi" else en, camera, who, late]
    return "  ".join(part for part in parts if part)
