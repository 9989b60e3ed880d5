import pytest

from bodycam.vault import Keyring, Spool, Vault


@pytest.fixture
def keyring(tmp_path):
    return Keyring.open(tmp_path / "keys")


@pytest.fixture
def vault(tmp_path, keyring):
    return Vault(tmp_path / "vault", keyring)


@pytest.fixture
def spool(tmp_path, keyring):
    return Spool(tmp_path / "spool", keyring)


@pytest.fixture
def seal(vault, spool):
    def seal_bytes(data, attempt="a1", **manifest):
        with spool.open(attempt) as writer:
            writer.write(data)
            spooled = writer.finish()
        return vault.seal(spooled, manifest)

    return seal_bytes


def in_vault(vault, object_id, suffix=""):
    return vault.root / "objects" / object_id[:2] / (object_id + suffix)
