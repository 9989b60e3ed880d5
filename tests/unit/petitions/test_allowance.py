import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.petitions import allowance, service, uploads
from bodycam.petitions.errors import NoRoomError
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.runtime import Runtime

MB = 1_000_000


def begun(rt: Runtime, count: int, size: int) -> list[str]:
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
        return [
            uploads.create(session, rt.keyring, rt.settings, submission.id, size=size, metadata="", sha256=None).id
            for _ in range(count)
        ]


def grow(rt: Runtime, file_id: str, wanted: int, free: int = 1000 * MB) -> bool:
    try:
        with rt.db.write() as session:
            return allowance.grow(session, file_id, wanted, rt.settings.public, free) >= wanted
    except NoRoomError:
        return False


def test_ten_uploads_larger_than_the_space_all_arrive_in_the_end(rt: Runtime) -> None:
    """Each sends in turn as far as it may; first-come-first-served would leave all ten stuck at a quarter."""
    reached = dict.fromkeys(begun(rt, 10, 4 * MB), 0)  # 40 MB through 10 MB of space
    done: list[str] = []
    for _ in range(500):
        for file_id in [f for f in reached if f not in done]:
            if grow(rt, file_id, reached[file_id] + MB // 2):
                reached[file_id] += MB // 2
            if reached[file_id] == 4 * MB:
                done.append(file_id)
                with rt.db.write() as session:
                    file = session.get_one(SubmissionFile, file_id)
                    file.state, file.reserved_bytes = FileState.SEALED, 0
    assert len(done) == 10


def test_the_cap_on_all_uploads_holds(rt: Runtime) -> None:
    ids = begun(rt, 10, 4 * MB)
    for wanted in range(0, 4 * MB, MB // 2):
        for file_id in ids:
            grow(rt, file_id, wanted)
    with rt.db.read() as session:
        reserved = [session.get_one(SubmissionFile, file_id).reserved_bytes for file_id in ids]
    assert sum(reserved) <= 10 * MB
    assert max(reserved) <= 4 * MB


def test_an_upload_reserves_no_more_than_a_step_ahead(rt: Runtime) -> None:
    [file_id] = begun(rt, 1, 4 * MB)
    with rt.db.write() as session:
        assert allowance.grow(session, file_id, 1000, rt.settings.public, 100 * MB) == MB // 2


def test_the_docks_own_reserve_is_never_touched(rt: Runtime) -> None:
    [file_id] = begun(rt, 1, 4 * MB)
    kept = rt.settings.public.model_copy(update={"dock_reserve_bytes": 50 * MB})
    with rt.db.write() as session:
        with pytest.raises(NoRoomError):
            allowance.grow(session, file_id, MB, kept, 50 * MB)
        assert allowance.grow(session, file_id, MB, kept, 52 * MB) == MB
    with rt.db.read() as session:
        assert session.get_one(SubmissionFile, file_id).reserved_bytes == MB


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), max_size=6), st.integers(0, 40))
def test_the_rule_says_yes_only_when_an_order_exists(pairs: list[tuple[int, int]], total: int) -> None:
    uploads_now = [(max(size, reserved), reserved) for size, reserved in pairs]
    free, left = total - sum(r for _, r in uploads_now), list(uploads_now)
    moved = True
    while moved and free >= 0:
        moved = False
        for item in list(left):
            if item[0] - item[1] <= free:
                free += item[1]
                left.remove(item)
                moved = True
    assert allowance.all_can_finish(uploads_now, total) == (free >= 0 and not left)
