"""Mass-storage cameras of the simulated bus: read as folders, never taken for empty, changed over by their profile."""

import os
import random
import time

import pytest
from virtual_dock import VirtualDock

from bodycam.settings import load_settings
from dock_service.bus import DeviceKind
from dock_service.cameras import opening
from dock_service.cameras.opening import is_camera, open_camera
from dock_service.errors import (
    CameraGoneError,
    FileReplacedError,
    FileUnreadableError,
    ModeSwitchedError,
    ModeSwitchFailedError,
    SizeImpossibleError,
)
from dock_service.profiles import load_profiles

make = random.Random(8).randbytes
FILES = {"DCIM/100MEDIA/a.mp4": make(3_000_000), "DCIM/b.mp4": make(1000), "ID.txt": b"DSJ00042\n"}
PROFILES = load_profiles()


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


@pytest.fixture
def settings(tmp_path):
    return load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"})


def match_of(device):
    return PROFILES.match_usb(
        device.vendor_id, device.product_id, device.manufacturer, device.product, device.kind.value
    )


def opened(dock, settings):
    [device] = dock.bus.devices()
    return open_camera(device, match_of(device), settings)


def test_it_is_read_as_a_folder_and_known_by_its_id_file(dock, settings):
    dock.add(FILES, serial="USB-1", kind="mass-storage")
    [device] = dock.bus.devices()
    assert device.kind is DeviceKind.MASS_STORAGE
    assert is_camera(device, match_of(device))
    camera = opened(dock, settings)
    assert camera.identity.serial == "DSJ00042"
    files = camera.list_files()
    assert [file.path for file in files] == ["DCIM/100MEDIA/a.mp4", "DCIM/b.mp4"]
    for file in files:
        assert b"".join(camera.read(file)) == FILES[file.path]
        assert b"".join(camera.read(file, 100)) == FILES[file.path][100:]
        assert camera.refresh(file) == file
    assert (camera.clock(), camera.battery(), camera.changed()) == (None, None, False)
    assert camera.storage().capacity > 0
    camera.close()


def test_without_an_id_file_it_is_known_by_its_usb_serial(dock, settings):
    dock.add({"a.mp4": b"a"}, serial="USB-2", kind="mass-storage")
    assert opened(dock, settings).identity.serial == "USB-2"


def test_two_cards_are_told_apart_and_never_renamed(dock, settings):
    virtual = dock.add({"DCIM/a.mp4": b"built in"}, serial="USB-3", kind="mass-storage")
    camera = opened(dock, settings)
    [alone] = camera.list_files()
    (virtual.second_card / "DCIM").mkdir(parents=True)
    (virtual.second_card / "DCIM/a.mp4").write_bytes(b"on the card")
    files = camera.list_files()
    assert [file.path for file in files] == ["DCIM/a.mp4", "lun1/DCIM/a.mp4"]
    assert [b"".join(camera.read(file)) for file in files] == [b"built in", b"on the card"]
    assert files[0] == alone


def test_a_camera_pulled_while_it_is_read_is_gone_and_its_empty_folders_are_not_believed(dock, settings):
    virtual = dock.add(FILES, serial="USB-4", kind="mass-storage", faults={"unplug_after_bytes": 2_100_000})
    camera = opened(dock, settings)
    files = camera.list_files()
    with pytest.raises(CameraGoneError):
        b"".join(camera.read(files[0]))
    with pytest.raises(CameraGoneError):
        camera.list_files()
    assert list((virtual.card / "DCIM").iterdir())
    with pytest.raises(CameraGoneError):
        b"".join(camera.read(files[1]))
    camera.close()


def test_a_file_keeps_its_key_when_others_come_before_it(dock, settings):
    virtual = dock.add({"m.mp4": b"the middle"}, serial="USB-5", kind="mass-storage")
    camera = opened(dock, settings)
    [file] = camera.list_files()
    (virtual.card / "a.mp4").write_bytes(b"a new one")
    assert len(camera.list_files()) == 2
    assert b"".join(camera.read(file)) == b"the middle"


