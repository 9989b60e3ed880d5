"""Importing docking stations and their slots from a list; all or nothing, as people and cameras are imported.

The same name is the same station; importing a list again changes only what differs.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.db import nfc
from bodycam.errors import BodycamError, InvalidInputError
from bodycam.fleet.docking import ensure_station
from bodycam.fleet.models import Station
from bodycam.people.imports import ImportReport, UnitFinder, force_of
from bodycam.people.sheets import Column, Row, Sheet

MOST_SLOTS = 128
MAX_NAME = 100

STATION_COLUMNS = (
    Column("name", "Trạm", "Station", ("Trạm", "Trạm cắm", "Tên trạm", "Station", "Dock", "Name"), required=True),
    Column("slots", "Số khe", "Slots", ("Số khe", "Khe", "Slots", "Bays"), required=True),
    Column("unit", "Đơn vị", "Unit", ("Đơn vị", "Unit")),
    Column("force", "Lực lượng", "Force", ("Lực lượng", "Ngành", "Force", "Service")),
)


def import_stations(session: Session, sheet: Sheet, *, actor: str | None = None) -> ImportReport:
    """Take over stations from a list read with `STATION_COLUMNS`.

    Raises:
        ImportRefusedError: there were errors; nothing may be committed.
    """
    report = ImportReport(rows=len(sheet.rows))
    finder = UnitFinder(session, report, actor)
    seen: dict[str, int] = {}
    for row in sheet.rows:
        name = nfc(row.get("name")).strip()
        if name in seen:
            report.refuse(
                row, STATION_COLUMNS[0], f"trùng với dòng {seen[name]}", f"is the same as in row {seen[name]}"
            )
            continue
        seen[name] = row.number
        _take_row(session, report, finder, row, name)
    report.finish(session, "stations", sheet, actor)
    return report


def _take_row(session: Session, report: ImportReport, finder: UnitFinder, row: Row, name: str) -> None:
    slots = row.get("slots").strip()
    if not name or len(name) > MAX_NAME:
        report.refuse(row, STATION_COLUMNS[0], f"cần 1 đến {MAX_NAME} ký tự", f"needs 1 to {MAX_NAME} characters")
        return
    if not (slots.isascii() and slots.isdigit() and 1 <= int(slots) <= MOST_SLOTS):
        report.refuse(
            row, STATION_COLUMNS[1], f"ghi một số từ 1 đến {MOST_SLOTS}", f"write a number from 1 to {MOST_SLOTS}"
        )
        return
    try:
        force = force_of(row.get("force")) if row.get("force") else None
        unit = finder.find(row.get("unit"), force) if row.get("unit") else None
    except InvalidInputError as error:
        report.refuse(row, STATION_COLUMNS[2], str(error.values["reason_vi"]), str(error.values["reason"]))
        return
    except BodycamError as error:
        report.refuse(row, STATION_COLUMNS[2], error.text("vi"), error.text("en"))
        return
    before = session.scalar(select(Station).where(Station.name == name))
    old = (before.slots, before.unit_id) if before else None
    station = ensure_station(session, name=name, slots=int(slots), unit_id=unit.id if unit else None)
    report.created += old is None
    report.updated += old is not None and old != (station.slots, station.unit_id)
    report.unchanged += old == (station.slots, station.unit_id)
