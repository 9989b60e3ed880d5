"""What a lying log, a thief of backups or a broken disk may try with a witness."""

import http.client
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from witness_world import SIGNER, Tree, cosigner, made, served

import bodycam.witness
from bodycam.custody.note import Signer
from bodycam.witness import cosigning
from bodycam.witness.__main__ import MAX_REQUEST, main
from bodycam.witness.cosigning import RefusedError, Witness, WitnessError, init

LOG_KEY = str(SIGNER.verifier)


def refused(witness, text):
    with pytest.raises(RefusedError) as error:
        witness.add_checkpoint(text)
    return error.value.status, error.value.size


def post(url, data, path="/add-checkpoint"):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("POST", path, data.encode())
    answer = connection.getresponse()
    try:
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def test_a_growing_log_is_cosigned_and_the_line_holds(tmp_path):
    witness, tree = made(tmp_path), Tree.of(300)
    before = int(time.time())
    for old, new in [(0, 1), (1, 2), (2, 2), (2, 7), (7, 256), (256, 300)]:
        asked, line = witness.add_checkpoint(tree.request(old, new))
        assert asked.size == new
        assert cosigner(witness).signed_at(tree.head(new).note + line).timestamp() >= before
    assert witness.heads[SIGNER.name].size == 300


def test_over_http_each_refusal_has_the_status_of_the_protocol(tmp_path):
    tree, stranger, thief = Tree.of(9), Signer.generate("other/log"), Signer(SIGNER.name, b"\x09" * 32)
    with served(made(tmp_path)) as url:
        status, _, line = post(url, tree.request(0, 5))
        assert status == 200
        assert line.startswith("— w1.example/w ")
        assert post(url, tree.request(0, 9))[:3] == (409, "text/x.tlog.size", "5\n")
        assert post(url, tree.request(6, 9))[:3] == (409, "text/x.tlog.size", "5\n")
        assert post(url, Tree.of(9, signer=stranger).request(5, 9))[0] == 404
        assert post(url, Tree.of(9, signer=thief).request(5, 9))[0] == 403
        assert post(url, tree.request(5, 9).replace("old 5", "old 10"))[0] == 400
        assert post(url, Tree.of(9, forked_at=3).request(5, 9))[0] == 422
        assert post(url, "nonsense")[0] == 400
        assert post(url, tree.request(5, 9), path="/other")[0] == 404
        assert post(url, "x" * (MAX_REQUEST + 1))[0] == 413
        assert post(url, tree.request(5, 9))[0] == 200


def test_a_log_that_forks_gets_neither_a_second_root_nor_a_branch_cosigned(tmp_path):
    witness, honest, fork = made(tmp_path), Tree.of(9), Tree.of(9, forked_at=4)
    witness.add_checkpoint(honest.request(0, 6))
    assert refused(witness, fork.request(6, 6)) == (409, 6)  # two roots of one size
    assert refused(witness, fork.request(6, 9)) == (422, None)
    assert refused(witness, fork.request(4, 9)) == (409, 6)
    assert refused(witness, honest.request(3, 4)) == (409, 6)  # smaller than before
    assert witness.heads[SIGNER.name].root == honest.head(6).root


def test_a_proof_cut_swapped_or_lengthened_is_refused(tmp_path):
    witness, tree = made(tmp_path), Tree.of(200)
    witness.add_checkpoint(tree.request(0, 77))
    old, *proof = tree.request(77, 200).split("\n\n")[0].split("\n")
    note = tree.head(200).note
    for lines in (proof[:-1], proof[1:], proof[::-1], [*proof, proof[0]], []):
        assert refused(witness, "\n".join([old, *lines]) + "\n\n" + note)[0] == 422
    assert refused(witness, "\n".join([old, *proof * 20]) + "\n\n" + note)[0] == 400  # more than 63 lines


def test_two_parallel_add_checkpoints_of_a_fork_get_one_cosignature(tmp_path):
    honest, fork = Tree.of(9), Tree.of(9, forked_at=4)
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        with served(made(folder)) as url, ThreadPoolExecutor(8) as pool:
            asked = [(honest if n % 2 else fork).request(0, 9) for n in range(8)]
            statuses = [status for status, _, _ in pool.map(lambda text: post(url, text), asked)]
            assert statuses.count(200) == 1
            assert statuses.count(409) == 7
        assert len((folder / "journal").read_text().splitlines()) == 1


def test_many_parallel_sizes_never_roll_the_witness_back(tmp_path):
    tree, witness = Tree.of(64), made(tmp_path)
    barrier = threading.Barrier(8)

    def climb(_):
        barrier.wait()
        for _ in range(100):
            known = witness.heads.get(SIGNER.name)
            old = known.size if known else 0
            try:
                witness.add_checkpoint(tree.request(old, min(64, old + random.randint(1, 3))))
            except RefusedError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(climb, range(8)))
    sizes = [int(line.split(" ")[2]) for line in (tmp_path / "journal").read_text().splitlines()]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 64


