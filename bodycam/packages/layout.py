"""How a package is laid out: its paths, its tag files and their limits (docs/formats.md, "Evidence package").

Paths are plain ASCII on purpose: no file system, archive or language of a verifier can read them in two ways. A file's own name
stands as text in `data/package.json`.
"""

import re
import unicodedata
from collections.abc import Mapping

BAGIT, BAG_INFO = "bagit.txt", "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
PROOF = "proof/package.json"
TAG_FILES = (BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST, PROOF)
IN_TAG_MANIFEST = (BAG_INFO, BAGIT, MANIFEST, PROOF)  # ordered by bytes
PACKAGE, ORDER, CHECKPOINT, POLICY = "data/package.json", "data/order.json", "data/log/checkpoint", "data/log/policy"
BAGIT_TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what desktops leave in a folder that was opened

MAX_FILES = 200_000
MAX_RECORDINGS = 10_000
MAX_EVENTS = 200  # of one recording
MAX_TAG = 64 << 10
MAX_EVENT = 256 << 10
LIMITS = {
    BAGIT: MAX_TAG,
    BAG_INFO: MAX_TAG,
    TAG_MANIFEST: MAX_TAG,
    MANIFEST: 64 << 20,
    PROOF: 1 << 20,
    PACKAGE: 64 << 20,
    ORDER: 4 << 20,
    CHECKPOINT: 100_000,
}
MAX_TLOG_PROOF, MAX_RECEIPT, MAX_CHECKPOINT = 128 << 10, 200_000, 100_000
MAX_STAMPED, MAX_TOKEN = 1_000, 64 << 10

_MAX_PATH, _MAX_PARTS = 400, 8
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])", re.IGNORECASE)
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class ManifestError(ValueError):
    """A manifest is not in its one form; `code` is the reason's."""

    def __init__(self, code: str, where: str = "") -> None:
        """Name the reason's code, and the path it is about."""
        super().__init__(code)
        self.code, self.where = code, where


def is_path(path: str) -> bool:
    """Say whether a path may stand in a package."""
    parts = path.split("/")
    return len(path) <= _MAX_PATH and len(parts) <= _MAX_PARTS and all(_is_part(part) for part in parts)


def fold(path: str) -> str:
    """Return what two paths that differ in case only have in common; of an allowed path, which is ASCII."""
    return path.lower()


def safe_name(name: str) -> str:
    """Return an allowed file name for the last part of a name: "Báo cáo 1.MP4" gives "Bao_cao_1.MP4"."""
    base = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = base.rpartition(".")
    if not dot:
        stem, ending = base, ""
    ending = _plain(ending)[:10].strip(".-")
    stem = _plain(stem).lstrip(".-").rstrip(".")[:80] or "file"
    safe = f"{stem}.{ending}" if ending else stem
    return safe if _is_part(safe) and safe not in IGNORED else f"file_{safe}"[:100].rstrip(".")


def render_manifest(hashes: Mapping[str, str]) -> bytes:
    """Return a manifest's text: a line for each path, ordered by bytes."""
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode()


def parse_manifest(data: bytes, *, prefix: str) -> dict[str, str]:
    """Return path -> SHA-256 (hex) of a manifest in its one form, whose paths all begin with `prefix`.

    Raises:
        ManifestError: another form, a path that is not allowed, twins, or too many lines.
    """
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ManifestError("path_forbidden") from None
    if lines.pop() or not lines:
        raise ManifestError("tag_malformed")
    if len(lines) > MAX_FILES:
        raise ManifestError("limit_exceeded")
    found: dict[str, str] = {}
    folded: set[str] = set()
    last = ""
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ManifestError("tag_malformed", line[:80])
        digest, path = match.groups()
        if not is_path(path) or not path.startswith(prefix):
            raise ManifestError("path_forbidden", path[:80])
        if path <= last:
            raise ManifestError("tag_malformed", path)
        if fold(path) in folded:
            raise ManifestError("path_twin", path)
        folded.add(fold(path))
        found[path], last = digest, path
    return found


def _is_part(part: str) -> bool:
    if _PART.fullmatch(part) is None or part.endswith("."):
        return False
    return _DEVICES.fullmatch(part.partition(".")[0]) is None


def _plain(text: str) -> str:
    """Return a text without diacritics, with underscores for all else that may not stand in a path."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return _UNSAFE.sub("_", "".join(c for c in letters if not unicodedata.combining(c)))
