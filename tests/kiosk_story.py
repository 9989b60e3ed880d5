"""A kiosk for tests: the staff story's station with a screen, an officer with PIN and card, and a duty officer."""

from dataclasses import dataclass

from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.fleet import docking, pairing
from bodycam.fleet import service as fleet
from bodycam.people import passes, units
from bodycam.people.models import Account, Role
from bodycam.runtime import Runtime

PIN = "246810"
CARD, DUTY_CARD = ";0012345678?", ";0087654321?"


@dataclass(frozen=True)
class AtStation:
    """Ids of what stands at the station: the officer's camera in slot 1, pooled ones in 2 (done) and 3 (still uploading)."""

    code: str
    duty_id: str
    pooled_id: str
    busy_id: str


def equip(rt: Runtime, story: Story) -> AtStation:
    """Give out passes, dock three cameras, make a pairing code."""
    key, settings = passes.open_card_key(rt.settings.keys.dir), rt.settings.sign_in
    with rt.db.write() as session:
        duty = units.create_officer(
            session, unit_id=story.team_id, number="184-100", name="Nguyễn Thị Hà", force="traffic_police"
        )
        session.scalars(select(Account).where(Account.username == Role.COMMANDER)).one().officer_id = duty.id
        for officer_id, card in ((story.officer_id, CARD), (duty.id, DUTY_CARD)):
            passes.change_pin(session, officer_id, PIN, settings=settings)
            passes.give_card(session, officer_id, passes.card_number(card), key=key, actor=None)
        pooled, busy = (
            fleet.register_camera(session, serial=f"SN{label}", label=f"BWC-{label}", unit_id=story.team_id)
            for label in ("0501", "0502")
        )
        for slot, (camera_id, serial) in enumerate(
            ((story.camera_id, "SN0412"), (pooled.id, "SN0501"), (busy.id, "SN0502")), 1
        ):
            docking.start_visit(session, camera_id=camera_id, serial=serial, station_id=story.station_id, slot=slot)
        code = pairing.make_code(session, story.station_id, actor=None)
    beat(rt, story)
    return AtStation(code, duty.id, pooled.id, busy.id)


def beat(rt: Runtime, story: Story, **more: str) -> None:
    """Let the station's heart beat once; `more` gives slots another state, such as `s2="uploading"`."""
    states = {"s1": "done", "s2": "done", "s3": "uploading", **more}
    cameras = {"s1": "BWC-0412", "s2": "BWC-0501", "s3": "BWC-0502"}
    slots = [
        {
            "slot": int(name[1:]),
            "state": state,
            "camera": cameras.get(name, ""),
            "bytes_done": 3,
            "bytes_total": 9,
            "eta_s": 240,
        }
        for name, state in states.items()
    ]
    with rt.db.write() as session:
        docking.put_board(session, story.station_id, {"slots": slots, "at": clock.now().isoformat()})
