"""Sealed bytes: encryption, the commit protocol, the local folder and the spool of what is still arriving."""

from bodycam.vault.keyring import Keyring
from bodycam.vault.local import SealedObject, Vault, VerifyResult
from bodycam.vault.reader import SealedReader
from bodycam.vault.spool import Spool, Spooled, SpoolWriter

__all__ = ["Keyring", "SealedObject", "SealedReader", "Spool", "SpoolWriter", "Spooled", "Vault", "VerifyResult"]
