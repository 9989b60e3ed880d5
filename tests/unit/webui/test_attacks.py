"""What somebody would try at the staff pages, each test named after the attempt."""

from http import HTTPStatus

import pytest
from staff_story import Story

from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from webui.common.ranges import asked_range, file_name


def _viewing(client, recording_id: str):
    client.post(f"/recordings/{recording_id}/view", data={"reason": "shift_check"})
    return client


@pytest.mark.parametrize("first", ["9" * 5000, "9" * 19, "٣"])
def test_a_range_with_endless_digits_is_ignored(first: str) -> None:
    assert asked_range(f"bytes={first}-", 100) is None
    assert asked_range(f"bytes=-{first}", 100) is None


def test_a_file_name_with_line_ends_splits_no_header(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        session.get_one(Recording, story.stop_id).name = 'DCIM/a"\r\nSet-Cookie: x=1;\u202e4pm.MP4'
    answer = as_role("case_officer").post(f"/recordings/{story.stop_id}/export", data={"reason": "case_work"})
    assert answer.status_code == HTTPStatus.OK
    assert "Set-Cookie" not in answer.headers
    assert "\u202e" not in answer.headers["Content-Disposition"]


def test_a_file_name_stays_readable() -> None:
    assert file_name("Tổ 2\\..\x00a.mp4") == "Tổ 2_.._a.mp4"


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "text/javascript", "application/gpx+xml", "text/plain"])
def test_a_page_or_a_script_out_of_a_camera_never_opens_here(rt: Runtime, as_role, story: Story, mime: str) -> None:
    with rt.db.write() as session:
        session.get_one(Recording, story.stop_id).mime = mime
    answer = _viewing(as_role("commander"), story.stop_id).get(f"/recordings/{story.stop_id}/original")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/%5Cevil.example/x", "//evil.example/x", "/%09/evil.example"])
def test_the_links_of_an_error_page_lead_to_no_other_host(client, path: str) -> None:
    page = client.get(path).text
    assert 'href="/\\' not in page
    assert 'href="//' not in page
    assert 'href="/\t' not in page


@pytest.mark.parametrize(
    "target",
    [
        "/\t/evil.example",
        "/\t\\evil.example",
        "/\n/evil.example",
        "/%5cevil.example",
        " //evil.example",
        "/\r\nX: y",
        "///evil.example",
        "//[x",
    ],
)
def test_a_return_address_in_disguise_leads_to_no_other_host(client, target: str) -> None:
    answer = client.post("/sign-in", data={"username": "commander", "password": "mat-khau-thu-1", "next": target})
    assert answer.status_code == HTTPStatus.FOUND
    place = answer.headers["Location"]
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\", "/\t", "/\n"))
    assert "X" not in answer.headers


def test_a_search_of_two_thousand_words_is_answered(as_role) -> None:
    client = as_role("commander")
    for address in (f"/recordings?q={'a+' * 2000}", f"/recordings?officer={'a+' * 2000}", f"/cases?q={'a+' * 2000}"):
        assert client.get(address).status_code == HTTPStatus.OK


def test_pages_and_footage_stay_in_no_cache(as_role, story: Story) -> None:
    client = _viewing(as_role("commander"), story.stop_id)
    for part in ("", "/original", "/filmstrip", "/thumbnail", "/track.json", "/access-log"):
        answer = client.get(f"/recordings/{story.stop_id}{part}")
        assert answer.status_code == HTTPStatus.OK, part
        assert answer.headers["Cache-Control"] == "no-store", part


def test_a_foreign_host_name_appears_in_no_answer(client) -> None:
    answer = client.get("/recordings", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["Location"] + answer.text