def test_it_is_on_disk_before_it_is_signed(tmp_path, monkeypatch):
    witness, tree = made(tmp_path), Tree.of(9)
    synced, order = os.fsync, []
    monkeypatch.setattr(cosigning.os, "fsync", lambda fd: (synced(fd), order.append("sync"))[0])
    sign = Witness._cosign
    monkeypatch.setattr(Witness, "_cosign", lambda self, body, at: (order.append("sign"), sign(self, body, at))[1])
    witness.add_checkpoint(tree.request(0, 9))
    assert order == ["sync", "sign"]


def test_a_disk_that_refuses_the_line_gets_nothing_signed_and_harms_nothing(tmp_path, monkeypatch):
    witness, tree = made(tmp_path), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(cosigning.os, "write", lambda fd, data: write(fd, data[:20]))
        with pytest.raises(OSError, match="cut short"):
            witness.add_checkpoint(tree.request(3, 5))
        with served(witness) as url:
            assert post(url, tree.request(3, 5))[0] == 503
    witness.add_checkpoint(tree.request(3, 5))
    assert made(tmp_path).heads[SIGNER.name].size == 5


def test_a_line_torn_by_a_power_cut_was_never_signed_and_is_dropped(tmp_path):
    witness, tree = made(tmp_path), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    whole = (tmp_path / "journal").read_bytes()
    for cut in (1, 30, len(whole) - 1):
        (tmp_path / "journal").write_bytes(whole + whole[:cut])
        assert made(tmp_path).heads[SIGNER.name].size == 3
        assert (tmp_path / "journal").read_bytes() == whole


def test_a_witness_rolled_back_to_an_older_backup_does_not_start(tmp_path):
    second = tmp_path / "usb" / "journal"
    witness, tree = made(tmp_path / "w", second=second), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    backup = (tmp_path / "w" / "journal").read_bytes()
    witness.add_checkpoint(tree.request(3, 6))
    (tmp_path / "w" / "journal").write_bytes(backup)
    with pytest.raises(WitnessError, match="older"):
        made(tmp_path / "w", second=second)
    assert main(["run", "--dir", str(tmp_path / "w"), "--second", str(second), "--log", LOG_KEY]) == 1


def test_a_second_journal_that_was_away_is_brought_forward_and_a_missing_one_stops_the_start(tmp_path):
    second = tmp_path / "usb" / "journal"
    witness, tree = made(tmp_path / "w", second=second), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    older = second.read_bytes()
    witness.add_checkpoint(tree.request(3, 5))
    second.write_bytes(older)  # a crash between the two
    Witness(tmp_path / "w", [LOG_KEY], second).add_checkpoint(tree.request(5, 9))
    assert second.read_bytes() == (tmp_path / "w" / "journal").read_bytes()
    second.unlink()
    with pytest.raises(WitnessError):
        Witness(tmp_path / "w", [LOG_KEY], second)


def test_a_lost_or_altered_journal_stops_the_start(tmp_path):
    witness, tree = made(tmp_path), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    witness.add_checkpoint(tree.request(3, 9))
    whole = (tmp_path / "journal").read_bytes()
    for at in range(0, len(whole) - 1, 7):
        data = bytearray(whole)
        data[at] ^= 1
        (tmp_path / "journal").write_bytes(data)
        with pytest.raises(WitnessError):
            made(tmp_path)
    (tmp_path / "journal").unlink()
    with pytest.raises(WitnessError):
        made(tmp_path)


def test_a_clock_put_back_stops_the_cosigning(tmp_path, monkeypatch):
    witness, tree = made(tmp_path), Tree.of(9)
    witness.add_checkpoint(tree.request(0, 3))
    now = time.time()
    monkeypatch.setattr(cosigning.time, "time", lambda: now - 60)  # within what a clock may be corrected by
    _, line = witness.add_checkpoint(tree.request(3, 4))
    assert cosigner(witness).signed_at(tree.head(4).note + line).timestamp() >= int(now)
    monkeypatch.setattr(cosigning.time, "time", lambda: now - 4 * 86400)
    with pytest.raises(WitnessError):
        witness.add_checkpoint(tree.request(4, 5))
    with pytest.raises(WitnessError):
        made(tmp_path)


