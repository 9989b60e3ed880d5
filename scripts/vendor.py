"""Fetch and check the foreign files that ship with the code: `webui/static/vendor/` and the fonts of `bodycam/paper/fonts/`.

Nothing is loaded from another host at run time, so every library file lies in the repository, listed in its folder's
`manifest.json` with its package, version, licence and SHA-256. `python scripts/vendor.py` fetches anew with `npm pack`;
`--check` only re-hashes and refuses changed, missing and unlisted files.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "webui" / "static" / "vendor"
FONTS = ROOT / "bodycam" / "paper" / "fonts"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Package:
    """One npm package and the files that are kept of it (path in the package -> path under its folder)."""

    name: str
    version: str
    files: dict[str, str]


def _noble(*names: str) -> dict[str, str]:
    return {f"{name}.js": f"noble-hashes/{name}.js" for name in names} | {"LICENSE": "noble-hashes/LICENSE"}


PAGES = (
    Package(
        "leaflet",
        "1.9.4",
        {
            "dist/leaflet.js": "leaflet/leaflet.js",
            "dist/leaflet.css": "leaflet/leaflet.css",
            "LICENSE": "leaflet/LICENSE",
        },
    ),
    Package(
        "@fontsource/be-vietnam-pro",
        "5.3.0",
        {
            f"files/be-vietnam-pro-{subset}-{weight}-normal.woff2": f"be-vietnam-pro/{subset}-{weight}.woff2"
            for subset in ("latin", "vietnamese")
            for weight in (400, 600)
        }
        | {"LICENSE": "be-vietnam-pro/LICENSE"},
    ),
    Package("tus-js-client", "4.3.1", {"dist/tus.min.js": "tus/tus.min.js", "LICENSE": "tus/LICENSE"}),
    Package("@noble/hashes", "2.4.0", _noble("sha2", "_md", "_u64", "utils", "hkdf", "hmac")),
)
PAPER = (  # whole fonts for PDF: the pages' ones are subsets, compressed for browsers
    Package(
        "@expo-google-fonts/be-vietnam-pro",
        "0.4.1",
        {
            f"{style}/BeVietnamPro_{style}.ttf": f"BeVietnamPro-{name}.ttf"
            for style, name in (("400Regular", "Regular"), ("400Regular_Italic", "Italic"), ("600SemiBold", "SemiBold"))
        }
        | {"LICENSE_FONT": "OFL.txt"},
    ),
)
FOLDERS = {VENDOR: PAGES, FONTS: PAPER}


def fetch(target: Path, packages: tuple[Package, ...]) -> None:
    """Fetch every package and write its kept files and the manifest; what was there before is removed."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        entries = [_unpack(package, _packed(package, folder), folder / "out") for package in packages]
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder / "out", target)
    (target / MANIFEST).write_text(json.dumps({"packages": entries}, indent=2) + "\n", encoding="utf-8")


def _packed(package: Package, folder: Path) -> Path:
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return folder / done.stdout.strip().splitlines()[-1]


def _unpack(package: Package, archive: Path, out: Path) -> dict[str, object]:
    files = {}
    with tarfile.open(archive) as tar:
        described = json.loads(_member(tar, "package.json"))
        for source, target in sorted(package.files.items(), key=lambda pair: pair[1]):
            path = out / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_member(tar, source))
            files[target] = _sha256(path)
    return {"name": package.name, "version": package.version, "licence": described["license"], "files": files}


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    taken = tar.extractfile(f"package/{name}")
    if taken is None:
        raise SystemExit(f"{name} is not a file of the package")
    return taken.read()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def problems(target: Path) -> list[str]:
    """Return what is wrong with a folder's files, one line each; empty when every file is listed and unchanged."""
    manifest = target / MANIFEST
    listed: dict[str, str] = {}
    for entry in json.loads(manifest.read_text(encoding="utf-8"))["packages"]:
        listed |= entry["files"]
    present = {p.relative_to(target).as_posix(): p for p in target.rglob("*") if p.is_file() and p != manifest}
    found = [f"unlisted file: {name}" for name in sorted(present.keys() - listed.keys())]
    found += [f"missing file: {name}" for name in sorted(listed.keys() - present.keys())]
    found += [f"changed file: {n}" for n in sorted(listed.keys() & present.keys()) if _sha256(present[n]) != listed[n]]
    return [f"{target.relative_to(ROOT)}: {line}" for line in found]


def main() -> int:
    """Fetch, or with --check only verify; exit code 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="re-hash the files instead of fetching them")
    if not parser.parse_args().check:
        for target, packages in FOLDERS.items():
            fetch(target, packages)
    wrong = [line for target in FOLDERS for line in problems(target)]
    print("\n".join(wrong) if wrong else "vendored files are as listed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
