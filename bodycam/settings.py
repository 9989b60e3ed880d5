"""Typed settings: `config/default.toml`, then a site's file, then the environment.

Every key has its default in `default.toml`, so an unknown key is a typing mistake and stops the start by name. Where each
value came from is kept, for `bodycam config show`. Settings are read once at a process's edge and passed on; nothing below
reads the environment.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from bodycam.errors import BodycamError
from bodycam.sections import Settings, TimestampsSettings, VaultSettings, WebSettings, split_list

PREFIX = "BODYCAM_"
SPECIAL = {"BODYCAM_CONFIG", "BODYCAM_SAMPLES", "BODYCAM_CHROMIUM"}  # the last two are for tests
MOST_AUTHORITIES = 2
Value = str | int | float | bool


class SettingsError(BodycamError):
    """A setting is unknown, malformed or contradicts another; the start stops here."""

    code = "settings"
    vi = "Cấu hình sai: {key} ({source}): {reason}."
    en = "Bad setting: {key} ({source}): {reason}."
    exit_code = 2


@dataclass(frozen=True)
class Sourced:
    """A value and where it was read."""

    value: Value
    source: str


def config_dir() -> Path:
    """Return the folder of the shipped configuration: inside the wheel, or `config/` of a checkout."""
    packaged = Path(__file__).parent / "_config"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "config"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all sources and check them; raises `SettingsError` naming the key and where it was read."""
    return build_settings(read_sources(os.environ if environ is None else environ))


def read_sources(environ: Mapping[str, str]) -> dict[str, Sourced]:
    """Return every key as "section.key" with its value and source, the later source winning."""
    values = _flatten(_read_toml(config_dir() / "default.toml"), "default.toml")
    open_tables = {"labels", "number_patterns"}  # a site may add forces of its own
    site = environ.get("BODYCAM_CONFIG")
    if site:
        extra = _flatten(_read_toml(Path(site)), site)
        _refuse_unknown(extra, values, open_tables)
        values |= extra
        beside = Path(site).absolute().parent / "cameras"
        if "dock.profiles" not in extra and beside.is_dir():
            values["dock.profiles"] = Sourced(str(beside), site)
    extra = _from_environment(environ, values)
    _refuse_unknown(extra, values, open_tables)
    return values | extra


