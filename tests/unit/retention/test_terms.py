"""Terms: what a recording falls under, the longest of it, and whose clock it runs by."""

from datetime import timedelta

import pytest
from retention_world import World

from bodycam.cases import links
from bodycam.cases.models import MinuteChoice, RecordingMinute
from bodycam.cases.service import CaseFacts, close_case, open_case
from bodycam.clock import local
from bodycam.errors import ConflictError, InvalidInputError
from bodycam.recordings.models import Origin, Recording
from bodycam.retention import changes, holds
from bodycam.retention.errors import HoldError, ScheduleError, SecondPersonError
from bodycam.retention.models import ScheduleState
from bodycam.retention.queries import is_held
from bodycam.retention.schedule import check, shipped
from bodycam.retention.targets import Target
from bodycam.retention.terms import Keeping, keeping_of


def kept(world: World, recording_id: str) -> Keeping:
    with world.rt.db.read() as session:
        row = session.get_one(Recording, recording_id)
        return keeping_of(session, [row], changes.effective(session, 30))[recording_id]


def days(world: World, recording_id: str) -> int:
    keeping = kept(world, recording_id)
    assert keeping.due_at is not None
    return (local(keeping.due_at).date() - local(world.now).date()).days - 1  # the end of the last day


def case_with(world: World, recording_id: str) -> str:
    with world.rt.db.write() as session:
        facts = CaseFacts(
            starts_at=world.now, ends_at=world.now, number="9/BB-VPHC", identifiers={"plate": ["29A-123.45"]}
        )
        case = open_case(session, kind="traffic_stop", unit_id=world.units["a"], facts=facts)
        links.attach(session, case_id=case.id, recording_id=recording_id, account_id=world.accounts["commander"])
    world.drain()
    return case.id


def test_the_longest_rule_wins(world: World) -> None:
    plain, flagged, citizen = world.seal(), world.seal(event_flag=True), world.seal(origin=Origin.CITIZEN)
    assert (days(world, plain), days(world, flagged), days(world, citizen)) == (90, 365, 365)
    with world.rt.db.write() as session:
        session.add(
            RecordingMinute(
                recording_id=plain, choice=MinuteChoice.NUMBER, number="1/BB", compact="1BB",
                officer_id=world.officer_id, chosen_at=world.now,
            )
        )  # fmt: skip
    keeping = kept(world, plain)
    assert [term.rule.key for term in keeping.terms] == ["official", "minute"]
    assert keeping.longest.rule.key == "minute"


def test_a_recording_of_a_case_has_no_end_until_the_case_is_closed_and_then_counts_from_the_end_of_that_year(
    world: World,
) -> None:
    recording_id = world.seal()
    case_id = case_with(world, recording_id)
    assert kept(world, recording_id).due_at is None
    with world.rt.db.write() as session:
        close_case(session, case_id, actor=world.accounts["commander"])
    world.drain()
    keeping = kept(world, recording_id)
    assert keeping.due_at is not None
    assert (local(keeping.due_at).date().isoformat(), keeping.longest.rule.key) == ("2032-01-01", "traffic_stop")


def test_a_sidecar_keeps_its_recording_when_it_belongs_to_a_case(world: World) -> None:
    recording_id = world.seal()
    sidecar = world.seal(parent_id=recording_id, kind="sidecar")
    case_with(world, sidecar)
    assert kept(world, recording_id).due_at is None


@pytest.mark.parametrize("year", [1980, 2050])
def test_a_cameras_clock_at_1980_or_2050_changes_no_term(world: World, year: int) -> None:
    told = world.now.replace(year=year)
    recording_id = world.seal(time_raw=f"{year}-01-01 00:00:00", started_at=told, ended_at=told, shown_at=told)
    assert days(world, recording_id) == 90


def test_a_row_that_says_it_was_sealed_long_ago_changes_no_term(world: World) -> None:
    recording_id = world.seal(sealed_at=world.now - timedelta(days=4000))
    assert days(world, recording_id) == 90


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"amount": 0}, "rule.official.amount"),
        ({"unit": "months"}, "rule.official.unit"),
        ({"sure": "maybe"}, "rule.official.sure"),
        ({"extra": 1}, "rule.official.extra"),
        ({"source": ""}, "rule.official.source"),
        ({"case_kind": "traffic_stop"}, "rule.official.case_kind"),
        ({"category": "case"}, "rule.official.case_kind"),
        ({"key": "flagged"}, "flagged"),
        ({"category": "flagged"}, "rule"),
        ({"amount": 71, "unit": "years"}, "rule.official.amount"),
    ],
)
def test_a_bad_schedule_is_refused_with_file_key_and_reason(change: dict[str, object], key: str) -> None:
    tree = shipped().model_dump(mode="json")
    tree["rule"][0] |= change
    with pytest.raises(ScheduleError) as refused:
        check(tree, "retention.toml")
    assert (refused.value.values["file"], refused.value.values["key"]) == ("retention.toml", key)
    assert refused.value.values["reason"]


