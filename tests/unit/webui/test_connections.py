"""Nobody holds a thread of the server for as long as he likes."""

import socket
from dataclasses import dataclass

import pytest
from flask import Flask

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
