"""Passes given on the staff pages, broken cameras put back in service, and screens paired from a page."""

import re
from http import HTTPStatus

import pytest
from kiosk_story import CARD, AtStation, equip
from staff_story import Story

from bodycam import clock
from bodycam.fleet import outages
from bodycam.fleet.models import Camera, CameraState
from bodycam.people import passes, units
from bodycam.runtime import Runtime


@pytest.fixture
def here(rt: Runtime, story: Story) -> AtStation:
    return equip(rt, story)


def test_a_commander_gives_a_pin_shown_once_and_to_be_changed(rt: Runtime, story: Story, here, as_role) -> None:
    client = as_role("commander")
    assert here.duty_id in client.get("/officers").text
    answer = client.post(f"/officers/{story.officer_id}/pin").text
    pin = re.search(r'class="secret">(\d{6})<', answer)
    assert pin is not None
    assert pin[1] not in client.get(f"/officers/{story.officer_id}").text
    with rt.db.read() as session:
        held = passes.pass_of(session, story.officer_id)
    assert held is not None
    assert held.pin_is_new
    assert pin[1] not in str(held.pin_hash)


def test_a_card_is_one_officers_alone_and_can_be_made_void(rt: Runtime, here, as_role) -> None:
    client = as_role("administrator")
    address = f"/officers/{here.duty_id}/card"
    taken = client.post(address, data={"card": CARD})
    assert (taken.status_code, "đã cấp cho cán bộ khác" in taken.text) == (HTTPStatus.BAD_REQUEST, True)
    assert client.post(address, data={"card": "?"}).status_code == HTTPStatus.BAD_REQUEST
    assert client.post(address, data={"card": "77 8899 0011"}).status_code == HTTPStatus.FOUND
    client.post(f"{address}/withdraw")
    with rt.db.read() as session:
        held = passes.pass_of(session, here.duty_id)
    assert held is not None
    assert held.card_key is None


def test_passes_of_another_unit_are_out_of_reach(rt: Runtime, here, as_role) -> None:
    with rt.db.write() as session:
        other, _ = units.ensure_unit(session, ["Đơn vị khác"], force="tax")
        stranger = units.create_officer(session, unit_id=other.id, number="7", name="Người Lạ", force="tax")
    assert here
    assert as_role("commander").post(f"/officers/{stranger.id}/pin").status_code == HTTPStatus.NOT_FOUND
    assert as_role("monitor").post(f"/officers/{stranger.id}/pin").status_code == HTTPStatus.FORBIDDEN


def test_the_list_is_searched_by_name_and_number(here, as_role) -> None:
    client = as_role("commander")
    assert here.duty_id in client.get("/officers?q=ha 184").text
    assert here.duty_id not in client.get("/officers?q=nam").text
    assert "Không tìm thấy ai" in client.get("/officers?q=xyz").text


def test_a_broken_camera_shows_its_days_and_is_put_back_in_service(rt, story: Story, here, as_role) -> None:
    with rt.db.write() as session:
        row = outages.report_broken(
            session, story.camera_id, officer_id=here.duty_id, station_id=None, symptom="lens", since=clock.now()
        )
    client = as_role("commander")
    assert "0 ngày" in client.get("/devices").text
    page = client.get(f"/devices/{story.camera_id}").text
    assert row.slip in page
    assert "Nguyễn Thị Hà" in page
    slip = client.get(f"/devices/{story.camera_id}/outages/{row.id}.pdf")
    assert (slip.mimetype, slip.data[:5]) == ("application/pdf", b"%PDF-")
    address = f"/devices/{story.camera_id}/outages/{row.id}/resolve"
    assert as_role("monitor").post(address, data={"resolution": "x"}).status_code == HTTPStatus.FORBIDDEN
    assert client.post(address, data={"resolution": " "}).status_code == HTTPStatus.BAD_REQUEST
    assert client.post(address, data={"resolution": "Thay ống kính"}).status_code == HTTPStatus.FOUND
    assert "Thay ống kính" in client.get(f"/devices/{story.camera_id}").text
    with rt.db.read() as session:
        assert session.get_one(Camera, story.camera_id).state == CameraState.IN_SERVICE


def test_slips_are_numbered_by_the_day(rt: Runtime, story: Story, here) -> None:
    with rt.db.write() as session:
        slips = [
            outages.report_broken(
                session, camera, officer_id=here.duty_id, station_id=None, symptom="lens", since=clock.now()
            ).slip
            for camera in (story.camera_id, here.pooled_id)
        ]
    day = clock.local(clock.now()).strftime("%d%m%Y")
    assert slips == [f"BH-{day}-001", f"BH-{day}-002"]


def test_an_administrator_pairs_and_revokes_a_screen_from_a_page(app, story: Story, here, as_role) -> None:
    assert here
    admin = as_role("administrator")
    address = f"/dock/{story.station_id}/screen"
    code = re.search(r'class="secret">([0-9-]{11})<', admin.post(address).text)
    assert code is not None
    screen = app.test_client()
    assert screen.post("/kiosk/pair", data={"code": code[1]}).headers["Location"] == "/kiosk"
    assert "đã ghép từ" in admin.get(address).text
    admin.post(address, data={"step": "revoke"})
    assert screen.get("/kiosk").headers["Location"] == "/kiosk/pair"
    assert as_role("commander").get(address).status_code == HTTPStatus.FORBIDDEN