def test_a_schedule_without_a_rule_for_a_kind_of_case_is_refused_and_so_is_a_broken_file(tmp_path) -> None:
    tree = shipped().model_dump(mode="json")
    tree["rule"] = [rule for rule in tree["rule"] if rule["key"] != "tax_check"]
    with pytest.raises(ScheduleError, match="tax_check"):
        check(tree, "x.toml")
    (tmp_path / "retention.toml").write_bytes(b"[[rule]\n\xff")
    for path in (tmp_path / "retention.toml", tmp_path / "missing.toml"):
        with pytest.raises(ScheduleError):
            shipped(path)


def test_a_change_waits_for_a_second_person_and_each_step_is_an_event(world: World) -> None:
    tree = shipped().model_dump(mode="json")
    tree["rule"][0]["amount"] = 200
    wanted = check(tree, "x")
    with world.rt.db.write() as session:
        row = changes.propose(session, wanted, actor=world.accounts["admin"], reason="giữ lâu hơn")
    with world.rt.db.read() as session:
        assert changes.in_force(session).rule[0].amount == 90
    with pytest.raises(ConflictError), world.rt.db.write() as session:
        changes.propose(session, wanted, actor=world.accounts["auditor"], reason="nữa")
    with pytest.raises(SecondPersonError), world.rt.db.write() as session:
        changes.agree(session, row.id, actor=world.accounts["admin"])
    with world.rt.db.write() as session:
        assert changes.agree(session, row.id, actor=world.accounts["auditor"]).state == ScheduleState.IN_FORCE
    with world.rt.db.read() as session:
        assert changes.in_force(session).rule[0].amount == 200
    with pytest.raises(InvalidInputError), world.rt.db.write() as session:
        changes.propose(session, wanted, actor=world.accounts["admin"], reason="như cũ")
    assert world.kinds("retention") == ["retention.changed", "retention.proposed", "retention.changed"]


def test_a_hold_is_released_by_another_person_and_only_with_a_reason(world: World) -> None:
    recording_id = world.seal()
    with world.rt.db.write() as session:
        row = holds.place(
            session, Target(recording_id=recording_id), actor=world.accounts["head"], reason_code="court", reason="CV 1"
        )
    with pytest.raises(SecondPersonError), world.rt.db.write() as session:
        holds.release(session, row.id, actor=world.accounts["head"], reason="xong")
    with pytest.raises(HoldError), world.rt.db.write() as session:
        holds.release(session, row.id, actor=world.accounts["monitor"], reason=" ")
    with world.rt.db.write() as session:
        assert is_held(session, recording_id)
        holds.release(session, row.id, actor=world.accounts["monitor"], reason="tòa đã trả")
        assert not is_held(session, recording_id)
    assert world.kinds(row.id) == ["hold.placed", "hold.released"]


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        (Target(recording_id="r"), "complaint", "x"),
        (Target(recording_id="r"), "court", ""),
        (Target(place="QL1A"), "court", "x"),
        (Target(lat=1.0, lon=2.0), "court", "x"),
    ],
)
def test_a_hold_without_reason_words_or_span_is_refused(world: World, target: Target, code: str, words: str) -> None:
    with pytest.raises(HoldError), world.rt.db.write() as session:
        holds.place(session, target, actor=world.accounts["head"], reason_code=code, reason=words)


def test_a_hold_on_a_person_and_on_a_case_cover_what_is_theirs(world: World) -> None:
    recording_id, other = world.seal(), world.seal(officer_id=None)
    case_id = case_with(world, other)
    with world.rt.db.write() as session:
        holds.place(
            session, Target(officer_id=world.officer_id), actor=world.accounts["head"], reason_code="court", reason="1"
        )
        assert (is_held(session, recording_id), is_held(session, other)) == (True, False)
        holds.place(session, Target(case_id=case_id), actor=world.accounts["head"], reason_code="court", reason="2")
        assert is_held(session, other)


def test_a_hold_on_a_time_covers_the_whole_shift_that_a_docking_brought(world: World) -> None:
    first = world.seal(visit_id=world.visit(), lat=10.7, lon=106.7)
    world.now += timedelta(hours=12)
    second_visit = world.visit()
    near = world.seal(visit_id=second_visit, lat=20.987, lon=105.864)
    far = world.seal(visit_id=second_visit, lat=10.7, lon=106.7)
    world.now += timedelta(hours=12)
    later = world.seal(visit_id=world.visit(), lat=20.987, lon=105.864)
    at = world.now - timedelta(hours=16)
    target = Target(starts_at=at, ends_at=at + timedelta(minutes=5), lat=20.987, lon=105.864, radius_m=300.0)
    with world.rt.db.write() as session:
        holds.place(session, target, actor=world.accounts["head"], reason_code="incident", reason="tai nạn")
        assert [is_held(session, one) for one in (first, near, far, later)] == [False, True, True, False]
