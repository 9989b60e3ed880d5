"""Recordings: found by anything, seen by reason, sent by ranges."""

import hashlib
from http import HTTPStatus

import pytest
import staff_story
from sqlalchemy import delete, select
from staff_story import Story

from bodycam.cases.models import CaseRecording
from bodycam.custody.models import CustodyEvent
from bodycam.people import units
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from webui.staff import recordings

HTML = {"Accept": "text/html"}


def _kinds(rt: Runtime, object_id: str) -> list[str]:
    with rt.db.read() as session:
        query = select(CustodyEvent).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id)
        return [event.kind for event in session.scalars(query)]


@pytest.mark.parametrize(
    "query",
    ["q=29A-123.45", "q=29a12345", "q=tran+van+nam", "q=dinh+cong", "q=09/11/2026+14:20", "plate=29A-123.45",
     "officer=184-221", "camera=0412", "from=09/11/2026&to=09/11/2026", "verdict=note", "q=14:20+09/11/2026+29A-123.45"],
)  # fmt: skip
def test_the_stop_is_found_by(as_role, story: Story, query: str) -> None:
    assert f"/recordings/{story.stop_id}" in as_role("commander").get(f"/recordings?{query}").text


@pytest.mark.parametrize("query", ["q=30A-999.99", "q=08/11/2026", "plate=30A", "verdict=contradiction", "camera=9999"])
def test_the_stop_is_not_found_by(as_role, story: Story, query: str) -> None:
    page = as_role("commander").get(f"/recordings?{query}").text
    assert story.stop_id not in page
    assert "Không tìm thấy bản ghi nào" in page


def test_a_day_that_is_none_says_how_to_write_it(as_role) -> None:
    answer = as_role("commander").get("/recordings?from=2026-11-09")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "09/11/2026" in answer.text


def test_what_a_citizen_sent_shows_to_no_staff_role(as_role, story: Story) -> None:
    for role in ("commander", "auditor", "monitor"):
        client = as_role(role)
        assert story.citizen_id not in client.get("/recordings").text
        assert client.get(f"/recordings/{story.citizen_id}").status_code == HTTPStatus.NOT_FOUND


