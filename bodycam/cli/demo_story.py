"""The demo's people, cameras and cases, made to fit what its virtual cameras recorded.

One story: "14:20, Quốc lộ 1A, 29A-123.45". Making it twice changes nothing. Nobody here exists; sign-ins take one click and
have no password anybody knows.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.cases.models import Case
from bodycam.cases.service import CaseFacts, open_case
from bodycam.fleet import docking
from bodycam.fleet.models import Camera
from bodycam.fleet.service import camera_for, issue_camera, register_camera
from bodycam.people import passes
from bodycam.people.accounts import account_by_username, create_account, grant, new_password
from bodycam.people.models import Force, Officer, Role
from bodycam.people.units import create_officer, ensure_unit, officer_by_number
from bodycam.runtime import Runtime

ROOT = "Đơn vị thử nghiệm"
UNITS = {
    Force.TRAFFIC_POLICE: ("Phòng CSGT", "Đội CSGT đường bộ số 3"),
    Force.TAX: ("Thuế thành phố", "Đội kiểm tra thuế số 2"),
    Force.CUSTOMS: ("Chi cục Hải quan khu vực III", "Hải quan cửa khẩu cảng"),
    Force.MARKET: ("Chi cục Quản lý thị trường", "Đội Quản lý thị trường số 1"),
}
MISSING = ("BWC-0433", "Vũ Minh Đức", "184-090")  # issued, and never docked
ACCOUNTS = {
    Role.OFFICER: "Trần Văn Nam",
    Role.COMMANDER: "Nguyễn Thị Hà",
    Role.HEAD: "Phạm Quốc Cường",
    Role.PLAN_APPROVER: "Bùi Thu Trang",
    Role.MONITOR: "Đặng Minh Châu",
    Role.CASE_OFFICER: "Hồ Ngọc Lan",
    Role.INTAKE: "Mai Thanh Sơn",
    Role.AUDITOR: "Lý Gia Hân",
    Role.ADMINISTRATOR: "Đinh Hữu Phước",
}


@dataclass(frozen=True)
class Planned:
    """One recording of the virtual cameras; times are true UTC, the place is where it begins."""

    camera: str
    officer: str
    number: str
    force: Force
    started_at: datetime
    seconds: int
    lat: float
    lon: float


def seed(rt: Runtime, plan: str) -> None:
    """Make people, cameras, accounts and cases from the plan that the simulator printed; what is there stays."""
    recordings = [_planned(item) for item in json.loads(plan)["recordings"]]
    with rt.db.write() as session:
        root = ensure_unit(session, [ROOT], force=Force.OTHER)[0].id
        units = {force: ensure_unit(session, [ROOT, *names], force=force)[0].id for force, names in UNITS.items()}
        officers = _fleet(session, recordings, units)
        docking.ensure_station(
            session, name=rt.settings.station.name, slots=rt.settings.dock.slots, unit_id=units[Force.TRAFFIC_POLICE]
        )
        _accounts(session, rt, units, root, officers)
        _passes(session, rt, [*officers.values(), _duty_officer(session, units)])
        if session.scalar(select(Case.id).limit(1)) is None:
            _cases(session, recordings, units, officers)


def _planned(item: dict[str, Any]) -> Planned:
    lat, lon = item["route"][0]
    return Planned(
        camera=item["camera"],
        officer=item["officer"],
        number=item["number"],
        force=Force(item["force"]),
        started_at=datetime.fromisoformat(item["started_at"]),
        seconds=item["seconds"],
        lat=lat,
        lon=lon,
    )


def _fleet(session: Session, recordings: list[Planned], units: dict[Force, str]) -> dict[str, Officer]:
    """Make each camera and its holder, issued a month before the first recording; return the officers by camera."""
    since = min(planned.started_at for planned in recordings) - timedelta(days=30)
    officers = {}
    for planned in {planned.camera: planned for planned in recordings}.values():
        officers[planned.camera] = _holder(
            session, planned.camera, planned.officer, planned.number, planned.force, units[planned.force], since
        )
    _holder(session, *MISSING, Force.TRAFFIC_POLICE, units[Force.TRAFFIC_POLICE], since)
    missing = session.scalars(select(Camera).where(Camera.serial == MISSING[0])).one()
    missing.last_docked_at = missing.last_docked_at or clock.now() - timedelta(days=3)
    return officers


def _holder(
    session: Session, serial: str, name: str, number: str, force: Force, unit_id: str, since: datetime
) -> Officer:
    officer = officer_by_number(session, force, number)
    if officer is None:
        officer = create_officer(session, unit_id=unit_id, number=number, name=name, force=force, team="Tổ công tác 2")
    if camera_for(session, serial) is None:
        camera = register_camera(session, serial=serial, label=serial, unit_id=unit_id)
        issue_camera(session, camera.id, officer.id, starts_at=since)
    return officer


def _accounts(session: Session, rt: Runtime, units: dict[Force, str], root: str, officers: dict[str, Officer]) -> None:
    """Make one account a role; the case officer holds the role in each force, since tax and customs see their own only."""
    own = next(officer for officer in officers.values() if officer.force == Force.TRAFFIC_POLICE)
    places = {
        Role.OFFICER: [units[Force.TRAFFIC_POLICE]],
        Role.COMMANDER: [units[Force.TRAFFIC_POLICE]],
        Role.CASE_OFFICER: list(units.values()),
    }
    for role, name in ACCOUNTS.items():
        if account_by_username(session, f"demo-{role}") is not None:
            continue
        account = create_account(
            session,
            username=f"demo-{role}",
            display_name=name,
            password=new_password(),
            settings=rt.settings.sign_in,
            officer_id=own.id if role == Role.OFFICER else None,
        )
        for unit_id in places.get(role, [root]):
            grant(session, account.id, role, unit_id)


def _duty_officer(session: Session, units: dict[Force, str]) -> Officer:
    """Make the commander an officer as well: at a kiosk he is known by card and PIN, not by his account."""
    officer = officer_by_number(session, Force.TRAFFIC_POLICE, passes.DEMO_DUTY_NUMBER)
    account = account_by_username(session, f"demo-{Role.COMMANDER}")
    if officer is None:
        unit_id, name = units[Force.TRAFFIC_POLICE], ACCOUNTS[Role.COMMANDER]
        officer = create_officer(
            session, unit_id=unit_id, number=passes.DEMO_DUTY_NUMBER, name=name, force=Force.TRAFFIC_POLICE
        )
    if account is not None and account.officer_id is None:
        account.officer_id = officer.id
    return officer


def _passes(session: Session, rt: Runtime, officers: list[Officer]) -> None:
    """Give everybody the demo's PIN, and a card whose number is his own, ten digits long."""
    key = passes.open_card_key(rt.settings.keys.dir)
    for officer in officers:
        if passes.pass_of(session, officer.id) is None:
            passes.change_pin(session, officer.id, passes.DEMO_PIN, settings=rt.settings.sign_in)
            digits = "".join(c for c in officer.number if c.isdigit())
            passes.give_card(session, officer.id, digits.zfill(10), key=key, actor="system")


