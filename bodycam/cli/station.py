"""`bodycam station`: the stations, and the one-time code that pairs a screen with one."""

import json

import click


@click.group()
def station() -> None:
    """Trạm cắm / Docking stations."""


@station.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """Liệt kê trạm, số khe, màn hình đã ghép / List stations, their slots, and whether a kiosk is paired.

    Example: bodycam station list
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.fleet.docking import boards
    from bodycam.people.scope import EVERYTHING
    from bodycam.settings import load_settings

    with standalone(load_settings()) as rt, rt.db.read() as session:
        for row, board in boards(session, EVERYTHING, limit=1000):
            beat = board.beat_at.isoformat() if board else None
            paired = row.paired_at.isoformat() if row.paired_at else None
            facts = {"id": row.id, "name": row.name, "slots": row.slots, "kiosk_paired_at": paired, "heard_at": beat}
            if as_json:
                click.echo(json.dumps(facts, ensure_ascii=False))
            else:
                click.echo(f"{row.name:<30} {row.slots:>3}  kiosk: {paired or '—':<34} {beat or '—'}")


@station.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Only revoke the kiosk's token / Chỉ hủy ghép màn hình.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def token(name: str, revoke: bool, as_json: bool) -> None:
    """Cấp mã ghép dùng một lần cho màn hình trạm / Make a one-time code that pairs a screen with the station.

    The screen opens the printed address and the code is typed there; it holds for 15 minutes. The former screen stays paired
    until the code is used.

    Example: bodycam station token "Trạm cắm 01"
    """
    import os  # late: --help needs none of this

    from bodycam.cli.standalone import standalone
    from bodycam.errors import NotFoundError
    from bodycam.fleet import pairing
    from bodycam.settings import load_settings

    settings, actor = load_settings(), f"shell:{os.getuid()}"
    with standalone(settings) as rt, rt.db.write() as session:
        found = pairing.station_by_name(session, name)
        if found is None:
            raise NotFoundError(what=name)
        if revoke:
            pairing.unpair(session, found.id, actor=actor)
            click.echo(f"Đã hủy ghép / Unpaired: {found.name}")
            return
        code, until = pairing.make_code(session, found.id, actor=actor), found.pairing_until
    scheme = "https" if settings.staff.tls_cert else "http"
    address = f"{scheme}://{settings.staff.host}:{settings.staff.port}/kiosk/pair"
    if as_json:
        facts = {"station": found.name, "address": address, "code": code, "until": until.isoformat() if until else None}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(f"Mở trên màn hình trạm / Open on the kiosk: {address}")
    click.echo(f"Mã ghép, một lần, 15 phút / Code, one use, 15 minutes: {code}")
