"""One profile, as its TOML file says it, and what it makes of a camera's files.

Every key has a place here and an unknown one is refused. Nothing of a profile changes what is brought in: all files are sealed
whatever their names; a profile only says what they mean.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bodycam.clock import VIETNAM
from bodycam.recordings.models import Kind
from bodycam.recordings.names import NameFacts, is_beside, kind_of
from dock_service.profiles.identity import IdentityRecord, read_record, read_text
from dock_service.profiles.patterns import LONGEST_NAME, compile_pattern, refuse
from dock_service.profiles.said import FileName, parse_start, read_match, zone_of
from dock_service.profiles.switch import ModeSwitch, UsbId

RECORDINGS = frozenset({Kind.VIDEO, Kind.AUDIO, Kind.IMAGE})
SIDECARS = ("gpx", "nmea", "gps", "srt", "log", "idx", "json")
_SAMPLE = datetime(2026, 11, 21, 14, 20, 6)  # noqa: DTZ001  a time to try a format with

Text = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Extension = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,10}$")]
NamePattern = Annotated[re.Pattern[str], BeforeValidator(compile_pattern)]


def _checked_zone(text: str) -> str:
    try:
        zone_of(text)
    except ValueError:
        refuse("is no zone: local, utc or +07:00", "không phải múi giờ: local, utc hoặc +07:00")
    return text


class Part(BaseModel):
    """A table of a profile's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MatchRules(Part):
    """What a camera of this profile is known by; each rule alone is enough, the more telling one wins."""

    usb: tuple[UsbId, ...] = ()  # "2672:0056", "2672:*": hexadecimal, as `bodycam usb list` shows it
    make: tuple[Text, ...] = ()  # * and ? as in file names; of the USB strings or the SCSI INQUIRY
    model: tuple[Text, ...] = ()
    kind: Literal["mtp", "mass-storage"] | None = None  # only such devices; alone: any of them that nothing else fits
    folders: tuple[Text, ...] = ()  # in the card's root, all of them
    names: bool = False  # at least half of the recordings are named as [[names]] says


class Identity(Part):
    """Where a camera says who it is, and how it is written."""

    file: Text = "ID.txt"  # in the card's root
    form: Literal["text", "gbk-record"] = "text"
    at: int = Field(default=0, ge=0, le=4096)  # of the record's first byte

    def read(self, data: bytes) -> IdentityRecord | None:
        """Read the file's bytes; None when they name no serial."""
        return read_text(data) if self.form == "text" else read_record(data[self.at :])


class Layout(Part):
    """Folders that mean something; * and ? as in file names, whatever the case."""

    recordings: tuple[Text, ...] = ()  # only here lie recordings; none named: anywhere
    events: tuple[Text, ...] = ()  # what lies in a folder of this name was marked by hand


class NameForm(Part):
    """One way of naming files: a pattern that fits the whole name (or path), and how its start is written."""

    pattern: NamePattern
    start: Text | None = None  # as in strptime: "%Y%m%d_%H%M%S"
    of: Literal["name", "path"] = "name"

    @model_validator(mode="after")
    def _start_and_form_go_together(self) -> Self:
        if ("start" in self.pattern.groupindex) != (self.start is not None):
            refuse("the group start and the key start go together", "nhóm start và khóa start phải có cùng nhau")
        if self.start is not None:
            raw = _SAMPLE.strftime(self.start)
            if parse_start(raw, self.start, VIETNAM) != _SAMPLE.replace(tzinfo=VIETNAM):
                refuse(
                    f"the form {self.start} gives no whole date and time",
                    f"mẫu {self.start} không cho đủ ngày và giờ",
                )
        return self


class Files(Part):
    """Which files belong to recordings, and which are the camera's own."""

    sidecars: tuple[Extension, ...] = SIDECARS
    own: tuple[Extension, ...] = ()  # thumbnails, small copies, indexes of the camera


class Clock(Part):
    """What the camera's times mean, and what may be done about its clock."""

    zone: Annotated[str, AfterValidator(_checked_zone)] = "local"
    sets: bool = True  # set it at docking when the camera offers that
    drift_ppm: float = Field(default=50.0, ge=0, le=10_000)  # expected, in millionths; 12 ppm are about a second a day


class Recorder(Part):
    """How the camera cuts what it records."""

    segment_s: float | None = Field(default=None, gt=0, le=24 * 3600)
    overwrites: bool = False  # the oldest files, when the card is full


