import io
import os
import signal
import time

import pytest

from bodycam.media import sandbox as sandbox_module
from bodycam.media.errors import SandboxCrashError, SandboxMemoryError, SandboxTimeoutError
from bodycam.media.sandbox import Limits, Sandbox


class Ranges(io.BytesIO):
    """Counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.fixture
def targets(tmp_path, monkeypatch):
    """A module of readers that the child can import."""
    (tmp_path / "readers_for_tests.py").write_text(
        "import os, time\n"
        "def middle(files): return files[0].seek(5_000_000) and files[0].read(4).decode()\n"
        "def pid(files): return os.getpid()\n"
        "def hang(files): time.sleep(60)\n"
        "def burn(files):\n    while True: pass\n"
        "def eat(files): return len(bytearray(4 << 30))\n"
        "def die(files): os.abort()\n"
        "def fail(files): raise ZeroDivisionError('secret detail')\n"
        "def both(files): return [f.read().decode() for f in files]\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    real = sandbox_module.subprocess.Popen

    def popen(*args, env, **kwargs):
        return real(*args, env=env | {"PYTHONPATH": f"{env['PYTHONPATH']}:{tmp_path}"}, **kwargs)

    monkeypatch.setattr(sandbox_module.subprocess, "Popen", popen)
    import readers_for_tests

    return readers_for_tests


def test_the_child_reads_only_the_ranges_it_needs(targets):
    source = Ranges(b"x" * 5_000_000 + b"here" + b"y" * 5_000_000)
    with Sandbox() as box:
        assert box.call(targets.middle, [source]) == "here"
    assert source.taken < 1 << 20


def test_several_sources_are_kept_apart(targets):
    with Sandbox() as box:
        assert box.call(targets.both, [io.BytesIO(b"one"), io.BytesIO(b""), io.BytesIO(b"two")]) == ["one", "", "two"]


def test_a_child_serves_many_calls(targets):
    with Sandbox() as box:
        assert box.call(targets.pid, []) == box.call(targets.pid, [])


def test_a_hanging_reader_is_ended_and_the_next_call_works(targets):
    with Sandbox(Limits(wall_s=0.8)) as box:
        first = box.call(targets.pid, [])
        started = time.monotonic()
        with pytest.raises(SandboxTimeoutError):
            box.call(targets.hang, [])
        assert time.monotonic() - started < 3
        assert box.call(targets.pid, []) != first


def test_a_reader_that_burns_the_processor_is_ended(targets):
    with Sandbox(Limits(wall_s=20, cpu_s=0)) as box, pytest.raises(SandboxTimeoutError):
        box.call(targets.burn, [])


def test_a_reader_that_wants_too_much_memory_is_refused(targets):
    with Sandbox(Limits(memory_mib=512)) as box:
        with pytest.raises(SandboxMemoryError):
            box.call(targets.eat, [])
        assert box.call(targets.pid, [])


def test_a_crash_takes_only_the_child_down(targets):
    with Sandbox() as box:
        with pytest.raises(SandboxCrashError):
            box.call(targets.die, [])
        assert box.call(targets.pid, [])


def test_an_unforeseen_error_is_named_without_its_text(targets):
    with Sandbox() as box, pytest.raises(SandboxCrashError) as caught:
        box.call(targets.fail, [])
    assert "ZeroDivisionError" in caught.value.text("en")
    assert "secret" not in caught.value.text("en")


def test_a_source_that_fails_is_told_from_a_reader_that_fails(targets):
    class Failing(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with Sandbox() as box:
        with pytest.raises(OSError, match="Input/output"):
            box.call(targets.both, [Failing(b"x" * 10)])
        assert box.call(targets.both, [io.BytesIO(b"good")]) == ["good"]


def test_closing_leaves_no_child(targets):
    with Sandbox() as box:
        pid = box.call(targets.pid, [])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
