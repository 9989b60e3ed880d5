"""What a process works with: settings, database, vault, spool, keys and log, opened together and closed together."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bodycam.custody.log import Log
from bodycam.db import Database
from bodycam.sections import Settings, VaultSettings
from bodycam.vault.errors import PlaceAwayError, VaultIoError
from bodycam.vault.escrow import EscrowRecipient
from bodycam.vault.keyring import Keyring
from bodycam.vault.label import is_bound
from bodycam.vault.local import Vault
from bodycam.vault.places import LocalPlace, Place
from bodycam.vault.s3_place import S3Place
from bodycam.vault.s3_requests import read_credentials
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
    escrow = [EscrowRecipient.parse(text) for text in settings.vault.escrow_keys]
    is_new = not is_bound(settings.vault.dir)  # else a lost key would get a useless one in its place
    keyring = Keyring.open(settings.keys.dir, create=is_new, escrow=escrow)
    db = Database(settings.database.url)
    try:
        yield Runtime(
            settings=settings,
            db=db,
            keyring=keyring,
            vault=open_vault(settings.vault, keyring),
            spool=Spool(settings.spool.dir, keyring),
            log=Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin),
        )
    finally:
        db.close()


def open_vault(settings: VaultSettings, keyring: Keyring, environ: Mapping[str, str] = os.environ) -> Vault:
    """Open the vault with its further places; one of those that is away stops nothing before it's needed.

    The bucket's credentials come from the environment or the keys folder.
    """
    places: list[Place] = []
    if settings.second_dir is not None:
        second = LocalPlace("second", settings.second_dir, keyring)
        places.append(second)
        with suppress(PlaceAwayError, VaultIoError):  # whoever needs it is told; here it's only bound to its key early
            second.probe()
    if settings.bucket is not None:
        places.append(S3Place(settings.bucket, read_credentials(keyring.path.parent, environ), keyring))
    return Vault(settings.dir, keyring, places, settings.required_copies)