class Profile(Part):
    """What is known of a model of camera."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    vi: Text
    en: Text
    match: MatchRules = MatchRules()
    mode_switch: ModeSwitch | None = None
    identity: Identity = Identity()
    layout: Layout = Layout()
    names: tuple[NameForm, ...] = ()
    files: Files = Files()
    clock: Clock = Clock()
    recorder: Recorder = Recorder()

    @model_validator(mode="after")
    def _names_to_match_by(self) -> Self:
        if self.match.names and not self.names:
            refuse("match.names needs at least one [[names]]", "match.names cần ít nhất một [[names]]")
        return self

    @property
    def title(self) -> str:
        """Return its name for people, in both languages when they differ."""
        return self.vi if self.vi == self.en else f"{self.vi} / {self.en}"

    @cached_property
    def zone(self) -> tzinfo:
        """Return the zone of the camera's times that name none."""
        return zone_of(self.clock.zone)

    @property
    def segment_s(self) -> float | None:
        """Return how long a file is that the camera cut itself, in seconds; None when that isn't known."""
        return self.recorder.segment_s

    @property
    def sets_clock(self) -> bool:
        """Tell whether the camera's clock may be set."""
        return self.clock.sets

    @property
    def drift_ppm(self) -> float:
        """Return the expected drift of its clock in millionths."""
        return self.clock.drift_ppm

    def read_name(self, path: str) -> FileName | None:
        """Return what a file's name says, or None when it is named otherwise."""
        if len(path) > LONGEST_NAME:
            return None
        folder, _, name = path.rpartition("/")
        for form in self.names:
            found = form.pattern.fullmatch(path if form.of == "path" else name)
            if found is None:
                continue
            said = read_match(path, found, form.start, self.zone, series=folder)
            if said is not None:
                return self._marked(said)
        return None

    def facts(self, path: str) -> NameFacts | None:
        """Return what a name says as the catalogue keeps it."""
        said = self.read_name(path)
        if said is None:
            return None
        return NameFacts(
            profile=self.key,
            camera=said.camera,
            officer=said.officer,
            start=said.start,
            start_raw=said.start_raw,
            sequence=said.sequence,
            chapter=said.chapter,
            is_encrypted=said.is_encrypted,
        )

    def _marked(self, said: FileName) -> FileName:
        return said if said.is_event or not self.in_event_folder(said.path) else replace(said, is_event=True)

    def in_event_folder(self, path: str) -> bool:
        """Tell whether a file lies in a folder of what was marked by hand, whatever its name."""
        folders = path.casefold().split("/")[:-1]
        wanted = {folder.casefold() for folder in self.layout.events}
        return any(folder in wanted for folder in folders)

    def is_event(self, path: str) -> bool:
        """Tell whether a file was marked by hand, by its name or its folder."""
        said = self.read_name(path)
        return said.is_event if said is not None else self.in_event_folder(path)

    def is_recording(self, path: str) -> bool:
        """Tell whether a file is a recording: no sidecar, index or thumbnail, and where recordings lie."""
        folder = path.rpartition("/")[0].casefold()
        if self.layout.recordings and not any(_is_below(folder, rule) for rule in self.layout.recordings):
            return False
        return _extension(path) not in {*self.files.sidecars, *self.files.own} and kind_of(path) in RECORDINGS

    def is_sidecar(self, path: str) -> bool:
        """Tell whether a file lies beside a recording to say more of it, by its extension."""
        return _extension(path) in self.files.sidecars

    def sidecar_of(self, path: str, paths: Collection[str]) -> str | None:
        """Return the recording a sidecar belongs to: same folder and stem whatever the case, a film before its picture."""
        if not self.is_sidecar(path):
            return None
        beside = [other for other in paths if self.is_recording(other) and is_beside(path, other)]
        return min(beside, key=lambda other: (_FILMS_FIRST.index(kind_of(other) or Kind.IMAGE), other), default=None)

    def share_named(self, paths: Collection[str]) -> tuple[int, int]:
        """Return how many recordings are named as the profile says, and of how many."""
        found = Counter(self.read_name(path) is not None for path in paths if kind_of(path) in RECORDINGS)
        return found[True], found.total()


_FILMS_FIRST = [Kind.VIDEO, Kind.AUDIO, Kind.IMAGE]


def _extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _is_below(folder: str, rule: str) -> bool:
    wanted = rule.casefold().strip("/")
    return fnmatchcase(folder, wanted) or fnmatchcase(folder, f"{wanted}/*")
