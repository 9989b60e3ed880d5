"""Reading ahead keeps order, passes errors on and lets go of the source."""

import threading

import pytest

from dock_service.ahead import read_ahead
from dock_service.errors import CameraGoneError


def test_everything_comes_in_order_from_another_thread():
    threads = set()

    def source():
        for number in range(50):
            threads.add(threading.get_ident())
            yield bytes([number])

    assert b"".join(read_ahead(source())) == bytes(range(50))
    assert threads == threads - {threading.get_ident()}


def test_an_error_of_the_source_comes_after_what_it_gave():
    def source():
        yield b"a"
        raise CameraGoneError(camera="S-1")

    pieces = read_ahead(source())
    assert next(pieces) == b"a"
    with pytest.raises(CameraGoneError):
        next(pieces)


def test_left_early_the_source_is_closed_before_it_returns():
    closed = threading.Event()

    def source():
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    pieces = read_ahead(source())
    next(pieces)
    pieces.close()
    assert closed.is_set()