def test_a_file_that_claims_more_than_its_card_holds_is_not_read(dock, settings):
    virtual = dock.add({"a.mp4": b"a"}, serial="USB-6", kind="mass-storage")
    with (virtual.card / "huge.mp4").open("wb") as file:
        file.truncate(8 << 40)
    camera = opened(dock, settings)
    small, huge = camera.list_files()
    assert huge.size == 8 << 40
    with pytest.raises(SizeImpossibleError, match=r"huge\.mp4"):
        next(camera.read(huge))
    assert b"".join(camera.read(small)) == b"a"


def test_a_bad_sector_is_one_files_problem(dock, settings):
    faults = {"bad_sectors": {"DCIM/b.mp4": 500}}
    dock.add(FILES, serial="USB-9", kind="mass-storage", faults=faults)
    camera = opened(dock, settings)
    first, second = camera.list_files()
    pieces = camera.read(second)
    assert next(pieces) == FILES["DCIM/b.mp4"][:500]
    with pytest.raises(FileUnreadableError):
        next(pieces)
    assert b"".join(camera.read(first)) == FILES["DCIM/100MEDIA/a.mp4"]


def test_only_a_wipe_deletes_and_only_the_file_that_was_listed(dock, settings):
    virtual = dock.add({"a.mp4": b"a", "b.mp4": b"b"}, serial="USB-7", kind="mass-storage")
    camera = opened(dock, settings)
    first, second = camera.list_files()
    camera.delete(first)
    assert not (virtual.card / "a.mp4").exists()
    assert camera.refresh(first) is None
    (virtual.card / "b.mp4").write_bytes(b"another one")
    with pytest.raises(FileReplacedError):
        camera.delete(second)
    assert (virtual.card / "b.mp4").exists()
    with pytest.raises(FileReplacedError):
        camera.delete(first)


def arrived_again(dock, address):
    """Wait for the device that comes back on the port."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = [device for device in dock.bus.devices() if device.address != address]
        if found:
            return found[0]
        time.sleep(0.05)
    pytest.fail("it did not come back")


def test_a_dv16_says_who_it_is_becomes_a_drive_and_stays_the_same_camera(dock, settings):
    dock.add(
        {"DCIM/a.mp4": b"recorded"},
        serial="JL0042",
        model="DV16",
        kind="mass-storage",
        switch="dv16",
        battery=57,
        officer="Nguyễn",
    )
    [first] = dock.bus.devices()
    match = match_of(first)
    assert match.profile.key == "jieli-dv16"
    with pytest.raises(ModeSwitchedError):
        open_camera(first, match, settings)
    second = arrived_again(dock, first.address)
    assert second.port == first.port
    camera = open_camera(second, match_of(second), settings)
    assert (camera.identity.serial, camera.identity.model) == ("JL0042", "DV16")
    assert camera.battery() == 57
    assert [file.path for file in camera.list_files()] == ["DCIM/a.mp4"]


def site(tmp_path, switch):
    folder = tmp_path / "site"
    folder.mkdir(exist_ok=True)
    (folder / "x.toml").write_text(
        f'key = "x"\nvi = "X"\nen = "X"\n[match]\nusb = ["1209:0500"]\n[mode_switch]\n{switch}\n'
    )
    return load_profiles(folder)


CONTROL = (
    'kind = "control"\nbecomes = "1209:0501"\nwait_s = 1.5\nsteps = [{ request_type = 64, request = 160, value = 1 }]'
)


def test_a_vendor_request_changes_it_over_to_other_ids_on_the_same_port(dock, settings, tmp_path):
    dock.add(
        {"a.mp4": b"a"},
        serial="V-1",
        kind="mass-storage",
        switch="control",
        product_id=0x500,
        switched_product_id=0x501,
        port=4,
    )
    profiles = site(tmp_path, CONTROL)
    [first] = dock.bus.devices()
    match = profiles.match_usb(first.vendor_id, first.product_id, None, None, first.kind.value)
    with pytest.raises(ModeSwitchedError):
        open_camera(first, match, settings)
    second = arrived_again(dock, first.address)
    assert (second.product_id, second.port) == (0x501, "1-4")
    match = profiles.match_usb(second.vendor_id, second.product_id, None, None, second.kind.value)
    assert match.profile.key == "x"
    assert open_camera(second, match, settings).identity.serial == "V-1"


def test_a_camera_that_stays_as_it_was_is_a_failed_switch_by_name(dock, settings, tmp_path):
    dock.add({}, serial="V-2", kind="mass-storage", product_id=0x500, port=5)
    profiles = site(tmp_path, CONTROL)
    [device] = dock.bus.devices()
    match = profiles.match_usb(device.vendor_id, device.product_id, None, None, device.kind.value)
    with pytest.raises(ModeSwitchFailedError):
        open_camera(device, match, settings)


def test_a_folder_that_leads_back_into_itself_ends_as_one_problem(dock, settings, monkeypatch):
    """A broken FAT's folder holds itself under another name: the same entries again and again."""
    virtual = dock.add({"DCIM/a.mp4": b"a", "DCIM/loop/x": b"x"}, serial="USB-8", kind="mass-storage")
    scan = os.scandir
    home = str(virtual.card / "DCIM")

    def looping(folder):
        return scan(home if "/loop" in str(folder) else folder)

    monkeypatch.setattr("dock_service.cameras.medium.os.scandir", looping)
    files = opened(dock, settings).list_files()
    assert [file.path for file in files] == ["DCIM/a.mp4", "DCIM/loop"]


