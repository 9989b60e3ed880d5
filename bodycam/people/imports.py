"""Importing officers and the units they belong to, from a list.

All or nothing: every row is tried, every error is told with its row, column and what to do, and one error undoes the whole
list (the caller's transaction ends with `ImportRefusedError`). The same number in the same force is the same person, so
importing a list again changes only what differs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.db import fold, new_id
from bodycam.errors import BodycamError, InvalidInputError
from bodycam.people import passes, units
from bodycam.people.errors import CardInUseError, CardUnreadableError
from bodycam.people.models import Force, Officer, Unit
from bodycam.people.numbers import FORCE_NAMES, check_number, compact_number
from bodycam.people.sheets import Column, Row, Sheet

PEOPLE_COLUMNS = (
    Column("number", "Số hiệu", "Number", (
        "Số hiệu", "Số hiệu CAND", "Số hiệu công chức", "Số hiệu công chức hải quan", "Số thẻ", "Số thẻ công chức",
        "Mã cán bộ", "Number", "Officer number", "Badge"), required=True),
    Column("name", "Họ tên", "Name", ("Họ tên", "Họ và tên", "Tên", "Cán bộ", "Name", "Full name"), required=True),
    Column("unit", "Đơn vị", "Unit", ("Đơn vị", "Đơn vị công tác", "Phòng/Đội", "Unit"), required=True),
    Column("force", "Lực lượng", "Force", ("Lực lượng", "Ngành", "Force", "Service")),
    Column("team", "Tổ", "Team", ("Tổ", "Tổ công tác", "Đoàn kiểm tra", "Team")),
    Column("card", "Thẻ trạm cắm", "Kiosk card", ("Thẻ trạm cắm", "Mã thẻ", "Thẻ từ", "Kiosk card", "Card", "Card number")),
)  # fmt: skip
_FORCE_ALIASES = {"csgt": Force.TRAFFIC_POLICE, "qltt": Force.MARKET, "canh sat": Force.TRAFFIC_POLICE}


@dataclass(frozen=True)
class RowError:
    """What is wrong with one cell, and what to do."""

    row: int
    column: str
    vi: str
    en: str


class ImportRefusedError(BodycamError):
    """The list has errors, so nothing of it was taken over; `errors` lists them all."""

    code = "import_refused"
    vi = "Có {count} lỗi trong {file}; chưa nhập dòng nào. Sửa rồi nhập lại cả tệp."
    en = "{file} has {count} errors; nothing was imported. Correct them and import the whole file again."
    exit_code: ClassVar[int] = 3

    def __init__(self, file: str, errors: list[RowError]) -> None:
        """Keep the errors, in the order of the rows."""
        self.errors = errors
        super().__init__(file=file, count=len(errors))


@dataclass
class ImportReport:
    """What an import did, row by row errors included while it runs."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    units: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, row: Row, column: Column, vi: str, en: str) -> None:
        """Note an error of one cell."""
        self.errors.append(RowError(row.number, column.vi, vi, en))

    def finish(self, session: Session, what: str, sheet: Sheet, actor: str | None) -> None:
        """End the import: raise when there were errors, else record `import.done`."""
        if self.errors:
            raise ImportRefusedError(sheet.name, self.errors)
        counts = {"created": self.created, "updated": self.updated, "unchanged": self.unchanged}
        custody.record(
            session,
            "import.done",
            object_id=new_id(),
            actor=actor,
            details={"what": what, "rows": self.rows, "units": len(self.units), **counts},
            private={"file": sheet.name},
            sha256=sheet.sha256,
            size=sheet.size,
        )


class UnitFinder:
    """Finds units by code or path of names, each asked of the database once, and makes those that are missing."""

    def __init__(self, session: Session, report: ImportReport, actor: str | None) -> None:
        """Begin with nothing known."""
        self._session, self._report, self._actor = session, report, actor
        self._known: dict[str, Unit] = {}

    def find(self, text: str, force: str | None) -> Unit:
        """Return the unit; a missing one is made when the row says its force, else raises `InvalidInputError`."""
        key = fold(text)
        unit = self._known.get(key) or self._session.scalar(select(Unit).where(Unit.code == text))
        names = units.split_unit_path(text)
        unit = unit or units.unit_by_names(self._session, names)
        if unit is None:
            if force is None:
                raise InvalidInputError(
                    field="unit",
                    reason=f"there is no unit “{text}”; give a force so that it can be made, or correct the name",
                    reason_vi=f"chưa có đơn vị “{text}”; ghi lực lượng để tạo mới, hoặc sửa lại tên",
                )
            unit, _ = units.ensure_unit(self._session, names, force=force, actor=self._actor)
            self._report.units.append(text)
        self._known[key] = unit
        return unit


def force_of(text: str) -> Force | None:
    """Return the force a cell names, by code, Vietnamese or English name or common abbreviation; None when unknown."""
    wanted = re.sub(r"[^a-z]+", " ", fold(text)).strip()
    names = {fold(name): force for force, both in FORCE_NAMES.items() for name in both}
    codes = {force.value.replace("_", " "): force for force in Force}
    return (names | codes | _FORCE_ALIASES).get(wanted)


