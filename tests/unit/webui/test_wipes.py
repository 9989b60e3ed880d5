"""Wipe orders on the staff pages: who may do which step, and what he is told."""

import io

import pytest
import wipe_story
from flask.testing import FlaskClient
from sqlalchemy import select
from staff_story import Story

from bodycam.custody.models import CustodyEvent
from bodycam.people.models import Account, Grant
from bodycam.people.units import create_unit
from bodycam.runtime import Runtime
from bodycam.wipes import service
from bodycam.wipes.models import OrderState, WipeOrder


@pytest.fixture
def order_id(rt: Runtime, story: Story) -> str:
    """An order that the system raised because the camera's card fills."""
    return wipe_story.filling_card(rt, story).id


def _order(rt: Runtime, order_id: str) -> WipeOrder:
    with rt.db.read() as session:
        return session.get_one(WipeOrder, order_id)


def _approve(client: FlaskClient, order_id: str) -> int:
    page = client.get(f"/wipes/{order_id}").text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    return client.post(f"/wipes/{order_id}/approve", data={"seen": seen}).status_code


def _scan(data: bytes = wipe_story.PDF, **more: str) -> dict[str, object]:
    return {"scan": (io.BytesIO(data), "bien-ban.pdf"), "is_signed": "1", **more}


def test_the_way_from_the_systems_order_to_the_signed_copy(rt: Runtime, as_role, order_id: str) -> None:
    approver, commander = as_role("plan_approver"), as_role("commander")
    listing = approver.get("/wipes").text
    assert "BWC-0412" in listing
    assert "<i>1<" in listing  # the menu counts what waits for the plan approver
    assert "<i>1<" not in commander.get("/wipes").text
    assert commander.get(f"/wipes/{order_id}/minute").status_code == 409
    assert _approve(approver, order_id) == 302
    assert "<i>1<" not in approver.get("/wipes").text
    digest = _order(rt, order_id).list_sha256 or ""
    printed = commander.get(f"/wipes/{order_id}/minute").text
    assert digest in printed
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in printed
    paper = commander.get(f"/wipes/{order_id}/minute.pdf")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    answer = commander.post(f"/wipes/{order_id}/signed", data=_scan())
    assert answer.status_code == 302
    assert _order(rt, order_id).state == OrderState.ORDERED
    page = as_role("auditor").get(f"/wipes/{order_id}").text
    assert "Cắm vào Trạm cắm 02: BWC-0412" in page
    scan = as_role("auditor").get(f"/wipes/{order_id}/signed")
    assert scan.data == wipe_story.PDF
    assert "attachment" in scan.headers["Content-Disposition"]
    with rt.db.read() as session:
        viewed = select(CustodyEvent).where(CustodyEvent.kind == "recording.viewed")
        assert len(session.scalars(viewed).all()) == 1


def test_a_scan_larger_than_other_forms_is_taken_and_what_is_no_scan_is_not(
    rt: Runtime, as_role, order_id: str
) -> None:
    _approve(as_role("plan_approver"), order_id)
    commander = as_role("commander")
    address = f"/wipes/{order_id}/signed"
    for data in ({}, {"is_signed": "1"}, _scan(b""), _scan(b"MZ" + bytes(5000)), _scan(is_signed="0")):
        assert commander.post(address, data=data).status_code == 400
        assert _order(rt, order_id).state == OrderState.APPROVED
    assert commander.post(address, data=_scan(wipe_story.PDF + bytes(3 << 20))).status_code == 302
    assert commander.post("/wipes/new", data={"station": "x" * (2 << 20)}).status_code == 413


def test_nobody_approves_his_own_order_whatever_his_roles(rt: Runtime, story: Story, as_role) -> None:
    wipe_story.lies_on_camera(rt, story)
    with rt.db.write() as session:
        both = session.scalars(select(Account).where(Account.username == "commander")).one()
        session.add(Grant(account_id=both.id, role="plan_approver", unit_id=story.team_id))
    client = as_role("commander")
    assert client.post("/wipes/new", data={"station": story.station_id, "camera": story.camera_id}).status_code == 302
    with rt.db.read() as session:
        order = session.scalars(select(WipeOrder)).one()
    page = client.get(f"/wipes/{order.id}").text
    assert "người khác phải duyệt" in page
    assert f"/wipes/{order.id}/approve" not in page
    assert client.post(f"/wipes/{order.id}/approve", data={"seen": ""}).status_code == 403
    assert _order(rt, order.id).state == OrderState.RAISED
    with rt.db.read() as session:
        refused = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == "access.refused")).all()
    assert [event.object_id for event in refused] == [order.id]


def test_an_order_of_another_unit_is_not_there(rt: Runtime, as_role, order_id: str) -> None:
    with rt.db.write() as session:
        other = create_unit(session, name="Đội 9", force="traffic_police")
        approver = session.scalars(select(Account).where(Account.username == "plan_approver")).one()
        for row in session.scalars(select(Grant).where(Grant.account_id == approver.id)):
            row.unit_id = other.id
    client = as_role("plan_approver")
    assert "BWC-0412" not in client.get("/wipes").text
    for way in ("", "/minute", "/minute.pdf", "/signed"):
        assert client.get(f"/wipes/{order_id}{way}").status_code == 404
    assert client.post(f"/wipes/{order_id}/approve").status_code == 404
    assert client.post(f"/wipes/{order_id}/signed", data=_scan()).status_code == 404


def test_a_camera_of_another_unit_is_not_listed_by_typing_its_id(rt: Runtime, story: Story, as_role) -> None:
    wipe_story.lies_on_camera(rt, story)
    client = as_role("commander")
    assert "BWC-0412" in client.get("/wipes/new").text
    answer = client.post(
        "/wipes/new", data={"station": story.station_id, "camera": "00000000-0000-7000-8000-000000000000"}
    )
    assert answer.status_code == 400
    assert client.post("/wipes/new", data={"station": "elsewhere", "camera": story.camera_id}).status_code == 404


def test_the_list_may_not_change_between_reading_and_approving(
    rt: Runtime, story: Story, as_role, order_id: str
) -> None:
    approver = as_role("plan_approver")
    page = approver.get(f"/wipes/{order_id}").text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    wipe_story.lies_on_camera(rt, story, story.plain_id)
    with rt.db.write() as session:
        service.raise_order(session, story.station_id, actor=None)
    answer = approver.post(f"/wipes/{order_id}/approve", data={"seen": seen})
    assert answer.status_code == 409
    assert "vừa thay đổi" in answer.text
    assert _approve(approver, order_id) == 302


def test_a_refusal_shows_its_reason_and_ends_the_order(as_role, order_id: str) -> None:
    approver = as_role("plan_approver")
    assert approver.post(f"/wipes/{order_id}/refuse", data={"reason": ""}).status_code == 400
    assert approver.post(f"/wipes/{order_id}/refuse", data={"reason": "Chưa đối chiếu sổ"}).status_code == 302
    assert "Chưa đối chiếu sổ" in approver.get(f"/wipes/{order_id}").text
    assert "Chưa đối chiếu sổ" in approver.get("/wipes?ended=1").text
    assert as_role("commander").post(f"/wipes/{order_id}/withdraw", data={"reason": "x"}).status_code == 409
