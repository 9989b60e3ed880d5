"""Importing cases from a list: CSV, XLSX, or JSON lines; all or nothing, as people are imported.

A row is a case. Columns every kind has are known by name; a kind's identifiers and fields are known by their key or their
Vietnamese or English label. Several plates or officers in one cell are parted by ";" or ",". The same number of the same
kind, unit and year is the same case; without a number, the same title and beginning.
"""

import hashlib
import json
import re
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.cases.errors import CaseFieldError
from bodycam.cases.kinds import CaseKind, kinds
from bodycam.cases.models import Case
from bodycam.cases.service import CaseFacts, edit_case, open_case
from bodycam.db import fold, nfc
from bodycam.errors import InvalidInputError
from bodycam.fleet.imports import find_officer
from bodycam.people.imports import ImportReport, UnitFinder
from bodycam.people.models import Unit
from bodycam.people.sheets import MAX_ROWS, Column, Row, Sheet, SheetError, parse_local_time, parse_sheet, read_bytes

_COMMON = (
    Column("kind", "Loại hồ sơ", "Kind", ("Loại hồ sơ", "Loại", "Kind", "Case kind")),
    Column("number", "Số", "Number", (
        "Số", "Số hồ sơ", "Số biên bản", "Số quyết định", "Number", "Case number")),
    Column("title", "Tên vụ việc", "Title", ("Tên vụ việc", "Vụ việc", "Trích yếu", "Title")),
    Column("unit", "Đơn vị", "Unit", ("Đơn vị", "Unit"), required=True),
    Column("starts_at", "Bắt đầu", "Start", ("Bắt đầu", "Từ", "Thời gian", "Start", "From", "starts_at"), required=True),
    Column("ends_at", "Kết thúc", "End", ("Kết thúc", "Đến", "End", "To", "ends_at")),
    Column("place", "Địa điểm", "Place", ("Địa điểm", "Nơi", "Place")),
    Column("lat", "Vĩ độ", "Latitude", ("Vĩ độ", "Latitude", "lat")),
    Column("lon", "Kinh độ", "Longitude", ("Kinh độ", "Longitude", "lon")),
    Column("radius_m", "Bán kính (m)", "Radius (m)", ("Bán kính", "Bán kính (m)", "Radius", "Radius (m)", "radius_m")),
    Column("officers", "Cán bộ", "Officers", ("Cán bộ", "Số hiệu", "Officers", "Officer")),
)  # fmt: skip


class _CellError(Exception):
    """What is wrong with which column of a row; never leaves this module."""

    def __init__(self, column: Column, vi: str, en: str) -> None:
        super().__init__(en)
        self.column, self.vi, self.en = column, vi, en


def case_columns() -> tuple[Column, ...]:
    """Return every column a list of cases may have: the common ones, then each kind's identifiers and fields."""
    known = {column.key: column for column in _COMMON}
    for kind in kinds().values():
        entries = [(entry.key, entry.vi, entry.en) for entry in kind.identifiers]
        for key, vi, en in entries + [(entry.key, entry.vi, entry.en) for entry in kind.fields]:
            before = known[key].headers if key in known else ()
            known[key] = Column(key, vi, en, tuple(dict.fromkeys([*before, key, vi, en])))
    return tuple(known.values())


def read_cases(path: Path) -> Sheet:
    """Read a list of cases: JSON lines for *.jsonl and *.json, else CSV or XLSX; raises `SheetError`."""
    data = read_bytes(path)
    if path.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
        return _parse_lines(path.name, data)
    return parse_sheet(path.name, data, case_columns())


def import_cases(
    session: Session, sheet: Sheet, *, default_kind: str | None = None, actor: str | None = None
) -> ImportReport:
    """Take over cases from a list; each is matched with the recordings there are.

    Raises:
        ImportRefusedError: there were errors; nothing may be committed.
    """
    report = ImportReport(rows=len(sheet.rows))
    finder = UnitFinder(session, report, actor)
    columns = {column.key: column for column in case_columns()}
    for row in sheet.rows:
        try:
            _take_row(session, report, finder, columns, row, default_kind)
        except _CellError as wrong:
            report.refuse(row, wrong.column, wrong.vi, wrong.en)
        except CaseFieldError as error:
            values = error.values
            named = Column("", str(values["field_vi"]), str(values["field_en"]), ())
            report.refuse(row, named, str(values["reason_vi"]), str(values["reason_en"]))
    report.finish(session, "cases", sheet, actor)
    return report


