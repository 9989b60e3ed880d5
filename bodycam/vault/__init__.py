"""Sealed bytes: encryption, the commit protocol, the places that hold copies, and the spool of what is still arriving."""

from bodycam.vault.keyring import Keyring
from bodycam.vault.local import SealedObject, Vault
from bodycam.vault.places import Destroyed, LocalPlace, Place, VerifyResult
from bodycam.vault.reader import SealedReader
from bodycam.vault.spool import Spool, Spooled, SpoolWriter

__all__ = [
    "Destroyed",
    "Keyring",
    "LocalPlace",
    "Place",
    "SealedObject",
    "SealedReader",
    "Spool",
    "SpoolWriter",
    "Spooled",
    "Vault",
    "VerifyResult",
]
