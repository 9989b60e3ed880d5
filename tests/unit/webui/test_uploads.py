"""The tus 1.0.0 protocol as a table of requests and answers, over the citizens' door."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bodycam.models import Base
from bodycam.petitions import service, uploads
from bodycam.petitions.models import SubmissionFile
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from webui.apps import create_public_app
from webui.common import connections
from webui.serve import THREADS

TUS = {"Tus-Resumable": "1.0.0"}
BODY = {**TUS, "Content-Type": "application/offset+octet-stream"}
DATA = bytes(range(256)) * 400


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    environ = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_PUBLIC__MAX_UPLOAD_BYTES": "40000000",
        "BODYCAM_PUBLIC__RESERVE_TOTAL_BYTES": "100000000",
        "BODYCAM_PUBLIC__RESERVE_STEP_BYTES": "500000",
        "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0",
    }
    with open_runtime(load_settings(environ)) as opened:
        Base.metadata.create_all(opened.db.engine)
        yield opened


@pytest.fixture
def app(rt: Runtime) -> Flask:
    return create_public_app(rt)


@pytest.fixture
def client(app: Flask, rt: Runtime) -> FlaskClient:
    return visitor(app, rt)


def visitor(app: Flask, rt: Runtime) -> FlaskClient:
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["submission"] = submission.id
    return client


def create(client: FlaskClient, size: int = len(DATA), metadata: str = "filename YS5tcDQ=") -> str:
    answer = client.post("/tep", headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def patch(client: FlaskClient, url: str, offset: int, data: bytes, **headers: str) -> TestResponse:
    return client.patch(url, data=data, headers={**BODY, "Upload-Offset": str(offset), **headers})


def offset_of(client: FlaskClient, url: str) -> int:
    return int(client.head(url, headers=TUS).headers["Upload-Offset"])


def test_options_tell_version_extensions_and_limit_without_a_version_header(client: FlaskClient) -> None:
    answer = client.options("/tep")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) >= {"creation", "checksum", "termination", "expiration"}
    assert answer.headers["Tus-Max-Size"] == "40000000"
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"]


def test_a_file_goes_up_in_two_pieces_and_head_tells_where_it_stands(client: FlaskClient) -> None:
    url = create(client)
    assert offset_of(client, url) == 0
    first = patch(client, url, 0, DATA[:50_000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "50000")
    head = client.head(url, headers=TUS)
    assert head.headers["Upload-Length"] == str(len(DATA))
    assert head.headers["Upload-Metadata"] == "filename YS5tcDQ="
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Upload-Expires"].endswith("GMT")
    assert patch(client, url, 50_000, DATA[50_000:]).headers["Upload-Offset"] == str(len(DATA))
    done = client.head(url, headers=TUS)
    assert done.headers["Upload-Offset"] == str(len(DATA))
    assert "Upload-Expires" not in done.headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/tep", {"Upload-Length": "5"}, 412),
        ("POST", "/tep", {"Tus-Resumable": "0.2.2", "Upload-Length": "5"}, 412),
        ("POST", "/tep", TUS, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "-1"}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "٣"}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "9" * 19}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "40000001"}, 413),
        ("POST", "/tep", {**TUS, "Upload-Defer-Length": "1"}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "5", "Upload-Metadata": "a !!"}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "5", "Upload-Metadata": "a YQ==,a YQ=="}, 400),
        ("POST", "/tep", {**TUS, "Upload-Length": "5", "Upload-Metadata": "sha256 YQ=="}, 400),
        ("HEAD", "/tep/none", TUS, 404),
        ("PATCH", "/tep/none", {**BODY, "Upload-Offset": "0"}, 404),
        ("DELETE", "/tep/none", TUS, 404),
    ],
)
def test_a_request_that_breaks_the_protocol_is_refused(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.open(path, method=method, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**TUS, "Upload-Offset": "0", "Content-Type": "application/octet-stream"}, 415),
        ({**BODY}, 400),
        ({**BODY, "Upload-Offset": "x"}, 400),
        ({**BODY, "Upload-Offset": "7"}, 409),
        ({**BODY, "Upload-Offset": "0", "Upload-Checksum": "crc32 AAAA"}, 400),
        ({**BODY, "Upload-Offset": "0", "Upload-Checksum": "sha1 !"}, 400),
        ({**BODY, "Upload-Offset": "0", "Upload-Checksum": "sha1 AAAA"}, 460),
    ],
)
def test_a_refused_patch_leaves_the_upload_as_it_was(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    url = create(client)
    answer = client.patch(url, data=DATA[:100], headers=headers)
    assert answer.status_code == status
    assert offset_of(client, url) == 0


def test_a_wrong_offset_names_the_right_one_in_header_and_body(client: FlaskClient) -> None:
    url = create(client)
    patch(client, url, 0, DATA[:100])
    answer = patch(client, url, 99, DATA[99:200])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "100")
    assert answer.headers["X-Error-Code"] == "wrong_offset"
    assert "100 byte" in answer.text
    assert "100 bytes" in client.patch(f"{url}?lang=en", headers={**BODY, "Upload-Offset": "9"}).text


def test_a_good_checksum_is_accepted(client: FlaskClient) -> None:
    url = create(client)
    for name in ("sha1", "sha256"):
        offset = offset_of(client, url)
        piece = DATA[offset : offset + 100]
        sum64 = base64.b64encode(hashlib.new(name, piece).digest()).decode()
        assert patch(client, url, offset, piece, **{"Upload-Checksum": f"{name} {sum64}"}).status_code == 204


def test_a_short_body_is_kept(client: FlaskClient) -> None:
    url = create(client)
    client.patch(
        url, input_stream=BytesIO(DATA[:70_000]), headers={**BODY, "Upload-Offset": "0", "Content-Length": "90000"}
    )
    assert offset_of(client, url) == 70_000
    assert patch(client, url, 70_000, DATA[70_000:]).headers["Upload-Offset"] == str(len(DATA))


def test_a_short_body_with_a_checksum_is_not_kept(client: FlaskClient) -> None:
    url = create(client)
    headers = {**BODY, "Upload-Offset": "0", "Content-Length": "90000", "Upload-Checksum": "sha1 AAAA"}
    assert client.patch(url, input_stream=BytesIO(DATA[:70_000]), headers=headers).status_code == 460
    assert offset_of(client, url) == 0


def test_more_than_was_declared_is_refused(client: FlaskClient) -> None:
    url = create(client, size=10)
    answer = patch(client, url, 0, DATA[:11])
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (413, "upload_too_large")


def test_a_complete_upload_takes_nothing_more(client: FlaskClient) -> None:
    url = create(client, size=10)
    patch(client, url, 0, DATA[:10])
    answer = patch(client, url, 0, DATA[:10])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "10")


def test_two_writers_at_one_upload_get_423(client: FlaskClient, rt: Runtime) -> None:
    url = create(client)
    with client.session_transaction() as cookie:
        submission_id = cookie["submission"]
    with uploads.writing(rt.db, rt.spool, rt.settings, submission_id, url.rpartition("/")[2], 0):
        answer = patch(client, url, 0, DATA)
    assert (answer.status_code, answer.headers["Retry-After"]) == (423, "5")


def test_pages_keep_threads_when_all_places_for_uploads_are_taken(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = create(client)
    monkeypatch.setattr(connections, "_places", threading.BoundedSemaphore(1))
    with client.application.test_request_context(), connections.receiving():
        answer = patch(client, url, 0, DATA)
        assert client.get("/").status_code == 200
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (503, "too_many_at_once")
    assert patch(client, url, 0, DATA).status_code == 204
    assert THREADS["public"] > connections.MOST_AT_ONCE


def test_creation_with_upload_takes_the_first_bytes(client: FlaskClient) -> None:
    answer = client.post("/tep", data=DATA[:500], headers={**BODY, "Upload-Length": str(len(DATA))})
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "500")


def test_a_terminated_upload_is_gone(client: FlaskClient) -> None:
    url = create(client)
    assert client.delete(url, headers=TUS).status_code == 204
    assert client.head(url, headers=TUS).status_code == 410
    assert patch(client, url, 0, DATA).status_code == 410


def test_the_method_override_counts(client: FlaskClient) -> None:
    url = create(client)
    headers = {**BODY, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(url, data=DATA[:5], headers=headers).status_code == 204
    assert offset_of(client, url) == 5


def test_a_full_disk_is_507_and_keeps_what_came(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    url = create(client, size=5_000_000)
    assert patch(client, url, 0, bytes(400_000)).status_code == 204
    monkeypatch.setattr("bodycam.petitions.allowance._free", lambda _: 10)
    answer = patch(client, url, 400_000, bytes(300_000))
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (507, "no_room")
    assert 400_000 <= offset_of(client, url) <= 500_000


def test_another_visitor_finds_nothing(client: FlaskClient, app: Flask, rt: Runtime) -> None:
    url = create(client)
    other = visitor(app, rt)
    assert other.head(url, headers=TUS).status_code == 404
    assert patch(other, url, 0, DATA).status_code == 404
    assert app.test_client().head(url, headers=TUS).status_code == 404


def test_the_file_name_lies_encrypted(client: FlaskClient, rt: Runtime) -> None:
    name = base64.b64encode(b"canh-bao-bi-mat.mp4").decode()
    url = create(client, metadata=f"filename {name}")
    with rt.db.read() as session:
        file = session.get_one(SubmissionFile, url.rpartition("/")[2])
        assert uploads.name_of(session, rt.keyring, file) == "canh-bao-bi-mat.mp4"
        assert name.encode() not in file.metadata_sealed


def test_a_creation_whose_answer_got_lost_finds_its_upload_again(client: FlaskClient) -> None:
    told = base64.b64encode(hashlib.sha256(DATA).hexdigest().encode()).decode()
    first = create(client, metadata=f"sha256 {told}")
    assert patch(client, first, 0, DATA[:1000]).status_code == 204
    again = create(client, metadata=f"sha256 {told}")
    assert again == first
    assert offset_of(client, again) == 1000
    assert create(client, metadata="filename YS5tcDQ=") != first, "without a hash nobody can tell"
