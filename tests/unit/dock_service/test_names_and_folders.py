"""Names a camera gives can't leave the folder, and a folder is read like a camera."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dock_service.cameras.camera import safe_path, unique_paths
from dock_service.cameras.folder import MAX_DEPTH, FolderCamera
from dock_service.errors import CameraGoneError, FileUnreadableError
from dock_service.profiles.profile import Identity
from dock_service.slots import Slots


@given(st.lists(st.text(max_size=300), max_size=5))
def test_no_name_leaves_the_folder(parts):
    path = safe_path(tuple(parts))
    assert path
    assert not path.startswith("/")
    assert "\0" not in path
    assert not {"", ".", ".."} & set(path.split("/"))
    assert all(len(part.encode()) <= 255 for part in path.split("/"))


def test_names_are_nfc_and_keep_their_letters():
    assert safe_path(("DCIM", "Tệp có dấu.mp4")) == "DCIM/Tệp có dấu.mp4"
    assert safe_path(("..", "a/b\\c\0d")) == "_/a_b_c_d"


@given(st.lists(st.sampled_from(["a", "a (2)", "b", "a (3)"]), max_size=12))
def test_paths_listed_twice_are_told_apart(paths):
    assert len(set(unique_paths(paths))) == len(paths)


def test_a_folder_is_read_like_a_camera(tmp_path):
    (tmp_path / "ID.txt").write_text("BWC-0777\nsecond line")
    (tmp_path / "DCIM").mkdir()
    (tmp_path / "DCIM/a.mp4").write_bytes(b"0123456789")
    (tmp_path / "link.mp4").symlink_to("/etc/hostname")
    camera = FolderCamera(tmp_path)
    assert camera.identity.serial == "BWC-0777"
    [file] = camera.list_files()
    assert (file.path, file.size) == ("DCIM/a.mp4", 10)
    assert b"".join(camera.read(file, 4)) == b"456789"
    assert camera.refresh(file) == file
    (tmp_path / "DCIM/a.mp4").unlink()
    assert camera.refresh(file) is None
    with pytest.raises(FileUnreadableError):
        list(camera.read(file))


def test_a_folder_names_itself_by_its_profiles_record_whatever_the_names_case(tmp_path):
    fields = (("D0412", 8), ("030577", 7), ("阮文南", 33), ("44010001", 13), ("交通队", 33))
    record = b"".join(text.encode("gbk").ljust(size, b"\0") for text, size in fields)
    (tmp_path / "zfy.dat").write_bytes(b"\xff" * 16 + record)
    (tmp_path / "a.mp4").write_bytes(b"x")
    rule = Identity(file="ZFY.DAT", form="gbk-record", at=16)
    camera = FolderCamera(tmp_path, identity=rule)
    assert camera.identity.serial == "D0412"
    assert [file.path for file in camera.list_files()] == ["a.mp4"]
    (tmp_path / "zfy.dat").write_bytes(record[:20])
    assert FolderCamera(tmp_path, identity=rule).identity.serial.startswith(tmp_path.name)
    (tmp_path / "zfy.dat").unlink()
    (tmp_path / "zfy.dat").symlink_to("/etc/hostname")
    assert FolderCamera(tmp_path, identity=rule).identity.serial.startswith(tmp_path.name)


def test_a_folder_without_id_is_known_by_its_place(tmp_path):
    (tmp_path / "card").mkdir()
    one, again = FolderCamera(tmp_path / "card"), FolderCamera(tmp_path / "card")
    assert one.identity.serial == again.identity.serial
    assert one.identity.serial.startswith("card-")


def test_a_folder_that_vanished_is_gone_and_never_empty(tmp_path):
    (tmp_path / "card").mkdir()
    camera = FolderCamera(tmp_path / "card")
    assert camera.list_files() == []
    (tmp_path / "card").rmdir()
    with pytest.raises(CameraGoneError):
        camera.list_files()
    with pytest.raises(CameraGoneError):
        FolderCamera(tmp_path / "nowhere")


def test_a_folder_inside_that_is_closed_or_too_deep_is_named_and_the_others_are_read(tmp_path, monkeypatch):
    for path in ("a/a.bin", "closed/b.bin", "/".join(["d"] * MAX_DEPTH) + "/c.bin", "z.bin"):
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.encode())
    scan = os.scandir

    def refusing(folder):
        if str(folder).endswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("dock_service.cameras.medium.os.scandir", refusing)
    camera = FolderCamera(tmp_path)
    files = camera.list_files()
    assert [file.path for file in files] == ["a/a.bin", "closed", "/".join(["d"] * MAX_DEPTH), "z.bin"]
    reasons = []
    for file in (files[1], files[2]):
        with pytest.raises(FileUnreadableError) as caught:
            list(camera.read(file))
        reasons.append(caught.value.values["detail"])
    assert reasons == ["Permission denied", f"more than {MAX_DEPTH} folders deep"]
    assert b"".join(camera.read(files[3])) == b"z.bin"


def test_links_pipes_and_loops_are_left_alone(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"a")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out.mp4").symlink_to("/etc/hostname")
    (tmp_path / "gone.mp4").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert [file.path for file in FolderCamera(tmp_path).list_files()] == ["a.bin"]


def test_a_port_keeps_its_slot_for_ever(tmp_path):
    file = tmp_path / "slots.json"
    slots = Slots(file, 4)
    assert slots.slot_of("1-3") == 3
    assert slots.slot_of("1-1.3") == 1
    assert slots.slot_of("2-9") == 2
    again = Slots(file, 4)
    assert [again.slot_of(port) for port in ("2-9", "1-3", "1-1.3", "1-4", "1-5")] == [2, 3, 1, 4, None]


def test_a_broken_slot_file_starts_anew(tmp_path):
    file = tmp_path / "slots.json"
    file.write_text("[1]")
    assert Slots(file, 4).slot_of("1-2") == 2
