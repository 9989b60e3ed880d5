"""Kill -9, power cuts, full and failing disks at every step of spooling and sealing: the same bytes, one object, nothing lost."""

import errno
import hashlib
import multiprocessing
import os
import shutil
import signal

import pytest
from disk_faults import Counted, Power, PowerCutError

from bodycam.vault import Keyring, Spool, Vault
from bodycam.vault.errors import VaultFullError, VaultIoError

DATA = bytes(range(256)) * 300  # 76,800 bytes: several chunks, no multiple of one
CUTS = (0, 30_000, 76_800)


def copy_and_seal(root, keys, promised=None, data=DATA, cuts=CUTS):
    """Copy in two openings, as after a pulled camera, then seal; `promised` hears every durable offset."""
    keyring = Keyring.open(keys)
    vault, spool = Vault(root / "vault", keyring), Spool(root / "spool", keyring)
    tell = promised or (lambda _: None)
    while (goal := next((cut for cut in cuts[1:] if cut > spooled_bytes(spool)), None)) is not None:
        with spool.open("a1", expected=len(data)) as writer:
            for at in range(writer.offset, goal, 20_000):
                writer.write(data[at : min(at + 20_000, goal)])
                tell(writer.sync())
            tell(writer.close())
    with spool.open("a1") as writer:
        spooled = writer.finish()
    assert spooled.sha256 == hashlib.sha256(data).hexdigest()
    return vault.seal(spooled, {"name": "x.mp4"})


def spooled_bytes(spool):
    with spool.open("a1") as writer:
        return writer.offset


def check_and_go_on(root, keys, promised, sealed=None):
    """What stands after the fault must be sound and reach what was promised; going on must end as if nothing had been."""
    keyring = Keyring.open(keys, create=False)
    vault, spool = Vault(root / "vault", keyring), Spool(root / "spool", keyring)
    for object_id in vault.iter_objects():
        assert vault.verify(object_id).ok
    assert spooled_bytes(spool) >= promised
    again = copy_and_seal(root, keys)
    assert list(vault.iter_objects()) == [again.object_id]
    assert sealed is None or sealed == again
    assert b"".join(vault.open(again.object_id).chunks()) == DATA


def count_steps(tmp_path, monkeypatch):
    Keyring.open(tmp_path / "keys")
    with monkeypatch.context() as patch:
        counted = Counted(patch, 10**9, lambda: None)
        copy_and_seal(tmp_path / "counting", tmp_path / "keys")
    return counted.count


def test_a_process_killed_at_any_step_loses_nothing_and_doubles_nothing(tmp_path, monkeypatch):
    steps = count_steps(tmp_path, monkeypatch)
    assert steps > 40
    fork = multiprocessing.get_context("fork")
    for at in range(1, steps + 1):
        root, promised = tmp_path / f"kill{at}", fork.Value("q", 0)

        def work(root=root, promised=promised, at=at):
            Counted(monkeypatch, at, lambda: os.kill(os.getpid(), signal.SIGKILL))
            copy_and_seal(root, tmp_path / "keys", lambda offset: setattr(promised, "value", offset))

        child = fork.Process(target=work)
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        check_and_go_on(root, tmp_path / "keys", promised.value)
        shutil.rmtree(root)


@pytest.mark.parametrize("names_reached_disk", [False, True], ids=["nothing unsynced", "names before data"])
def test_a_power_cut_at_any_step_keeps_every_promise(tmp_path, monkeypatch, names_reached_disk):
    steps = count_steps(tmp_path, monkeypatch)
    for at in range(1, steps + 2):
        root, promised, sealed = tmp_path / f"cut{at}", [0], None
        root.mkdir(mode=0o700)
        with monkeypatch.context() as patch:
            power = Power(patch, at, root)
            power.names[root] = {}
            try:
                sealed = copy_and_seal(root, tmp_path / "keys", lambda offset, p=promised: p.append(offset))
            except PowerCutError:
                assert at <= steps
        after = tmp_path / f"after{at}"
        power.rebuild(after, root, names_reached_disk)
        check_and_go_on(after, tmp_path / "keys", max(promised), sealed)
        shutil.rmtree(root)
        shutil.rmtree(after)


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, VaultFullError), (errno.EIO, VaultIoError)])
@pytest.mark.parametrize("call", ["pwrite", "fsync", "link", "posix_fallocate", "ftruncate"])
def test_a_full_or_failing_disk_has_a_name_and_costs_nothing(tmp_path, monkeypatch, call, number, error):
    keys, real = tmp_path / "keys", getattr(os, call)
    Keyring.open(keys)
    failed = 0
    for nth in range(1, 30):
        root, calls, promised = tmp_path / f"try{nth}", [], [0]
        Vault(root / "vault", Keyring.open(keys))

        def fail(*args, real=real, calls=calls, nth=nth):
            calls.append(1)
            if len(calls) == nth:
                raise OSError(number, os.strerror(number))
            return real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            try:
                copy_and_seal(root, keys, promised.append)
            except error:
                failed += 1
        check_and_go_on(root, keys, max(promised))
    assert failed


def test_short_writes_are_gone_on_with(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:8192], at))
    copy_and_seal(tmp_path, tmp_path / "keys")
    monkeypatch.undo()
    check_and_go_on(tmp_path, tmp_path / "keys", 0)


def test_a_disk_that_takes_nothing_more_without_saying_why_is_a_named_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(VaultIoError, match="short write"):
        copy_and_seal(tmp_path, tmp_path / "keys")


def test_room_for_the_whole_file_is_asked_for_before_the_first_byte(tmp_path):
    spool = Spool(tmp_path / "spool", Keyring.open(tmp_path / "keys"))
    with pytest.raises(VaultFullError), spool.open("a1", expected=1 << 55) as writer:
        writer.write(b"x")
    with spool.open("a1") as writer:
        assert writer.offset == 0


def test_long_writes_in_threads_survive_a_full_disk(tmp_path, monkeypatch):
    data = os.urandom(9 << 20)
    spool = Spool(tmp_path / "spool", Keyring.open(tmp_path / "keys"))
    real, calls = os.pwrite, []

    def fail(*args):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "full")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(VaultFullError), spool.open("a1") as writer:
            for at in range(0, len(data), 1 << 20):
                writer.write(data[at : at + (1 << 20)])
            writer.finish()
    with spool.open("a1") as writer:
        assert 3 << 20 < writer.offset < 5 << 20
        writer.write(data[writer.offset :])
        assert writer.finish().sha256 == hashlib.sha256(data).hexdigest()
