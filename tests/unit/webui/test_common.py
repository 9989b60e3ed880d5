"""Headers, static files, ranges, formats, language."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bodycam.db import Database
from bodycam.errors import BodycamError, DatabaseAwayError, DiskFullError, InvalidInputError
from webui.common import formatting
from webui.common.headers import POLICY
from webui.common.ranges import OPEN_ENDED, asked_range


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for address in ("/sign-in", "/nowhere", "/static/icon.svg", "/dock"):
        headers = client.get(address).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Request-Id"]


def test_the_policy_has_no_hole_for_inline_code() -> None:
    assert "unsafe" not in POLICY


def test_pages_are_never_stored_and_hashed_files_are(client: FlaskClient) -> None:
    assert client.get("/sign-in").headers["Cache-Control"] == "no-store"
    page = client.get("/sign-in").text
    sheet = page[page.index("/static/css/staff.css") :].partition('"')[0]
    answer = client.get(sheet, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"


def test_static_files_stay_in_their_folder(client: FlaskClient) -> None:
    for address in ("/static/../apps.py", "/static/%2e%2e/apps.py", "/static/css"):
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND


def test_an_error_for_a_script_is_json(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.get_json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DatabaseAwayError(reason="OperationalError"), HTTPStatus.SERVICE_UNAVAILABLE, ("không trả lời", "not answer")),
        (DiskFullError(path="/data"), HTTPStatus.INSUFFICIENT_STORAGE, ("đã đầy", "is full")),
    ],
)
def test_a_database_in_trouble_is_a_page_with_its_name(
    as_role, monkeypatch: pytest.MonkeyPatch, error: BodycamError, status: HTTPStatus, words: tuple[str, str]
) -> None:
    client: FlaskClient = as_role("commander")

    def failing(_self: Database) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", failing)
        patch.setattr(Database, "write", failing)
        for language, word in zip(("vi", "en"), words, strict=True):
            answer = client.get(f"/recordings?lang={language}")
            assert answer.status_code == status
            assert word in answer.text
    assert client.get("/recordings").status_code == HTTPStatus.OK


def test_the_language_is_remembered(client: FlaskClient) -> None:
    assert '<html lang="vi">' in client.get("/sign-in").text
    assert '<html lang="en">' in client.get("/sign-in?lang=en").text
    assert '<html lang="en">' in client.get("/sign-in").text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-99", (0, 99)),
        ("bytes=900-5000", (900, 999)),
        ("bytes=-10", (990, 999)),
        ("bytes=500-", (500, 999)),
        ("bytes=1000-", (-1, -1)),
        ("bytes=-0", (-1, -1)),
        ("bytes=5-1", (-1, -1)),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=-", None),
    ],
)
def test_a_range_is_read_as_the_rfc_says(header: str | None, expected: tuple[int, int] | None) -> None:
    assert asked_range(header, 1000) == expected


def test_an_open_ended_range_is_capped() -> None:
    assert asked_range("bytes=100-", 1 << 40) == (100, 100 + OPEN_ENDED - 1)


@given(st.text(max_size=40), st.integers(0, 1 << 50))
def test_any_range_header_gives_a_span_inside_the_object(text: str, size: int) -> None:
    span = asked_range("bytes=" + text, size)
    if span not in {None, (-1, -1)}:
        assert 0 <= span[0] <= span[1] < size


def test_numbers_and_times_are_written_the_vietnamese_way(app: Flask) -> None:
    with app.test_request_context("/"):
        assert formatting.when(datetime(2026, 11, 9, 7, 20, 7, tzinfo=UTC)) == "09/11/2026 14:20:07"
        assert formatting.number(20.98713, 5) == "20,98713"
        assert formatting.size(11_200_000_000) == "11,2 GB"
        assert formatting.duration(705) == "11:45"
        assert formatting.offset(-25_200) == "chậm 7 giờ 0 phút"
    with app.test_request_context("/?lang=en"):
        assert formatting.position(20.98713, 105.86442) == "20.98713 N 105.86442 E"


def test_typed_days_are_read_in_vietnams_time() -> None:
    assert formatting.read_moment("09/11/2026", field="x") == datetime(2026, 11, 8, 17, tzinfo=UTC)
    assert formatting.read_moment("9/11/2026", field="x", end_of_day=True) == datetime(2026, 11, 9, 17, tzinfo=UTC)
    assert formatting.read_moment(" 09/11/2026 14:20 ", field="x") == datetime(2026, 11, 9, 7, 20, tzinfo=UTC)
    assert formatting.read_moment("", field="x") is None


@pytest.mark.parametrize("text", ["2026-11-09", "31/02/2026", "11/09", "hôm qua", "09/11/2026 25:00"])
def test_a_day_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInputError, match="09/11/2026"):
        formatting.read_moment(text, field="Từ ngày")
