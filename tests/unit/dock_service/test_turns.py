"""Turns: how cameras share a dock."""

import threading
import time
from collections.abc import Generator

import pytest

from dock_service.turns import TURN_BYTES, Turns

PIECE = bytes(1 << 20)


def pieces(count: int, size: int = len(PIECE)) -> Generator[bytes]:
    for _ in range(count):
        time.sleep(0.0005)  # a wire takes its time, so that others come to wait
        yield PIECE[:size]


def test_a_camera_alone_reads_to_the_end_over_many_turns():
    seat = Turns(1).seat(lambda: False)
    assert sum(map(len, seat.taken(pieces(40)))) == 40 << 20
    assert sum(map(len, seat.taken(pieces(3)))) == 3 << 20


def test_cameras_come_on_in_step_however_many_there_are():
    turns, read, lock = Turns(2), dict.fromkeys(range(6), 0), threading.Lock()
    furthest_apart = 0
    ready = threading.Barrier(6)

    def work(number: int) -> None:
        nonlocal furthest_apart
        seat = turns.seat(lambda: False)
        ready.wait()
        for piece in seat.taken(pieces(80)):
            with lock:
                read[number] += len(piece)
                furthest_apart = max(furthest_apart, max(read.values()) - min(read.values()))

    threads = [threading.Thread(target=work, args=(number,)) for number in read]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(read.values()) == {80 << 20}
    assert furthest_apart <= 3 * TURN_BYTES  # a camera's turn ahead, one at work, and one handed over


def test_many_small_files_get_as_much_of_a_round_as_one_large_one():
    turns, read, stop = Turns(1), {"small": 0, "large": 0}, threading.Event()

    def small() -> None:
        seat = turns.seat(stop.is_set)
        while not stop.is_set():
            for piece in seat.taken(pieces(1, 64 << 10)):
                read["small"] += len(piece)

    def large() -> None:
        seat = turns.seat(stop.is_set)
        for piece in seat.taken(pieces(200)):
            read["large"] += len(piece)
        stop.set()

    threads = [threading.Thread(target=small), threading.Thread(target=large)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert read["small"] > 0.3 * read["large"]


def test_one_that_is_over_waits_for_nobody():
    turns = Turns(1)
    first, over = turns.seat(lambda: False).taken(pieces(2)), threading.Event()
    next(first)
    over.set()
    assert next(turns.seat(over.is_set).taken(pieces(1))) == PIECE
    first.close()


def test_the_rate_holds_for_all_cameras_together():
    turns = Turns(2, bytes_per_second=10 << 20)
    began = time.monotonic()
    threads = [threading.Thread(target=lambda: list(turns.seat(lambda: False).taken(pieces(3)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert time.monotonic() - began >= 0.55  # six mebibytes at ten a second


def test_a_source_that_fails_gives_its_turn_back():
    turns = Turns(1)

    def failing() -> Generator[bytes]:
        yield PIECE
        raise OSError("gone")

    seat = turns.seat(lambda: False)
    with pytest.raises(OSError, match="gone"):
        list(seat.taken(failing()))
    assert sum(map(len, turns.seat(lambda: False).taken(pieces(2)))) == 2 << 20
