import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.coverage import queries, service
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.fleet import docking
from bodycam.fleet import service as fleet
from bodycam.migrations.runner import upgrade_to_head
from bodycam.people import units
from bodycam.people.scope import EVERYTHING, NOTHING, Scope

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def a_pulled_camera(session, serial="S1"):
    unit, _ = units.ensure_unit(session, ["Đội 3"], force="traffic_police")
    officer = units.create_officer(
        session, unit_id=unit.id, number=f"123-{serial[1:]:0>3}", name="Nguyễn Đức", force="traffic_police"
    )
    camera = fleet.register_camera(session, serial=serial, unit_id=unit.id)
    visit = docking.start_visit(session, camera_id=camera.id, serial=serial)
    return {"camera_id": camera.id, "visit_id": visit.id, "officer_id": officer.id, "unit_id": unit.id}


def kinds_of(session, object_id):
    return list(session.scalars(select(CustodyEvent.kind).where(CustodyEvent.object_id == object_id)))


def test_a_camera_pulled_twice_owes_its_footage_once_until_it_comes_and_is_done(db):
    clock.set_now(lambda: NOON)
    with db.write() as session:
        pulled = a_pulled_camera(session)
        debt = service.footage_owed(session, **pulled)
        assert debt.due_at == NOON + timedelta(hours=24)
        clock.set_now(lambda: NOON + timedelta(hours=3))
        assert service.footage_owed(session, **pulled, allowed_by=pulled["officer_id"], reason="đi chữa cháy") is debt
        came = {"camera_id": pulled["camera_id"], "visit_id": pulled["visit_id"]}
        assert service.camera_came(session, **came, complete=False) == 0
        assert debt.closed_at is None
        assert service.camera_came(session, **came, complete=True) == 1
        assert service.camera_came(session, **came, complete=True) == 0
    with db.read() as session:
        assert kinds_of(session, debt.id) == ["debt.opened", "debt.closed"]
        assert (debt.due_at, debt.closed_by, debt.reason) == (NOON + timedelta(hours=24), "docked", "đi chữa cháy")
        assert not queries.open_debts(session, EVERYTHING).debts
    with db.write() as session:  # the next shift is another debt
        assert service.footage_owed(session, **pulled).id != debt.id


def test_the_words_of_an_order_enter_the_log_as_a_commitment_only(db):
    with db.write() as session:
        debt = service.footage_owed(session, **a_pulled_camera(session), reason="đi chữa cháy")
        event = session.scalar(select(CustodyEvent).where(CustodyEvent.object_id == debt.id))
    assert "chữa cháy" not in event.body
    assert json.loads(event.body)["commitments"].keys() == {"reason"}


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_the_most_urgent_comes_first_page_by_page_and_only_inside_the_scope(url, tmp_path, request):
    database = Database(
        f"sqlite:///{tmp_path / 'd.db'}" if url == "sqlite" else request.getfixturevalue("postgres_url")
    )
    upgrade_to_head(database.url)
    try:
        with database.write() as session:
            debts = []
            for n in range(5):
                pulled = a_pulled_camera(session, f"S{n}")
                debts.append(service.footage_owed(session, **pulled, due_at=NOON - timedelta(hours=n % 3)))
            other, _ = units.ensure_unit(session, ["Chi cục Thuế"], force="tax")
            camera = fleet.register_camera(session, serial="T1", unit_id=other.id)
            service.footage_owed(session, camera_id=camera.id, visit_id=None, officer_id=None, unit_id=other.id)
        with database.read() as session:
            team = Scope(units=(debts[0].unit_id,))
            seen, after = [], None
            while True:
                page = queries.open_debts(session, team, after=after, limit=2)
                seen += page.debts
                after = page.after
                if after is None:
                    break
            assert [d.debt.id for d in seen] == [d.id for d in sorted(debts, key=lambda d: (d.due_at, d.id))]
            assert {d.camera.serial for d in seen} == {f"S{n}" for n in range(5)}
            assert queries.open_debts(session, NOTHING).debts == []
            assert queries.open_debts(session, EVERYTHING, kind="minute").debts == []
            assert [d.debt.id for d in queries.debts_of_officer(session, debts[3].officer_id)] == [debts[3].id]
            assert len(queries.open_debts(session, EVERYTHING).debts) == 6
    finally:
        database.close()