def _take_row(
    session: Session,
    report: ImportReport,
    finder: UnitFinder,
    columns: dict[str, Column],
    row: Row,
    default_kind: str | None,
) -> None:
    kind = _kind(columns["kind"], row.get("kind") or default_kind or "")
    unit = _unit(finder, columns["unit"], row.get("unit"))
    facts = _facts(session, columns, row, kind, unit)
    known = _known(session, kind, unit, facts)
    if known is None:
        open_case(session, kind=kind.key, unit_id=unit.id, facts=facts)
        report.created += 1
    else:
        edit_case(session, known.id, facts=facts)
        report.updated += 1


def _kind(column: Column, text: str) -> CaseKind:
    wanted = fold(text)
    for kind in kinds().values():
        if wanted in {kind.key, fold(kind.vi), fold(kind.en)}:
            return kind
    vi, en = (", ".join(getattr(kind, language) for kind in kinds().values()) for language in ("vi", "en"))
    raise _CellError(
        column, f"“{text}” không phải loại hồ sơ; ghi một trong: {vi}", f"“{text}” isn't a kind; use: {en}"
    )


def _unit(finder: UnitFinder, column: Column, text: str) -> Unit:
    if not text:
        raise _CellError(column, "trống; ghi tên đơn vị", "is empty; write the unit's name")
    try:
        return finder.find(text, None)
    except InvalidInputError as error:
        raise _said(column, error) from error


def _facts(session: Session, columns: dict[str, Column], row: Row, kind: CaseKind, unit: Unit) -> CaseFacts:
    try:
        starts_at = parse_local_time(row.get("starts_at"))
    except InvalidInputError as error:
        raise _said(columns["starts_at"], error) from error
    try:
        ends_at = parse_local_time(row.get("ends_at")) if row.get("ends_at") else starts_at
    except InvalidInputError as error:
        raise _said(columns["ends_at"], error) from error
    try:
        officers = [find_officer(session, text, unit.force).id for text in _several(row.get("officers"))]
    except InvalidInputError as error:
        raise _said(columns["officers"], error) from error
    numbers = {key: _decimal(columns[key], row.get(key)) for key in ("lat", "lon", "radius_m")}
    return CaseFacts(
        starts_at=starts_at,
        ends_at=ends_at,
        title=row.get("title"),
        number=row.get("number"),
        place=row.get("place"),
        lat=numbers["lat"],
        lon=numbers["lon"],
        radius_m=numbers["radius_m"],
        identifiers={entry.key: _several(row.get(entry.key)) for entry in kind.identifiers},
        fields={entry.key: row.get(entry.key) for entry in kind.fields},
        officer_ids=officers,
    )


def _known(session: Session, kind: CaseKind, unit: Unit, facts: CaseFacts) -> Case | None:
    query = select(Case).where(Case.kind == kind.key, Case.unit_id == unit.id)
    if facts.number:
        number = " ".join(nfc(facts.number).split())
        year = facts.starts_at.year  # as typed, in Vietnam's time
        return session.scalar(query.where(Case.number == number, Case.year == year))
    query = query.where(Case.number.is_(None), Case.starts_at == facts.starts_at)
    return session.scalar(query.where(Case.title == facts.title).limit(1)) if facts.title else None


def _decimal(column: Column, text: str) -> float | None:
    if not text:
        return None
    plain = text.replace(",", ".").strip()
    if re.fullmatch(r"[+-]?\d{1,6}(\.\d{1,12})?", plain) is None:
        raise _CellError(column, f"“{text}” không phải số", f"“{text}” isn't a number")
    return float(plain)


def _several(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;,\n]", text) if part.strip()]


def _said(column: Column, error: InvalidInputError) -> _CellError:
    return _CellError(column, str(error.values["reason_vi"]), str(error.values["reason"]))


def _parse_lines(name: str, data: bytes) -> Sheet:
    """Read JSON lines: an object a line, with column keys; lists become cells parted by ";"."""
    rows: list[Row] = []
    known = {column.key for column in case_columns()}
    ignored: dict[str, None] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _bad_line(name, number) from error
        if not isinstance(entry, dict) or len(rows) >= MAX_ROWS:
            raise _bad_line(name, number)
        cells = {str(key): _cell(value) for key, value in entry.items()}
        ignored |= dict.fromkeys(key for key in cells if key not in known)
        rows.append(Row(number, {key: text for key, text in cells.items() if key in known}))
    return Sheet(name, hashlib.sha256(data).hexdigest(), len(data), "jsonl", tuple(rows), tuple(ignored))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return nfc(str(value))


def _bad_line(name: str, number: int) -> SheetError:
    return SheetError(
        file=name,
        reason_vi=f"dòng {number} không phải một đối tượng JSON",
        reason_en=f"line {number} isn't a JSON object",
    )
