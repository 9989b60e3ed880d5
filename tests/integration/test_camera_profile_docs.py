"""The worked example of docs/cameras.md works as it is written there."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from virtual_dock import VirtualDock

from bodycam.settings import load_settings
from dock_service.cameras.folder import FolderCamera
from dock_service.cli.usb import usb
from dock_service.profiles import profiles_of
from dock_service.profiles.profile import Profile
from dock_service.profiles.switch import ModeSwitch

DOC = (Path(__file__).parents[2] / "docs/cameras.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", DOC, re.DOTALL)
TOML = [text for kind, text in BLOCKS if kind == "toml"]
CARD = [line.split()[0] for line in BLOCKS[1][1].splitlines() if line.strip()]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "cameras").mkdir()
    (tmp_path / "cameras/acme-k7.toml").write_text(TOML[0], "utf-8")
    (tmp_path / "site.toml").write_text("")
    for path in CARD:
        (tmp_path / "card" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "card" / path).write_bytes(b"K7-0042\r\n" if path == "ACME.ID" else b"x")
    return tmp_path


def test_the_example_reads_the_card_as_the_page_says(site):
    arguments = ["profiles", str(site / "cameras/acme-k7.toml"), "--card", str(site / "card")]
    told = CliRunner().invoke(usb, arguments)
    assert told.exit_code == 0
    shown = BLOCKS[3][1].splitlines()
    assert len(shown) == 5
    assert all(line in told.output.splitlines() for line in shown)


def test_the_example_is_loaded_beside_the_config_file_and_matched(site, tmp_path):
    profiles = profiles_of(load_settings({"BODYCAM_CONFIG": str(site / "site.toml")}))
    dock = VirtualDock(tmp_path / "bus")
    dock.add({}, serial="000000001", vendor_id=0x1209, product_id=0x0007, kind="mass-storage", make="ACME", model="K7")
    [device] = dock.bus.devices()
    match = profiles.match_usb(device.vendor_id, device.product_id, device.manufacturer, device.product, device.kind)
    assert (match.profile.key, match.en) == ("acme-k7", "its USB id is 1209:0007")
    assert profiles.match_card(site / "card").profile.key == "acme-k7"
    assert FolderCamera(site / "card", identity=match.profile.identity).identity.serial == "K7-0042"
    profile = match.profile
    assert (
        profile.sidecar_of("RECORD/K7_0042_20261121-072506_0032.pos", CARD) == "RECORD/K7_0042_20261121-072506_0032.MP4"
    )
    assert sorted(path for path in CARD if profile.is_recording(path)) == sorted(
        path for path in CARD if path.endswith("MP4")
    )


def test_the_pages_mode_switch_is_one():
    switch = ModeSwitch.model_validate(tomllib.loads(TOML[1])["mode_switch"])
    assert [step.reads for step in switch.steps] == [0, 6]


def test_the_page_names_every_key_and_no_other():
    named = set(
        re.findall(
            r"`([a-z_.]+)`", "\n".join(line.split("|")[1] for line in DOC.splitlines() if line.startswith("| `"))
        )
    )
    keys = {name for name in Profile.model_fields if name in {"key", "vi", "en", "mode_switch"}}
    for section, field in Profile.model_fields.items():
        model = field.annotation if section != "names" else field.annotation.__args__[0]
        if section not in keys:
            keys |= {f"{section}.{name}" for name in model.model_fields}
    assert {name for name in named if not name.startswith(".")} | {"identity.at"} == keys
