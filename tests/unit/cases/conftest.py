"""A traffic police team and a tax team, an officer each."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bodycam.cases.models import Case
from bodycam.cases.service import open_case
from bodycam.db import Database
from bodycam.people import units
from bodycam.people.models import Account
from tests.unit.cases.makers import World, facts


@pytest.fixture
def world(db: Database) -> World:
    with db.write() as session:
        traffic, _ = units.ensure_unit(session, ["Phòng CSGT", "Đội 3"], force="traffic_police")
        tax, _ = units.ensure_unit(session, ["Chi cục Thuế"], force="tax")
        officer, other = (
            units.create_officer(session, unit_id=traffic.id, number=number, name=name, force="traffic_police")
            for number, name in (("123-456", "Nguyễn Đức"), ("123-457", "Trần Bình"))
        )
        account = Account(username="boss", display_name="Boss", password_hash="-")
        session.add(account)
        session.flush()
        return World(traffic.id, tax.id, officer.id, other.id, account.id)


@pytest.fixture
def stop(world: World) -> Callable[..., Case]:
    def make(session: Session, **changes: Any) -> Case:
        changes.setdefault("officer_ids", [world.officer])
        return open_case(session, kind="traffic_stop", unit_id=world.traffic, facts=facts(**changes))

    return make
