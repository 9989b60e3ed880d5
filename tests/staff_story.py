"""A small story for tests of the staff pages: people, a docked camera, and recordings sealed through the real door.

One recording has a film, a track with a jump, findings and previews; one has none of these; one is a citizen's and must never
show to staff.
"""

import io
import json
import math
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import av
import numpy as np
from PIL import Image
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.cases import service as cases
from bodycam.db import fold, new_id
from bodycam.fleet import docking
from bodycam.fleet import service as fleet
from bodycam.fleet.models import Camera
from bodycam.intake import service as intake
from bodycam.people import accounts, units
from bodycam.people.models import Account, Officer, Role, Unit
from bodycam.recordings.models import Origin, Recording, RecordingPlate, Rendition, State, Track, Verdict
from bodycam.runtime import Runtime
from bodycam.verification.models import VerificationFinding

PASSWORD = "mat-khau-thu-1"
STARTED = datetime(2026, 11, 9, 7, 20, 7, tzinfo=UTC)
SECONDS, RATE = 24, 10


@dataclass(frozen=True)
class Story:
    """Ids of what was made."""

    team_id: str
    officer_id: str
    camera_id: str
    station_id: str
    stop_id: str
    plain_id: str
    citizen_id: str
    case_id: str


@cache
def film() -> bytes:
    """Return a short H.264 film with a moving square, ready to be played by ranges."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as target, _writing(target.name) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for n in range(SECONDS * RATE):
            frame = av.VideoFrame.from_ndarray(_scene(n / (SECONDS * RATE)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        container.close()  # the index moves to the front only now
        return Path(target.name).read_bytes()


def _writing(path: str) -> "av.container.OutputContainer":
    return av.open(path, "w", format="mp4", options={"movflags": "faststart"})


def _scene(part: float, width: int = 640, height: int = 360) -> np.ndarray:
    down = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([150, 170, 190]) * (1 - down) + np.array([70, 80, 88]) * down
    image = np.broadcast_to(sky, (height, width, 3)).astype(np.uint8).copy()
    image[int(height * 0.62) :] = (64, 68, 72)
    left = int((width + 120) * part) - 60
    image[int(height * 0.55) : int(height * 0.78), max(left, 0) : max(left + 120, 0)] = (176, 48, 48)
    return image


@cache
def picture(frames: int = 1) -> bytes:
    """Return a JPEG of the scene: one frame, or a strip of several."""
    strip = np.concatenate([_scene((n + 0.5) / frames, 160, 90) for n in range(frames)], axis=1)
    target = io.BytesIO()
    Image.fromarray(strip).save(target, "JPEG", quality=80)
    return target.getvalue()


def tell(rt: Runtime) -> Story:
    """Put the whole story into an empty installation."""
    with rt.db.write() as session:
        team, officer = _people(session, rt)
        camera = fleet.register_camera(session, serial="SN0412", label="BWC-0412", unit_id=team.id)
        fleet.issue_camera(session, camera.id, officer.id, starts_at=STARTED - timedelta(days=30))
        station = docking.ensure_station(session, name="Trạm cắm 02", slots=8, unit_id=team.id)
        camera.last_docked_at, camera.last_offset_s, camera.battery_percent = clock.now(), 1.8, 41
        missing = fleet.register_camera(session, serial="SN0477", label="BWC-0477", unit_id=team.id)
        fleet.issue_camera(session, missing.id, officer.id, starts_at=STARTED)
    stop = seal(rt, "DCIM/100MEDIA/REC_0007.MP4", film(), camera, officer)
    plain = seal(rt, "DCIM/100MEDIA/REC_0008.MP4", film() + b"\0", camera, officer)
    citizen = seal(rt, "VID_20261109.mp4", film() + b"\0\0", None, None, origin=Origin.CITIZEN)
    with rt.db.write() as session:
        _describe(session, stop)
        session.add(RecordingPlate(recording_id=stop, compact="29A12345", raw="29A-123.45", vehicle="car"))
        session.add(_track(stop))
        session.add_all(_findings(stop))
        other = session.get_one(Recording, plain)
        other.codec, other.container, other.mime, other.duration_s = "h264", "mp4", "video/mp4", float(SECONDS)
    add_rendition(rt, stop, "thumbnail", picture(), "image/jpeg")
    add_rendition(rt, stop, "filmstrip", picture(12), "image/jpeg")
    with rt.db.write() as session:
        facts = cases.CaseFacts(
            starts_at=STARTED + timedelta(seconds=2),
            ends_at=STARTED + timedelta(minutes=11),
            title="Dừng xe 29A-123.45, Quốc lộ 1A",
            number="0231/BB-VPHC",
            place="Quốc lộ 1A, Hà Nội",
            lat=20.9872,
            lon=105.8645,
            identifiers={"plate": ["29A-123.45"]},
            officer_ids=[officer.id],
        )
        case = cases.open_case(session, kind="traffic_stop", unit_id=team.id, facts=facts)
    return Story(team.id, officer.id, camera.id, station.id, stop, plain, citizen, case.id)


def seal(
    rt: Runtime, name: str, data: bytes, camera: Camera | None, officer: Officer | None, origin: Origin = Origin.DOCK
) -> str:
    """Bring bytes in through intake and return the recording's id."""
    facts = intake.Facts(
        origin=origin,
        name=name,
        actor="system",
        camera_id=camera.id if camera else None,
        officer_id=officer.id if officer else None,
        unit_id=officer.unit_id if officer else None,
        clock_offset_s=1.8,
    )
    attempt = intake.begin(rt.db, f"test:{name}")
    with rt.spool.open(attempt.id) as writer:
        writer.write(data)
        spooled = writer.finish()
    return intake.finish(rt, attempt, spooled, facts).recording_id