def test_two_witnesses_over_one_folder_are_refused(tmp_path):
    init(tmp_path, "w.example")
    program = [sys.executable, "-m", "bodycam.witness", "run", "--dir", str(tmp_path), "--log", LOG_KEY]
    first = subprocess.Popen([*program, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        assert "w.example+" in first.stderr.readline()
        second = subprocess.run([*program, "--listen", "127.0.0.1:0"], check=False, capture_output=True, text=True)
        assert second.returncode == 1
        assert "already runs" in second.stderr
    finally:
        first.terminate()
        first.communicate()


def test_the_folder_copied_alone_runs_without_bodycam(tmp_path):
    # isolated: neither this checkout nor the environment's own path is seen
    source = Path(bodycam.witness.__file__).parent
    (tmp_path / "witness").mkdir()
    for path in source.glob("*.py"):
        (tmp_path / "witness" / path.name).write_bytes(path.read_bytes())
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runpy; sys.argv[1:] = ['init', '--dir', {str(tmp_path / 'd')!r}, '--name', 'w']; runpy.run_module('witness', run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", script], check=False, capture_output=True, text=True)
    assert done.stdout.startswith("w+"), done.stderr
    loaded = "".join(path.read_text() for path in source.glob("*.py"))
    assert "from bodycam" not in loaded
    assert "import bodycam" not in loaded


def test_init_keeps_the_key_it_finds(tmp_path):
    first = init(tmp_path, "w.example")
    assert init(tmp_path, "") == first
    assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
    for name in ("", "a b", "a+b", "đ"):
        with pytest.raises(WitnessError):
            init(tmp_path / "new", name)


def test_a_request_brought_as_a_file_is_cosigned_by_the_same_rules(tmp_path, capsys):
    init(tmp_path / "w", "w.example")
    tree = Tree.of(9)
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    asked.write_text(tree.request(0, 9))
    sign = ["sign", "--dir", str(tmp_path / "w"), "--log", LOG_KEY, str(asked), "-o"]
    assert main([*sign, str(answer)]) == 0
    witness = Witness(tmp_path / "w", [LOG_KEY])
    assert cosigner(witness).signed_at(answer.read_text()) is not None
    assert main([*sign, str(tmp_path / "again")]) == 5  # stale: it knows 9 by now
    assert "409" in capsys.readouterr().err


def test_extension_lines_of_other_logs_are_signed_with_the_rest(tmp_path):
    witness, tree = made(tmp_path), Tree.of(3)
    body = tree.head(3).body + "extension\n"
    request = f"old 0\n\n{SIGNER.sign(body)}"
    asked, line = witness.add_checkpoint(request)
    assert cosigner(witness).signed_at(asked.note + line) is not None


@pytest.fixture(scope="module")
def hardened(tmp_path_factory):
    return made(tmp_path_factory.mktemp("w"))


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_foreign_text_never_crashes_it(hardened, text):
    forged = Tree.of(2, signer=Signer(SIGNER.name, b"\x09" * 32)).head(2).note
    for request in (text, f"old 0\n\n{text}", f"old 0\n\n{SIGNER.name}\n{text}", f"old {text}\n\n{forged}"):
        with pytest.raises(RefusedError):
            hardened.add_checkpoint(request)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0))
def test_no_flipped_bit_of_a_request_gets_another_tree_cosigned(tmp_path_factory, seed):
    tree = Tree.of(9)
    data = bytearray(tree.request(0, 9).encode())
    bit = seed % (len(data) * 8)
    data[bit // 8] ^= 1 << bit % 8
    witness = made(tmp_path_factory.mktemp("w"))
    try:
        asked, _ = witness.add_checkpoint(data.decode("utf-8", "replace"))
    except RefusedError:
        return
    assert asked.body == tree.head(9).body


def test_a_request_that_never_ends_does_not_hold_the_others_up(tmp_path, monkeypatch):
    monkeypatch.setattr("bodycam.witness.__main__.Handler.timeout", 0.5)
    with served(made(tmp_path)) as url:
        slow = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        slow.putrequest("POST", "/add-checkpoint")
        slow.putheader("Content-Length", "1000")
        slow.endheaders(b"old 0\n")
        assert post(url, Tree.of(3).request(0, 3))[0] == 200
        slow.close()


def test_the_front_page_tells_who_this_is_and_how_far_it_saw(tmp_path):
    witness = made(tmp_path)
    witness.add_checkpoint(Tree.of(3).request(0, 3))
    with served(witness) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("GET", "/")
        said = connection.getresponse().read().decode()
        connection.close()
    assert said.startswith(f"{witness.vkey}\n3 {Tree.of(3).head(3).root.hex()} ")


def test_a_journal_of_many_logs_keeps_them_apart(tmp_path):
    other = Signer.generate("other.example/log")
    keys = [LOG_KEY, str(other.verifier)]
    witness = made(tmp_path, logs=keys)
    witness.add_checkpoint(Tree.of(3).request(0, 3))
    witness.add_checkpoint(Tree.of(9, forked_at=1, signer=other).request(0, 8))
    sizes = {name: head.size for name, head in Witness(tmp_path, keys).heads.items()}
    assert sizes == {SIGNER.name: 3, other.name: 8}
