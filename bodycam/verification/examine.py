"""Read a sealed recording, check it, and write what was found into the catalogue.

The original is only read, in the sandbox, from byte ranges of the sealed object. Examining again replaces what an earlier
examination found: a sidecar that came later, a repaired clock, a newer check. Nothing here can fail a recording: what can't be
read says so, and the bytes stay safe.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.db import fold
from bodycam.fixity.queries import last_check
from bodycam.fleet.models import Camera, DockingVisit
from bodycam.fleet.service import issued_to
from bodycam.geo.places import nearest_place
from bodycam.jobs import service as jobs
from bodycam.media.errors import MediaError
from bodycam.media.info import MediaInfo, MediaKind, info_to_json
from bodycam.media.sandbox import Sandbox
from bodycam.media.source import as_file
from bodycam.people.models import Officer, Unit
from bodycam.recordings.models import Kind, Recording, State
from bodycam.recordings.models import Track as TrackRow
from bodycam.recordings.names import is_beside, kind_of, name_facts, stem_of
from bodycam.recordings.timing import beginning, with_named_start
from bodycam.runtime import Runtime
from bodycam.telemetry.reading import Reading, read_recording
from bodycam.telemetry.track import Track
from bodycam.vault.errors import DamagedObjectError, ObjectMissingError
from bodycam.verification.facts import DockClock, RecordingFacts, SealedBytes
from bodycam.verification.service import check, store

MOST_SIDECARS = 8
_FILMS = {Kind.VIDEO, Kind.AUDIO}
TRUSTED_REFERENCES = {"ntp", "chrony", "timesyncd"}  # what may discipline a dock's clock
logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Task:
    """What is examined, read once at the start."""

    recording: Recording
    sidecars: Sequence[Recording]
    visit: DockingVisit | None


def examine(rt: Runtime, recording_id: str, *, reread: bool = False) -> None:
    """Examine one recording; a sidecar is tied to its recording, which is then examined again with it.

    The sealed bytes were re-read from the disk when they were sealed; they are read again now with `reread` (somebody asked),
    when the last scrub found damage, and when they can't be opened: damage that is known never looks whole again.
    """
    with rt.db.write() as session:
        recording = session.get_one(Recording, recording_id)
        if recording.kind == Kind.SIDECAR and _tie_to_parent(session, recording):
            return
        task = _Task(recording, _sidecars(session, recording), _visit(session, recording))
        scrubbed = last_check(session, recording.object_id)
    suspect = reread or (scrubbed is not None and scrubbed.problems != "")
    try:
        reading = _read(rt, task)
    except (MediaError, DamagedObjectError, ObjectMissingError) as error:
        logger.warning("recording.unreadable", recording=recording_id, reason=error.code)
        reading, suspect = None, suspect or not isinstance(error, MediaError)
    problems = rt.vault.verify(task.recording.object_id).problems if suspect else ()
    with rt.db.write() as session:
        _write(session, rt, recording_id, task, reading, problems)


def _read(rt: Runtime, task: _Task) -> Reading:
    sound = [row for row in task.sidecars if rt.vault.holds(row.object_id)]  # a damaged one has its own finding
    with ExitStack() as stack:
        source = as_file(stack.enter_context(rt.vault.open(task.recording.object_id)))
        beside = tuple((row.name, as_file(stack.enter_context(rt.vault.open(row.object_id)))) for row in sound)
        sandbox = stack.enter_context(Sandbox())
        return read_recording(sandbox, source, name=task.recording.name, sidecars=beside)


def _tie_to_parent(session: Session, sidecar: Recording) -> bool:
    """Set a sidecar's recording and ask for that one to be read again; False while none with its stem waits for one.

    Cameras use names again: what has a sidecar of this name is an older recording, and another's positions are not its own.
    """
    found = _same_stem(session, sidecar)
    found.sort(key=lambda row: (row.visit_id != sidecar.visit_id, row.kind == Kind.IMAGE))  # a film before its picture
    taken = {row.parent_id for row in found if row.name == sidecar.name and row.id != sidecar.id}
    for candidate in found:
        is_one = candidate.kind in {*_FILMS, Kind.IMAGE} and is_beside(sidecar.name, candidate.name)
        if is_one and candidate.id not in taken and sidecar.parent_id in {None, candidate.id}:
            sidecar.parent_id, sidecar.state = candidate.id, State.READ
            key = f"recording.read:{candidate.id}:{sidecar.id}"
            jobs.enqueue(session, "recording.read", {"recording_id": candidate.id}, key=key)
            return True
    return False


def _sidecars(session: Session, recording: Recording) -> list[Recording]:
    """Tie what lies beside the recording and belongs to nobody yet, one of each name; a film takes it from its picture."""
    found = [row for row in _same_stem(session, recording) if row.id != recording.id]
    beside = [row for row in found if row.kind == Kind.SIDECAR and is_beside(row.name, recording.name)]
    mine = {row.name: row for row in beside if row.parent_id == recording.id}
    stem = stem_of(recording.name)
    same = [row for row in found if stem_of(row.name) == stem]
    if recording.kind == Kind.IMAGE and any(row.kind in _FILMS for row in same):
        return list(mine.values())[:MOST_SIDECARS]
    pictures = {row.id for row in same if row.kind == Kind.IMAGE} if recording.kind in _FILMS else set()
    for row in beside:
        if row.name not in mine and (row.parent_id is None or row.parent_id in pictures):
            if row.parent_id is not None:
                key = f"recording.read:{row.parent_id}:without:{row.id}"
                jobs.enqueue(session, "recording.read", {"recording_id": row.parent_id}, key=key)
            row.parent_id, mine[row.name] = recording.id, row
    return list(mine.values())[:MOST_SIDECARS]


def _same_stem(session: Session, recording: Recording) -> list[Recording]:
    if recording.camera_id is None:
        return []
    base = recording.name.rpartition(".")[0] or recording.name
    alike = or_(Recording.name.istartswith(f"{base}.", autoescape=True), func.lower(Recording.name) == func.lower(base))
    query = select(Recording).where(Recording.camera_id == recording.camera_id, alike)
    found = session.scalars(query.order_by(Recording.id.desc()).limit(50))
    return sorted(
        found, key=lambda row: row.visit_id != recording.visit_id
    )  # those of its own visit first, then the newest


def _visit(session: Session, recording: Recording) -> DockingVisit | None:
    return session.get(DockingVisit, recording.visit_id) if recording.visit_id else None


def _write(
    session: Session, rt: Runtime, recording_id: str, task: _Task, reading: Reading | None, problems: Sequence[str]
) -> None:
    recording = session.get_one(Recording, recording_id, with_for_update=True)  # two examinations at once write in turn
    named = name_facts(recording.said)
    if reading is not None:
        _describe(recording, reading)
        _keep_track(session, recording.id, reading.track)
    info = with_named_start(reading.info if reading else _unread(recording), named)
    track = reading.track if reading else None
    _date(recording, info, track)
    readable = reading is not None and bool(
        reading.info.streams or reading.info.kind == MediaKind.IMAGE or reading.track
    )
    is_encrypted = named is not None and named.is_encrypted and not readable
    if is_encrypted:
        recording.kind = kind_of(recording.name) or recording.kind
    recording.state = State.READ if readable else State.ENCRYPTED if is_encrypted else State.UNREADABLE
    _ascribe(session, recording)
    facts = _facts(recording, task.visit, reading, problems)
    findings = check(replace(facts, info=info, is_encrypted=is_encrypted), rt.settings.verification)
    store(session, recording, findings)
    told: dict[str, JSON] = {"state": recording.state, "officer": recording.officer_id}
    custody.record(session, "recording.read", object_id=recording.id, actor="system", details=told)
    results = {finding.code: finding.result.value for finding in findings}
    custody.record(
        session,
        "recording.checked",
        object_id=recording.id,
        actor="system",
        details={"verdict": recording.verdict, "results": results},
    )
    stamp = clock.now().isoformat()
    for name in ("recording.match", "recording.render"):
        jobs.enqueue(session, name, {"recording_id": recording.id}, key=f"{name}:{recording.id}:{stamp}")


def _facts(
    recording: Recording, visit: DockingVisit | None, reading: Reading | None, problems: Sequence[str]
) -> RecordingFacts:
    measured = None
    if visit is not None and visit.offset_s is not None:
        measured = DockClock(visit.offset_s, is_reference_valid=visit.reference in TRUSTED_REFERENCES)
    return RecordingFacts(
        name=recording.name,
        info=reading.info if reading else _unread(recording),
        at=clock.now(),
        track=reading.track if reading else None,
        location=reading.location if reading else None,
        continuity=reading.continuity if reading else None,
        clock=measured,
        sealed=SealedBytes(recording.sha256, tuple(problems)),
    )


def _unread(recording: Recording) -> MediaInfo:
    return MediaInfo(recording.size, MediaKind(recording.kind), recording.mime or "application/octet-stream")


def _date(recording: Recording, info: MediaInfo, track: Track | None) -> None:
    began = beginning(info, track, clock_offset_s=recording.clock_offset_s, sealed_at=recording.sealed_at)
    recording.device_started_at, recording.started_at = began.device, began.started
    recording.time_raw, recording.time_source = began.raw or recording.time_raw, began.source
    recording.shown_at = began.started or recording.sealed_at
    recording.ended_at = None
    if began.started and info.duration_s is not None:
        recording.ended_at = began.started + timedelta(seconds=info.duration_s)


def _describe(recording: Recording, reading: Reading) -> None:
    info = reading.info
    video = info.first("video")
    recording.kind = Kind(info.kind.value)
    recording.media = json.dumps(info_to_json(info))
    recording.mime, recording.container, recording.duration_s = info.mime, info.container, info.duration_s
    recording.codec = video.codec if video else None
    recording.width, recording.height = (video.width, video.height) if video else (None, None)
    recording.device_make = info.device.make if info.device else None
    recording.device_model = info.device.model if info.device else None
    first_fix = next(iter(reading.track.fixed), None) if reading.track else None
    where = first_fix or reading.location
    if where is not None:
        recording.lat, recording.lon = where.lat, where.lon
        place = nearest_place(where.lat, where.lon)
        recording.place = place.label if place else None


def _keep_track(session: Session, recording_id: str, track: Track | None) -> None:
    old = session.get(TrackRow, recording_id)
    if old is not None:
        session.delete(old)
        session.flush()
    if track is None or track.bbox is None:
        return
    west, south, east, north = track.bbox
    session.add(
        TrackRow(
            recording_id=recording_id,
            reader=track.reader,
            points=json.dumps(track.rows(), separators=(",", ":")),
            count=len(track.points),
            distance_m=track.distance_m,
            south=south,
            west=west,
            north=north,
            east=east,
        )
    )


def _ascribe(session: Session, recording: Recording) -> None:
    """Tie the recording to whoever held the camera when it began, and gather the words it's found by.

    Without a beginning it stays with whoever held the camera when the file was written, as found at sealing: the moment of
    docking is the next shift's. The unit is the officer's at that time, and doesn't move when he does.
    """
    officer = session.get(Officer, recording.officer_id) if recording.officer_id else None
    camera = session.get(Camera, recording.camera_id) if recording.camera_id else None
    if camera is not None and recording.started_at is not None:
        before, officer = officer, issued_to(session, camera.id, recording.started_at)
        recording.officer_id = officer.id if officer else None
        if officer is not None and officer is not before:
            recording.unit_id = officer.unit_id
    if officer is None and camera is not None:
        recording.unit_id = camera.unit_id
    recording.folded = words_of(session, recording, officer, camera)


def words_of(session: Session, recording: Recording, officer: Officer | None, camera: Camera | None) -> str:
    """Return the folded words a recording is found by: names, numbers, place, plates."""
    unit = session.get(Unit, recording.unit_id) if recording.unit_id else None
    parts = [recording.name, recording.place]
    parts += [officer.name, officer.number, officer.number.replace("-", ""), officer.team] if officer else []
    parts += [camera.label, camera.serial] if camera else []
    parts += [unit.name] if unit else []
    parts += [text for plate in recording.plates for text in (plate.raw, plate.compact)]
    return fold(" ".join(part for part in parts if part))
