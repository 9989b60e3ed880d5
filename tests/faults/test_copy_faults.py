"""Kill -9 and power cuts at every step of copying, repairing and destroying in two places, and a second disk that is really full."""

import hashlib
import multiprocessing
import os
import shutil
import signal
import subprocess

import pytest
from disk_faults import Counted, Power, PowerCutError

from bodycam.vault import Keyring, LocalPlace, Spool, Vault
from bodycam.vault.errors import VaultFullError

DATA = bytes(range(256)) * 300


def open_both(root, keys):
    keyring = Keyring.open(keys)
    second = LocalPlace("second", root / "second", keyring)
    return Vault(root / "vault", keyring, [second], required=2), Spool(root / "spool", keyring)


def seal(root, keys):
    vault, spool = open_both(root, keys)
    with spool.open("a1") as writer:
        if writer.offset < len(DATA):
            writer.write(DATA[writer.offset :])
        return vault.seal(writer.finish(), {"name": "x.mp4"})


def check_sealing(root, keys, sealed=None):
    """What stands must be sound in each place, and going on gives one object in both."""
    vault, _ = open_both(root, keys)
    for place in vault.places:
        assert all(vault.verify_copy(object_id, place.name).ok for object_id in place.ids())
    again = seal(root, keys)
    assert again.copies == ("main", "second")
    assert sealed is None or sealed == again
    for place in vault.places:
        assert list(place.ids()) == [again.object_id]
        assert vault.verify_copy(again.object_id, place.name).ok
    with vault.open(again.object_id) as reader:
        assert b"".join(reader.chunks()) == DATA


def spoil_main(root, keys):
    vault, _ = open_both(root, keys)
    object_id = next(vault.iter_objects())
    path = root / "vault" / "objects" / object_id[:2] / object_id
    path.chmod(0o600)
    body = bytearray(path.read_bytes())
    body[99] ^= 1
    path.write_bytes(body)


def seal_and_spoil(root, keys):
    seal(root, keys)
    spoil_main(root, keys)


def repair(root, keys):
    vault, _ = open_both(root, keys)
    vault.repair(next(vault.place("second").ids()), "second", "main")


def check_repair(root, keys):
    vault, _ = open_both(root, keys)
    object_id = next(vault.place("second").ids())
    assert vault.verify_copy(object_id, "second").ok, "the good copy is untouched"
    assert set(vault.verify(object_id).problems) <= {"object_damaged"}
    repair(root, keys)
    assert vault.verify(object_id).ok


def destroy(root, keys):
    vault, _ = open_both(root, keys)
    for object_id in {name for place in vault.places for name in place.ids()}:
        assert all(gone.ok for gone in vault.destroy(object_id))


def check_destruction(root, keys):
    destroy(root, keys)  # what is half destroyed is still listed somewhere, or gone
    for place in ("vault", "second"):
        left = [path for path in (root / place / "objects").rglob("*") if path.is_file()]
        assert left == []


WORKS = {
    "sealing": (lambda *_: None, seal, check_sealing),
    "repairing": (seal_and_spoil, repair, check_repair),
    "destroying": (seal, destroy, check_destruction),
}


def count_steps(tmp_path, monkeypatch, before, work):
    Keyring.open(tmp_path / "keys")
    before(tmp_path / "counting", tmp_path / "keys")
    with monkeypatch.context() as patch:
        counted = Counted(patch, 10**9, lambda: None)
        work(tmp_path / "counting", tmp_path / "keys")
    return counted.count


@pytest.mark.parametrize("name", WORKS)
def test_a_process_killed_at_any_step_leaves_what_can_be_gone_on_with(tmp_path, monkeypatch, name):
    before, work, check = WORKS[name]
    steps = count_steps(tmp_path, monkeypatch, before, work)
    assert steps >= 8
    fork = multiprocessing.get_context("fork")
    for at in range(1, steps + 1):
        root = tmp_path / f"kill{at}"
        before(root, tmp_path / "keys")

        def dies(root=root, at=at):
            Counted(monkeypatch, at, lambda: os.kill(os.getpid(), signal.SIGKILL))
            work(root, tmp_path / "keys")

        child = fork.Process(target=dies)
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        check(root, tmp_path / "keys")
        shutil.rmtree(root)


class PowerOverOld(Power):
    """Knows what was durable before the work began."""

    def __init__(self, monkeypatch, at, root):
        super().__init__(monkeypatch, at, root)
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            self.names[folder] = {e.name: (e.inode(), e.is_dir()) for e in os.scandir(folder)}
        self.held = [path.open("rb") for path in root.rglob("*") if path.is_file()]  # no inode number is used again
        for file in self.held:
            self.contents[os.fstat(file.fileno()).st_ino] = file.read()


@pytest.mark.parametrize("names_reached_disk", [False, True], ids=["nothing unsynced", "names before data"])
@pytest.mark.parametrize("name", WORKS)
def test_a_power_cut_at_any_step_leaves_what_can_be_gone_on_with(tmp_path, monkeypatch, name, names_reached_disk):
    before, work, check = WORKS[name]
    steps = count_steps(tmp_path, monkeypatch, before, work)
    for at in range(1, steps + 2):
        root = tmp_path / f"cut{at}"
        root.mkdir(mode=0o700)
        before(root, tmp_path / "keys")
        result = None
        with monkeypatch.context() as patch:
            power = PowerOverOld(patch, at, root)
            try:
                result = work(root, tmp_path / "keys")
            except PowerCutError:
                assert at <= steps
        after = tmp_path / f"after{at}"
        power.rebuild(after, root, names_reached_disk)
        for file in power.held:
            file.close()
        if name == "sealing":
            check(after, tmp_path / "keys", result)
        else:
            check(after, tmp_path / "keys")
        shutil.rmtree(root)
        shutil.rmtree(after)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MiB of its own."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_second_disk_that_is_really_full_is_named_and_sealing_goes_on_when_there_is_room(tmp_path, small_disk):
    keyring = Keyring.open(tmp_path / "keys")
    second = LocalPlace("second", small_disk / "second", keyring)
    vault, spool = Vault(tmp_path / "vault", keyring, [second], required=2), Spool(tmp_path / "spool", keyring)
    film = os.urandom(10 << 20)
    second.probe()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(12 << 20))
    with spool.open("a1") as writer:
        writer.write(film)
        spooled = writer.finish()
    with pytest.raises(VaultFullError) as caught:
        vault.seal(spooled, {})
    assert str(small_disk) in str(caught.value)
    assert list(second.ids()) == []
    assert list((second.root / "tmp").iterdir()) == []
    ballast.unlink()
    sealed = vault.seal(spooled, {})
    assert sealed.copies == ("main", "second")
    assert sealed.sha256 == hashlib.sha256(film).hexdigest()
    assert vault.verify_copy(sealed.object_id, "second").ok
