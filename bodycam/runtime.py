"""What a process works with: settings, database, vault, spool, keys and log, opened together and closed together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bodycam.custody.log import Log
from bodycam.db import Database
from bodycam.settings import Settings
from bodycam.vault.keyring import Keyring
from bodycam.vault.local import Vault
from bodycam.vault.spool import Spool


@dataclass(frozen=True)
class Runtime:
    """One installation, opened."""

    settings: Settings
    db: Database
    keyring: Keyring
    vault: Vault
    spool: Spool
    log: Log


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """Open everything the settings name; keys and folders are made where they are missing."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    keyring = Keyring.open(settings.keys.dir, create=True)
    db = Database(settings.database.url)
    try:
        yield Runtime(
            settings=settings,
            db=db,
            keyring=keyring,
            vault=Vault(settings.vault.dir, keyring),
            spool=Spool(settings.spool.dir, keyring),
            log=Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin),
        )
    finally:
        db.close()
