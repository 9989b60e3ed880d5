"""Which profile a camera is read by, and why: the most telling rule that holds wins.

In order: exact USB id; maker's USB id; make and model; how the recordings are named; folders in the card's root; kind of device.
At the same strength the site's later key in the alphabet never surprises: profiles are asked in the order of their keys.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from bodycam.errors import NotFoundError
from dock_service.profiles.profile import Profile

MOST_LOOKED_AT = 500  # files of a card that are looked at to know it
_DEEP = 4
_LONGEST = 200


class Strength(IntEnum):
    """How telling a rule is."""

    NOTHING = 0
    KIND = 1
    FOLDERS = 2
    NAMES = 3
    MODEL = 4
    VENDOR_ID = 5
    USB_ID = 6


@dataclass(frozen=True)
class Match:
    """The profile a camera is read by, and why, in both languages."""

    profile: Profile
    vi: str
    en: str
    strength: Strength = Strength.NOTHING


class Profiles:
    """All profiles of this station."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """Take profiles of different keys."""
        self._by_key = {profile.key: profile for profile in sorted(profiles, key=lambda profile: profile.key)}

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_key.values())

    def get(self, key: str) -> Profile:
        """Return the profile of a key; raises `NotFoundError`."""
        if key not in self._by_key:
            raise NotFoundError(what=f"camera profile {key}")
        return self._by_key[key]

    def match_usb(self, vendor_id: int, product_id: int, make: str | None, model: str | None, kind: str) -> Match:
        """Match what a device says on the bus; `kind` is "mtp", "mass-storage" or "other"."""
        asked = _Device(vendor_id, product_id, (make or "")[:_LONGEST], (model or "")[:_LONGEST], kind)
        return _best([_by_device(profile, asked) for profile in self], _nothing(self, kind))

    def match_files(self, paths: Collection[str], before: Match) -> Match:
        """Match how a card's files are named and laid out; `before` stays when it is as telling."""
        roots = {path.split("/", 1)[0].casefold() for path in paths if "/" in path}
        sample = list(islice(paths, MOST_LOOKED_AT))
        found = [_by_files(profile, sample, roots, before.profile.match.kind) for profile in self]
        return _best([before, *found], before)

    def match_card(self, root: Path, before: Match | None = None) -> Match:
        """Match a mounted card or a folder by its first files; unreadable parts count for nothing."""
        start = before or _best([], _nothing(self, "mass-storage"))
        return self.match_files(paths_of(root), start)


def paths_of(root: Path) -> list[str]:
    """Return the paths of a card's first files, relative to its root; what can't be read is left out."""
    return list(islice(_walk(root), MOST_LOOKED_AT))


@dataclass(frozen=True)
class _Device:
    vendor_id: int
    product_id: int
    make: str
    model: str
    kind: str


def _nothing(profiles: Profiles, kind: str) -> Match:
    """Return the plain profile for a kind of device, which is always there."""
    generic = profiles.get("generic-mtp" if kind == "mtp" else "generic-mass-storage")
    return Match(
        generic,
        "không có hồ sơ riêng, dùng hồ sơ chung theo kiểu thiết bị",
        "no profile of its own fits: the general one for its kind of device",
        Strength.KIND,
    )


def _best(found: Sequence[Match | None], otherwise: Match) -> Match:
    best = otherwise
    for match in found:
        if match is not None and match.strength > best.strength:
            best = match
    return best


def _by_device(profile: Profile, device: _Device) -> Match | None:
    rules = profile.match
    if rules.kind is not None and rules.kind != device.kind:
        return None
    fitting = [usb for usb in rules.usb if usb.fits(device.vendor_id, device.product_id)]
    switched = profile.mode_switch
    if switched is not None and switched.becomes is not None and switched.is_done(device.vendor_id, device.product_id):
        fitting.append(switched.becomes)
    exact = [usb for usb in fitting if usb.product_id is not None]
    if exact:
        return Match(profile, f"mã USB {exact[0]}", f"its USB id is {exact[0]}", Strength.USB_ID)
    if fitting:
        vi, en = f"mã hãng USB {device.vendor_id:04x}", f"its maker's USB id is {device.vendor_id:04x}"
        return Match(profile, vi, en, Strength.VENDOR_ID)
    return _by_model(profile, device)


def _by_model(profile: Profile, device: _Device) -> Match | None:
    rules = profile.match
    make = next((rule for rule in rules.make if _fits(device.make, rule)), None)
    model = next((rule for rule in rules.model if _fits(device.model, rule)), None)
    if not (rules.make or rules.model) or (rules.make and make is None) or (rules.model and model is None):
        return None
    said = " ".join(text for text, rule in ((device.make, make), (device.model, model)) if rule is not None)
    return Match(profile, f"máy tự xưng là “{said}”", f"it calls itself “{said}”", Strength.MODEL)


def _fits(text: str, rule: str) -> bool:
    return bool(text) and fnmatchcase(text.casefold(), rule.casefold())


def _by_files(profile: Profile, paths: Sequence[str], roots: set[str], kind: str | None) -> Match | None:
    rules = profile.match
    if rules.kind is not None and kind is not None and rules.kind != kind:
        return None
    if rules.names:
        named, count = profile.share_named(paths)
        if named and named * 2 >= count:
            return Match(
                profile,
                f"{named} trong {count} tệp đặt tên theo kiểu này",
                f"{named} of {count} files are named its way",
                Strength.NAMES,
            )
    if rules.folders and {folder.casefold() for folder in rules.folders} <= roots:
        folders = ", ".join(rules.folders)
        vi, en = f"thẻ có thư mục {folders}", f"the card has the folders {folders}"
        return Match(profile, vi, en, Strength.FOLDERS)
    return None


def _walk(root: Path, prefix: str = "", depth: int = 0) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth < _DEEP:
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield prefix + entry.name
