"""The citizens' portal as it runs in earnest: `python -m webui.serve public` in a folder of its own, and the core beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import services

from bodycam.cli.standalone import settle
from bodycam.migrations.runner import ensure
from bodycam.petitions import service
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Portal:
    """A running portal; `rt` is the core's view of the same installation."""

    url: str
    rt: Runtime
    folder: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def kill(self) -> None:
        """End the server the hard way (SIGKILL), with whatever it was doing."""
        for child in _children(self.process.pid):
            os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def settle(self) -> None:
        """Do what worker and sequencer do: jobs, log, receipts."""
        settle(self.rt, [])

    def new_draft(self) -> str:
        """Open a draft directly and return its id."""
        with self.rt.db.write() as session:
            return service.start(session, self.rt.keyring).id


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Portal]:
    """Run the portal on a free port until the block ends."""
    port = services.free_port()
    environ = {
        "BODYCAM_DATA_DIR": str(folder / "data"),
        "BODYCAM_PUBLIC__PORT": str(port),
        "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0",
        **{f"BODYCAM_PUBLIC__{name.upper()}": value for name, value in settings.items()},
    }
    ensure(load_settings(environ).database.url)
    with open_runtime(load_settings(environ)) as rt:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "webui.serve", "public"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BODYCAM_")}
        with services.running(command, port, folder, {**inherited, **environ, "PYTHONPATH": path}) as process:
            yield Portal(f"http://127.0.0.1:{port}", rt, folder, process)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
