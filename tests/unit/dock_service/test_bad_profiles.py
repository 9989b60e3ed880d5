"""A bad profile is refused with file, key and reason in both languages; a site's own replace and add."""

import os
import shutil
import subprocess
import sys
import time
import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from bodycam.cli.symptoms import look
from bodycam.settings import config_dir, load_settings
from dock_service.cli.usb import usb
from dock_service.errors import BadProfileError
from dock_service.profiles import load_profiles, profiles_of, read_profile
from dock_service.profiles.patterns import LONGEST_NAME, compile_pattern
from dock_service.profiles.profile import Profile

HEAD = 'key = "mine"\nvi = "Máy của ta"\nen = "Ours"\n'


def names(pattern, start='"%Y%m%d_%H%M%S"'):
    return f"[[names]]\npattern = '{pattern}'\n" + (f"start = {start}\n" if start else "")


STARTS = r"(?P<start>\d{8}_\d{6})\.mp4"


@pytest.mark.parametrize(
    ("text", "key", "vi", "en"),
    [
        ("", "key", "thiếu khóa này", "Field required"),
        ("key", "-", "không phải TOML", "Expected"),
        (HEAD.replace("mine", "Mine!"), "key", "viết sai dạng", "String should match"),
        (HEAD + "colour = 1", "colour", "không có khóa này", "Extra inputs"),
        (HEAD + "[clock]\nzone = '+25:00'", "clock.zone", "không phải múi giờ", "is no zone"),
        (HEAD + "[clock]\nzone = 'Asia/Hanoi'", "clock.zone", "không phải múi giờ", "is no zone"),
        (HEAD + "[clock]\ndrift_ppm = -1", "clock.drift_ppm", "quá nhỏ", "greater than or equal"),
        (HEAD + "[clock]\nsets = 'maybe'", "clock.sets", "true hoặc false", "valid boolean"),
        (HEAD + "[recorder]\nsegment_s = 0", "recorder.segment_s", "quá nhỏ", "greater than 0"),
        (HEAD + "[recorder]\nsegment_s = nan", "recorder.segment_s", "", ""),
        (HEAD + "[match]\nusb = ['12:34']", "match.usb.0", "không phải mã USB", "is no USB id"),
        (HEAD + "[match]\nkind = 'usb'", "match.kind", "không phải giá trị", "Input should be"),
        (HEAD + "[match]\nnames = true", "-", "cần ít nhất một [[names]]", "needs at least one"),
        (HEAD + "[files]\nsidecars = ['.gpx']", "files.sidecars.0", "viết sai dạng", "match pattern"),
        (HEAD + "[identity]\nform = 'xml'", "identity.form", "không phải giá trị", "Input should be"),
        (HEAD + names("("), "names.0.pattern", "không phải biểu thức", "is no regular expression"),
        (HEAD + names(r"\d+\.mp4", None), "names.0.pattern", "cần có nhóm", "needs a group"),
        (HEAD + names(r"(?P<date>\d{8})" + STARTS), "names.0.pattern", "không có nhóm date", "no such group: date"),
        (HEAD + names("(A|B)" + STARTS), "names.0.pattern", "nhóm không tên", "unnamed groups"),
        (HEAD + names("(?:A+)+" + STARTS), "names.0.pattern", "chỉ được dùng dấu ?", "may only be followed by ?"),
        (HEAD + names("(?:A|B){3}" + STARTS), "names.0.pattern", "chỉ được dùng dấu ?", "may only be followed by ?"),
        (HEAD + names(".*.*.*" + STARTS), "names.0.pattern", "quá nhiều cách khớp", "too many ways"),
        (HEAD + names("A" * 501 + STARTS), "names.0.pattern", "dài quá 500", "longer than 500"),
        (HEAD + names("(?=A)" + STARTS), "names.0.pattern", "chỉ được dùng", "only (?:…)"),
        (HEAD + names(r"(?P<camera>A)\1" + STARTS), "names.0.pattern", "tham chiếu ngược", "back references"),
        (HEAD + names(r"(?P<chapter>\d)" + STARTS), "names.0.pattern", "phải có nhóm sequence", "needs a sequence"),
        (HEAD + names(STARTS, None), "names.0", "phải có cùng nhau", "go together"),
        (HEAD + names(STARTS, '"%Y%m%d"'), "names.0", "không cho đủ ngày và giờ", "no whole date and time"),
        (HEAD + names(r"(?P<sequence>\d{4})\.mp4", '"%Y%m%d_%H%M%S"'), "names.0", "phải có cùng nhau", "go together"),
        (HEAD + "[mode_switch]\nkind = 'scsi'\nsteps = [{ command = 'fb 82' }]", "mode_switch", "16 byte", "16 bytes"),
        (HEAD + "[mode_switch]\nkind = 'scsi'\nsteps = [{ command = 'xx' }]", "mode_switch.steps.0.command", "số hex", "hexadecimal"),
        (HEAD + "[mode_switch]\nkind = 'scsi'\nsteps = [{ command = '2a 00 00 00 00 00 00 00 01 00' }]", "mode_switch", "ghi hoặc định dạng", "writes to or formats"),
        (HEAD + "[mode_switch]\nkind = 'control'\nsteps = [{ request = 5 }]", "mode_switch", "request_type", "request_type"),
        (HEAD + "[mode_switch]\nkind = 'control'\nsteps = []", "mode_switch.steps", "thiếu phần tử", "at least 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_key_and_reason(tmp_path, text, key, vi, en):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(BadProfileError) as caught:
        read_profile(file)
    assert str(file) in caught.value.text("vi")
    assert caught.value.values["key"] == key
    assert vi in caught.value.text("vi")
    assert en in caught.value.text("en")


def test_a_file_that_is_missing_too_large_or_no_text_is_refused(tmp_path):
    (tmp_path / "large.toml").write_text("#" * 70_000)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name, reason in (("none", "No such file"), ("large", "larger than"), ("binary", "can't decode")):
        with pytest.raises(BadProfileError, match=reason):
            read_profile(tmp_path / f"{name}.toml")


def test_two_files_may_not_share_a_key_or_a_usb_id(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(HEAD)
    with pytest.raises(BadProfileError, match=r"b\.toml, key key: “mine” is the key of a\.toml too"):
        load_profiles(tmp_path)
    (tmp_path / "a.toml").write_text(HEAD + "[match]\nusb = ['1234:0001']")
    (tmp_path / "b.toml").write_text(HEAD.replace("mine", "other") + "[match]\nusb = ['1234:0001']")
    with pytest.raises(BadProfileError, match=r"match\.usb: 1234:0001 is in a\.toml too"):
        load_profiles(tmp_path)


def test_a_sites_profiles_beside_its_config_file_replace_and_add(tmp_path):
    (tmp_path / "site.toml").write_text("")
    folder = tmp_path / "cameras"
    shutil.copytree(config_dir() / "cameras", folder)
    (folder / "dsj.toml").write_text(HEAD.replace("mine", "dsj"))
    (folder / "new.toml").write_text(HEAD)
    found = profiles_of(load_settings({"BODYCAM_CONFIG": str(tmp_path / "site.toml")}))
    assert found.get("dsj").en == found.get("mine").en == "Ours"
    assert len(list(found)) == len(list(load_profiles())) + 1
    elsewhere = {"BODYCAM_CONFIG": str(tmp_path / "site.toml"), "BODYCAM_DOCK__PROFILES": str(tmp_path / "none")}
    with pytest.raises(BadProfileError, match="no such folder"):
        profiles_of(load_settings(elsewhere))


def test_doctor_tells_a_bad_profile_and_what_to_do(tmp_path):
    (tmp_path / "bad.toml").write_text("key = 1")
    environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__PROFILES": str(tmp_path)}
    [symptom] = [symptom for symptom in look(load_settings(environment)) if symptom.check == "profiles"]
    assert symptom.level == "bad"
    assert "bad.toml" in symptom.vi
    assert symptom.todo_vi


def test_the_command_checks_a_file_and_shows_what_it_makes_of_names(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + names(r"(?P<camera>\d{4})_" + STARTS) + "[clock]\nzone = 'utc'")
    card = tmp_path / "card"
    card.mkdir()
    (card / "0412_20261121_072006.mp4").write_bytes(b"x")
    told = CliRunner().invoke(usb, ["profiles", str(file), "--card", str(card), "--name", "a.gpx"])
    assert told.exit_code == 0, told.output
    assert "✓ mine: Máy của ta / Ours" in told.output
    assert "máy/camera 0412, bắt đầu/start 21/11/2026 14:20:06" in told.output
    assert "tệp kèm/sidecar, tên không đọc được/name not read" in told.output


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab\\d[]^$.*+?{}0123456789,()|P<>start:=sequence", max_size=40))
def test_any_pattern_is_refused_by_name_or_is_quick(text):
    try:
        pattern = compile_pattern(r"(?P<sequence>\d)" + text)
    except PydanticCustomError:
        return
    began = time.process_time()
    for name in ("1" + "a" * (LONGEST_NAME - 1), "1" + "0" * (LONGEST_NAME - 1), "1" + "ab" * 127):
        pattern.fullmatch(name)
    assert time.process_time() - began < 5  # of processor time; what hangs takes years


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("[match]"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SHIPPED = [path.read_text("utf-8") for path in sorted((config_dir() / "cameras").glob("*.toml"))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SHIPPED), st.integers(0, 3000), st.binary(max_size=6))
def test_a_profile_with_bytes_changed_loads_or_is_refused_by_name(tmp_path, text, at, noise):
    data = text.encode()
    at %= len(data)
    file = tmp_path / "noise.toml"
    file.write_bytes(data[:at] + noise + data[at + len(noise) :])
    try:
        profile = read_profile(file)
    except BadProfileError:
        return
    said = profile.read_name("Video/DSJ_0412_030577_20261121_142006.mp4")
    assert said is None or said.path.startswith("Video/")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["key", "vi", "match", "mode_switch", "identity", "layout", "names", "files", "clock", "recorder"]),
    VALUES,
)
def test_a_value_of_any_type_is_read_or_refused(key, value):
    tree = tomllib.loads(HEAD) | {key: value}
    try:
        profile = Profile.model_validate(tree)
    except ValidationError:
        return
    assert profile.read_name("Video/a.mp4") is None


def test_the_station_does_not_start_with_a_bad_profile_and_says_which(tmp_path):
    (tmp_path / "bad.toml").write_text(HEAD + "colour = 1")
    environment = os.environ | {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__PROFILES": str(tmp_path),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path}",
    }
    run = [sys.executable, "-m", "bodycam", "db", "upgrade"]
    subprocess.run(run, env=environment, check=True, capture_output=True, timeout=120)
    run = [sys.executable, "-m", "dock_service.station"]
    ended = subprocess.run(run, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert "bad.toml, khóa colour: không có khóa này" in ended.stderr
    assert "bad.toml, key colour: Extra inputs" in ended.stderr
