"""What is still missing, and the slips: who sees whose, in which words, and what an empty page says."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.cases.minutes import Answer
from bodycam.cases.models import MinuteChoice
from bodycam.coverage import handover, service, shift
from bodycam.coverage.models import Debt
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.people import units
from bodycam.people.models import Account
from bodycam.runtime import Runtime

SEES = {"officer", "commander", "head", "monitor"}


@pytest.fixture
def slip_id(rt: Runtime, story: Story) -> str:
    """The story's officer ends a shift: one number, one put off, one camera owed."""
    with rt.db.write() as session:
        said = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
        shift.answer(session, [story.stop_id], said, officer_id=story.officer_id, station_id=story.station_id)
        return handover.end_shift(session, officer_id=story.officer_id, station_id=story.station_id).id


def _foreign_slip(db: Database) -> str:
    with db.write() as session:
        unit, _ = units.ensure_unit(session, ["Chi cục Thuế"], force="tax")
        officer = units.create_officer(session, unit_id=unit.id, number="T-1", name="Lê Thuế", force="tax")
        service.footage_owed(
            session, camera_id=None, visit_id=None, officer_id=officer.id, unit_id=unit.id, reason="chuyện riêng"
        )
        return handover.end_shift(session, officer_id=officer.id, station_id=None).id


@pytest.mark.parametrize("role", ["officer", "commander", "head", "monitor", "case_officer", "administrator", "intake"])
def test_supervisors_see_their_units_an_officer_his_own_and_others_nothing(as_role, rt, slip_id, role) -> None:
    foreign = _foreign_slip(rt.db)
    client = as_role(role)
    page, slip = client.get("/owed"), client.get(f"/slips/{slip_id}")
    if role not in SEES:
        assert (page.status_code, slip.status_code) == (HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN)
        return
    assert "Số biên bản của" in page.text
    assert "Trần Văn Nam" in page.text
    assert "chuyện riêng" not in page.text
    assert "Lê Thuế" not in client.get("/slips").text
    assert "45/BB-VPHC" in slip.text
    assert client.get(f"/slips/{slip_id}.pdf").data.startswith(b"%PDF-")
    assert client.get(f"/slips/{slip_id}.pdf?size=A5").mimetype == "application/pdf"
    assert client.get(f"/slips/{slip_id}.pdf?size=A0").status_code == HTTPStatus.NOT_FOUND
    for address in (f"/slips/{foreign}", f"/slips/{foreign}.pdf", "/slips/nothing"):
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    with rt.db.read() as session:
        refused = session.scalars(select(CustodyEvent).where(CustodyEvent.object_id == foreign)).all()
        assert [event.kind for event in refused if event.kind == "access.refused"] == ["access.refused"] * 2


@pytest.mark.usefixtures("slip_id")
def test_a_line_says_what_whose_until_when_and_what_next_without_accusing(as_role) -> None:
    page = as_role("monitor").get("/owed").text
    for words in (
        "chưa về trạm",
        "Việc tiếp theo",
        "Mang máy về trạm cắm; máy hỏng cũng phải cắm",
        "còn 24 giờ",
        "184-221",
    ):
        assert words in " ".join(page.split()), words
    assert "vi phạm" not in page
    moment = clock.now() + timedelta(hours=30)
    clock.set_now(lambda: moment)
    assert "quá hạn" in as_role("monitor").get("/owed").text


def test_a_shift_put_off_is_one_line(as_role, rt, story) -> None:
    with rt.db.write() as session:
        ids = [story.stop_id, story.plain_id]
        later = Answer(MinuteChoice.LATER)
        shift.answer(session, ids, later, officer_id=story.officer_id, station_id=story.station_id)
    page = " ".join(as_role("monitor").get("/owed?kind=minute").text.split())
    assert "Số biên bản của 2 bản ghi" in page
    assert page.count("<tr>") == 2  # the head and one line
    assert "<tr>" not in as_role("monitor").get("/owed?kind=footage").text


def test_a_camera_that_never_came_back_from_its_mode_switch_is_told_as_that(as_role, rt, story) -> None:
    with rt.db.write() as session:
        owed = {"camera_id": story.camera_id, "visit_id": None, "officer_id": story.officer_id}
        service.footage_owed(session, **owed, unit_id=story.team_id)
    page = as_role("monitor").get("/owed?kind=footage").text
    assert "Máy được chuyển sang chế độ đọc tệp rồi không trở lại" in page
    assert "chưa tải xong" not in page


def test_nothing_missing_says_when_it_was_checked(as_role, rt, story) -> None:
    with rt.db.write() as session:
        ids = {"camera_id": story.camera_id, "visit_id": None}
        service.footage_owed(session, **ids, officer_id=story.officer_id, unit_id=story.team_id)
        service.camera_came(session, camera_id=story.camera_id, visit_id="", complete=True)
    page = as_role("monitor").get("/owed").text
    assert "Không có gì còn thiếu. Kiểm tra lúc" in page
    assert "Trong 30 ngày qua đã xong: 1" in page
    assert "Phiếu được lập khi cán bộ kết thúc ca" in as_role("monitor").get("/slips").text


def test_a_supervisor_ends_what_can_not_be_settled_with_its_reason(as_role, rt, story) -> None:
    foreign = _foreign_slip(rt.db)
    with rt.db.write() as session:
        debt = service.footage_owed(
            session, camera_id=story.camera_id, visit_id=None, officer_id=story.officer_id, unit_id=story.team_id
        )
        other = session.scalars(select(Debt).where(Debt.id != debt.id)).first()
    commander, words = as_role("commander"), {"reason": "máy rơi xuống sông, có biên bản"}
    for address in (other.id, foreign, "nothing"):
        assert commander.post(f"/owed/{address}/explain", data=words).status_code == HTTPStatus.NOT_FOUND
    for role in ("officer", "monitor", "auditor", "administrator"):
        assert as_role(role).post(f"/owed/{debt.id}/explain", data=words).status_code == HTTPStatus.FORBIDDEN
    assert commander.post(f"/owed/{debt.id}/explain", data={"reason": " "}).status_code == HTTPStatus.BAD_REQUEST
    assert "Đã có lý do" in commander.get("/owed").text
    assert commander.post(f"/owed/{debt.id}/explain", data=words).status_code == HTTPStatus.SEE_OTHER
    assert "Không có gì còn thiếu" in commander.get("/owed").text
    with rt.db.read() as session:
        events = session.scalars(select(CustodyEvent).where(CustodyEvent.object_id == debt.id)).all()
        assert session.get_one(Debt, debt.id).closed_by == "explained"
    closed = next(event for event in events if event.kind == "debt.closed")
    assert "sông" not in closed.body
    assert "sông" in (closed.openings or "")


def test_nobody_explains_away_what_he_owes_himself(as_role, rt, story) -> None:
    with rt.db.write() as session:
        session.scalars(select(Account).where(Account.username == "commander")).one().officer_id = story.officer_id
        debt = service.footage_owed(
            session, camera_id=story.camera_id, visit_id=None, officer_id=story.officer_id, unit_id=story.team_id
        )
    commander = as_role("commander")
    assert "Đã có lý do" not in commander.get("/owed").text
    answer = commander.post(f"/owed/{debt.id}/explain", data={"reason": "tôi bận việc"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