def import_people(
    session: Session,
    sheet: Sheet,
    *,
    patterns: Mapping[str, re.Pattern[str]],
    cards: passes.Cards,
    default_force: str | None = None,
    actor: str | None = None,
) -> ImportReport:
    """Take over officers from a list read with `PEOPLE_COLUMNS`.

    A unit is a code or a path of names such as "Phòng CSGT/Đội 3"; missing ones are made. A row's force is its own cell, else
    `default_force`, else its unit's. A card is kept as `passes` keeps it; an empty cell leaves an officer's card as it is.

    Raises:
        ImportRefusedError: there were errors; nothing may be committed.
    """
    report = ImportReport(rows=len(sheet.rows))
    finder = UnitFinder(session, report, actor)
    officers = {(o.force, compact_number(o.number)): o for o in session.scalars(select(Officer).order_by(Officer.id))}
    seen: dict[tuple[str, str], int] = {}
    hand_out = _Cards(session, report, cards, actor)
    for row in sheet.rows:
        placed = _place(row, report, finder, default_force)
        if placed is None:
            continue
        unit, force = placed
        try:
            number = check_number(patterns, force, row.get("number"))
        except InvalidInputError as error:
            report.refuse(row, _column("number"), str(error.values["reason_vi"]), str(error.values["reason"]))
            continue
        key = (force, compact_number(number))
        if key in seen:
            other = seen[key]
            report.refuse(row, _column("number"), f"trùng với dòng {other}", f"is the same as in row {other}")
            continue
        seen[key] = row.number
        unchanged = report.unchanged
        try:
            officers[key] = _take_officer(session, report, officers.get(key), row, unit, force, number, actor)
        except InvalidInputError as error:
            report.refuse(row, _column("name"), str(error.values["reason_vi"]), str(error.values["reason"]))
            continue
        if hand_out.give(officers[key], row) and report.unchanged > unchanged:
            report.unchanged -= 1
            report.updated += 1
    report.finish(session, "people", sheet, actor)
    return report


class _Cards:
    """Gives the cards of one list; no error names a card's number."""

    def __init__(self, session: Session, report: ImportReport, cards: passes.Cards, actor: str | None) -> None:
        self._session, self._report, self._cards, self._actor = session, report, cards, actor
        self._rows: dict[str, int] = {}

    def give(self, officer: Officer, row: Row) -> bool:
        """Tie a row's card to its officer; True when that changed something."""
        if not row.get("card"):
            return False
        column = _column("card")
        try:
            number = self._cards.number(row.get("card"))
        except CardUnreadableError:
            least, most = passes.LEAST_CARD, passes.MOST_CARD
            self._report.refuse(
                row, column, f"không phải số thẻ; ghi {least}–{most} chữ và số như đầu đọc thẻ gõ ra",
                f"is no card's number; write the {least} to {most} letters and digits the reader types",
            )  # fmt: skip
            return False
        if number in self._rows:
            other = self._rows[number]
            self._report.refuse(row, column, f"trùng với dòng {other}", f"is the same as in row {other}")
            return False
        self._rows[number] = row.number
        held = passes.pass_of(self._session, officer.id)
        if held is not None and held.card_key == passes.card_key(number, self._cards.key):
            return False
        try:
            passes.give_card(self._session, officer.id, number, key=self._cards.key, actor=self._actor)
        except CardInUseError as error:
            self._report.refuse(row, column, error.text("vi"), error.text("en"))
            return False
        return True


def _column(key: str) -> Column:
    return next(column for column in PEOPLE_COLUMNS if column.key == key)


def _place(row: Row, report: ImportReport, finder: UnitFinder, default_force: str | None) -> tuple[Unit, str] | None:
    """Return a row's unit and force, or None after noting why not."""
    text = row.get("force")
    force = force_of(text) if text else (Force(default_force) if default_force else None)
    if text and force is None:
        known = ", ".join(vi for vi, _ in FORCE_NAMES.values())
        english = ", ".join(en for _, en in FORCE_NAMES.values())
        report.refuse(
            row, _column("force"), f"“{text}” không phải lực lượng; ghi một trong: {known}",
            f"“{text}” isn't a force; write one of: {english}",
        )  # fmt: skip
        return None
    if not row.get("unit"):
        report.refuse(row, _column("unit"), "trống; ghi tên đơn vị", "is empty; write the unit's name")
        return None
    try:
        unit = finder.find(row.get("unit"), force)
    except InvalidInputError as error:
        report.refuse(row, _column("unit"), str(error.values["reason_vi"]), str(error.values["reason"]))
        return None
    return unit, force or unit.force


def _take_officer(
    session: Session,
    report: ImportReport,
    officer: Officer | None,
    row: Row,
    unit: Unit,
    force: str,
    number: str,
    actor: str | None,
) -> Officer:
    name, team = row.get("name"), row.get("team") or None
    if officer is None:
        made = units.create_officer(
            session, unit_id=unit.id, number=number, name=name, force=force, team=team, actor=actor
        )
        report.created += 1
        return made
    before = (officer.name, officer.team, officer.unit_id, officer.active)
    units.describe_officer(officer, name=name, team=team)
    officer.unit_id, officer.active = unit.id, True
    if before == (officer.name, officer.team, officer.unit_id, officer.active):
        report.unchanged += 1
    else:
        report.updated += 1
        custody.record(session, "officer.changed", object_id=officer.id, actor=actor, details={"unit": unit.id})
    return officer
