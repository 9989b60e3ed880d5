"""`bodycam usb`: what hangs on the bus, and the profiles cameras are read by."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dock_service.bus import BusDevice
    from dock_service.profiles import FileName, Match, Profile


@click.group()
def usb() -> None:
    """Xem máy đang cắm / See what hangs on the USB bus, and the camera profiles.

    Example: bodycam usb list
    """


@usb.command("list")
@click.option("--bus", "bus_setting", help="libusb, sim:FOLDER, usbip://host:port (default: dock.bus)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_devices(bus_setting: str | None, as_json: bool) -> None:
    """Liệt kê máy đang cắm / List what is plugged in: port, kind, serial, maker, product, its profile and why.

    Nothing is opened: a profile known by its file names is only found when the camera is read.

    Example: bodycam usb list --bus sim:data/demo/cameras
    """
    import json  # late: --help needs none of this

    from bodycam.settings import load_settings
    from dock_service.bus import open_bus
    from dock_service.profiles import profiles_of

    settings = load_settings()
    profiles = profiles_of(settings)
    devices = open_bus(bus_setting or settings.dock.bus).devices()
    matched = [
        (found, profiles.match_usb(found.vendor_id, found.product_id, found.manufacturer, found.product, found.kind))
        for found in devices
    ]
    if as_json:
        for found, match in matched:
            click.echo(json.dumps(_as_json(found, match), ensure_ascii=False))
        return
    if not devices:
        click.echo("Không có thiết bị nào đang cắm. / Nothing is plugged in.")
        return
    rows = [("cổng/port", "loại/kind", "id", "số máy/serial", "hãng, kiểu/maker, product")]
    rows += [_row(found) for found in devices]
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    click.echo(lines[0])
    for line, (found, match) in zip(lines[1:], matched, strict=True):
        click.echo(line)
        click.echo(f"    {_why(found, match)}")


def _row(found: "BusDevice") -> tuple[str, str, str, str, str]:
    maker = " ".join(text for text in (found.manufacturer, found.product) if text)
    ids = f"{found.vendor_id:04x}:{found.product_id:04x}"
    return (f"usb:{found.port}", found.kind.value, ids, found.serial or "-", maker or "-")


def _is_camera(found: "BusDevice", match: "Match") -> bool:
    return found.kind != "other" or match.profile.mode_switch is not None


def _why(found: "BusDevice", match: "Match") -> str:
    if not _is_camera(found, match):
        return "không phải máy ghi hình / no camera"
    return f"hồ sơ/profile {match.profile.key} ({match.profile.title}): {match.vi} / {match.en}"


def _as_json(found: "BusDevice", match: "Match") -> dict[str, str | int | None]:
    if not _is_camera(found, match):
        return {**found.as_json(), "profile": None, "why_vi": "không phải máy ghi hình", "why_en": "no camera"}
    return {**found.as_json(), "profile": match.profile.key, "why_vi": match.vi, "why_en": match.en}


@usb.command("profiles")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--name", "names", multiple=True, help="A file's path on the card: say what its name says. Repeatable.")
@click.option("--card", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Read the names of a card.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_profiles(file: Path | None, names: tuple[str, ...], card: Path | None, as_json: bool) -> None:
    """Hồ sơ máy ghi hình / List the camera profiles, or check FILE and show what it makes of file names.

    A mistake is told with its file, key and reason (exit code 2). docs/cameras.md says how to write one.

    Examples: bodycam usb profiles    bodycam usb profiles my.toml --card /media/card
    """
    import json  # late: --help needs none of this

    from bodycam.settings import load_settings
    from dock_service.profiles import profiles_of, read_profile
    from dock_service.profiles.matching import paths_of

    if file is None:
        for profile in profiles_of(load_settings()):
            told = {"key": profile.key, "vi": profile.vi, "en": profile.en}
            click.echo(json.dumps(told, ensure_ascii=False) if as_json else f"{profile.key:22}{profile.title}")
        return
    profile = read_profile(file)
    paths = [*names, *(paths_of(card) if card else [])]
    if as_json:
        for path in paths:
            click.echo(json.dumps(_said_as_json(profile, path), ensure_ascii=False))
        return
    click.echo(f"✓ {profile.key}: {profile.title}")
    for path in paths:
        click.echo(f"  {path}\n    {_said(profile, path)}")


def _said_as_json(profile: "Profile", path: str) -> dict[str, str | int | bool | None]:
    said = profile.read_name(path)
    kind = "recording" if profile.is_recording(path) else "sidecar" if profile.is_sidecar(path) else "other"
    if said is None:
        return {"path": path, "kind": kind, "is_read": False, "event": profile.is_event(path)}
    return {
        "path": path,
        "kind": kind,
        "is_read": True,
        "camera": said.camera,
        "officer": said.officer,
        "start": said.start.isoformat() if said.start else None,
        "event": said.is_event,
        "sequence": said.sequence,
        "chapter": said.chapter,
        "encrypted": said.is_encrypted,
    }


def _said(profile: "Profile", path: str) -> str:
    kinds = {True: "bản ghi/recording", False: "không phải bản ghi/no recording"}
    kind = "tệp kèm/sidecar" if profile.is_sidecar(path) else kinds[profile.is_recording(path)]
    said = profile.read_name(path)
    return ", ".join([kind, *(_words(said) if said else ["tên không đọc được/name not read"])])


def _words(said: "FileName") -> list[str]:
    from bodycam.clock import local  # late: --help needs none of this

    told = {
        "máy/camera": said.camera,
        "số hiệu/officer": said.officer,
        "bắt đầu/start": f"{local(said.start):%d/%m/%Y %H:%M:%S}" if said.start else None,
        "số/sequence": said.sequence,
        "đoạn/chapter": said.chapter,
    }
    marks = [(said.is_event, "đánh dấu/marked"), (said.is_encrypted, "mã hóa/encrypted")]
    return [f"{name} {value}" for name, value in told.items() if value is not None] + [
        text for is_so, text in marks if is_so
    ]
