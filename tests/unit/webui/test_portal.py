"""The citizens' pages without a browser: what a phone without JavaScript sees, and what the server keeps."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from werkzeug.test import TestResponse

from bodycam import clock
from bodycam.cli.standalone import settle
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.models import Base
from bodycam.petitions import secret_code, service, sign_in
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import FileState, Submission, SubmissionFile, SubmissionState, SubmissionThrottle
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from webui.apps import create_public_app
from webui.public import following
from webui.serve import options

WORDS = "Tổ công tác dừng xe nhưng không lập biên bản."
ANSWERS = {
    "khi-nao": {"when": "14:20 ngày 09/11/2026"},
    "o-dau": {"where": "QL1A", "plate": "29A-123.45", "unit": ""},
    "tep": {},
    "noi-dung": {"text": WORDS},
    "danh-tinh": {"who": "anonymous"},
    "xem-lai": {"true": "1"},
}


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    environ = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0"}
    with open_runtime(load_settings(environ)) as opened:
        Base.metadata.create_all(opened.db.engine)
        yield opened


@pytest.fixture
def app(rt: Runtime) -> Flask:
    return create_public_app(rt)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token(client: FlaskClient, path: str = "/tra-cuu") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, data={"csrf_token": token(client), **fields})


def walk(client: FlaskClient, until: str = "") -> None:
    """Answer every question; stop before the step `until`."""
    post(client, "/gui")
    for slug, fields in ANSWERS.items():
        if slug == until:
            return
        assert post(client, f"/gui/{slug}", **fields).status_code == 303, slug


def shown_code(page: str) -> str:
    found = re.search(r'class="code"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert found
    return "".join(re.findall(r"<span>(\w+)</span>", found[1]))


def test_the_way_without_javascript_ends_with_a_code_a_receipt_and_a_status(client: FlaskClient, rt: Runtime) -> None:
    walk(client)
    page = post(client, "/ma/may-chu").text
    code = shown_code(page)
    assert secret_code.read(code) == code
    seal = re.search(r'name="seal" value="([^"]+)"', page)
    assert seal
    wrong = post(client, "/ma/xac-nhan", seal=seal[1], last="AAA")
    assert wrong.status_code == 400
    assert shown_code(wrong.text) == code
    assert post(client, "/ma/xac-nhan", seal=seal[1], last=code[-3:].lower()).location == "/bien-nhan"
    assert "đang được ký" in client.get("/bien-nhan").text
    settle(rt, [])
    page = client.get("/bien-nhan").text
    link = re.search(r'href="(/bien-nhan/[^"]+\.json)"', page)
    assert link
    receipt = json.loads(client.get(link[1]).text)
    assert receipt["event"]["kind"] == "submission.received"
    assert len(client.get(link[1]).data) < 4096
    assert "<svg" in page
    assert "Chưa có bên xác nhận độc lập ký." in page
    with rt.db.write() as session:
        session.execute(update(Receipt).values(witnessed_at=clock.now()))
    assert "Bên xác nhận độc lập đã ký lúc" in client.get("/bien-nhan").text
    sent = client.get("/noi-dung-da-gui.json")
    assert json.loads(sent.text)["text"] == WORDS

    other = client.application.test_client()
    assert post(other, "/tra-cuu", code=" ".join(secret_code.groups(code)).lower()).location == "/ho-so"
    assert "Đã tiếp nhận" in other.get("/ho-so").text


def test_the_receipt_opens_the_hash_of_exactly_the_text_that_can_be_saved(client: FlaskClient, rt: Runtime) -> None:
    walk(client)
    settle(rt, [])
    link = re.search(r'href="(/bien-nhan/[^"]+\.json)"', client.get("/bien-nhan").text)
    assert link
    opened = json.loads(client.get(link[1]).text)["openings"]["content"]
    assert opened["sha256"] == hashlib.sha256(client.get("/noi-dung-da-gui.json").data).hexdigest()


def test_a_file_without_javascript_goes_through_the_same_spool_and_is_sealed(client: FlaskClient, rt: Runtime) -> None:
    data = bytes(range(256)) * 12_000  # 3 MB: over the limit for forms
    walk(client, until="tep")
    form = {"csrf_token": token(client), "file": (BytesIO(data), "../Video của tôi.mp4")}
    assert client.post("/gui/tep/gui-thuong", data=form).location == "/gui/noi-dung"
    for slug in ("noi-dung", "danh-tinh", "xem-lai"):
        post(client, f"/gui/{slug}", **ANSWERS[slug])
    settle(rt, [])
    with rt.db.read() as session:
        file = session.scalars(select(SubmissionFile)).one()
    assert (file.state, file.size) == (FileState.SEALED, len(data))
    assert file.recording_id is not None
    assert file.object_id is not None
    assert b"".join(rt.vault.open(file.object_id).chunks()) == data
    with rt.db.read() as session:
        recording = session.get_one(Recording, file.recording_id)
        events = session.scalars(select(CustodyEvent)).all()
    assert recording.name == f"{file.id}.mp4", "the sender's own name may tell who he is"
    assert not [event for event in events if "của tôi" in f"{event.body}{event.openings}"]
    assert client.get("/bien-nhan").text.count("<svg") == 2


@pytest.mark.parametrize("cut", [200, 1000, 90_000])
def test_a_broken_form_leaves_nothing_behind(client: FlaskClient, rt: Runtime, cut: int) -> None:
    walk(client, until="tep")
    head = f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token(client)}\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    body = (head.encode() + bytes(100_000))[:cut]
    answer = client.post(
        "/gui/tep/gui-thuong",
        input_stream=BytesIO(body),
        headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100900"},
    )
    assert answer.status_code == 400
    assert rt.spool.attempts() == []
    with rt.db.read() as session:
        assert all(file.state == FileState.REMOVED for file in session.scalars(select(SubmissionFile)))


@pytest.mark.parametrize(("begun", "status"), [(False, 404), (True, 400)])
def test_a_form_that_never_comes_to_its_file_takes_no_place(client: FlaskClient, begun: bool, status: int) -> None:
    if begun:
        walk(client, until="tep")
    head = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'
    answer = client.post(
        "/gui/tep/gui-thuong",
        input_stream=BytesIO(head + b"a" * 1_000_000),
        headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100000000"},
    )
    assert answer.status_code == status


def test_a_flood_of_made_up_codes_fills_no_table(rt: Runtime) -> None:
    for n in range(40):
        for lookup in (f"{chr(0x4E00 + n)}x", f"\0{n}", "", "zz"):
            with pytest.raises(NoSuchSubmissionError):
                sign_in.open_submission(rt.db, lookup, "n", b"")
    with rt.db.read() as session:
        assert [(row.key, row.failures) for row in session.scalars(select(SubmissionThrottle))] == [("-", 160)]
        assert sign_in.pause_s(session, "zz") == sign_in.MOST_PAUSE_S


def test_a_chosen_language_leaves_the_phone_with_the_browser(client: FlaskClient) -> None:
    cookies = client.get("/?lang=en").headers.getlist("Set-Cookie")
    kept = [cookie for cookie in cookies if "Max-Age" in cookie or "Expires" in cookie]
    assert kept == []


def test_a_form_without_its_token_stores_no_byte(client: FlaskClient, rt: Runtime) -> None:
    walk(client, until="tep")
    answer = client.post("/gui/tep/gui-thuong", data={"csrf_token": "x", "file": (BytesIO(b"abc"), "a.mp4")})
    assert answer.status_code == 400
    with rt.db.read() as session:
        assert session.scalars(select(SubmissionFile)).all() == []


def test_an_empty_report_is_asked_again_with_the_reason(client: FlaskClient) -> None:
    walk(client, until="noi-dung")
    post(client, "/gui/noi-dung", text="")
    answer = post(client, "/gui/xem-lai", true="1")
    assert answer.status_code == 400
    assert "Chọn video, ảnh hoặc viết lại điều bạn đã chứng kiến" in answer.text


def test_a_wrong_and_an_unknown_code_get_the_same_answer_ever_slower_and_the_right_one_still_opens(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(following.time, "sleep", pauses.append)
    walk(client)
    code = shown_code(post(client, "/ma/may-chu").text)
    csrf = token(client)
    answers = [
        client.post("/tra-cuu", data={"csrf_token": csrf, "code": typed})
        for typed in [secret_code.make(), "không phải mã", code[:-1], *["x"] * 20]
    ]
    assert {answer.status_code for answer in answers} == {404}
    signed = re.compile(r'name="csrf_token" value="[^"]+"')  # its signature holds the second of the answer
    assert len({signed.sub("", answer.text) for answer in answers}) == 1
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] == sign_in.MOST_PAUSE_S
    assert client.post("/tra-cuu", data={"csrf_token": csrf, "code": code}).location == "/ho-so"


def test_nobody_takes_the_look_up_id_of_another_report(client: FlaskClient) -> None:
    walk(client)
    keys = secret_code.keys(shown_code(post(client, "/ma/may-chu").text))
    other = client.application.test_client()
    walk(other)
    key = base64.b64encode(bytes(32)).decode()
    assert post(other, "/ma/dat", lookup=keys.lookup_id, sign_in=key, reply=key).status_code == 409


def test_a_signed_challenge_opens_and_a_replayed_or_foreign_one_does_not(client: FlaskClient) -> None:
    walk(client)
    code = shown_code(post(client, "/ma/may-chu").text)
    lookup = secret_code.keys(code).lookup_id
    other = client.application.test_client()
    nonce = post(other, "/tra-cuu/thu-thach", lookup=lookup).get_json()["nonce"]
    good = base64.b64encode(secret_code.sign(code, sign_in.message(lookup, nonce))).decode()
    bad = base64.b64encode(secret_code.sign(secret_code.make(), sign_in.message(lookup, nonce))).decode()
    foreign = post(other, "/tra-cuu/thu-thach", lookup="0" * 32).get_json()["nonce"]
    for fields in ({"nonce": nonce, "signature": bad}, {"nonce": foreign, "signature": good}, {"nonce": "x"}):
        assert post(other, "/tra-cuu/mo", lookup=lookup, **fields).status_code == 404
    assert post(other, "/tra-cuu/mo", lookup=lookup, nonce=nonce, signature=good).location == "/ho-so"


def test_the_status_claims_only_steps_that_were_taken(client: FlaskClient, rt: Runtime) -> None:
    walk(client)
    with client.session_transaction() as cookie:
        submission_id = cookie["submission"]
    with rt.db.write() as session:
        service.triage(session, submission_id, account_id="a-1", state=SubmissionState.SORTING)
        service.triage(
            session, submission_id, account_id="a-1", state=SubmissionState.DECLINED, answer="Không đủ căn cứ kiểm tra."
        )
    page = client.get("/ho-so").text
    assert re.findall(r'<li class="(\w*)"', page) == ["past", "past", "", "", "now"]
    assert "Không thụ lý" in page
    assert "Không đủ căn cứ kiểm tra." in page


@pytest.mark.parametrize("leave", ["/thoat", "/xoa-dau-vet"])
def test_leaving_ends_the_session_and_deletes_what_was_not_sent(client: FlaskClient, rt: Runtime, leave: str) -> None:
    walk(client, until="tep")
    answer = client.get(leave) if leave == "/thoat" else post(client, leave)
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert client.get("/gui/tep").status_code == 404
    with rt.db.read() as session:
        assert session.scalars(select(Submission)).all() == []


def test_nobody_reads_receipts_of_another_report(client: FlaskClient, rt: Runtime) -> None:
    walk(client)
    settle(rt, [])
    link = re.search(r'href="(/bien-nhan/[^"]+\.json)"', client.get("/bien-nhan").text)
    assert link
    other = client.application.test_client()
    assert other.get(link[1]).status_code == 404
    walk(other)
    assert other.get(link[1]).status_code == 404


def test_the_promise_about_addresses_is_made_only_when_the_server_keeps_it(
    client: FlaskClient, app: Flask, rt: Runtime
) -> None:
    promise = "không ghi địa chỉ mạng của bạn"
    assert promise not in client.get("/").text  # unknown server: no promise
    served = options("public", rt.settings.public)
    assert served["accesslog"] is None
    assert served["loglevel"] == "error"
    app.config["ADDRESSES_LOGGED"] = served["accesslog"] is not None
    assert promise in client.get("/").text


def test_legal_sentences_are_shown_only_on_their_days(client: FlaskClient) -> None:
    clock.set_now(lambda: datetime(2026, 11, 22, tzinfo=UTC))
    assert "61/2026" in client.get("/").text
    clock.set_now(lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert "61/2026" not in client.get("/").text


def test_no_page_claims_a_right_to_film(client: FlaskClient) -> None:
    walk(client, until="xem-lai")
    for path in ("/", *(f"/gui/{slug}" for slug in ANSWERS)):
        for language in ("vi", "en"):
            text = client.get(f"{path}?lang={language}").text.lower()
            assert "quyền quay" not in text
            assert "quyền ghi hình" not in text
            assert "right to film" not in text


def test_pages_carry_no_inline_script_or_style_and_no_foreign_address(client: FlaskClient) -> None:
    walk(client)
    for path in ("/", "/tra-cuu", "/ma", "/bien-nhan", "/ho-so"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page), path
        assert not re.search(r'(src|href|action)="(https?:)?//', page), path


def test_an_unknown_page_and_a_lost_session_get_a_page_of_their_own(client: FlaskClient) -> None:
    assert "Về trang đầu" in client.get("/khong-co").text
    lost = client.get("/gui/khi-nao")
    assert lost.status_code == 404
    assert "Về trang đầu" in lost.text


def test_everything_the_portal_writes_is_its_own_an_event_or_a_job(client: FlaskClient, rt: Runtime) -> None:
    written: set[str] = set()

    @event.listens_for(rt.db.engine, "before_cursor_execute")
    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        found = re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement)
        if found:
            written.add(found[1])

    walk(client, until="tep")
    client.post("/gui/tep/gui-thuong", data={"csrf_token": token(client), "file": (BytesIO(b"abc"), "a.mp4")})
    for slug in ("noi-dung", "danh-tinh", "xem-lai"):
        post(client, f"/gui/{slug}", **ANSWERS[slug])
    code = shown_code(post(client, "/ma/may-chu").text)
    post(client, "/tra-cuu", code=secret_code.make())
    post(client, "/tra-cuu", code=code)
    client.get("/thoat")
    assert written == {"submission", "submission_file", "submission_throttle", "custody_event", "job"}
