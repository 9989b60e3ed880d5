"""What the dock shows: when it is written, and what a tile says."""

import contextlib

import pytest

from bodycam import clock
from dock_service.board import Board, Progress, SlotState
from dock_service.errors import CameraStalledError


class Written:
    """Stands for the database: counts what is written."""

    def __init__(self, monkeypatch):
        self.bodies = []
        monkeypatch.setattr("dock_service.board.put_board", lambda _session, _station, body: self.bodies.append(body))

    def write(self):
        return contextlib.nullcontext()


@pytest.fixture
def seconds(monkeypatch):
    at = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: at[0])
    return at


def test_a_changed_board_is_written_once_a_second_and_a_quiet_one_every_two(monkeypatch, seconds):
    db, board = Written(monkeypatch), Board("station", "Trạm 1", 2)
    written = []
    for tenth in range(100):
        seconds[0] = 100 + tenth / 10
        if tenth < 50:
            board.progress(1, Progress(SlotState.UPLOADING, bytes_done=tenth, bytes_total=100))
        board.write(db)
        written.append(len(db.bodies))
    assert written[49] == 5
    assert written[99] - written[49] == 3
    assert [slot["slot"] for slot in db.bodies[0]["slots"]] == [1, 2]
    assert db.bodies[0]["station"] == "Trạm 1"


def test_the_time_left_follows_the_rate_of_the_last_ten_seconds(seconds):
    board = Board("station", "Trạm 1", 1)
    for second in range(20):
        seconds[0] = 100 + second
        board.progress(1, Progress(SlotState.UPLOADING, bytes_done=second * 1000, bytes_total=30_000))
    assert board.tile(1).eta_s == 11
    board.done(1, receipts=3, files=3)
    assert board.tile(1).eta_s is None


def test_a_camera_taken_out_before_green_is_lost_and_after_it_leaves_an_empty_slot():
    board = Board("station", "Trạm 1", 2)
    board.arrived(1, "S-1")
    board.began(1, camera="BWC-0412", officer="Trần Văn Nam", badge="184-221", battery=76)
    board.taken(1)
    assert (board.tile(1).state, board.tile(1).camera) == (SlotState.LOST, "BWC-0412")
    board.found("S-1")
    assert board.tile(1).state is SlotState.EMPTY
    board.arrived(2, "S-2")
    board.done(2, receipts=1, files=1)
    board.taken(2)
    assert board.tile(2).state is SlotState.EMPTY


def test_an_error_says_what_to_do_in_both_languages():
    board = Board("station", "Trạm 1", 1)
    board.arrived(1, "S-1")
    board.failed(1, CameraStalledError(camera="1-1", detail="timeout"))
    tile = board.tile(1)
    assert (tile.state, tile.error_code) == (SlotState.ERROR, "camera_stalled")
    assert "gọi trực ban" in tile.message_vi
    assert "duty officer" in tile.message_en
