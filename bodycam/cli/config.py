"""`bodycam config`: what is set, and where each value came from."""

import json
import os

import click

_MASK = "********"


@click.group()
def config() -> None:
    """Cấu hình / Settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: key -> {value, source}.")
def show(as_json: bool) -> None:
    """In từng giá trị và nơi đặt nó / Print each value and where it came from; secrets are masked.

    Example: BODYCAM_STAFF__PORT=9000 bodycam config show
    """
    from bodycam.settings import build_settings, read_sources  # late: pydantic costs start-up time

    values = read_sources(os.environ)
    settings = build_settings(values)
    rows = {}
    for key in sorted(values):
        section, _, name = key.rpartition(".")
        holder = getattr(settings, section) if section else settings
        value = holder.get(name) if isinstance(holder, dict) else getattr(holder, name)
        rows[key] = {"value": _masked(key, str(value)), "source": values[key].source}
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    width = max(map(len, rows))
    for key, row in rows.items():
        click.echo(f"{key:<{width}}  {row['value']}  ({row['source']})")


def _masked(key: str, value: str) -> str:
    """Hide a URL's password and anything named like a secret."""
    if any(word in key for word in ("password", "secret", "token")):
        return _MASK if value else value
    scheme, mark, rest = value.partition("://")
    credentials, at, address = rest.rpartition("@")
    if not mark or not at:
        return value
    user, colon, _ = credentials.partition(":")
    return f"{scheme}://{user}{colon and ':' + _MASK}@{address}"
