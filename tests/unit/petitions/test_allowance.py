import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.petitions import allowance, service, uploads
from bodycam.petitions.allowance import Room
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
            return allowance.grow(session, file_id, wanted, rt.settings.public, [Room(free)]) >= wanted
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
        assert allowance.grow(session, file_id, 1000, rt.settings.public, [Room(100 * MB)]) == MB // 2


def test_the_docks_own_reserve_is_never_touched(rt: Runtime) -> None:
    [file_id] = begun(rt, 1, 4 * MB)
    kept = rt.settings.public.model_copy(update={"dock_reserve_bytes": 50 * MB})
    with rt.db.write() as session:
        with pytest.raises(NoRoomError):
            allowance.grow(session, file_id, MB, kept, [Room(50 * MB)])
        assert allowance.grow(session, file_id, MB, kept, [Room(52 * MB)]) == MB
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


class Disk:
    """Uploads that send piece by piece as far as they may; what is finished is sealed and stays on the disk."""

    def __init__(self, sizes: list[int], free: int, copies: int) -> None:
        self.sizes, self.free, self.copies = sizes, free, copies
        self.reserved, self.present = [0] * len(sizes), [0] * len(sizes)
        self.sealed: list[int] = []

    def send(self, number: int, piece: int) -> bool:
        """Try to send the next piece; an upload's disk use is never more than was free."""
        if number in self.sealed:
            return False
        wanted = min(self.sizes[number], self.present[number] + piece)
        if wanted > self.reserved[number]:
            live = [one for one in range(len(self.sizes)) if one not in self.sealed]
            asked = [
                (self.sizes[one], wanted if one == number else self.reserved[one], self.present[one]) for one in live
            ]
            if not allowance.fits_on(Room(self.free, copies=self.copies), asked, live.index(number), 0, piece):
                return False
            self.reserved[number] = wanted
        self.free -= wanted - self.present[number]
        self.present[number] = wanted
        if wanted == self.sizes[number]:
            assert self.free >= self.sizes[number], "written anew as a whole, if it came in pieces"
            self.free -= self.copies * self.sizes[number]
            self.sealed.append(number)
        assert self.free >= 0
        return True


@pytest.mark.parametrize("copies", [0, 1])
def test_ten_uploads_at_once_on_a_disk_for_four_never_all_fail(copies: int) -> None:
    disk = Disk([100] * 10, 400 * (1 + copies), copies)
    while sum(disk.send(number, 1) for number in range(10)):
        pass
    assert len(disk.sealed) >= 2
    assert disk.sealed[0] == 0, "the oldest first"


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.integers(0, 300),
    st.integers(0, 1),
    st.lists(st.integers(0, 7), max_size=60),
)
def test_uploads_never_write_more_than_there_is_and_some_finish_where_there_is_room(
    sizes: list[int], free: int, copies: int, order: list[int]
) -> None:
    disk = Disk(sizes, free, copies)
    for number in order:
        disk.send(number % len(sizes), 1)
    while sum(disk.send(number, 1) for number in range(len(sizes))):
        pass
    ahead = sum(size // 8 + 2 for size in sizes)  # what each may have sent before its claim is a whole one
    if free >= (2 + copies) * max(sizes) + (1 + copies) * ahead:
        assert disk.sealed


def test_a_declared_size_alone_claims_nothing_and_one_that_cannot_fit_stands_in_nobodys_way() -> None:
    idle, small = (10_000, 0, 0), (50, 50, 0)
    assert allowance.fits_on(Room(120), [idle, small], 1, 0, 10)
    giant = (10_000, 60, 60)
    assert allowance.fits_on(Room(120), [giant, small], 1, 0, 10)
    assert not allowance.fits_on(Room(120), [(400, 60, 5), small], 1, 0, 10), (
        "an older one may write what it was granted"
    )
    assert not allowance.fits_on(Room(90), [small], 0, 0, 10), "and once more as a whole"


def test_a_second_place_on_its_own_disk_must_have_room_for_the_whole() -> None:
    second = Room(99, holds_spool=False, copies=1)
    assert not allowance.fits_on(second, [(100, 100, 90)], 0, 0, 10)
    assert allowance.fits_on(second, [(90, 90, 80)], 0, 0, 10)
    assert not allowance.fits_on(second, [(90, 90, 80)], 0, 10, 10), "the docks' reserve is kept there too"
