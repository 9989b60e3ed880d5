"""`bodycam offload` as a process of its own: killed, interrupted, run again; and what it prints."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent
from bodycam.fleet.models import DockingVisit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings

make = random.Random(9).randbytes
FILES = {"DCIM/a.bin": make(3_500_000), "DCIM/b.bin": make(400_000)}


@pytest.fixture
def bus(tmp_path):
    return VirtualDock(tmp_path / "bus")


@pytest.fixture
def command(tmp_path):
    environment = {**os.environ, "BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_LANGUAGE": "en"}
    environment["BODYCAM_DOCK__BUS"] = f"sim:{tmp_path / 'bus'}"

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "bodycam", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finish(process):
    out, err = process.communicate(timeout=90)
    return process.returncode, json.loads(out), err


def wait_for_bytes(tmp_path, count):
    """Wait until the spool holds so many bytes."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        spooled = sum(path.stat().st_size for path in (tmp_path / "data").rglob("spool/*/*") if path.is_file())
        if spooled >= count:
            return
        time.sleep(0.02)
    pytest.fail("nothing arrived in the spool")


def catalogue(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as rt:
        with rt.db.read() as session:
            rows = list(session.scalars(select(Recording)))
        objects = list(rt.vault.iter_objects())
        assert sorted(objects) == sorted(row.object_id for row in rows)
        assert rt.spool.attempts() == []
        return sorted((row.name, row.sha256) for row in rows)


EXPECTED = sorted((path, hashlib.sha256(data).hexdigest()) for path, data in FILES.items())


def test_killed_and_run_again_gives_the_same_hashes_no_duplicate_and_no_orphan(tmp_path, bus, command):
    virtual = bus.add(FILES, rate=1_500_000)
    process = command("offload", "usb:1-1", "--json")
    wait_for_bytes(tmp_path, 1_200_000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    profile = virtual.folder / "camera.toml"
    profile.write_text(profile.read_text().replace("rate = 1500000\n", ""))
    code, said, err = finish(command("offload", "usb:1-1", "--json"))
    assert code == 0, err
    assert said["problems"] == []
    assert sorted((row["path"], row["sha256"]) for row in said["recordings"]) == EXPECTED
    assert {row["state"] for row in said["recordings"]} == {"sealed"}
    assert catalogue(tmp_path) == EXPECTED
    code, said, _ = finish(command("offload", "usb:all", "--json"))
    assert (code, said["recordings"], said["skipped"], said["camera"]) == (0, [], 2, "S-1")


def test_interrupted_it_says_so_and_goes_on_next_time(tmp_path, bus, command):
    virtual = bus.add(FILES, rate=1_500_000)
    process = command("offload", "usb:1-1", "--json")
    wait_for_bytes(tmp_path, 1_200_000)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)  # at once: timeout(1) does so, and an impatient finger
    code, said, _ = finish(process)
    assert code == 130
    assert [problem["code"] for problem in said["problems"]] == ["offload_stopped"]
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as rt, rt.db.read() as session:
        assert session.scalars(select(DockingVisit.state)).all() == ["failed"]
        assert "camera.pulled" not in session.scalars(select(CustodyEvent.kind)).all(), "nobody pulled it"
    profile = virtual.folder / "camera.toml"
    profile.write_text(profile.read_text().replace("rate = 1500000\n", ""))
    code, said, err = finish(command("offload", "usb:1-1", "--json"))
    assert code == 0, err
    assert catalogue(tmp_path) == EXPECTED


def test_nothing_the_installation_writes_can_be_read_by_others(tmp_path, bus, command):
    bus.add(FILES)
    (tmp_path / "data").mkdir(mode=0o755)  # as an administrator makes it, with the usual umask
    code, _, err = finish(command("offload", "usb:1-1", "--json"))
    assert code == 0, err
    exposed = [path for path in (tmp_path / "data").rglob("*") if path.lstat().st_mode & 0o077]
    assert exposed == []


def test_a_folder_is_offloaded_and_a_wrong_source_is_refused_by_name(tmp_path, command):
    for path, data in FILES.items():
        place = tmp_path / "card" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    (tmp_path / "card/ID.txt").write_text("BWC-0777\n")
    code, said, err = finish(command("offload", str(tmp_path / "card"), "--json"))
    assert code == 0, err
    assert said["camera"] == "BWC-0777"
    assert said["visit"]
    assert sorted((row["path"], row["sha256"]) for row in said["recordings"]) == EXPECTED
    code, said, _ = finish(command("offload", str(tmp_path / "nowhere"), "--json"))
    assert (code, said["visit"], said["problems"][0]["code"]) == (1, None, "source_unknown")
    code, said, _ = finish(command("offload", str(tmp_path), "--json"))
    assert (code, said["problems"][0]["code"]) == (1, "source_own_folder")
    process = command("offload", "usb:7-7")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "usb:7-7" in err


def test_what_is_plugged_in_is_listed(bus, command):
    bus.add({}, serial="BWC-1", port=2)
    out, _ = command("usb", "list", "--json").communicate(timeout=60)
    assert json.loads(out) == {
        "port": "1-2",
        "kind": "mtp",
        "vendor_id": "1209",
        "product_id": "0412",
        "serial": "BWC-1",
        "manufacturer": "Bodycam Simulator",
        "product": "SIM-1",
        "speed": "480M",
        "profile": "generic-mtp",
        "why_vi": "không có hồ sơ riêng, dùng hồ sơ chung theo kiểu thiết bị",
        "why_en": "no profile of its own fits: the general one for its kind of device",
    }
    out, _ = command("usb", "list").communicate(timeout=60)
    assert "usb:1-2" in out
    assert "hồ sơ/profile generic-mtp" in out


def test_all_cameras_of_every_kind_are_read_and_one_that_fails_stops_no_other(bus, command):
    bus.add({"a.bin": make(200_000)}, serial="MTP-1", port=1)
    bus.add({"b.bin": make(200_000)}, serial="BAD-1", port=2, kind="mass-storage", switch="control")  # never told how
    bus.add({"c.bin": make(200_000)}, serial="DRIVE-1", port=3, kind="mass-storage")
    bus.add({"d.bin": make(200_000)}, serial="JL00042", model="DV16", port=4, kind="mass-storage", switch="dv16")
    code, out, err = finish(command("offload", "usb:all", "--json"))
    assert [found["code"] for found in out["problems"]] == ["storage_not_ready"], err
    assert code == 1
    assert out["camera"] == ["MTP-1", "DRIVE-1", "JL00042"]
    assert sorted(found["path"] for found in out["recordings"]) == ["a.bin", "c.bin", "d.bin"]