def add_rendition(rt: Runtime, recording_id: str, kind: str, data: bytes, mime: str) -> None:
    """Seal a preview and name it in the catalogue."""
    attempt_id = new_id()
    with rt.spool.open(attempt_id) as writer:
        writer.write(data)
        sealed = rt.vault.seal(writer.finish(), {"size": len(data)})
    rt.spool.discard(attempt_id)
    with rt.db.write() as session:
        session.add(
            Rendition(
                id=new_id(),
                recording_id=recording_id,
                kind=kind,
                object_id=sealed.object_id,
                sha256=sealed.sha256,
                size=sealed.size,
                mime=mime,
                created_at=clock.now(),
            )
        )


def _people(session: Session, rt: Runtime) -> tuple[Unit, Officer]:
    top = units.create_unit(session, name="Phòng CSGT Hà Nội", force="traffic_police")
    team = units.create_unit(session, name="Đội CSGT đường bộ số 3", force="traffic_police", parent_id=top.id)
    officer = units.create_officer(
        session, unit_id=team.id, number="184-221", name="Trần Văn Nam", force="traffic_police", team="Tổ công tác 2"
    )
    names = {Role.COMMANDER: "Nguyễn Thị Hà", Role.OFFICER: "Trần Văn Nam", Role.AUDITOR: "Lê Minh Đức"}
    for role in Role:
        account: Account = accounts.create_account(
            session,
            username=role.value,
            display_name=names.get(role, f"Người {role.value}"),
            password=PASSWORD,
            settings=rt.settings.sign_in,
            officer_id=officer.id if role is Role.OFFICER else None,
        )
        accounts.grant(session, account.id, role.value, team.id)
    return team, officer


def _describe(session: Session, recording_id: str) -> None:
    row = session.get_one(Recording, recording_id)
    row.state, row.verdict = State.READ, Verdict.NOTE
    row.mime, row.container, row.codec, row.width, row.height = "video/mp4", "mp4", "h264", 640, 360
    row.started_at = row.shown_at = STARTED
    row.ended_at, row.duration_s = STARTED + timedelta(seconds=SECONDS), float(SECONDS)
    row.device_started_at, row.time_raw = STARTED + timedelta(seconds=1.8), "2026-11-09 14:20:08"
    row.lat, row.lon, row.place = 20.98713, 105.86442, "Phường Định Công, Hà Nội"
    row.media = json.dumps({"streams": [{"kind": "video", "fps": float(RATE)}]})
    row.device_make, row.device_model = "Ví dụ", "BWC-2"
    row.folded = fold(f"{row.name} {row.place} Trần Văn Nam 184-221 BWC-0412 29A-123.45 Quốc lộ 1A")


def _track(recording_id: str) -> Track:
    points = []
    for n in range(SECONDS + 1):
        lat, lon = 20.98713 + n * 0.00009, 105.86442 + n * 0.00016 + math.sin(n / 4) * 0.0002
        if 14 <= n <= 16:
            lat, lon = lat + 0.0055, lon + 0.002
        points.append([(STARTED + timedelta(seconds=n)).isoformat(), float(n), lat, lon, 12.0, 9.5])
    lats, lons = [p[2] for p in points], [p[3] for p in points]
    return Track(
        recording_id=recording_id,
        reader="nmea",
        points=json.dumps(points),
        count=len(points),
        distance_m=520.0,
        south=min(lats),
        west=min(lons),
        north=max(lats),
        east=max(lons),
    )


def _findings(recording_id: str) -> list[VerificationFinding]:
    told = [
        ("integrity", "match", "mã băm khớp · đã lưu, khóa chống sửa", "hash matches · stored, locked", None),
        ("device_signature", "not_applicable", "máy này không ký", "this camera doesn't sign", None),
        ("clock", "match", "máy nhanh 1,8 s khi cắm trạm, trong mức trôi dự kiến", "1.8 s fast, within drift", None),
        ("gps", "match", "±5 m, 9 vệ tinh", "±5 m, 9 satellites", (0, 13)),
        ("gps", "note", "nhảy 640 m trong 1 s", "jumps 640 m in 1 s", (13, 17)),
        ("gps", "match", "±6 m", "±6 m", (17, SECONDS)),
        ("continuity", "match", "không mất khung, nối tiếp đoạn 0006", "no frame lost, follows clip 0006", None),
    ]
    return [
        VerificationFinding(
            id=new_id(),
            recording_id=recording_id,
            position=n,
            row=row,
            code=f"{row}_{n}",
            result=result,
            vi=vi,
            en=en,
            numbers="{}",
            span_start_s=span[0] if span else None,
            span_end_s=span[1] if span else None,
            checked_at=clock.now(),
        )
        for n, (row, result, vi, en, span) in enumerate(told)
    ]
