"""The slip of a broken camera on paper: what the officer was given at the kiosk, to be signed by both sides."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from bodycam.clock import local
from bodycam.fleet.choices import words_of
from bodycam.fleet.docking import camera_name
from bodycam.fleet.models import Camera, CameraOutage, Station
from bodycam.paper.document import Document, Letterhead, PaperSize, Signature
from bodycam.people.models import Officer, Unit
from bodycam.people.numbers import number_label


def outage_slip(session: Session, row: CameraOutage, labels: Mapping[str, str]) -> bytes:
    """Return the slip as a PDF (A5); the same outage gives the same bytes until it is resolved."""
    camera = session.get_one(Camera, row.camera_id)
    officer = session.get(Officer, row.officer_id) if row.officer_id else None
    station = session.get(Station, row.station_id) if row.station_id else None
    unit = session.get(Unit, camera.unit_id) if camera.unit_id else None
    above = session.get(Unit, unit.parent_id) if unit and unit.parent_id else None
    at = local(row.reported_at)
    paper = Document(
        title="PHIẾU BÁO MÁY HỎNG",
        letterhead=Letterhead(
            above=above.name if above else "",
            unit=unit.name if unit else "",
            number=f"Số: {row.slip}",
            place_and_date=f"ngày {at:%d} tháng {at:%m} năm {at:%Y}",
        ),
        size=PaperSize.A5,
    )
    note = f". {row.note}" if row.note else ""
    rows = [
        ("Máy", f"{camera_name(camera)} (số máy {camera.serial})"),
        ("Hỏng gì", f"{words_of('symptom', row.symptom, 'vi')}{note}"),
        ("Từ lúc", f"{local(row.since):%d/%m/%Y %H:%M}"),
        ("Báo lúc", f"{at:%d/%m/%Y %H:%M:%S}"),
        ("Tại trạm", station.name if station else ""),
    ]
    if officer is not None:
        rows.append(("Người báo", f"{officer.name}, {number_label(labels, officer.force, 'vi')} {officer.number}"))
    if row.resolved_at is not None:
        rows.append(("Dùng lại được", f"{local(row.resolved_at):%d/%m/%Y %H:%M}. {row.resolution}"))
    paper.rows(rows)
    paper.paragraph("Máy hỏng vẫn phải cắm vào trạm để lấy hết dữ liệu. Từ giờ báo này, máy không được giao cho ai.")
    paper.signatures(
        [
            Signature("NGƯỜI BÁO", "(Ký, ghi rõ họ tên)", officer.name if officer else ""),
            Signature("NGƯỜI NHẬN", "(Ký, ghi rõ họ tên)"),
        ]
    )
    return paper.render()
