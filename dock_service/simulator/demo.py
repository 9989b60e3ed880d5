"""The demo's four cameras: "14:20, Quốc lộ 1A, 29A-123.45", and what is odd about three of them.

The first one's card fills; the last one names its files as the DSJ family does.

`python -m dock_service.simulator.demo FOLDER` makes them where they are missing and prints the plan as JSON. The folder keeps
its day, so making it again, on whatever day, changes nothing.
"""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bodycam import clock
from dock_service.simulator.footage import Footage, make
from dock_service.simulator.habits import Shot, dsj, plain
from dock_service.simulator.positions import LatLon
from dock_service.simulator.profile import CARD, Faults, Profile, VirtualCamera, write_profile
from dock_service.simulator.scenes import Scene

DAY_FILE = "demo-day"
SEVEN_HOURS = 7 * 3600.0
_LAST_HOUR = 16  # the demo's day is over by then, Vietnam's time

_HIGHWAY_1A: tuple[LatLon, ...] = ((20.9752, 105.8588), (20.9778, 105.8596), (20.9800, 105.8600), (20.9826, 105.8608))
_PORT: tuple[LatLon, ...] = ((20.8446, 106.6868), (20.8449, 106.6881), (20.8454, 106.6893))
_OFFICE: tuple[LatLon, ...] = ((21.0278, 105.8342), (21.0279, 105.8344), (21.0278, 105.8345))
_MARKET: tuple[LatLon, ...] = ((16.0682, 108.2243), (16.0689, 108.2246), (16.0694, 108.2241))


@dataclass(frozen=True)
class PlannedRecording:
    """One file on a demo camera; `started_at` is true UTC, `route` is (lat, lon) in degrees."""

    camera: str
    officer: str
    number: str
    force: str
    file: str
    started_at: datetime
    seconds: int
    route: tuple[LatLon, ...]
    anomalies: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return what the command prints."""
        return {**vars(self), "started_at": self.started_at.isoformat()}


@dataclass(frozen=True)
class _Planned:
    profile: Profile
    officer: str
    number: str
    force: str
    anomalies: tuple[str, ...]
    footage: tuple[Footage, ...]
    habit: Callable[[Shot], str] = plain

    def name(self, footage: Footage) -> str:
        """Return where the camera puts a recording; what jumps was marked by hand."""
        shot = Shot(footage.camera, self.number, footage.device_start, is_event=footage.jump is not None)
        return self.habit(shot)


def demo_plan(day: date) -> list[PlannedRecording]:
    """Describe every recording of the demo cameras on a day (Vietnam's), for people and cases to be made that fit."""
    return [
        PlannedRecording(
            camera=planned.profile.serial,
            officer=planned.officer,
            number=planned.number,
            force=planned.force,
            file=planned.name(footage),
            started_at=footage.start,
            seconds=footage.seconds,
            route=footage.route,
            anomalies=planned.anomalies + (("gps_jump",) if footage.jump else ()),
        )
        for planned in _cameras(day)
        for footage in planned.footage
    ]


def make_demo(folder: Path, day: date | None = None) -> date:
    """Make what is missing of the demo's cameras; returns the folder's day."""
    folder.mkdir(parents=True, exist_ok=True)
    day = _day_of(folder, day)
    work: list[tuple[Footage, Path]] = []
    for planned in _cameras(day):
        camera = folder / planned.profile.serial
        if not (camera / CARD).is_dir():
            (camera / CARD).mkdir(parents=True)
        if not (camera / "camera.toml").exists():
            write_profile(camera, planned.profile)
        places = [(footage, camera / CARD / planned.name(footage)) for footage in planned.footage]
        work += [(footage, path) for footage, path in places if not path.exists()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: make(*item), work))
    return day


def record_patrol(camera: VirtualCamera, ended: datetime) -> None:
    """Let a demo camera that was taken along record 30 s more, ended just now, with what is odd about its clock."""
    serial = camera.folder.name
    for planned in _cameras(clock.local(ended).date()):
        if planned.profile.serial == serial:
            start = (ended - timedelta(seconds=30)).replace(microsecond=0)
            footage = replace(planned.footage[0], start=start, seconds=30, jump=None)
            make(footage, camera.card / planned.name(footage))


def _day_of(folder: Path, day: date | None) -> date:
    kept = folder / DAY_FILE
    if kept.exists():
        return date.fromisoformat(kept.read_text(encoding="ascii").strip())
    if day is None:
        now = clock.local(clock.now())
        day = now.date() if now.hour >= _LAST_HOUR else now.date() - timedelta(days=1)
    kept.write_text(day.isoformat(), encoding="ascii")
    return day


def _cameras(day: date) -> list[_Planned]:
    def at(hour: int, minute: int, second: int = 0) -> datetime:
        return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=clock.VIETNAM).astimezone(UTC)

    road, port = Scene("road", "29A-123.45"), Scene("port", "MSKU 612345-0")
    office, market = Scene("office", "PHONG KE TOAN"), Scene("market", "CHO HAN")
    return [
        _Planned(
            Profile(serial="BWC-0412", label="BWC-0412", port=1, battery=76, rate=450_000, capacity=16_000_000),
            "Trần Văn Nam", "184-221", "traffic_police", (),
            (
                Footage("BWC-0412", at(9, 15), 15, _HIGHWAY_1A[:2], Scene("road", "30F-456.78")),
                Footage("BWC-0412", at(14, 20), 30, _HIGHWAY_1A, road, tone_hz=392.0),
                Footage("BWC-0412", at(14, 20, 30), 15, _HIGHWAY_1A[-2:], road, tone_hz=392.0),
            ),
        ),
        _Planned(
            Profile(serial="BWC-0398", label="BWC-0398", port=2, battery=54, rate=300_000, clock_offset_s=SEVEN_HOURS),
            "Lê Thị Bình", "TH-0305", "tax", ("clock_7_hours",),
            (
                Footage("BWC-0398", at(10, 5), 20, _OFFICE, office, SEVEN_HOURS, sidecar=True, tone_hz=262.0),
                Footage("BWC-0398", at(10, 40), 15, _OFFICE, office, SEVEN_HOURS, sidecar=True, tone_hz=262.0),
            ),
        ),
        _Planned(
            Profile(
                serial="BWC-0455", label="BWC-0455", port=3, battery=61, rate=250_000,
                faults=Faults(unplug_after_bytes=1_200_000, replug_after_s=12),
            ),
            "Đỗ Hải", "HQ-0266", "customs", ("pulled_mid_transfer",),
            (
                Footage("BWC-0455", at(8, 30), 25, _PORT, port, tone_hz=294.0),
                Footage("BWC-0455", at(11, 10), 20, _PORT[::-1], Scene("port", "TCLU 448812-3"), tone_hz=294.0),
            ),
        ),
        _Planned(
            Profile(serial="BWC-0460", label="BWC-0460", port=4, battery=88, rate=350_000),
            "Hoàng Yến", "QL-0254", "market", (),
            (
                Footage("BWC-0460", at(15, 0), 15, _MARKET, market, tone_hz=349.0),
                Footage("BWC-0460", at(15, 25), 20, _MARKET, market, jump=(11.0, 40.0), tone_hz=349.0),
            ),
            dsj,
        ),
    ]  # fmt: skip


def main() -> None:
    """Make the demo's cameras in the folder named on the command line and print the plan."""
    folder = Path(sys.argv[1])
    day = make_demo(folder)
    plan = {"day": day.isoformat(), "recordings": [recording.as_json() for recording in demo_plan(day)]}
    json.dump(plan, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
