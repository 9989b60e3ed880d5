"""`bodycam case`: list cases, show one with its recordings, import many."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from bodycam.cases.models import Case


@click.group()
def case() -> None:
    """Hồ sơ vụ việc / Cases."""


@case.command("list")
@click.option("--text", default="", help="Words or an identifier / Từ hoặc biển số, mã số thuế, số biên bản …")
@click.option("--kind", default="", help="traffic_stop, field_inspection, tax_check, customs_inspection.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(text: str, kind: str, as_json: bool) -> None:
    """Liệt kê hồ sơ, mới nhất trước / List cases, newest first.

    Example: bodycam case list --text 29A-123.45
    """
    from bodycam.cases.kinds import kind_of  # late: --help needs none of this
    from bodycam.cli.standalone import standalone
    from bodycam.clock import local
    from bodycam.settings import load_settings

    settings = load_settings()
    with standalone(settings) as rt, rt.db.read() as session:
        for row in _every(session, text, kind):
            if as_json:
                click.echo(json.dumps(_facts(session, row), ensure_ascii=False))
            else:
                started = local(row.starts_at).strftime("%d/%m/%Y %H:%M")
                label = kind_of(row.kind).label(settings.language)
                click.echo(f"{row.id}  {started}  {label:<24}  {row.title}")


@case.command()
@click.argument("case_id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(case_id: str, as_json: bool) -> None:
    """Một hồ sơ: định danh, thời hạn, bản ghi / One case: identifiers, deadlines, recordings with their reasons.

    Example: bodycam case show 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d --json
    """
    from bodycam.cases.service import get_case  # late: --help needs none of this
    from bodycam.cli.standalone import standalone
    from bodycam.settings import load_settings

    settings = load_settings()
    with standalone(settings) as rt, rt.db.read() as session:
        row = get_case(session, case_id)
        facts, deadlines, recordings = _facts(session, row), _deadlines(row), _recordings(session, case_id)
    if as_json:
        click.echo(json.dumps(facts | {"deadlines": deadlines, "recordings": recordings}, ensure_ascii=False))
    else:
        _print(facts, deadlines, recordings, settings.language)


@case.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", help="Kind of rows that name none / Loại của dòng không ghi.")
@click.option("--dry-run", is_flag=True, help="Only check / Chỉ kiểm tra, không ghi.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def import_(file: Path, kind: str | None, dry_run: bool, as_json: bool) -> None:
    """Nhập hồ sơ từ CSV, XLSX hoặc JSON lines / Import cases, all or nothing; recordings that fit are proposed.

    Template: docs/import/cases.csv

    Example: bodycam case import bien-ban.csv --kind traffic_stop --dry-run
    """
    from bodycam.cases.imports import import_cases, read_cases  # late: --help needs none of this
    from bodycam.cli.importing import actor, run_import

    sheet = read_cases(file)
    run_import(
        sheet,
        lambda session, _: import_cases(session, sheet, default_kind=kind, actor=actor()),
        dry_run=dry_run,
        as_json=as_json,
    )


def _every(session: "Session", text: str, kind: str) -> "Iterator[Case]":
    """Walk all pages; the command line belongs to the machine's owner, so nothing is left out."""
    from bodycam.cases.queries import CaseFilter, list_cases  # late: --help needs none of this
    from bodycam.people.models import Force
    from bodycam.people.scope import Scope

    everything = Scope(everything=True, forces=tuple(Force))
    after = None
    while True:
        page = list_cases(session, everything, CaseFilter(text=text, kind=kind), after=after, limit=200)
        yield from page.cases
        after = page.after
        if after is None:
            return


def _facts(session: "Session", row: "Case") -> dict[str, object]:
    from bodycam.cases.queries import identifiers_of, officers_of  # late: --help needs none of this
    from bodycam.people.models import Unit

    unit = session.get(Unit, row.unit_id)
    return {
        "id": row.id,
        "kind": row.kind,
        "number": row.number,
        "title": row.title,
        "unit": unit and unit.name,
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "place": row.place,
        "lat": row.lat,
        "lon": row.lon,
        "state": row.state,
        "identifiers": [{"kind": i.kind, "raw": i.raw, "compact": i.compact} for i in identifiers_of(session, row.id)],
        "fields": json.loads(row.fields),
        "officers": officers_of(session, row.id),
    }


def _deadlines(row: "Case") -> list[dict[str, str]]:
    from bodycam.cases.kinds import deadlines_of, kind_of  # late: --help needs none of this

    found = deadlines_of(kind_of(row.kind), starts_at=row.starts_at, ends_at=row.ends_at, fields=json.loads(row.fields))
    return [{"key": d.key, "vi": d.vi, "en": d.en, "due_at": d.due_at.isoformat(), "source": d.source} for d in found]


def _recordings(session: "Session", case_id: str) -> list[dict[str, object]]:
    from bodycam.cases.links import recordings_of  # late: --help needs none of this
    from bodycam.cases.matching import strength

    found: list[dict[str, object]] = []
    for link, recording in recordings_of(session, case_id):
        reasons = json.loads(link.reasons)
        entry = {"id": recording.id, "name": recording.name, "state": link.state, "score": link.score}
        for language in ("vi", "en"):
            entry[f"strength_{language}"] = strength(link.score, language)
            entry[f"why_{language}"] = ", ".join(reason[language] for reason in reasons) or "—"
        found.append(entry)
    return found


def _print(
    facts: dict[str, object],
    deadlines: list[dict[str, str]],
    recordings: list[dict[str, object]],
    language: str,
) -> None:
    for key in ("title", "kind", "unit", "starts_at", "ends_at", "place", "state"):
        click.echo(f"{key:<10} {facts[key] or '—'}")
    for name in ("identifiers", "fields"):
        click.echo(f"{name:<10} {json.dumps(facts[name], ensure_ascii=False)}")
    for deadline in deadlines:
        click.echo(f"  {deadline['due_at'][:16]}  {deadline[language]}  ({deadline['source']})")
    for entry in recordings:
        click.echo(f"  {entry['id']}  {entry['state']:<9} {entry['strength_' + language]}: {entry['why_' + language]}")
