"""Static files with a content hash in their address, compressed once, kept for a year by the browser.

`asset("css/staff.css")` gives the address; the hash in it changes with the file, so nobody sees an old sheet. Text files are
sent gzipped from memory: they are few and small.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from webui.common.permissions import open_to_all

ROOT = Path(__file__).resolve().parent.parent / "static"
_TEXT = {".css", ".js", ".json", ".svg", ".geojson", ".topojson", ".webmanifest"}
_TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".json": "application/json", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class StaticFile:
    """One static file as it is sent."""

    body: bytes
    packed: bytes | None
    mime: str
    digest: str


def init_app(app: Flask) -> None:
    """Serve `webui/static` at `/static/`, and give templates `asset(path)`."""
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.jinja_env.globals.update(asset=asset, asset_if_there=asset_if_there)


def asset(filename: str) -> str:
    """Return the address of a static file, with its hash."""
    path = ROOT / filename
    return url_for("static", filename=filename, v=_load(path, path.stat().st_mtime_ns).digest)


def asset_if_there(filename: str) -> str:
    """Return the address of a static file that may be missing from an installation, such as a map layer; else nothing."""
    return asset(filename) if (ROOT / filename).is_file() else ""


@open_to_all
def serve(filename: str) -> Response:
    """Send one static file; gzipped where the browser takes it."""
    found = safe_join(str(ROOT), filename)
    if found is None or not Path(found).is_file():
        raise NotFound
    path = Path(found)
    loaded = _load(path, path.stat().st_mtime_ns)
    packed = loaded.packed if request.accept_encodings.quality("gzip") > 0 else None
    response = Response(packed or loaded.body, mimetype=loaded.mime)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    fresh = request.args.get("v") == loaded.digest
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    response.set_etag(loaded.digest)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=256)
def _load(path: Path, _changed_ns: int) -> StaticFile:
    """Read one file; the time of its change is part of the key, so an edited file is read again."""
    body = path.read_bytes()
    mime = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if path.suffix in _TEXT else None
    return StaticFile(body, packed, mime, hashlib.sha256(body).hexdigest()[:12])
