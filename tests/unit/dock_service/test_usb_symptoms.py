"""What `bodycam doctor` says of USB, on made-up machines."""

import platform

import pytest

from bodycam.settings import load_settings
from dock_service.cli import usb_symptoms


@pytest.fixture
def settings(tmp_path):
    return load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def machine(tmp_path):
    root = tmp_path / "machine"
    put(root / "proc/filesystems", "nodev\tproc\n\text4\n")
    put(
        root / "lib/modules" / platform.release() / "modules.dep",
        "kernel/fs/exfat/exfat.ko:\nkernel/fs/fat/vfat.ko.xz:\n",
    )
    return root


def put(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def plug(machine, port, kind, number):
    device = machine / "sys/bus/usb/devices" / port
    put(device / "busnum", "1\n")
    put(device / "devnum", f"{number}\n")
    put(device / f"{port}:1.0/bInterfaceClass", f"{kind}\n")
    node = machine / f"dev/bus/usb/001/{number:03}"
    put(node, "")
    return node


def seen(settings, machine, *, is_root=False):
    return {found.check: found for found in usb_symptoms.look(settings, machine, is_root=is_root)}


def test_a_machine_without_usb_is_told_how_to_try_without(settings, machine):
    assert seen(settings, machine)["usb"].level == "note"
    assert "--demo" in seen(settings, machine)["usb"].todo_en


def test_only_cameras_count_and_one_that_is_closed_is_named_by_its_port(settings, machine, monkeypatch):
    plug(machine, "1-1", "03", 2)  # a keyboard
    closed = plug(machine, "1-2", "06", 3)
    plug(machine, "1-3", "08", 4)
    access = usb_symptoms.os.access
    assert seen(settings, machine)["usb"].level == "ok"
    assert "2 cameras" in seen(settings, machine)["usb"].en
    monkeypatch.setattr(usb_symptoms.os, "access", lambda path, mode: path != closed and access(path, mode))
    found = seen(settings, machine)["usb"]
    assert (found.level, "1-2" in found.en, "1-3" in found.en) == ("bad", True, False)
    assert "deploy/install.sh" in found.todo_vi


def test_without_root_the_rule_and_the_units_are_asked_for(settings, machine):
    found = seen(settings, machine)["usb_mounts"]
    assert found.level == "bad"
    assert "70-bodycam.rules" in found.en
    assert "bodycam-mount-vfat@.service" in found.en
    put(machine / "etc/udev/rules.d/70-bodycam.rules", "")
    put(machine / "etc/systemd/system/bodycam-mount-vfat@.service", "")
    assert seen(settings, machine)["usb_mounts"].level == "ok"


def test_a_card_that_is_plugged_in_and_not_mounted_is_named(settings, machine):
    put(machine / "etc/udev/rules.d/70-bodycam.rules", "")
    put(machine / "etc/systemd/system/bodycam-mount-vfat@.service", "")
    disk = machine / "sys/bus/usb/devices/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sda"
    put(disk / "size", "1000\n")
    put(disk / "sda1/partition", "1\n")
    found = seen(settings, machine)["usb_mounts"]
    assert (found.level, "sda1" in found.vi) == ("note", True)


def test_as_root_the_program_mounts_by_itself(settings, machine):
    assert seen(settings, machine, is_root=True)["usb_mounts"].level == "ok"


def test_a_kernel_without_a_file_system_is_named(settings, machine, monkeypatch):
    assert "usb_file_systems" not in seen(settings, machine)
    put(machine / "lib/modules" / platform.release() / "modules.dep", "")
    monkeypatch.setattr(usb_symptoms.shutil, "which", lambda _: None)
    found = seen(settings, machine)["usb_file_systems"]
    assert "FAT32, exFAT" in found.en
    assert "ext4" not in found.en
