"""Reading a sealed recording into the catalogue: whose it is, what lies beside it, and what is never green."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import films
import pytest

from bodycam import clock
from bodycam.db import new_id
from bodycam.fixity.models import VaultCopy
from bodycam.fleet import docking
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import issue_camera, register_camera
from bodycam.intake import service as intake
from bodycam.models import Base
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Kind, Origin, Recording, State, Track, Verdict
from bodycam.recordings.names import NameFacts, name_facts
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from bodycam.verification.examine import examine
from bodycam.verification.queries import findings_of

NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as runtime:
        Base.metadata.create_all(runtime.db.engine)
        yield runtime


@pytest.fixture
def camera(rt: Runtime) -> str:
    with rt.db.write() as session:
        return register_camera(session, serial="S-1", label="BWC-1").id


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    return films.make_film(tmp_path / "film.mp4", frames=5, sound=False, created=NOON).read_bytes()


def visit(rt: Runtime, camera: str) -> str:
    with rt.db.write() as session:
        found = docking.start_visit(session, camera_id=camera, serial="S-1").id
        docking.finish_visit(session, found, state=VisitState.DONE, files=0, size=0)
        return found


def bring(rt: Runtime, name: str, data: bytes, **facts: object) -> str:
    attempt = intake.begin(rt.db, new_id())
    with rt.spool.open(attempt.id) as writer:
        writer.write(data)
        spooled = writer.finish()
    told = intake.Facts(Origin.DOCK, name, "system", **facts)  # type: ignore[arg-type]
    return intake.finish(rt, attempt, spooled, told).recording_id


def row(rt: Runtime, recording_id: str) -> Recording:
    with rt.db.read() as session:
        return session.get_one(Recording, recording_id)


def sentence(lat: str) -> bytes:
    return films.nmea(f"GPRMC,050000.00,A,{lat},N,10551.25200,E,10.0,45.0,211126,,,A").encode()


@pytest.mark.parametrize("order", [(0, 1, 3, 2), (3, 2, 1, 0)])
def test_a_camera_that_uses_names_again_never_mixes_up_the_tracks(
    rt: Runtime, camera: str, film: bytes, order: tuple[int, ...]
) -> None:
    ids = []
    for number, lat in enumerate(("2101.71000", "1046.00000")):
        here = {"camera_id": camera, "visit_id": visit(rt, camera)}
        ids.append(bring(rt, "DCIM/0001.NMEA", sentence(lat), **here))
        ids.append(bring(rt, "DCIM/0001.MP4", film + bytes(number), **here))
    for place in order:
        examine(rt, ids[place])
    for place in (1, 3):
        examine(rt, ids[place])  # as the job that a tied sidecar asks for
    assert [row(rt, ids[place]).parent_id for place in (0, 2)] == [ids[1], ids[3]]
    with rt.db.read() as session:
        south = [round(session.get_one(Track, ids[place]).south, 2) for place in (1, 3)]
    assert south == [21.03, 10.77]


def test_a_later_sidecar_of_the_same_name_is_not_given_to_an_older_film(rt: Runtime, camera: str, film: bytes) -> None:
    first = {"camera_id": camera, "visit_id": visit(rt, camera)}
    old_film, old_track = bring(rt, "1.MP4", film, **first), bring(rt, "1.NMEA", sentence("2101.71000"), **first)
    for recording in (old_film, old_track):
        examine(rt, recording)
    second = {"camera_id": camera, "visit_id": visit(rt, camera)}
    new_track = bring(rt, "1.NMEA", sentence("1046.00000"), **second)  # small files are sealed before the film
    examine(rt, new_track)
    assert row(rt, new_track).parent_id is None
    new_film = bring(rt, "1.MP4", film + b"\0", **second)
    examine(rt, new_film)
    assert row(rt, new_track).parent_id == new_film
    assert row(rt, old_track).parent_id == old_film


def test_a_file_without_a_time_stays_with_who_held_the_camera_when_it_was_written(rt: Runtime, camera: str) -> None:
    with rt.db.write() as session:
        unit = create_unit(session, name="Đội 1", force=Force.OTHER)
        early, late = (
            create_officer(session, unit_id=unit.id, number=str(n), name=f"Trần Văn {n}", force=Force.OTHER)
            for n in (1, 2)
        )
        issue_camera(session, camera, early.id, starts_at=clock.now() - timedelta(hours=8))
        issue_camera(session, camera, late.id, starts_at=clock.now() - timedelta(minutes=1))
    told = {"camera_id": camera, "officer_id": early.id, "unit_id": unit.id}  # the dock knew by the file's own time
    recording = bring(rt, "a.mp4", b"cut off", **told)
    examine(rt, recording)
    assert row(rt, recording).officer_id == early.id, "not the next shift, who brought the camera to the dock"
    assert row(rt, recording).unit_id == unit.id


def test_an_officer_who_moves_leaves_his_recordings_in_the_unit_he_made_them_for(
    rt: Runtime, camera: str, film: bytes
) -> None:
    with rt.db.write() as session:
        unit, elsewhere = (create_unit(session, name=name, force=Force.OTHER) for name in ("Đội 1", "Đội 2"))
        officer = create_officer(session, unit_id=unit.id, number="1", name="Trần Văn Nam", force=Force.OTHER)
        issue_camera(session, camera, officer.id, starts_at=NOON - timedelta(hours=1))
    recording = bring(rt, "a.mp4", film, camera_id=camera, officer_id=officer.id, unit_id=unit.id)
    with rt.db.write() as session:
        session.merge(officer).unit_id = elsewhere.id
    examine(rt, recording)
    assert (row(rt, recording).officer_id, row(rt, recording).unit_id) == (officer.id, unit.id)


@pytest.mark.parametrize(
    ("extension", "order"), [("gpx", (0, 1, 2)), ("NMEA", (2, 1, 0)), ("gps", (1, 0, 2)), ("SRT", (0, 1, 2))]
)
def test_a_sidecar_is_its_films_whatever_the_case_and_never_its_pictures(
    rt: Runtime, camera: str, film: bytes, extension: str, order: tuple[int, ...]
) -> None:
    here = {"camera_id": camera, "visit_id": visit(rt, camera)}
    picture = bring(rt, "Video/A.jpg", b"\xff\xd8\xff", **here)
    sidecar = bring(rt, f"Video/a.{extension}", sentence("2101.71000"), **here)
    recording = bring(rt, "Video/A.MP4", film, **here)
    for place in order:
        examine(rt, (picture, sidecar, recording)[place])
    examine(rt, recording)
    assert row(rt, sidecar).parent_id == recording
    beside = bring(rt, f"Video/A.MP4.x{extension}", b"{}", is_sidecar=True, **here)
    assert row(rt, beside).kind == Kind.SIDECAR
    examine(rt, beside)
    assert row(rt, beside).parent_id == recording


def test_a_file_the_camera_encrypted_is_kept_marked_and_dated_by_its_name(rt: Runtime, camera: str) -> None:
    named = NameFacts("dsj", "0412", "030577", NOON, "20261121_120000", is_encrypted=True)
    recording = bring(rt, "Video/DSJ_0412_030577_20261121_120000_enc.mp4", bytes(range(256)) * 64, named=named,
                      camera_id=camera, clock_offset_s=60.0)  # fmt: skip
    examine(rt, recording)
    found = row(rt, recording)
    assert (found.state, found.kind) == (State.ENCRYPTED, Kind.VIDEO)
    assert (found.started_at, found.time_raw, found.time_source) == (
        NOON - timedelta(minutes=1),
        "20261121_120000",
        "dock",
    )
    assert name_facts(found.said) == named
    with rt.db.read() as session:
        [finding] = [f for f in findings_of(session, recording) if f.code.startswith("continuity")]
    assert (finding.code, finding.result) == ("continuity.encrypted", Verdict.NOTE)
    assert found.verdict != Verdict.LOOK_CLOSER


def test_a_film_that_can_be_read_is_read_whatever_its_name_says(rt: Runtime, camera: str, film: bytes) -> None:
    recording = bring(rt, "a_enc.mp4", film, named=NameFacts("dsj", is_encrypted=True), camera_id=camera)
    examine(rt, recording)
    assert row(rt, recording).state == State.READ


def test_a_names_time_is_read_in_its_profiles_zone_and_gives_way_to_the_files_own(
    rt: Runtime, camera: str, film: bytes
) -> None:
    named = NameFacts("x", start=NOON - timedelta(hours=2), start_raw="20261121_030000")
    bare = bring(rt, "20261121_030000.mp4", b"cut off", named=named, camera_id=camera)
    whole = bring(rt, "b/20261121_030000.mp4", film, named=named, camera_id=camera)
    for recording in (bare, whole):
        examine(rt, recording)
    assert row(rt, bare).started_at == NOON - timedelta(hours=2)
    assert row(rt, whole).started_at == NOON


def integrity(rt: Runtime, recording: str) -> Verdict:
    with rt.db.read() as session:
        return next(f.result for f in findings_of(session, recording) if f.code == "integrity.sealed")


@pytest.mark.parametrize("harm", ["end", "lost", "sector"])
def test_damage_that_is_known_never_looks_whole_again(rt: Runtime, film: bytes, harm: str) -> None:
    recording = bring(rt, "a.mp4", film + bytes(60_000))
    examine(rt, recording)
    assert integrity(rt, recording) is Verdict.MATCH
    object_id = row(rt, recording).object_id
    path = rt.vault.root / "objects" / object_id[:2] / object_id
    data = bytearray(path.read_bytes())
    data[-1 if harm == "end" else -20_000] ^= 1  # the latter in a part that reading doesn't touch: only a scrub sees it
    path.chmod(0o600)
    path.unlink() if harm == "lost" else path.write_bytes(data)
    if harm == "sector":
        with rt.db.write() as session:
            row_of = VaultCopy(object_id=object_id, place="main", state="damaged", verified_at=clock.now())
            row_of.problems = "object_damaged"
            session.merge(row_of)
    examine(rt, recording)  # for any other reason: a sidecar came, a job ran twice
    assert integrity(rt, recording) is Verdict.CONTRADICTION
    assert row(rt, recording).verdict == Verdict.CONTRADICTION
