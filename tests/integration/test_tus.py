"""tus against the portal as it is served, by a client nobody here wrote, and over sockets that break."""

import contextlib
import hashlib
import http.client
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import portal as portals
import pytest
import requests
from flask.sessions import SecureCookieSessionInterface
from tusclient.client import TusClient

from bodycam.petitions.models import FileState, SubmissionFile
from webui.apps import create_public_app

DATA = secrets.token_bytes(3_000_000)
HEADERS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[portals.Portal]:
    with portals.serving(tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture
def cookie(portal: portals.Portal) -> str:
    """A session that works on a fresh draft, as the portal itself would sign it."""
    app = create_public_app(portal.rt)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return f"bodycam_public={signer.dumps({'submission': portal.new_draft()})}"


def row(portal: portals.Portal, url: str) -> SubmissionFile:
    with portal.rt.db.read() as session:
        return session.get_one(SubmissionFile, url.rpartition("/")[2])


def create(portal: portals.Portal, cookie: str, size: int = len(DATA)) -> str:
    answer = requests.post(
        f"{portal.url}/tep", headers={**HEADERS, "Cookie": cookie, "Upload-Length": str(size)}, timeout=10
    )
    assert answer.status_code == 201
    return f"{portal.url}{answer.headers['Location']}"


def offset(url: str, cookie: str) -> int:
    return int(requests.head(url, headers={**HEADERS, "Cookie": cookie}, timeout=10).headers["Upload-Offset"])


def opened(url: str, cookie: str, start: int, length: int) -> socket.socket:
    """Send a PATCH's head over a bare socket and leave the body to the test."""
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    head = (
        f"PATCH {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {start}\r\nContent-Length: {length}\r\n\r\n"
    )
    sock.sendall(head.encode())
    return sock


def patch_headers(cookie: str, start: int) -> dict[str, str]:
    body = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(start)}
    return {**HEADERS, **body, "Cookie": cookie}


def wait_for(url: str, cookie: str, wanted: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while offset(url, cookie) != wanted:
        assert time.monotonic() < end, f"still at {offset(url, cookie)}, not {wanted}"
        time.sleep(0.05)


@pytest.mark.parametrize("checksum", [False, True])
def test_tuspy_sends_a_file_in_chunks_and_resumes_by_address(
    portal: portals.Portal, cookie: str, tmp_path: Path, checksum: bool
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    client = TusClient(f"{portal.url}/tep", headers={"Cookie": cookie})
    metadata = {"filename": "video.mp4", "sha256": hashlib.sha256(DATA).hexdigest()}
    first = client.uploader(str(path), chunk_size=700_000, metadata=metadata, upload_checksum=checksum)
    first.upload(stop_at=1_400_000)
    assert offset(first.url, cookie) == 1_400_000
    again = client.uploader(str(path), url=first.url, chunk_size=700_000, upload_checksum=checksum)
    assert again.offset == 1_400_000
    again.upload()
    done = row(portal, first.url)
    assert (done.state, done.offset) == (FileState.COMPLETE, len(DATA))
    assert done.declared_sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_connection_that_breaks_keeps_every_byte_that_came(portal: portals.Portal, cookie: str) -> None:
    url = create(portal, cookie)
    with opened(url, cookie, 0, len(DATA)) as sock:
        sock.sendall(DATA[:1_234_567])
    wait_for(url, cookie, 1_234_567)
    answer = requests.patch(url, data=DATA[1_234_567:], headers=patch_headers(cookie, 1_234_567), timeout=10)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(DATA)))


def test_the_offset_advances_during_a_long_patch_so_that_a_break_costs_a_mebibyte_at_most(
    portal: portals.Portal, cookie: str
) -> None:
    url = create(portal, cookie)
    with opened(url, cookie, 0, len(DATA)) as sock:
        sock.sendall(DATA[:2_500_000])
        end = time.monotonic() + 10
        while (told := offset(url, cookie)) < 2_500_000 - (1 << 20) - 65_536 and time.monotonic() < end:
            time.sleep(0.05)
        assert 2_500_000 - (1 << 20) - 65_536 <= told <= 2_500_000


def test_a_second_writer_is_refused_while_the_first_is_alive(portal: portals.Portal, cookie: str) -> None:
    url = create(portal, cookie)
    stop = threading.Event()

    def trickle(sock: socket.socket) -> None:
        while not stop.wait(0.05):
            sock.sendall(b"x" * 100)

    with opened(url, cookie, 0, len(DATA)) as sock:
        thread = threading.Thread(target=trickle, args=(sock,))
        thread.start()
        time.sleep(0.3)
        with opened(url, cookie, 0, 10) as other:
            other.sendall(b"y" * 10)
            answer = http.client.HTTPResponse(other)
            answer.begin()
        stop.set()
        thread.join()
    assert answer.status == 423
    assert answer.headers["X-Error-Code"] == "upload_busy"


def test_a_silent_connection_makes_way_for_the_phone_that_came_out_of_the_tunnel(
    portal: portals.Portal, cookie: str
) -> None:
    url = create(portal, cookie)
    with opened(url, cookie, 0, len(DATA)) as dead:
        dead.sendall(DATA[:500_000])
        time.sleep(2.0)  # nothing more comes, nobody closes
        began = time.monotonic()
        refused = 0
        while True:  # as a tus client does: ask for the offset, go on there, try again when refused
            start = offset(url, cookie)
            with opened(url, cookie, start, len(DATA) - start) as back:
                back.sendall(DATA[start:])
                answer = http.client.HTTPResponse(back)
                answer.begin()
            if answer.status == 204:
                break
            refused += 1
            assert refused < 5
        assert time.monotonic() - began < 3
    assert offset(url, cookie) == len(DATA)


def test_a_server_killed_in_the_middle_forgets_a_mebibyte_at_most(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(portals.serving(tmp_path))
        app = create_public_app(first.rt)
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        cookie = f"bodycam_public={signer.dumps({'submission': first.new_draft()})}"
        url = create(first, cookie)
        sock = stack.enter_context(opened(url, cookie, 0, len(DATA)))
        sock.sendall(DATA[:2_000_000])
        end = time.monotonic() + 10
        while offset(url, cookie) < 900_000 and time.monotonic() < end:
            time.sleep(0.05)
        first.kill()
        with portals.serving(tmp_path) as second:
            url = f"{second.url}{urlsplit(url).path}"
            start = offset(url, cookie)
            answer = requests.patch(url, data=DATA[start:], headers=patch_headers(cookie, start), timeout=10)
            if answer.status_code == 409:  # more was durable than the database had been told
                start = int(answer.headers["Upload-Offset"])
                answer = requests.patch(url, data=DATA[start:], headers=patch_headers(cookie, start), timeout=10)
            assert start >= 2_000_000 - 2 * (1 << 20)
            assert answer.status_code == 204
