"""What `deploy/` installs: units that systemd takes, the same safe mounts as the program's own, rules for the right devices."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dock_service.cameras.mounting import SYSTEM_MOUNTS, OwnMounts
from webui.kiosk.board import bp as kiosk

DEPLOY = Path(__file__).parents[2] / "deploy"


def option_of(unit):
    [line] = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=/usr/bin/mount")]
    found = re.search(r"-t (\S+) -o (\S+) /dev/%i (\S+)", line)
    assert found is not None
    assert found[3] == f"{SYSTEM_MOUNTS}/%i"
    return found[1], set(found[2].split(","))


@pytest.mark.parametrize("kind", ["vfat", "exfat", "ext4"])
def test_the_units_mount_as_the_program_itself_does(tmp_path, kind):
    mounted, options = option_of(DEPLOY / f"systemd/bodycam-mount-{kind}@.service")
    own = set(OwnMounts(tmp_path)._options(kind, "ro").split(","))
    assert mounted == kind
    assert {"ro", "noexec", "nosuid", "nodev"} < options
    assert options - own == (set() if kind == "ext4" else {"uid=bodycam", "gid=bodycam"})
    assert own <= options


def test_every_mount_the_rules_want_has_its_unit():
    rules = (DEPLOY / "udev/70-bodycam.rules").read_text()
    wanted = set(re.findall(r"bodycam-mount-\w+@", rules))
    assert wanted == {path.name.removesuffix(".service") for path in (DEPLOY / "systemd").glob("bodycam-mount-*")}
    for line in rules.splitlines():
        if "SYSTEMD_WANTS" in line:
            assert 'SUBSYSTEMS=="usb"' in line  # no other disk of the machine is ever mounted


def test_only_the_write_unit_may_be_started_without_root():
    rule = (DEPLOY / "polkit/50-bodycam.rules").read_text()
    [pattern] = re.findall(r"/(\^.+\$)/", rule)
    assert re.fullmatch(pattern, "bodycam-write@sda1.service")
    for other in ("bodycam.service", "bodycam-mount-vfat@sda1.service", "ssh.service", "bodycam-write@a/b.service"):
        assert not re.fullmatch(pattern, other)


def test_the_screen_opens_the_kiosk():
    unit = (DEPLOY / "systemd/bodycam-kiosk.service").read_text()
    [command] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    assert command.endswith(f" http://127.0.0.1:8080{kiosk.url_prefix}")
    assert " --kiosk " in command


def test_systemd_takes_the_units():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    units = sorted(str(path) for path in (DEPLOY / "systemd").glob("*.service"))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "bodycam" in line and "is not executable" not in line]
    assert ours == []


def test_the_rules_and_the_script_are_well_formed():
    subprocess.run(["bash", "-n", str(DEPLOY / "install.sh")], check=True)
    if shutil.which("udevadm") is None:
        pytest.skip("udev is not installed")
    done = subprocess.run(
        ["udevadm", "verify", str(DEPLOY / "udev/70-bodycam.rules")], capture_output=True, text=True, check=False
    )
    if "Unknown command" in done.stderr:
        pytest.skip("this udev can't verify rules (systemd 254 can)")
    assert done.returncode == 0, done.stdout + done.stderr
