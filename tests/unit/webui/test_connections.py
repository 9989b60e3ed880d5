"""Nobody holds a thread of the server for as long as he likes."""

import socket
import threading
from dataclasses import dataclass

import pytest
from flask import Flask

from bodycam.petitions.errors import TooManyAtOnceError
from webui.common import connections


@dataclass(eq=False)
class Held:
    sock: socket.socket


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(2)
        held = Held(ours)
        yield held, theirs
        connections.let_off(held)


def test_a_request_sent_byte_by_byte_is_ended_when_its_time_is_over(pair) -> None:
    held, theirs = pair
    connections.hurry(held, 60)
    assert connections.end_overdue() == 0
    connections.hurry(held, -1)
    assert connections.end_overdue() == 1
    assert theirs.recv(1) == b""
    assert held.sock.recv(1) == b""
    assert connections.end_overdue() == 0


def test_an_answer_nobody_takes_is_ended_too(pair) -> None:
    held, _ = pair
    connections.hurry(held, -1)
    connections.end_overdue()
    with pytest.raises(BrokenPipeError):
        held.sock.sendall(b"x" * 10_000_000)


def test_an_upload_is_let_off(pair) -> None:
    held, theirs = pair
    connections.hurry(held, -1)
    with (
        Flask("x").test_request_context(environ_overrides={"gunicorn.socket": held.sock}),
        connections.receiving(),
    ):
        assert connections.end_overdue() == 0
        held.sock.send(b"x")
        assert theirs.recv(1) == b"x"


def test_uploads_that_drip_make_way_when_all_places_are_taken(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    held, _ = pair
    monkeypatch.setattr(connections, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(connections, "WAIT_S", 5.0)
    monkeypatch.setattr(connections, "DRIP_AFTER_S", -1.0)
    app, inside, ended = Flask("x"), threading.Event(), threading.Event()

    def drip() -> None:
        place = app.test_request_context(environ_overrides={"gunicorn.socket": held.sock})
        with place, connections.receiving() as connection:
            connection.heard(1)
            connection._began_at -= 60
            inside.set()
            held.sock.recv(1)
        ended.set()

    threading.Thread(target=drip, daemon=True).start()
    assert inside.wait(5)
    with app.test_request_context(), connections.receiving() as connection:
        assert ended.wait(5)
        connection.heard(10_000_000)
        with app.test_request_context(), pytest.raises(TooManyAtOnceError), connections.receiving():
            pass
