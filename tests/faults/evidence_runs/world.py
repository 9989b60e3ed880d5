"""One installation under a folder of its own: `site/` is watched, the database beside it changes by whole commits.

SQLite in WAL with synchronous=FULL is trusted to make a commit atomic and durable; its files as they lie at a step are therefore what
a restart finds, an open transaction included (it has no commit record and is forgotten).
"""

import functools
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from bodycam import runtime
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Base, Database
from bodycam.settings import load_settings

SITE, DATABASE, SECOND = "site", "bodycam.db", "vault2"


@dataclass
class Told:
    """What the outside was told so far, and must find again."""

    spooled: dict[str, int] = field(default_factory=dict)  # source key -> durable offset
    sealed: dict[str, str] = field(default_factory=dict)  # source key -> recording
    receipts: dict[str, str] = field(default_factory=dict)  # event -> text
    checkpoints: list[str] = field(default_factory=list)  # every note that was published

    def copy(self):
        """Return what was told up to now."""
        return Told(dict(self.spooled), dict(self.sealed), dict(self.receipts), list(self.checkpoints))


@functools.cache
def empty_database(folder):
    """Make a database with all tables once; every world begins with its copy."""
    import bodycam.models  # noqa: F401  every slice's tables

    place = folder / DATABASE
    db = Database(f"sqlite:///{place}")
    Base.metadata.create_all(db.engine)
    db.close()
    return place


@functools.cache
def _database(url):
    """Use an engine of the same place again, for its compiled statements; its connections were closed."""
    return Database(url)


@functools.cache
def _default_settings():
    return load_settings({"BODYCAM_DATA_DIR": "/nowhere", "BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8"})


class World:
    """An installation that is open; used as a context manager."""

    def __init__(self, folder, variant, told=None):
        """Name the folder; it must have a database."""
        self.folder, self.variant = Path(folder), variant
        self.site = self.folder / SITE
        self.told = told or Told()
        self._open = ExitStack()

    @property
    def settings(self):
        """The settings of this installation, made from the defaults without reading them again."""
        base = _default_settings()
        site = self.site
        return base.model_copy(
            update={
                "data_dir": self.folder,
                "database": base.database.model_copy(update={"url": f"sqlite:///{self.folder / DATABASE}"}),
                "vault": base.vault.model_copy(update={"url": f"file://{site / 'vault'}"} | self._copies()),
                "spool": base.spool.model_copy(update={"dir": site / "vault" / "spool"}),
                "log": base.log.model_copy(update={"dir": site / "log"}),
                "keys": base.keys.model_copy(update={"dir": site / "keys"}),
            }
        )

    def _copies(self):
        if self.variant.copies == 1:
            return {}
        return {"copies": f"file://{self.site / SECOND}", "required_copies": self.variant.copies}

    def __enter__(self):
        with patch.object(runtime, "Database", _database):
            self.rt = self._open.enter_context(runtime.open_runtime(self.settings))
        return self

    def __exit__(self, *error):
        self._open.close()

    def sequence(self):
        """Put what waits into the log, and tell the receipts."""
        from bodycam.custody.models import Receipt  # late: a table of the models above

        Sequencer(self.rt.db, self.rt.log).run_once()
        with self.rt.db.read() as session:
            self.told.receipts |= {row.event_id: row.body for row in session.query(Receipt)}

    def published(self):
        """Tell a checkpoint that anybody can read now."""
        for name in ("checkpoint", "witnessed"):
            place = self.site / "log" / name
            note = place.read_text("utf-8") if place.exists() else None
            if note is not None and note not in self.told.checkpoints:
                self.told.checkpoints.append(note)


def copy_database(source, target):
    """Copy the database as it lies, its write-ahead log included."""
    for suffix in ("", "-wal"):
        file = source / f"{DATABASE}{suffix}"
        if file.exists():
            shutil.copyfile(file, target / file.name)
