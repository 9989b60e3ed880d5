"""A virtual camera at one station, docked, ordered to be wiped, and looked at, as often as a test wants."""

import io

import wipe_story
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import VisitState
from bodycam.wipes import service, signed
from bodycam.wipes.listing import items_of, list_sha256
from bodycam.wipes.models import WipeOrder
from dock_service.offload import Offload, Watch
from dock_service.visit import Place


class Story:
    """One camera at one station."""

    def __init__(self, folder):
        self.dock = VirtualDock(folder / "bus")
        self.rt = None

    def tell(self, rt, files, **profile):
        self.rt = rt
        self.unit = wipe_story.tell(rt)
        self.camera_id = self.unit.camera("S-1", free=0)
        self.virtual = self.dock.add(files, serial="S-1", **profile)
        return self

    def docked(self, station_id=None, camera=None):
        """Dock the camera and offload it; returns the opened camera and its visit."""
        camera = camera or self.dock.open()
        watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(self.rt.db, self.rt.log).run_once())
        work = Offload(self.rt, camera, Place("usb:1-1", station_id or self.unit.station_id, 1), watch)
        outcome = work.run()
        work.end(VisitState.DONE)
        return camera, outcome.visit

    def raised(self):
        with self.rt.db.write() as session:
            return service.raise_order(session, self.unit.station_id, actor=self.unit.commander)

    def approved(self):
        order = self.raised()
        with self.rt.db.write() as session:
            seen = list_sha256(order, items_of(session, order.id))
            return service.approve(session, order.id, actor=self.unit.approver, seen=seen)

    def ordered(self):
        order = signed.attach(self.rt, self.approved().id, io.BytesIO(wipe_story.scan()), actor=self.unit.commander)
        Sequencer(self.rt.db, self.rt.log).run_once()
        return order

    def on_card(self):
        return sorted(
            str(path.relative_to(self.virtual.card)) for path in self.virtual.card.rglob("*") if path.is_file()
        )

    def items(self, order):
        """Return path -> (state, reason) of an order's files."""
        with self.rt.db.read() as session:
            return {listed.file.path: (item.state, item.reason) for item, listed in items_of(session, order.id)}

    def state(self, order):
        with self.rt.db.read() as session:
            return session.get_one(WipeOrder, order.id).state

    def kinds(self, prefix="camera.file_"):
        query = select(CustodyEvent.kind).where(CustodyEvent.kind.startswith(prefix)).order_by(CustodyEvent.id)
        with self.rt.db.read() as session:
            return [kind.removeprefix(prefix) for kind in session.scalars(query)]
