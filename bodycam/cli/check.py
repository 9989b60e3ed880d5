"""`bodycam check`: the verdict on loose files, with every finding and its reason; needs no database.

A loose file has no earlier hash and no docking, so those rows say so; the rest is checked as in the catalogue.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bodycam.sections import VerificationSettings
    from bodycam.telemetry.files import LooseFile

_COLOURS = {"match": "green", "note": "yellow", "look_closer": "magenta", "contradiction": "red"}
_MARKS = {
    "match": "✓",
    "note": "•",
    "look_closer": "?",
    "contradiction": "✗",
    "not_checked": "░",
    "not_applicable": "–",
}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Mỗi tệp một dòng JSON / One JSON object a line.")
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Kiểm tra thời gian, vị trí, tính liên tục / Check time, place and continuity, with reasons; folders are walked.

    Example: bodycam check DCIM/ --json
    """
    from bodycam.media.sandbox import Sandbox  # late: --help needs none of this
    from bodycam.settings import load_settings
    from bodycam.telemetry.files import read_loose, walk

    limits = load_settings().verification
    failed = False
    with Sandbox() as sandbox:
        for path in walk(files):
            loose = read_loose(sandbox, path)
            failed = failed or loose.failure is not None
            answer = _check(loose, limits)
            click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _in_words(answer))
    if failed:
        sys.exit(1)


def _check(loose: "LooseFile", limits: "VerificationSettings") -> dict[str, Any]:
    from bodycam.clock import now  # late: --help needs none of this
    from bodycam.verification.facts import RecordingFacts
    from bodycam.verification.service import check as run
    from bodycam.verification.verdict import verdict

    path, reading = str(loose.path), loose.reading
    if reading is None:
        assert loose.failure is not None
        failure = {"code": loose.failure.code, "message": f"{loose.failure.vi} / {loose.failure.en}"}
        return {"path": path, "verdict": "not_checked", "findings": [], "problems": [failure]}
    facts = RecordingFacts(
        name=loose.path.name,
        info=reading.info,
        at=now(),
        track=reading.track,
        location=reading.location,
        continuity=reading.continuity,
        is_loose=True,
    )
    findings = run(facts, limits)
    rows = [
        {
            "row": finding.row.value,
            "code": finding.code,
            "result": finding.result.value,
            "vi": finding.vi,
            "en": finding.en,
            "numbers": dict(finding.numbers),
            "span": finding.span,
        }
        for finding in findings
    ]
    problems = [{"code": p.code, "message": f"{p.vi} / {p.en}"} for p in reading.info.problems]
    return {"path": path, "verdict": verdict(findings).value, "findings": rows, "problems": problems}


def _in_words(answer: dict[str, Any]) -> str:
    from bodycam.recordings.models import Verdict  # late: --help needs none of this
    from bodycam.verification.finding import ROW_NAMES, VERDICT_NAMES, Row

    vi, en = VERDICT_NAMES[Verdict(answer["verdict"])]
    colour = _COLOURS.get(answer["verdict"])
    lines = [f"{click.style(answer['path'], bold=True)}: {click.style(f'{vi} / {en}', fg=colour, bold=True)}"]
    for finding in answer["findings"]:
        mark = click.style(_MARKS[finding["result"]], fg=_COLOURS.get(finding["result"]))
        row = ROW_NAMES[Row(finding["row"])]
        lines.append(f"  {mark} {row[0]} / {row[1]} ({finding['code']})")
        lines += [f"      {finding['vi']}", f"      {finding['en']}"]
    lines += [f"  ! {problem['code']}: {problem['message']}" for problem in answer["problems"]]
    return "\n".join(lines) + "\n"