def test_no_frame_comes_before_the_reason(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("commander")
    for part in ("original", "filmstrip", "track.json"):
        assert client.get(f"/recordings/{story.stop_id}/{part}").status_code == HTTPStatus.FORBIDDEN
    page = client.get(f"/recordings/{story.stop_id}").text
    assert "Lý do xem" in page
    assert "<video" not in page
    assert "recording.viewed" not in _kinds(rt, story.stop_id)


def test_a_reason_is_committed_before_the_player_opens(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("commander")
    answer = client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    assert answer.headers["Location"] == f"/recordings/{story.stop_id}"
    assert _kinds(rt, story.stop_id)[-1] == "recording.viewed"
    page = client.get(f"/recordings/{story.stop_id}").text
    for words in (
        "<video",
        "Dòng thời gian xác minh",
        "nhảy 640 m",
        "Không áp dụng",
        "Giờ máy ghi",
        "14:20:08",
        "VN-2000",
    ):
        assert words in page
    assert client.get(f"/recordings/{story.plain_id}/original").status_code == HTTPStatus.FORBIDDEN


def test_a_recording_is_named_by_its_case_and_else_by_plate_and_place(rt: Runtime, as_role, story: Story) -> None:
    client, address = as_role("commander"), f"/recordings/{story.stop_id}"
    client.post(f"{address}/view", data={"reason": "shift_check"})
    page = client.get(address).text
    assert "<h1>Dừng xe 29A-123.45, Quốc lộ 1A</h1>" in page
    assert "Tổ công tác 2 · Phường Định Công, Hà Nội</p>" in page
    assert 'data-fps="10.0"' in page
    with rt.db.write() as session:
        session.execute(delete(CaseRecording))
    assert "<h1>29A-123.45, Phường Định Công, Hà Nội</h1>" in client.get(address).text


@pytest.mark.parametrize("form", [{}, {"reason": "curiosity"}, {"reason": "other"}])
def test_a_missing_reason_opens_nothing(rt: Runtime, as_role, story: Story, form: dict[str, str]) -> None:
    answer = as_role("commander").post(f"/recordings/{story.stop_id}/view", data=form)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "recording.viewed" not in _kinds(rt, story.stop_id)


def test_a_reason_does_not_outlive_the_sign_in(as_role, story: Story) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    client.post("/sign-out")
    client.post("/sign-in", data={"username": "head", "password": staff_story.PASSWORD})
    assert client.get(f"/recordings/{story.stop_id}/original").status_code == HTTPStatus.FORBIDDEN


def test_an_unchecked_recording_is_hatched_in_all_five_rows(as_role, story: Story) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.plain_id}/view", data={"reason": "shift_check"})
    page = client.get(f"/recordings/{story.plain_id}").text
    assert page.count('class="span hatched"') == 5
    assert 'class="span ok"' not in page


def test_ranges_give_the_very_bytes(as_role, story: Story) -> None:
    client, film = as_role("commander"), staff_story.film()
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    address = f"/recordings/{story.stop_id}/original"
    answer = client.get(address, headers={"Range": "bytes=1000-9000"})
    assert (answer.status_code, answer.data) == (HTTPStatus.PARTIAL_CONTENT, film[1000:9001])
    assert answer.headers["Content-Range"] == f"bytes 1000-9000/{len(film)}"
    assert client.get(address, headers={"Range": "bytes=-5"}).data == film[-5:]
    answer = client.get(address, headers={"Range": f"bytes={len(film)}-"})
    assert answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert client.get(address).data == film
    answer = client.head(address)
    assert (answer.content_length, answer.data) == (len(film), b"")


def test_an_export_is_the_original_and_leaves_its_reason(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("case_officer")
    assert client.post(f"/recordings/{story.stop_id}/export").status_code == HTTPStatus.BAD_REQUEST
    answer = client.post(f"/recordings/{story.stop_id}/export", data={"reason": "case_work"})
    assert hashlib.sha256(answer.data).digest() == hashlib.sha256(staff_story.film()).digest()
    assert "REC_0007.MP4" in answer.headers["Content-Disposition"]
    assert _kinds(rt, story.stop_id)[-1] == "recording.exported"
    assert as_role("commander").post(f"/recordings/{story.stop_id}/export").status_code == HTTPStatus.FORBIDDEN


def test_the_track_moves_in_film_seconds_with_vn2000_beside(as_role, story: Story) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    first = client.get(f"/recordings/{story.stop_id}/track.json").get_json()["points"][0]
    assert first[:3] == [0.0, 20.98713, 105.86442]
    assert first[4:] == [2_321_771, 589_679]  # EPSG:5897, the 3° zone of 105°


def test_a_plan_approver_sees_that_it_exists_and_no_frame(as_role, story: Story) -> None:
    client = as_role("plan_approver")
    page = client.get("/recordings").text
    assert story.stop_id in page
    assert "/thumbnail" not in page
    assert "không xem được hình" in client.get(f"/recordings/{story.stop_id}").text
    assert client.get(f"/recordings/{story.stop_id}/thumbnail").status_code == HTTPStatus.FORBIDDEN


def test_the_access_log_tells_the_story_with_names_and_reasons(as_role, story: Story) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "other", "words": "đối chiếu biên bản"})
    page = client.get(f"/recordings/{story.stop_id}/access-log").text
    assert "Xem bản ghi" in page
    assert "Nguyễn Thị Hà" in page
    assert "Lý do khác: đối chiếu biên bản" in page
    assert "Recording viewed" in client.get(f"/recordings/{story.stop_id}/access-log?lang=en").text


def test_an_officer_sees_his_own_recordings_and_nobody_elses(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        other = units.create_officer(
            session, unit_id=story.team_id, number="184-305", name="Lê Thị Bình", force="traffic_police"
        )
        session.get_one(Recording, story.plain_id).officer_id = other.id
    page = as_role("officer").get("/recordings").text
    assert story.stop_id in page
    assert story.plain_id not in page
    assert as_role("officer").get(f"/recordings/{story.plain_id}").status_code == HTTPStatus.NOT_FOUND
    assert story.plain_id in as_role("commander").get("/recordings").text


def test_pages_follow_each_other_without_gap_or_repeat(as_role, story: Story, monkeypatch) -> None:
    monkeypatch.setattr(recordings, "ROWS", 1)
    client, address, seen = as_role("commander"), "/recordings", []
    while address:
        page = client.get(address).text
        seen.append(story.stop_id in page)
        address = page.partition('class="more"><a class="btn" href="')[2].partition('"')[0].replace("&amp;", "&")
        address = f"/recordings{address}" if address else ""
    assert seen == [False, True]
    assert client.get("/recordings?after=broken").status_code == HTTPStatus.BAD_REQUEST


def test_a_damaged_recording_is_a_named_error_before_the_first_byte(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.read() as session:
        object_id = session.get_one(Recording, story.stop_id).object_id
    path = rt.vault.root / "objects" / object_id[:2] / object_id
    sealed = bytearray(path.read_bytes())
    sealed[200] ^= 1
    path.chmod(0o600)
    path.write_bytes(sealed)
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    answer = client.get(f"/recordings/{story.stop_id}/original", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["code"]) == (HTTPStatus.INTERNAL_SERVER_ERROR, "object_damaged")
