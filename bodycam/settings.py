"""Typed settings: `config/default.toml`, then a site's file, then the environment.

Every key has its default in `default.toml`, so an unknown key is a typing mistake and stops the start by name. Where each
value came from is kept, for `bodycam config show`. Settings are read once at a process's edge and passed on; nothing below
reads the environment.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bodycam.errors import BodycamError

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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Section):
    """Where the database is."""

    url: str


class BrokerSettings(_Section):
    """Where jobs are sent."""

    url: str


class VaultSettings(_Section):
    """Where sealed objects lie: the main folder, and the places of further copies."""

    url: str
    copies: str
    required_copies: int = Field(ge=1, le=3)
    escrow: str
    scrub_days: int = Field(ge=1, le=365)

    @property
    def dir(self) -> Path:
        """The vault's folder, from its `file://` URL."""
        return Path(self.url.removeprefix("file://"))

    @property
    def copy_urls(self) -> tuple[str, ...]:
        """The URLs of the further places, as the comma-separated setting lists them."""
        return tuple(url for part in self.copies.split(",") if (url := part.strip()))

    @property
    def escrow_keys(self) -> tuple[str, ...]:
        """The public halves of the escrow keys, as the comma-separated setting lists them."""
        return tuple(text for part in self.escrow.split(",") if (text := part.strip()))

    @property
    def second_dir(self) -> Path | None:
        """The folder of the second local place, if there is one."""
        return next((Path(url.removeprefix("file://")) for url in self.copy_urls if url.startswith("file:///")), None)

    @property
    def bucket(self) -> "BucketSettings | None":
        """The bucket of copies, if there is one."""
        return next((BucketSettings.parse(url) for url in self.copy_urls if url.startswith("s3://")), None)


