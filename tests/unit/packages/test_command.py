"""The verifier as a stranger runs it: another process, no settings, no network, nothing of ours but the program."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ALONE = """
import sys
def refuse(event, _):
    if event.startswith(("socket.", "sqlite3.")):
        raise AssertionError(event)
sys.addaudithook(refuse)
from bodycam.__main__ import main
sys.argv = ["bodycam", *sys.argv[1:]]
main()
"""


def run(*arguments, cwd):
    """Run the command in an empty environment; a socket or a database ends it."""
    command = [sys.executable, "-c", ALONE, "package", "verify", *map(str, arguments)]
    environ = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def policy(package, tmp_path):
    path = tmp_path / "policy.txt"
    path.write_text(package.policy)
    return path


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_it_needs_no_database_settings_or_network_and_leaves_nothing_behind(package, policy, empty):
    done = run(package.path, "--policy", policy, "--json", cwd=empty)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["schema"], told["verdict"], told["reasons"]) == ("bodycam/package-verdict/1", "valid", [])
    assert [witness["name"] for witness in told["witnesses"]] == ["w1", "w2"]
    assert list(empty.iterdir()) == []


def test_its_exit_codes_are_the_verdicts(package, policy, empty):
    policy.write_text(package.policy.replace("group all-three 2", "group all-three 3"))
    assert run(package.path, "--policy", policy, cwd=empty).returncode == 3
    policy.write_text(package.policy)
    receipt = next((package.path / "data/receipts").iterdir())
    kept = receipt.read_bytes()
    receipt.unlink()
    assert run(package.path, "--policy", policy, cwd=empty).returncode == 4
    receipt.write_bytes(kept + b" ")
    spoilt = run(package.path, "--policy", policy, cwd=empty)
    assert spoilt.returncode == 5
    assert "DỮ LIỆU ĐÃ THAY ĐỔI / TAMPERED" in spoilt.stdout
    assert "file_changed" in spoilt.stdout


def test_a_bad_policy_or_an_archive_is_an_error_and_no_verdict(package, policy, empty):
    policy.write_text("quorum none\n")
    assert run(package.path, "--policy", policy, cwd=empty).returncode == 2
    policy.write_text(package.policy)
    archive = empty.parent / "package.zip"
    archive.write_bytes(b"PK")
    refused = run(archive, "--policy", policy, cwd=empty)
    assert refused.returncode == 2
    assert "giải nén" in refused.stderr


def test_bagit_sha256sum_and_openssl_agree_on_an_untouched_package(package):
    checked = subprocess.run(
        [Path(sys.executable).with_name("bagit.py"), "--validate", package.path], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        summed = subprocess.run(
            ["sha256sum", "--strict", "-c", manifest], cwd=package.path, capture_output=True, text=True, check=False
        )
        assert summed.returncode == 0, summed.stderr
    original = next(path for path in (package.path / "data/originals").rglob("*") if path.is_file())
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r", original], capture_output=True, text=True, check=True)
    told = (package.path / "manifest-sha256.txt").read_text()
    assert f"{digest.stdout.split()[0]}  {original.relative_to(package.path)}\n" in told
    assert hashlib.sha256(original.read_bytes()).hexdigest() == digest.stdout.split()[0]


def create(told, *arguments):
    """Run `bodycam package create` on the installation of `told`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "BODYCAM_DATA_DIR": str(told.rt.settings.data_dir)}
    command = [sys.executable, "-m", "bodycam", "package", "create", *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_without_an_approved_order_for_just_these_recordings_nothing_is_made(told, tmp_path):
    one, two = told.recordings[0], told.seal("DCIM/100/NEW.MP4", b"in no order")
    told.settle()
    refused = create(told, "--recording", two, "-o", tmp_path)
    assert refused.returncode == 1
    assert "phiếu đề nghị trích xuất đã duyệt" in refused.stderr
    told.order(one)
    assert create(told, "--recording", one, "--recording", two, "-o", tmp_path).returncode == 1
    assert create(told, "--recording", one, "--renditions", "-o", tmp_path).returncode == 1
    assert create(told, "--recording", one, "--order", "TX-1", "-o", tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_the_package_of_the_order_that_names_just_these_recordings(told, tmp_path):
    one = told.recordings[0]
    told.order(one)
    made = create(told, "--recording", one, "-o", tmp_path)
    assert made.returncode == 3, made.stderr  # no policy is set here, so nobody witnesses it
    (folder,) = tmp_path.iterdir()
    assert str(folder) in made.stdout
    assert (folder / "manifest-sha256.txt").is_file()
