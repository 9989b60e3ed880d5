"""The hourly job: what the copies' table says goes into the log, an insider's deletion shows."""

import json
from pathlib import Path

from click.testing import CliRunner

from bodycam import clock
from bodycam.cli.log import log as command
from bodycam.custody.inventory import inventories, read_list
from bodycam.custody.sequencer import Sequencer
from bodycam.fixity.copies import note_sealed
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.models import Base
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.inventory import take
from bodycam.tasks.table import EVERY


def test_the_inventory_lists_every_object_with_its_standing_copies(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("bodycam.migrations.runner.ensure", lambda _url: None)
    monkeypatch.setattr("bodycam.tasks.inventory._PAGE", 3)
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})) as rt:
        Base.metadata.create_all(rt.db.engine)
        names = [letter * 64 for letter in "abcd"]
        with rt.db.write() as session:
            for name in names:
                note_sealed(session, name, 10, ("main", "second"), clock.now())
            session.flush()
            session.get_one(VaultCopy, (names[1], "second")).state = CopyState.DAMAGED
            for place in ("main", "second"):
                session.get_one(VaultCopy, (names[3], place)).state = CopyState.DESTROYED
        take(rt)
        with rt.db.read() as session:
            [first] = inventories(session)
        assert [(one.object_id, one.copies) for one in read_list(rt.log, first.event_id)] == [
            (names[0], ("main", "second")),
            (names[1], ("main",)),
            (names[2], ("main", "second")),
        ]
        Sequencer(rt.db, rt.log).run_once()
        assert CliRunner().invoke(command, ["inventories"]).exit_code == 0
        with rt.db.write() as session:  # an insider takes an object away, and its rows
            for place in ("main", "second"):
                session.delete(session.get_one(VaultCopy, (names[2], place)))
        take(rt)
        told = CliRunner().invoke(command, ["inventories", "--json"])
        assert told.exit_code == 4
        assert json.loads(told.stdout)["losses"] == [{"object": names[2], "gone": True, "copies": ["main", "second"]}]
        shown = CliRunner().invoke(command, ["inventories", "--since", first.event_id]).stdout
        assert f"{names[2]}  main, second  KHÔNG CÒN" in shown
        assert CliRunner().invoke(command, ["inventories", "--since", "nothing"]).exit_code == 1
    assert EVERY["log.inventory"] == 3600