class BucketSettings(_Section):
    """A bucket of an S3 server, out of `s3://bucket/prefix?endpoint=https://host:port&region=…&lock_days=N`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,62}$")
    prefix: str
    endpoint: str = Field(pattern=r"^https?://[^/?#]+$")
    region: str = Field(pattern=r"^[a-z0-9-]+$")
    lock_days: int = Field(ge=0, le=36_500)

    @classmethod
    def parse(cls, url: str) -> "BucketSettings":
        """Take the URL apart; raises ValueError (pydantic's included) when it isn't one."""
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        region = asked.pop("region", "us-east-1")
        endpoint = asked.pop("endpoint", f"https://s3.{region}.amazonaws.com").rstrip("/")
        prefix = parts.path.strip("/")
        values = {
            "name": parts.netloc,
            "prefix": f"{prefix}/" if prefix else "",
            "endpoint": endpoint,
            "region": region,
        }
        return cls.model_validate({"lock_days": 0, **values, **asked})


class FolderSettings(_Section):
    """A folder."""

    dir: Path


class LogSettings(_Section):
    """The custody log."""

    dir: Path
    origin: str = Field(pattern=r"^[^\s+]+$")
    checkpoint_seconds: int = Field(ge=1, le=60)
    tick_when_idle: bool
    policy: str

    @property
    def policy_file(self) -> Path | None:
        """The policy that names the log's witnesses, if it has any."""
        return Path(self.policy).expanduser() if self.policy else None


class WitnessesSettings(_Section):
    """How the log's witnesses are asked."""

    ask_seconds: int = Field(ge=1)
    timeout_seconds: int = Field(ge=1, le=300)
    late_minutes: int = Field(ge=1)


class TimestampsSettings(_Section):
    """Timestamp authorities (RFC 3161) that date the log's checkpoints: at most two, each with its certificates."""

    urls: str
    certificates: str
    every_minutes: int = Field(ge=1)
    timeout_seconds: int = Field(ge=1, le=300)

    @property
    def pairs(self) -> list[tuple[str, Path]]:
        """Each authority's address and the file of its certificates."""
        files = [Path(text).expanduser() for text in split_list(self.certificates)]
        return list(zip(split_list(self.urls), files, strict=False))


class WorkerSettings(_Section):
    """Who runs the jobs."""

    embedded: bool
    concurrency: int = Field(ge=1, le=64)


class StationSettings(_Section):
    """This docking station."""

    name: str = Field(min_length=1, max_length=100)
    uplink: Literal["in-process"]


class DockSettings(_Section):
    """The bus of this docking station."""

    bus: str = Field(pattern=r"^(libusb|sim:.+|usbip://.+)$")
    parallel: int = Field(ge=1, le=64)
    bytes_per_second: int = Field(ge=0)
    slots: int = Field(ge=1, le=128)
    profiles: str
    duty_phone: str
    overdue_hours: int = Field(ge=1)

    @property
    def profiles_dir(self) -> Path | None:
        """The folder of the site's own camera profiles, if it has one."""
        return Path(self.profiles).expanduser() if self.profiles else None


class CoverageSettings(_Section):
    """How long what is missing may stay so, in hours, before it is overdue."""

    footage_hours: int = Field(ge=1)
    minute_hours: int = Field(ge=1)
    minute_endings: str


class KioskSettings(_Section):
    """The kiosk at a docking station."""

    card_prefix: str
    card_suffix: str


class WebSettings(_Section):
    """An address to listen on."""

    host: str
    port: int = Field(ge=1, le=65535)
    tls_cert: str
    tls_key: str


class StaffSettings(WebSettings):
    """The staff app."""

    session_hours: int = Field(ge=1)
    idle_minutes: int = Field(ge=1)


class PublicSettings(WebSettings):
    """The citizens' app."""

    max_upload_bytes: int = Field(ge=1)
    reserve_total_bytes: int = Field(ge=1)
    dock_reserve_bytes: int = Field(ge=0)
    reserve_step_bytes: int = Field(ge=1)
    expire_hours: int = Field(ge=1)
    hotline: str


class SignInSettings(_Section):
    """How hard guessing a password is."""

    attempts: int = Field(ge=1)
    pause_seconds: int = Field(ge=1)
    argon2_memory_kib: int = Field(ge=8)
    argon2_time_cost: int = Field(ge=1)


class VerificationSettings(_Section):
    """Thresholds of the checks; their sources stand in docs/verification.md."""

    clock_match_s: float
    clock_note_s: float
    zone_slack_s: float
    gps_leap_low_s: float
    gps_leap_high_s: float
    future_s: float
    jump_speed_kmh: float
    jump_least_m: float
    jump_contradiction_m: float
    jump_contradiction_kmh: float
    vehicle_speed_kmh: float
    frozen_s: float
    frozen_speed_mps: float
    least_satellites: int
    most_dop: float
    weak_share: float
    lowest_m: float
    highest_m: float
    length_slack_s: float
    length_share: float


class RetentionSettings(_Section):
    """How what is past its term is disposed of; the terms themselves are data of their own (`retention.schedule`)."""

    cooling_days: int = Field(ge=1)
    notice_days: int = Field(ge=0)
    batch_most: int = Field(ge=1, le=200_000)
    backup_days: int = Field(ge=0)
    clock_jump_hours: int = Field(ge=2)


class Settings(_Section):
    """All settings of one installation."""

    data_dir: Path
    demo: bool
    language: Literal["vi", "en"]
    database: DatabaseSettings
    broker: BrokerSettings
    vault: VaultSettings
    spool: FolderSettings
    log: LogSettings
    witnesses: WitnessesSettings
    timestamps: TimestampsSettings
    keys: FolderSettings
    packages: FolderSettings
    worker: WorkerSettings
    station: StationSettings
    dock: DockSettings
    kiosk: KioskSettings
    coverage: CoverageSettings
    staff: StaffSettings
    public: PublicSettings
    sign_in: SignInSettings
    verification: VerificationSettings
    retention: RetentionSettings
    labels: dict[str, str]
    number_patterns: dict[str, re.Pattern[str]]


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


def split_list(text: str) -> list[str]:
    """Return the parts of a setting that lists several, apart by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


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
