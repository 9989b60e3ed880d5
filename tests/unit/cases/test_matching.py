import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bodycam.cases import links, matching
from bodycam.cases.errors import LinkError
from bodycam.cases.kinds import kind_of
from bodycam.cases.models import Case, CaseRecording
from bodycam.cases.service import close_case, edit_case
from bodycam.custody.models import CustodyEvent
from bodycam.recordings.models import Recording, RecordingPlate, Track
from tests.unit.cases.makers import QL1A, START, facts, recording

MIN = timedelta(minutes=1)
NEAR = (QL1A[0] + 0.00036, QL1A[1])  # 40 m north
FAR = (QL1A[0] + 0.11, QL1A[1])  # 12 km north


def proposals(session, case):
    return {
        link.recording_id: (link.state, link.score, [reason["vi"] for reason in json.loads(link.reasons)])
        for link in session.scalars(select(CaseRecording).where(CaseRecording.case_id == case.id))
    }


def test_officer_time_and_place_are_told_with_their_numbers(db, world, stop):
    with db.write() as session:
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic, lat=NEAR[0], lon=NEAR[1])
        found = proposals(session, stop(session))
    state, score, reasons = found[filmed.id]
    assert (state, matching.strength(score, "vi")) == ("proposed", "Rất khớp")
    assert reasons == ["cùng cán bộ", "trùng 11 phút", "cách 40 m"]


def test_time_alone_proposes_nothing(db, world, stop):
    with db.write() as session:
        recording(session, officer_id=world.other, unit_id=world.traffic)
        assert proposals(session, stop(session)) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"officer": True}, "Very strong"),
        ({"officer": True, "place": FAR}, "Strong"),
        ({"officer": True, "late": 20}, "Strong"),
        ({"place": NEAR}, "Strong"),
        ({"place": (QL1A[0] + 0.0018, QL1A[1])}, "Possible"),
        ({"place": NEAR, "late": 20}, "Possible"),
        ({"place": FAR}, None),
        ({"officer": True, "late": 60}, None),
        ({"officer": True, "late": -60}, None),
        ({"plate": True}, "Very strong"),
        ({"plate": True, "place": FAR, "late": 20}, None),
    ],
)
def test_strength_follows_the_evidence(db, world, stop, changes, words):
    lat, lon = changes.get("place", (None, None))
    with db.write() as session:
        filmed = recording(
            session,
            officer_id=world.officer if changes.get("officer") else None,
            unit_id=world.traffic,
            started_at=START + changes.get("late", 0) * MIN,
            lat=lat,
            lon=lon,
        )
        if changes.get("plate"):
            filmed.plates.append(RecordingPlate(raw="29A 12345", compact="29A12345"))
        found = proposals(session, stop(session))
    assert [matching.strength(score, "en") for _, score, _ in found.values()] == ([words] if words else [])


def test_the_nearest_point_of_a_track_counts(db, world, stop):
    with db.write() as session:
        filmed = recording(session, unit_id=world.traffic, lat=FAR[0], lon=FAR[1])
        points = [[None, 0, *FAR, None, None], [None, 1, *NEAR, None, None]]
        session.add(
            Track(
                recording_id=filmed.id,
                reader="nmea",
                points=json.dumps(points),
                count=2,
                distance_m=1.0,
                south=0.0,
                west=0.0,
                north=0.0,
                east=0.0,
            )
        )
        session.flush()
        assert proposals(session, stop(session))[filmed.id][2] == ["trùng 11 phút", "cách 40 m"]


@pytest.mark.parametrize("changes", [{"origin": "citizen"}, {"kind": "sidecar"}, {"started_at": None}])
def test_citizens_sidecars_and_undated_recordings_are_never_proposed(db, world, stop, changes):
    with db.write() as session:
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic)
        for key, value in changes.items():
            setattr(filmed, key, value)
        case = stop(session)
        assert matching.match_recording(session, filmed.id) == 0
        assert proposals(session, case) == {}


def test_another_forces_recording_is_not_shown_unless_its_officer_took_part(db, world, stop):
    with db.write() as session:
        recording(session, unit_id=world.tax, lat=NEAR[0], lon=NEAR[1])
        joint = recording(session, unit_id=world.tax, officer_id=world.officer)
        assert set(proposals(session, stop(session))) == {joint.id}


