"""Importing cameras and who holds them, from a list; all or nothing, as people are imported.

The same serial is the same camera. A holder is named by number (or by a name only one officer has); without a date the camera
is issued from now. Importing a list again changes only what differs.
"""

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.db import fold, nfc
from bodycam.errors import BodycamError, InvalidInputError
from bodycam.fleet import service as fleet
from bodycam.fleet.models import Camera, CameraState
from bodycam.people.imports import ImportReport, UnitFinder, force_of
from bodycam.people.models import Officer
from bodycam.people.numbers import compact_number
from bodycam.people.sheets import Column, Row, Sheet, parse_local_time

CAMERA_COLUMNS = (
    Column("serial", "Serial", "Serial", (
        "Serial", "Số serial", "Số sê-ri", "Sê-ri", "Serial number", "Số máy"), required=True),
    Column("label", "Mã máy", "Label", ("Mã máy", "Nhãn", "Tên máy", "Label", "Camera", "Số máy")),
    Column("profile", "Loại máy", "Model", ("Loại máy", "Kiểu máy", "Model", "Profile")),
    Column("unit", "Đơn vị", "Unit", ("Đơn vị", "Unit")),
    Column("force", "Lực lượng", "Force", ("Lực lượng", "Ngành", "Force", "Service")),
    Column("holder", "Người giữ", "Holder", (
        "Người giữ", "Người sử dụng", "Số hiệu người giữ", "Số hiệu", "Cán bộ", "Holder", "Officer", "Issued to")),
    Column("since", "Từ ngày", "From", ("Từ ngày", "Ngày giao", "Từ", "From", "Since", "Issued on")),
    Column("until", "Đến ngày", "To", ("Đến ngày", "Ngày trả", "Đến", "To", "Until", "Returned on")),
)  # fmt: skip


def find_officer(session: Session, text: str, force: str | None) -> Officer:
    """Return the one officer a number, or else a full name, means; raises `InvalidInputError` when none or several."""
    wanted = fold(compact_number(text))
    by_force = (Officer.force == force,) if force else ()
    number = select(Officer).where(Officer.folded.endswith(f" {wanted}", autoescape=True), *by_force)
    found = list(session.scalars(number.order_by(Officer.id).limit(2)))
    if not found:
        name = select(Officer).where(Officer.folded.startswith(f"{fold(nfc(text))} ", autoescape=True), *by_force)
        found = [o for o in session.scalars(name.order_by(Officer.id).limit(50)) if fold(o.name) == fold(nfc(text))]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInputError(
            field="officer",
            reason=f"several officers fit “{text}”; add the force, or use the number",
            reason_vi=f"nhiều cán bộ ứng với “{text}”; ghi thêm lực lượng, hoặc dùng số hiệu",
        )
    raise InvalidInputError(
        field="officer",
        reason=f"there is no officer “{text}”; import people first, or correct the number",
        reason_vi=f"không có cán bộ “{text}”; nhập danh sách cán bộ trước, hoặc sửa số hiệu",
    )


def import_cameras(session: Session, sheet: Sheet, *, actor: str | None = None) -> ImportReport:
    """Take over cameras and issues from a list read with `CAMERA_COLUMNS`.

    Raises:
        ImportRefusedError: there were errors; nothing may be committed.
    """
    report = ImportReport(rows=len(sheet.rows))
    finder = UnitFinder(session, report, actor)
    seen: dict[str, int] = {}
    for row in sheet.rows:
        serial = fleet.serial_form(row.get("serial"))
        if serial in seen:
            other = seen[serial]
            report.refuse(row, _column("serial"), f"trùng với dòng {other}", f"is the same as in row {other}")
            continue
        seen[serial] = row.number
        _take_row(session, report, finder, row, actor)
    report.finish(session, "cameras", sheet, actor)
    return report


def _column(key: str) -> Column:
    return next(column for column in CAMERA_COLUMNS if column.key == key)


def _take_row(session: Session, report: ImportReport, finder: UnitFinder, row: Row, actor: str | None) -> None:
    column = _column("serial")
    try:
        force = force_of(row.get("force")) if row.get("force") else None
        column = _column("holder")
        holder = find_officer(session, row.get("holder"), force) if row.get("holder") else None
        column = _column("unit")
        unit = finder.find(row.get("unit"), force) if row.get("unit") else None
        column = _column("since")
        since = parse_local_time(row.get("since")) if row.get("since") else None
        column = _column("until")
        until = parse_local_time(row.get("until")) if row.get("until") else None
        column = _column("label")
        unit_id = unit.id if unit else (holder.unit_id if holder else None)
        camera, made, changed = _take_camera(session, row, unit_id, actor)
        column = _column("holder")
        changed |= holder is not None and _take_issue(session, camera, holder, since, until, actor)
    except BodycamError as error:
        if isinstance(error, InvalidInputError):  # its field is ours, not the list's column
            report.refuse(row, column, str(error.values["reason_vi"]), str(error.values["reason"]))
        else:
            report.refuse(row, column, error.text("vi"), error.text("en"))
        return
    report.created += made
    report.updated += changed and not made
    report.unchanged += not (changed or made)


def _take_camera(session: Session, row: Row, unit_id: str | None, actor: str | None) -> tuple[Camera, bool, bool]:
    label, profile = nfc(row.get("label")).strip() or None, re.sub(r"\s+", " ", row.get("profile")) or None
    camera = fleet.camera_for(session, row.get("serial"))
    if camera is None:
        made = fleet.register_camera(
            session, serial=row.get("serial"), label=label, unit_id=unit_id, profile=profile, actor=actor
        )
        return made, True, False
    before = (camera.label, camera.profile, camera.unit_id, camera.state)
    fleet.check_label(session, label, camera.id)
    camera.label, camera.profile = label or camera.label, profile or camera.profile
    camera.unit_id = unit_id or camera.unit_id
    if camera.state == CameraState.QUARANTINED and camera.unit_id:
        camera.state = CameraState.IN_SERVICE.value
    changed = before != (camera.label, camera.profile, camera.unit_id, camera.state)
    if changed:
        fleet.change_event(session, camera, actor)
    return camera, False, changed


def _take_issue(
    session: Session, camera: Camera, holder: Officer, since: datetime | None, until: datetime | None, actor: str | None
) -> bool:
    """Issue the camera as the row says; returns whether anything changed."""
    holding = fleet.issue_at(session, camera.id, since or now())
    same = holding is not None and holding.officer_id == holder.id and since in {None, holding.starts_at}
    if not same:
        fleet.issue_camera(session, camera.id, holder.id, starts_at=since or now(), actor=actor)
    if until is not None and (holding is None or not same or holding.ends_at != until):
        if since is None or until <= since:
            raise InvalidInputError(
                field="until",
                reason="the end needs a beginning before it; correct the dates",
                reason_vi="ngày kết thúc phải sau ngày bắt đầu; sửa lại ngày",
            )
        fleet.return_camera(session, camera.id, ends_at=until, actor=actor)
        return True
    return not same