def test_another_camera_in_the_port_of_one_that_was_changing_over_is_not_taken_for_it(dock, settings):
    first = dock.add({}, serial="JL0001", model="DV16", kind="mass-storage", switch="dv16", port=3)
    [device] = dock.bus.devices()
    with pytest.raises(ModeSwitchedError):
        open_camera(device, match_of(device), settings)
    first.unplug()
    dock.bus.devices()
    dock.add({}, serial="OTHER-2", kind="mass-storage", product_id=0x777, port=3)
    [other] = dock.bus.devices()
    assert other.port == device.port
    assert open_camera(other, match_of(other), settings).identity.serial == "OTHER-2"


def test_the_next_one_of_the_same_model_is_told_and_asked_anew(dock, settings):
    first = dock.add({}, serial="JL0001", model="DV16", kind="mass-storage", switch="dv16", port=3)
    [device] = dock.bus.devices()
    with pytest.raises(ModeSwitchedError):
        open_camera(device, match_of(device), settings)
    first.unplug()
    dock.bus.devices()
    dock.add({}, serial="JL0002", model="DV16", kind="mass-storage", switch="dv16", port=3)
    [second] = dock.bus.devices()
    with pytest.raises(ModeSwitchedError):
        open_camera(second, match_of(second), settings)
    back = arrived_again(dock, second.address)
    assert open_camera(back, match_of(back), settings).identity.serial == "JL0002"


def test_a_profile_known_by_its_files_says_who_it_is_and_what_its_times_mean(dock, settings, tmp_path, monkeypatch):
    (tmp_path / "cameras").mkdir()
    (tmp_path / "cameras/k.toml").write_text(
        'key = "k"\nvi = "K"\nen = "K"\n[match]\nfolders = ["RECORD"]\n[identity]\nfile = "K.ID"\n[clock]\nzone = "utc"\n'
    )
    (tmp_path / "site.toml").write_text(f'[dock]\nprofiles = "{tmp_path / "cameras"}"\n')
    settings = load_settings(
        {
            "BODYCAM_DATA_DIR": str(tmp_path / "data"),
            "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
            "BODYCAM_CONFIG": str(tmp_path / "site.toml"),
        }
    )
    zones = []
    made = opening._storage

    def seen(device, profile, *rest):
        zones.append(str(profile.zone))
        return made(device, profile, *rest)

    monkeypatch.setattr(opening, "_storage", seen)
    dock.add({"RECORD/a.mp4": b"a", "K.ID": b"K-77"}, serial="USB-10", kind="mass-storage")
    camera = opened(dock, settings)
    assert camera.identity.serial == "K-77"
    assert [file.path for file in camera.list_files()] == ["RECORD/a.mp4"]
    assert zones == ["+07", "UTC"]  # mounted anew, so that FAT's local times are read as what they are
