"""`bodycam usb`: what hangs on the bus."""

import click


@click.group()
def usb() -> None:
    """Xem máy đang cắm / See what hangs on the USB bus.

    Example: bodycam usb list
    """


@usb.command("list")
@click.option("--bus", "bus_setting", help="libusb, sim:FOLDER, usbip://host:port (default: dock.bus)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_devices(bus_setting: str | None, as_json: bool) -> None:
    """Liệt kê máy đang cắm / List what is plugged in: port, kind, serial, maker, product.

    Example: bodycam usb list --bus sim:data/demo/cameras
    """
    import json  # late: --help needs none of this

    from bodycam.settings import load_settings
    from dock_service.bus import open_bus

    devices = open_bus(bus_setting or load_settings().dock.bus).devices()
    if as_json:
        for found in devices:
            click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    if not devices:
        click.echo("Không có thiết bị nào đang cắm. / Nothing is plugged in.")
        return
    rows = [("cổng/port", "loại/kind", "id", "số máy/serial", "hãng, kiểu/maker, product")]
    for found in devices:
        maker = " ".join(text for text in (found.manufacturer, found.product) if text)
        ids = f"{found.vendor_id:04x}:{found.product_id:04x}"
        rows.append((f"usb:{found.port}", found.kind.value, ids, found.serial or "-", maker or "-"))
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