def _cases(session: Session, recordings: list[Planned], units: dict[Force, str], officers: dict[str, Officer]) -> None:
    def of(force: Force, nth: int) -> Planned:
        return [planned for planned in recordings if planned.force == force][nth]

    stop, tax, goods, market = of(Force.TRAFFIC_POLICE, 1), of(Force.TAX, 0), of(Force.CUSTOMS, 0), of(Force.MARKET, 0)

    def facts(planned: Planned, minutes: int, place: str, title: str, number: str, **rest: Any) -> CaseFacts:  # noqa: ANN401
        return CaseFacts(
            title=title,
            number=number,
            starts_at=planned.started_at - timedelta(minutes=1),
            ends_at=planned.started_at + timedelta(minutes=minutes),
            lat=planned.lat,
            lon=planned.lon,
            place=place,
            officer_ids=[officers[planned.camera].id],
            **rest,
        )

    year = clock.local(stop.started_at).year
    open_case(
        session,
        kind="traffic_stop",
        unit_id=units[Force.TRAFFIC_POLICE],
        facts=facts(
            stop, 12, "Km 182, Quốc lộ 1A", "Dừng xe 29A-123.45, Quốc lộ 1A", "0231/BB-VPHC",
            identifiers={"plate": ["29A-123.45"]},
        ),
    )  # fmt: skip
    open_case(
        session,
        kind="tax_check",
        unit_id=units[Force.TAX],
        facts=facts(
            tax, 50, "Trụ sở công ty thử nghiệm, Hà Nội", "Kiểm tra thuế tại trụ sở người nộp thuế", f"{year}/QĐ-CT",
            identifiers={"tax_code": ["0999900017"]}, fields={"taxpayer": "Công ty thử nghiệm"},
        ),
    )  # fmt: skip
    open_case(
        session,
        kind="customs_inspection",
        unit_id=units[Force.CUSTOMS],
        facts=facts(
            goods, 40, "Cảng Hải Phòng, bãi container số 4", "Kiểm tra thực tế lô hàng tờ khai 105432109870", "88/PGKQ",
            identifiers={"declaration": ["105432109870"]}, fields={"present": "declarant", "channel": "red"},
        ),
    )  # fmt: skip
    open_case(
        session,
        kind="field_inspection",
        unit_id=units[Force.MARKET],
        facts=facts(
            market, 40, "Chợ Hàn, Đà Nẵng", "Kiểm tra cửa hàng tại chợ Hàn", f"77/{year}/QĐ-QLTT",
            identifiers={}, fields={"premises": "Cửa hàng tại chợ Hàn"},
        ),
    )  # fmt: skip
