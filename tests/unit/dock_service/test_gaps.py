"""Missing numbers and silent times are told as they are: inside, overwritten, moved, wrapped, restarted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dock_service.profiles.gaps import GapKind, gaps, silences
from dock_service.profiles.said import FileName

NOON = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def file(number, *, minute=None, folder="V", chapter=None, digits=4, event=False):
    return FileName(
        path=f"{folder}/{number:0{digits}d}{'' if chapter is None else f'-{chapter}'}.mp4",
        sequence=number,
        sequence_digits=digits,
        chapter=chapter,
        is_event=event,
        series=f"{folder}#{digits}",
        start=None if minute is None else NOON + timedelta(minutes=minute),
    )


def told(found):
    return [(gap.kind.value, gap.first, gap.last, gap.count) for gap in found]


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(1, 400), min_size=1, max_size=60), st.booleans(), st.randoms())
def test_every_number_missing_between_files_is_in_exactly_one_gap(numbers, timed, random):
    names = [file(number, minute=number * 5 if timed else None) for number in numbers]
    random.shuffle(names)
    missing = [number for gap in gaps(names) for number in range(gap.first, gap.last + 1)]
    assert missing == sorted(set(range(min(numbers), max(numbers))) - numbers)
    assert sum(gap.count for gap in gaps(names)) == len(missing)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(FileName, path=st.text(max_size=3), sequence=st.none() | st.integers(0, 10**9 - 1),
    sequence_digits=st.integers(0, 9), chapter=st.none() | st.integers(0, 10**9 - 1), is_event=st.booleans(),
    start=st.none() | st.datetimes(timezones=st.just(UTC)), series=st.sampled_from(["a", "b"])), max_size=12), st.booleans())  # fmt: skip
def test_whatever_names_say_gaps_are_counted_quickly_and_can_be_told(names, overwrites):
    for gap in [*gaps(names, names[:3], overwrites=overwrites), *silences(names, 300)]:
        assert gap.vi
        assert gap.en
        assert gap.as_json()["kind"] == gap.kind


def test_what_was_sealed_before_and_is_gone_is_no_gap():
    assert gaps([file(104), file(105)], [file(101), file(102), file(103)]) == []
    assert told(gaps([file(104)], [file(101)])) == [("missing", 102, 103, 2)]


def test_a_loop_took_what_lies_before_everything_still_on_the_card_and_nothing_else():
    known = [file(98), file(100)]
    here = [file(99, folder="V", event=True), file(151), file(153)]
    assert told(gaps(here, known, overwrites=True)) == [("overwritten", 101, 150, 50), ("missing", 152, 152, 1)]
    assert told(gaps(here, known)) == [("missing", 101, 150, 50), ("missing", 152, 152, 1)]


def test_a_file_marked_by_hand_is_found_in_its_own_folder():
    assert gaps([file(1), file(3), file(2, folder="IMP", event=True)]) == []
    assert told(gaps([file(1), file(3), file(2, folder="other")])) == [("missing", 2, 2, 1)]


def test_numbers_begin_anew_after_the_last_one():
    assert gaps([file(n) for n in (9998, 9999, 1, 2)]) == []
    assert told(gaps([file(n) for n in (9998, 9999, 2, 4)])) == [("missing", 1, 1, 1), ("missing", 3, 3, 1)]
    assert told(gaps([file(9998, minute=0), file(2, minute=5)])) == [("missing", 9999, 1, 2)]
    assert gaps([file(n) for n in (9999, 0, 1)]) == []


def test_a_counter_set_back_is_no_gap_when_times_tell():
    assert gaps([file(500, minute=0), file(501, minute=5), file(1, minute=90), file(2, minute=95)]) == []


def test_folders_and_cameras_are_runs_of_their_own():
    assert gaps([file(1, folder="100MEDIA"), file(7, folder="101MEDIA")]) == []
    assert gaps([replace(file(1), camera="A"), replace(file(7), camera="B")]) == []


def test_chapters_missing_in_a_recording_are_named():
    names = [file(123, chapter=chapter) for chapter in (1, 2, 5)] + [file(124, chapter=2)]
    assert told(gaps(names)) == [("chapters", 3, 4, 2), ("chapters", 1, 1, 1)]
    assert gaps([file(7), file(7, chapter=1), file(7, chapter=2)]) == []


def test_a_gap_is_told_with_its_numbers_and_the_times_around_in_vietnams_zone():
    [gap] = gaps([file(7, minute=140), file(9, minute=177)])
    assert gap.vi == "Giữa V/0007.mp4 và V/0009.mp4 (14:20 21/11 – 14:57 21/11) thiếu 1 số: 0008."
    assert gap.en == "Missing between V/0007.mp4 and V/0009.mp4 (14:20 21/11 – 14:57 21/11): 0008 (1 in all)."
    assert (gap.since, gap.until, gap.minutes) == (NOON + timedelta(minutes=140), NOON + timedelta(minutes=177), 37)


def test_a_silence_begins_where_a_full_file_would_have_ended():
    files = [file(1, minute=0), file(2, minute=5), file(3, minute=47), file(4, minute=47 + 5 * 60)]
    [silence] = silences(files, 300)
    assert (silence.kind, silence.after.sequence, silence.before.sequence) == (GapKind.SILENCE, 2, 3)
    assert silence.en == "37 minutes without a file, from 12:10 21/11 to 12:47 21/11."
    assert silences(files[:2], 300) == []
