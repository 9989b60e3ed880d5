"""The shipped profiles read the names found on real cards, and a camera is matched by the most telling rule."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dock_service.profiles import load_profiles
from dock_service.profiles.identity import read_record, read_text
from dock_service.profiles.matching import Strength

PROFILES = load_profiles()
START = datetime(2026, 11, 21, 7, 20, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "path", "said"),
    [
        ("dsj", "Video/DSJ_0412_030577_20261121_142006.mp4", {"camera": "0412", "officer": "030577", "start": START}),
        ("dsj", "IMP/DSJ_0412_030577_20261121_142006_IMP.MP4", {"is_event": True, "start": START}),
        ("dsj", "Video/dsj_a1b2_030577_20261121_142006_SOS_enc.mp4", {"is_event": True, "is_encrypted": True}),
        ("dsj", "Video/DSJ_0412_030577_20261121_142006_enc.mp4", {"is_event": False, "is_encrypted": True}),
        ("dsj", "IMP/DSJ_0412_030577_20261121_142006.jpg", {"is_event": True}),
        ("dsj", "Audio/DSJ_0412__20261121_142006.wav", {"officer": None, "camera": "0412"}),
        ("dsj", "DCIM/100MEDIA/DCAM_1234567_20261121142006_0007.mp4", {"camera": "1234567", "officer": None}),
        ("dsj", "DCIM/100MEDIA/DCAM_1234567_000000_20261121142006_0007.mp4", {"sequence": 7, "start": START}),
        ("dsj", "DCAM_BWC-0412_20261121_142006.avi", {"camera": "BWC-0412", "start_raw": "20261121_142006"}),
        ("jieli-dv16", "DCIM/100MEDIA/20261121_142006_0012.avi", {"sequence": 12, "start": START, "camera": None}),
        ("jieli-dv16", "LOCK/1234567_012345_20261121142006_0013_LOCK.MOV", {"is_event": True, "officer": "012345"}),
        ("action-camera", "DCIM/100GOPRO/GX010123.MP4", {"sequence": 123, "chapter": 1, "start": None}),
        ("action-camera", "DCIM/100GOPRO/gh020123.mp4", {"sequence": 123, "chapter": 2}),
        ("action-camera", "DCIM/100GOPRO/GOPR0125.JPG", {"sequence": 125, "chapter": None}),
        ("action-camera", "DCIM/100GOPRO/GP010125.MP4", {"sequence": 125, "chapter": 1}),
        ("action-camera", "DCIM/100GOPRO/GS010126.360", {"sequence": 126, "chapter": 1}),
        ("generic-mass-storage", "DCIM/100MEDIA/DSCN0012.JPG", {"sequence": 12}),
        ("generic-mass-storage", "DCIM/100MEDIA/MOVI0013.avi", {"sequence": 13}),
    ],
)
def test_a_shipped_profile_reads_its_names(key, path, said):
    name = PROFILES.get(key).read_name(path)
    assert name is not None
    assert {field: getattr(name, field) for field in said} == said


@pytest.mark.parametrize(
    "path",
    [
        "Video/DSJ_0412_030577_20261321_142006.mp4",  # no such month
        "Video/DSJ_0412_030577_20261121_142006.mp4.tmp",
        "Video/DSJ_0412_030577_20261121_142006",
        "Video/DSJ_" + "1" * 200 + "_030577_20261121_142006.mp4",
        "Video/DSJ_٠٤١٢_030577_٢٠٢٦١١٢١_142006.mp4",  # digits of other scripts
        "x/" * 200 + "DSJ_0412_030577_20261121_142006.mp4",
        "",
    ],
)
def test_what_is_named_otherwise_is_not_read(path):
    assert PROFILES.get("dsj").read_name(path) is None


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=300)
    | st.from_regex(r"(DSJ|DCAM)_[0-9A-Z_]{0,40}_(IMP|SOS)?(_enc)?\.[a-zA-Z0-9]{2,4}", fullmatch=True)
)
def test_any_name_is_read_or_not_and_never_fails(path):
    for profile in PROFILES:
        said = profile.read_name(path)
        assert said is None or said.path == path
        profile.is_event(path)
        profile.is_recording(path)
        assert profile.sidecar_of(path, [path, "a.mp4"]) in {None, "a.mp4"}


@pytest.mark.parametrize("extension", ["gpx", "NMEA", "Gps", "srt", "log", "IDX", "json"])
def test_a_sidecar_belongs_to_the_recording_of_its_stem_whatever_the_case(extension):
    profile = PROFILES.get("dsj")
    card = ["Video/A.MP4", "Video/a.jpg", "Video/B.mp4", "IMP/a.mp4", "Video/a.thm", f"Video/a.{extension}"]
    assert profile.sidecar_of(f"Video/a.{extension}", card) == "Video/A.MP4"
    assert profile.sidecar_of(f"Video/b.mp4.{extension}", card) == "Video/B.mp4"
    assert profile.sidecar_of(f"Video/c.{extension}", card) is None
    assert profile.sidecar_of("Video/A.MP4", card) is None


def test_recordings_are_told_from_sidecars_thumbnails_and_small_copies():
    action = PROFILES.get("action-camera")
    card = ["DCIM/100GOPRO/GX010123.MP4", "DCIM/100GOPRO/GX010123.THM", "DCIM/100GOPRO/GL010123.LRV", "MISC/a.mp4"]
    assert [path for path in card if action.is_recording(path)] == card[:1]
    assert not PROFILES.get("dsj").is_recording("ID.txt")


@pytest.mark.parametrize(
    ("device", "key", "strength"),
    [
        ((0x2672, 0x0056, "GoPro", "HERO10 Black", "mtp"), "action-camera", Strength.VENDOR_ID),
        ((0x1209, 1, "DV16", "DV16 DEVICE V1.00", "mass-storage"), "jieli-dv16", Strength.MODEL),
        ((0x1209, 1, "DSJ-H9", None, "mtp"), "dsj", Strength.MODEL),
        ((0x1209, 1, None, None, "mtp"), "generic-mtp", Strength.KIND),
        ((0x1209, 1, "", "", "mass-storage"), "generic-mass-storage", Strength.KIND),
    ],
)
def test_a_device_is_matched_by_what_it_says_on_the_bus_and_it_is_said_why(device, key, strength):
    match = PROFILES.match_usb(*device)
    assert (match.profile.key, match.strength) == (key, strength)
    assert match.vi
    assert match.en


def test_a_card_is_matched_by_its_names_over_its_folders_and_only_if_that_tells_more(tmp_path):
    for path in ("DCIM/100MEDIA/DSJ_0412_030577_20261121_142006.mp4", "DCIM/100MEDIA/other.mp4", "DCIM/x.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    match = PROFILES.match_card(tmp_path)
    assert (match.profile.key, match.en) == ("dsj", "1 of 2 files are named its way")
    gopro = PROFILES.match_usb(0x2672, 1, None, None, "mass-storage")
    assert PROFILES.match_card(tmp_path, gopro).profile.key == "action-camera"
    (tmp_path / "DCIM/more.mp4").write_bytes(b"x")
    match = PROFILES.match_card(tmp_path)
    assert (match.profile.key, match.en) == ("generic-mass-storage", "the card has the folders DCIM")
    assert PROFILES.match_card(tmp_path / "nowhere").profile.key == "generic-mass-storage"


def record(serial="D0412", number="030577", name="阮文南", unit="44010001", unit_name="交通队"):
    return b"".join(
        text.encode("gbk").ljust(size, b"\0")
        for text, size in ((serial, 8), (number, 7), (name, 33), (unit, 13), (unit_name, 33))
    )


def test_the_identity_record_is_read_in_gbk_and_in_utf8():
    found = read_record(record())
    assert (found.serial, found.officer, found.officer_name) == ("D0412", "030577", "阮文南")
    assert (found.unit, found.unit_name) == ("44010001", "交通队")
    utf8 = record()[:15] + "Trần Văn Nam".encode().ljust(33, b"\0") + record()[48:]
    assert read_record(utf8).officer_name == "Trần Văn Nam"
    cut = record()[:15] + b"N" + "文".encode("gbk") * 16 + record()[48:]
    assert read_record(cut).officer_name == "N" + "文" * 16
    assert read_record(cut[:47] + b"\0" + cut[48:]).officer_name == "N" + "文" * 15
    assert read_record(record()[:93]) is None
    assert read_record(record(serial="")) is None


def test_an_id_file_names_the_camera_in_its_first_line():
    assert read_text(b"\xef\xbb\xbfBWC-0777\r\nsecond").serial == "BWC-0777"
    assert read_text("执法仪01\n".encode("gbk")).serial == "执法仪01"
    assert read_text(b"\nBWC") is None
    assert read_text(b"") is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_identity_or_none(data):
    for found in (read_record(data), read_text(data)):
        assert found is None or (found.serial and "\0" not in found.serial)
