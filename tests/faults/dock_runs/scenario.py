"""What happens in one run: cameras, their habits and faults, and what hands do when; all from the seed."""

import hashlib
import os
from dataclasses import dataclass, field

from dock_service.simulator.profile import Faults, Profile, VirtualCamera, write_profile

WRITTEN = 1_790_000_000  # 2026-09-21, when the files were written by the camera's clock
WITHOUT_POWER = 1_420_070_400  # 2015-01-01: a clock that lost its power; such times tell nothing apart


@dataclass
class Guest:
    """One camera of a run: its folder on the bus, its true files, and what a person is to do with it."""

    camera: VirtualCamera
    profile: Profile
    files: dict[str, bytes]
    is_clone: bool = False
    waits_for: "Guest | None" = None  # has that one's port once it is done
    is_out: bool = False  # while that one is in: two can't hang on one port
    is_done: bool = False
    retries: int = 0
    tried_at: float = 0.0

    @property
    def port(self):
        """Return the port it hangs on now."""
        faults = self.camera.profile().faults
        if faults.replug_port and self.camera.happened("unplug"):
            return faults.replug_port
        return self.camera.profile().port

    def expected(self):
        """Return what is to be sealed of it."""
        return [
            (self.profile.serial, path, hashlib.sha256(data).hexdigest(), len(data))
            for path, data in self.files.items()
        ]

    def change(self, **values):
        """Rewrite its camera.toml; it takes effect when it is plugged in again."""
        write_profile(self.camera.folder, self.camera.profile().model_copy(update=values))


@dataclass
class Scenario:
    """One run."""

    seed: int
    guests: list[Guest]
    events: list[tuple[float, str, object]] = field(default_factory=list)  # seconds after the start, what, to whom
    faults: list[str] = field(default_factory=list)  # what was drawn, for the figures


def draw(seed, dice, bus):
    """Make a run's cameras in its bus folder, and its events."""
    scenario = Scenario(seed, [])
    ports = dice.sample(range(1, 9), 8)
    for number in range(dice.choice((1, 1, 2, 2, 3))):
        scenario.guests.append(make_guest(scenario, dice, bus, f"cam-{number}", f"S{seed}-{number}", ports))
    if dice.random() < 0.08:
        clone(scenario, dice, bus, ports)
    if dice.random() < 0.12:
        swap(scenario, dice, bus)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        happen(scenario, dice, "kill", None)
    if dice.random() < 0.15:
        start = happen(scenario, dice, "full", None)
        scenario.events.append((start + 0.2 + dice.random(), "room", None))
    if dice.random() < 0.08:
        happen(scenario, dice, "hub resets", None)
    if dice.random() < 0.15:
        happen(scenario, dice, "clock", dice.choice((-86_400, -60, -3, 5, 3600, 86_400)))
    scenario.events.sort(key=lambda event: event[0])
    return scenario


def happen(scenario, dice, what, whom):
    """Put an event somewhere into the first seconds; returns when."""
    at = 0.05 + 1.2 * dice.random()
    scenario.events.append((at, what, whom))
    scenario.faults.append(what)
    return at


def make_guest(scenario, dice, bus, name, serial, ports):
    """Make one camera with its card and its faults."""
    files = {}
    for number in range(dice.randint(1, 4)):
        size = dice.choice((0, 1, 500, 65_524, dice.randint(1, 200_000), dice.randint(200_000, 900_000)))
        files[f"DCIM/{100 + number % 2}MEDIA/{name}_{number}.bin"] = dice.randbytes(size)
    total = sum(len(data) for data in files.values())
    drives = dice.random() < 0.2
    written = WITHOUT_POWER if dice.random() < 0.08 else WRITTEN
    profile = Profile(
        serial=serial,
        port=ports.pop(),
        kind="mass-storage" if drives else "mtp",
        partial=dice.choice((64, 64, 32, 0)),
        one_level=dice.random() < 0.2,
        header_alone=dice.random() < 0.2,
        zero_length_packets=dice.random() < 0.8,
        large_sizes_by_property=dice.random() < 0.1,
        date_time=dice.random() < 0.8,
        events=dice.random() < 0.5,
        clock_offset_s=dice.choice((0, 0, 3, -40, 25_200)),
        rate=dice.choice((None, 600_000, 2_000_000)),
        faults=draw_faults(scenario, dice, files, total, ports, drives=drives),
    )
    guest = Guest(write_profile(bus / name, profile), profile, files)
    write_card(guest, written)
    draw_hands(scenario, dice, guest, ports)
    return guest


def write_card(guest, written):
    """Put its files onto its card."""
    for number, (path, data) in enumerate(guest.files.items()):
        place = guest.camera.card / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        os.utime(place, (written + number, written + number))


def draw_faults(scenario, dice, files, total, ports, *, drives):
    """Draw how the camera misbehaves by itself."""
    chosen = {}
    if dice.random() < 0.35:
        chosen |= {"unplug_after_bytes": dice.randrange(total + 1), "replug_after_s": 0.1 + 0.5 * dice.random()}
        scenario.faults.append("pull")
        if dice.random() < 0.4 and ports:
            chosen["replug_port"] = ports.pop()
            scenario.faults.append("other port")
    if drives:
        return Faults(**chosen)
    for name, chance in (("stall", 0.2), ("hang", 0.12)):
        if dice.random() < chance:
            chosen[f"{name}_after_bytes"] = dice.randrange(total + 1)
            scenario.faults.append(name)
    if dice.random() < 0.1:
        chosen["no_memory_above"] = dice.choice((70_000, 300_000))
        scenario.faults.append("no memory")
    if dice.random() < 0.1:
        chosen["stall_above"] = dice.choice((70_000, 300_000))
        scenario.faults.append("stall above")
    if dice.random() < 0.12:
        path = dice.choice(sorted(files))
        chosen["lies"] = {path: max(len(files[path]) + dice.choice((-400, -1, 1, 70_000)), 0)}
        if chosen["lies"][path] != len(files[path]):
            scenario.faults.append("lying size")
    return Faults(**chosen)


def draw_hands(scenario, dice, guest, ports):
    """Draw what a person does to it."""
    if dice.random() < 0.2:
        at = happen(scenario, dice, "hand pulls", guest)
        scenario.events.append((at + 0.1 + 0.6 * dice.random(), "hand plugs", guest))
        if dice.random() < 0.4 and ports:
            scenario.events.append((at + 0.05, "hand moves", (guest, ports.pop())))
    if dice.random() < 0.1:
        happen(scenario, dice, "camera clock", (guest, dice.choice((-7200, 90, 25_200))))


def clone(scenario, dice, bus, ports):
    """Add a second camera that claims the first one's serial; it waits until a person takes the first one out."""
    first = scenario.guests[0]
    second = make_guest(scenario, dice, bus, "clone", first.profile.serial, ports)
    first.is_clone = second.is_clone = True
    scenario.guests.append(second)
    scenario.faults.append("two with one serial")


def swap(scenario, dice, bus):
    """Add a camera that takes another's port in the same moment: a device that comes back as another one."""
    first = scenario.guests[0]
    if first.is_clone:
        return
    second = make_guest(scenario, dice, bus, "other", f"S{scenario.seed}-OTHER", [first.profile.port])
    second.change(port=first.profile.port)
    second.camera.unplug()
    first.waits_for = second
    scenario.guests.append(second)
    happen(scenario, dice, "re-enumerates", (first, second))
