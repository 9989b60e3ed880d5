"""Wipe orders on PostgreSQL: its types, locks and groupings are not SQLite's."""

import io

import pytest
import wipe_story

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.migrations.runner import upgrade_to_head
from bodycam.people.models import Unit
from bodycam.people.scope import EVERYTHING
from bodycam.settings import load_settings
from bodycam.wipes import execution, queries, service, signed
from bodycam.wipes.listing import items_of, list_sha256, listable_by_camera

pytestmark = pytest.mark.postgres


def test_an_order_goes_its_whole_way(tmp_path, postgres_url):
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DATABASE__URL": postgres_url})
    upgrade_to_head(postgres_url)
    with standalone(settings) as rt:
        unit = wipe_story.tell(rt)
        camera_id = unit.camera(free=0)
        visit_id = unit.visit(camera_id, {"a.mp4": wipe_story.make(1000), "b.mp4": wipe_story.make(1000)})
        with rt.db.write() as session:
            [(_, files, size)] = listable_by_camera(session, unit.station_id, session.get_one(Unit, unit.unit_id))
            assert (files, size) == (2, 2000)
            order = service.consider_filling_card(session, camera_id, visit_id)
            assert queries.count_to_approve(session, EVERYTHING) == 1
        with rt.db.write() as session:
            seen = list_sha256(order, items_of(session, order.id))
            service.approve(session, order.id, actor=unit.approver, seen=seen)
        signed.attach(rt, order.id, io.BytesIO(wipe_story.PDF), actor=unit.commander)
        assert execution.order_trouble(rt, order.id) == execution.NOT_YET
        Sequencer(rt.db, rt.log).run_once()
        assert execution.order_trouble(rt, order.id) == ""
        with rt.db.read() as session:
            first, second = execution.tasks_for(session, unit.station_id, camera_id)
        assert execution.seal_trouble(rt, first) == ""
        with rt.db.write() as session:
            assert execution.begin(session, first, actor="system", visit_id=visit_id)
            execution.wiped(session, first, actor="system", visit_id=visit_id)
            execution.kept(session, second, "changed", actor="system", visit_id=visit_id)
        with rt.db.read() as session:
            [line] = queries.list_orders(session, EVERYTHING, is_open=False)
        assert (line.order.state, line.files, line.size, line.wiped, line.kept) == ("done", 2, 2000, 1, 1)
