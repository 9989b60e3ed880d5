"""A real witness process killed in the middle of its work, again and again: what it signed it still knows."""

import http.client
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from services import free_port
from witness_world import SIGNER, Tree

from bodycam.custody.cosignature import Cosigner
from bodycam.witness.cosigning import init

ROUNDS = 12
LAST = 4000


def post(port, text):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/add-checkpoint", text.encode())
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.timeout(120)
def test_a_witness_killed_at_any_moment_never_forgets_what_it_signed_nor_signs_a_fork(tmp_path: Path):
    honest, fork = Tree.of(LAST), Tree.of(LAST, forked_at=1)
    cosigner = Cosigner.parse(init(tmp_path / "w", "w.example", tmp_path / "second"))
    port, rng, known = free_port(), random.Random(5), 0
    program = [
        sys.executable,
        "-m",
        "bodycam.witness",
        "run",
        "--dir",
        str(tmp_path / "w"),
        "--log",
        str(SIGNER.verifier),
    ]
    for _ in range(ROUNDS):
        process = subprocess.Popen(
            [*program, "--second", str(tmp_path / "second"), "--listen", f"127.0.0.1:{port}"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert "w.example" in process.stderr.readline()
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        killer = threading.Timer(rng.uniform(0.02, 0.4), process.send_signal, [signal.SIGKILL])
        killer.start()
        try:
            while True:
                size = min(LAST, known + rng.randint(1, 20))
                status, text = post(port, honest.request(known, size))
                if status == 200:
                    assert cosigner.signed_at(honest.head(size).note + text)
                    known = size
                else:
                    assert status == 409
                    assert int(text) >= known, "it forgot what it signed"
                    known = int(text)
                assert post(port, fork.request(known, min(LAST, known + 1)))[0] in {409, 422}
        except (OSError, http.client.HTTPException):
            process.wait()
        killer.join()
        drain.join()
    assert known > 0
    lines = (tmp_path / "w" / "journal").read_text().splitlines()
    for line in lines[-20:]:
        _, _, size, root, _ = line.split(" ", 4)
        assert root == honest.head(int(size)).root.hex()