def build_settings(values: Mapping[str, Sourced]) -> Settings:
    """Check the values together and fill in what lies under the data folder."""
    tree: dict[str, Any] = {}
    for key, sourced in values.items():
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = sourced.value
    data = Path(str(tree["data_dir"])).expanduser().absolute()
    tree["data_dir"] = data
    tree["database"]["url"] = tree["database"]["url"] or f"sqlite:///{data / 'bodycam.db'}"
    tree["vault"]["url"] = tree["vault"]["url"] or f"file://{data / 'vault'}"
    for section in ("log", "keys", "packages"):
        tree[section]["dir"] = tree[section]["dir"] or data / section
    tree["spool"]["dir"] = tree["spool"]["dir"] or Path(tree["vault"]["url"].removeprefix("file://")) / "spool"
    try:
        settings = Settings(**tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        source = values[key].source if key in values else "?"
        raise SettingsError(key=key, source=source, reason=first["msg"]) from None
    _refuse_contradictions(settings, values)
    return settings


def _refuse_contradictions(settings: Settings, values: Mapping[str, Sourced]) -> None:
    same_door = (settings.staff.host, settings.staff.port) == (settings.public.host, settings.public.port)
    local_broker = settings.broker.url.startswith("filesystem://")
    rules = [
        ("database.url", settings.database.url.startswith(("sqlite:///", "postgresql+psycopg://")),
         "must start with sqlite:/// or postgresql+psycopg://"),
        ("broker.url", settings.broker.url.startswith(("filesystem://", "amqp://", "redis://")),
         "must start with filesystem://, amqp:// or redis://"),
        ("vault.url", settings.vault.url.startswith("file:///"), "must start with file:///"),
        *_copy_rules(settings.vault),
        *_timestamp_rules(settings.timestamps),
        ("worker.embedded", settings.worker.embedded or not local_broker,
         "false needs a broker that other machines reach: set broker.url to amqp:// or redis://"),
        ("public.port", not same_door, f"the staff app already listens on port {settings.staff.port}"),
        ("dock.bus", not settings.demo or settings.dock.bus.startswith("sim:"),
         "a demo docks virtual cameras only: use sim:FOLDER"),
        *_web_rules("staff", settings.staff, settings.demo),
        *_web_rules("public", settings.public, settings.demo),
    ]  # fmt: skip
    for key, holds, reason in rules:
        if not holds:
            raise SettingsError(key=key, source=values[key].source, reason=reason)


def _copy_rules(vault: VaultSettings) -> list[tuple[str, bool, str]]:
    urls, second = vault.copy_urls, vault.second_dir
    nested = second is not None and (second.is_relative_to(vault.dir) or vault.dir.is_relative_to(second))
    known = all(url.startswith(("file:///", "s3://")) for url in urls)
    return [
        ("vault.copies", known, "each must start with file:/// or s3://"),
        ("vault.copies", len({url.partition(":")[0] for url in urls}) == len(urls),
         "one further folder and one bucket at most"),
        ("vault.copies", _is_bucket(vault),
         "a bucket is s3://bucket/prefix?endpoint=https://host:port&region=…&lock_days=N; http only on this machine"),
        ("vault.copies", not nested, "a copy inside the vault itself, or around it, is no copy"),
        ("vault.required_copies", vault.required_copies <= 1 + len(urls),
         f"there are only {1 + len(urls)} places (vault.url and vault.copies)"),
    ]  # fmt: skip


def _is_bucket(vault: VaultSettings) -> bool:
    try:
        return (
            vault.bucket is None or not vault.bucket.endpoint.startswith("http://") or _is_near(vault.bucket.endpoint)
        )
    except ValueError:
        return False


def _is_near(endpoint: str) -> bool:
    return urlsplit(endpoint).hostname in {"127.0.0.1", "localhost", "::1"}


def _timestamp_rules(timestamps: TimestampsSettings) -> list[tuple[str, bool, str]]:
    urls, files = split_list(timestamps.urls), split_list(timestamps.certificates)
    return [
        ("timestamps.urls", len(urls) <= MOST_AUTHORITIES, f"at most {MOST_AUTHORITIES} authorities"),
        (
            "timestamps.urls",
            all(url.startswith(("http://", "https://")) for url in urls),
            "an address is http or https",
        ),
        ("timestamps.certificates", len(urls) == len(files), "one file of certificates for each of timestamps.urls"),
    ]


def _web_rules(name: str, web: WebSettings, demo: bool) -> list[tuple[str, bool, str]]:
    local = web.host in {"127.0.0.1", "localhost", "::1"}
    pair = f"{name}.tls_cert and {name}.tls_key"
    return [
        (f"{name}.tls_cert", bool(web.tls_cert) == bool(web.tls_key), f"{pair} go together"),
        (f"{name}.host", local or not demo, "a demo listens on localhost only: its sign-ins have no password"),
        (f"{name}.host", local or bool(web.tls_cert), f"set {pair} before listening beyond localhost"),
    ]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(key="BODYCAM_CONFIG", source=path, reason=error.strerror or str(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(key="-", source=path, reason=str(error)) from None


def _flatten(tree: Mapping[str, Any], source: str) -> dict[str, Sourced]:
    flat: dict[str, Sourced] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": Sourced(inner, source) for name, inner in value.items()}
        else:
            flat[key] = Sourced(value, source)
    return flat


def _from_environment(environ: Mapping[str, str], known: Mapping[str, Sourced]) -> dict[str, Sourced]:
    found: dict[str, Sourced] = {}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name not in SPECIAL:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            sample = known[key].value if key in known else ""
            found[key] = Sourced(_parse(text, sample), name)
    return found


def _parse(text: str, sample: Value) -> Value:
    if isinstance(sample, bool):
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return text  # pydantic turns "8080" into the number the key wants


def _refuse_unknown(extra: Mapping[str, Sourced], known: Mapping[str, Sourced], open_tables: set[str]) -> None:
    for key, sourced in extra.items():
        if key not in known and key.partition(".")[0] not in open_tables:
            raise SettingsError(key=key, source=sourced.source, reason="there is no such setting")
