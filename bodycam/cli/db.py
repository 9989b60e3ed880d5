"""`bodycam db`: bring the database to this version's tables."""

import click


@click.group()
def db() -> None:
    """Cơ sở dữ liệu / The database."""


@db.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {before, after}.")
def upgrade(as_json: bool) -> None:
    """Nâng cấp bảng lên phiên bản này / Upgrade the tables to this version.

    Only the embedded SQLite upgrades itself; a PostgreSQL is upgraded by this command, once, before the new version starts.

    Example: BODYCAM_DATABASE__URL=postgresql+psycopg://bodycam@db/bodycam bodycam db upgrade
    """
    import json  # late: none of these is needed for --help

    from bodycam.migrations.runner import current, upgrade_to_head
    from bodycam.settings import load_settings

    url = load_settings().database.url
    before = current(url)
    upgrade_to_head(url)
    after = current(url)
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"Đã ở phiên bản mới nhất ({after}) / Already up to date")
    else:
        click.echo(f"{before or '—'} → {after}")
