"""The sections of the settings, and what each key may be; `settings` reads them."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field


def split_list(text: str) -> list[str]:
    """Return the parts of a setting that lists several, apart by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


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
