"""Reads profiles: those shipped in `config/cameras/`, then a site's own, which replace or add by key.

A mistake in a file stops the loading and names file, key and reason in both languages.
"""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from bodycam.sections import Settings
from bodycam.settings import config_dir
from dock_service.errors import BadProfileError
from dock_service.profiles.matching import Profiles
from dock_service.profiles.profile import Profile

_LARGEST = 64 * 1024
_VIETNAMESE = {
    "missing": "thiếu khóa này",
    "extra_forbidden": "không có khóa này",
    "string_type": "phải là chuỗi ký tự",
    "string_too_short": "không được để trống",
    "string_too_long": "quá dài",
    "string_pattern_mismatch": "viết sai dạng",
    "bool_type": "phải là true hoặc false",
    "bool_parsing": "phải là true hoặc false",
    "int_type": "phải là số nguyên",
    "int_parsing": "phải là số nguyên",
    "float_type": "phải là số",
    "float_parsing": "phải là số",
    "tuple_type": "phải là danh sách […]",
    "model_type": "phải là một bảng […]",
    "literal_error": "không phải giá trị được phép",
    "greater_than": "quá nhỏ",
    "greater_than_equal": "quá nhỏ",
    "less_than_equal": "quá lớn",
    "too_short": "thiếu phần tử",
    "too_long": "quá nhiều phần tử",
    "finite_number": "phải là số hữu hạn",
}


def profiles_of(settings: Settings) -> Profiles:
    """Load the shipped profiles and this site's; raises `BadProfileError`."""
    return load_profiles(settings.dock.profiles_dir)


def load_profiles(site: Path | None = None) -> Profiles:
    """Load the shipped profiles and those of a site's folder, which win by key; raises `BadProfileError`."""
    loaded = _load_folder(config_dir() / "cameras")
    if site is not None:
        if not site.is_dir():
            raise BadProfileError(
                file=site, key="dock.profiles", reason="no such folder", reason_vi="không có thư mục này"
            )
        loaded |= _load_folder(site)
    profiles = [profile for profile, _ in loaded.values()]
    taken: dict[str, Path] = {}
    for profile, path in loaded.values():
        for usb in profile.match.usb:
            where = f"{usb} {profile.match.kind or ''}"
            if where in taken:
                raise BadProfileError(
                    file=path,
                    key="match.usb",
                    reason=f"{usb} is in {taken[where].name} too",
                    reason_vi=f"{usb} đã có trong {taken[where].name}",
                )
            taken[where] = path
    return Profiles(profiles)


def read_profile(path: Path) -> Profile:
    """Read one file; raises `BadProfileError` naming file, key and reason."""
    try:
        if path.stat().st_size > _LARGEST:
            raise BadProfileError(
                file=path, key="-", reason=f"is larger than {_LARGEST} bytes", reason_vi=f"lớn hơn {_LARGEST} byte"
            )
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadProfileError(file=path, key="-", reason=reason, reason_vi=f"không đọc được: {reason}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadProfileError(file=path, key="-", reason=str(error), reason_vi=f"không phải TOML: {error}") from error
    try:
        return Profile.model_validate(tree)
    except ValidationError as error:
        raise _named(path, error) from error


def _load_folder(folder: Path) -> dict[str, tuple[Profile, Path]]:
    found: dict[str, tuple[Profile, Path]] = {}
    for path in sorted(folder.glob("*.toml")):
        profile = read_profile(path)
        if profile.key in found:
            other = found[profile.key][1].name
            raise BadProfileError(
                file=path, key="key", reason=f"“{profile.key}” is the key of {other} too",
                reason_vi=f"khóa “{profile.key}” đã có trong {other}",
            )  # fmt: skip
        found[profile.key] = (profile, path)
    return found


def _named(path: Path, error: ValidationError) -> BadProfileError:
    first = error.errors()[0]
    en = first["msg"]
    ours = first.get("ctx", {}) if first["type"] == "profile" else {}
    vi = str(ours.get("vi") or _VIETNAMESE.get(first["type"]) or en)
    return BadProfileError(file=path, key=".".join(map(str, first["loc"])) or "-", reason=en, reason_vi=vi)