def test_a_new_recording_finds_its_cases_and_matching_again_changes_nothing(db, world, stop):
    with db.write() as session:
        case = stop(session)
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic)
        assert [matching.match_recording(session, filmed.id) for _ in range(2)] == [1, 1]
        before = proposals(session, case)
        assert matching.match_case(session, case.id) == 1
        assert proposals(session, case) == before
        events = select(func.count()).select_from(CustodyEvent).where(CustodyEvent.kind == "recording.proposed")
        assert session.scalar(events) == 1


def test_a_proposal_that_no_longer_fits_is_taken_back_but_a_decision_stays(db, world, stop):
    with db.write() as session:
        case = stop(session)
        kept, gone = (recording(session, officer_id=world.officer, unit_id=world.traffic) for _ in range(2))
        matching.match_case(session, case.id)
        links.attach(session, case_id=case.id, recording_id=kept.id, account_id=world.account)
        edit_case(session, case.id, facts=facts(officer_ids=[world.other]))
        assert {key: value[0] for key, value in proposals(session, case).items()} == {kept.id: "attached"}
        assert gone.id


def test_a_closed_case_gets_no_proposals(db, world, stop):
    with db.write() as session:
        case = stop(session)
        close_case(session, case.id, actor=world.account)
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic)
        assert matching.match_recording(session, filmed.id) == matching.match_case(session, case.id) == 0


def test_a_person_decides_with_a_reason_and_every_step_is_an_event(db, world, stop):
    with db.write() as session:
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic)
        case = stop(session)
        step = {"case_id": case.id, "recording_id": filmed.id, "account_id": world.account}
        with pytest.raises(LinkError, match="reason"):
            links.reject(session, **step, reason="  ")
        links.reject(session, **step, reason="Khác vụ")
        matching.match_case(session, case.id)
        assert links.link_of(session, case.id, filmed.id).state == "rejected"
        links.attach(session, **step)
        links.attach(session, **step)
        with pytest.raises(LinkError, match="changed"):
            links.reject(session, **step, reason="x")
        links.detach(session, **step, reason="Nhầm")
        kinds = select(CustodyEvent.kind).where(CustodyEvent.object_id == filmed.id).order_by(CustodyEvent.id)
        assert list(session.scalars(kinds)) == [
            "recording.proposed", "recording.rejected", "recording.attached", "recording.detached",
        ]  # fmt: skip
        assert "Nhầm" not in session.scalars(select(CustodyEvent.body).order_by(CustodyEvent.id.desc())).first()


def test_a_citizens_recording_is_not_attached_directly(db, world, stop):
    with db.write() as session:
        case, sent = stop(session), recording(session, origin="citizen")
        with pytest.raises(LinkError, match="intake"):
            links.attach(session, case_id=case.id, recording_id=sent.id, account_id=world.account)


def test_attached_recordings_come_first_then_the_best(db, world, stop):
    with db.write() as session:
        best, good = (recording(session, officer_id=world.officer, unit_id=world.traffic) for _ in range(2))
        good.started_at = START + 14 * MIN
        manual = recording(session)
        case = stop(session)
        links.attach(session, case_id=case.id, recording_id=manual.id, account_id=world.account)
        assert [row.id for _, row in links.recordings_of(session, case.id)] == [manual.id, best.id, good.id]


@given(
    start=st.integers(-300, 300),
    length=st.integers(0, 600),
    distance=st.none() | st.floats(0, 1e6),
    officer=st.booleans(),
)
def test_scores_stay_in_bounds_and_an_officer_never_weakens_one(start, length, distance, officer):
    case = Case(starts_at=START, ends_at=START + 11 * MIN, radius_m=None)
    view = matching.CaseView(
        case=case,
        rules=kind_of("traffic_stop"),
        force="traffic_police",
        officers=frozenset({"o"}),
        plates={},
        minutes={},
    )
    begins = START + start * MIN

    def found(officer_id):
        filmed = Recording(started_at=begins, ended_at=begins + length * MIN, officer_id=officer_id)
        match = matching.score(view, filmed, plates=(), distance_m=distance)
        return match.score if match else 0.0

    assert 0.0 <= found("o" if officer else None) <= 1.0
    assert found("o") >= found(None)
    if start > 26 or start + length < -15:
        assert found("o") == 0.0
