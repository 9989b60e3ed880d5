"""Signed requests to an S3 server: AWS Signature Version 4 over HTTP, nothing cached, every body's SHA-256 signed and checked.

General object-store clients have no words for what evidence needs: object lock on a single put, the removal of one version,
create-only completion of a multipart upload. So this speaks the few requests itself.
Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

import base64
import hashlib
import hmac
import html
import http.client
import json
import re
import ssl
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from bodycam import clock
from bodycam.sections import BucketSettings
from bodycam.vault.errors import KeyDamagedError, KeyExposedError, PlaceAwayError

CREDENTIALS = "s3.json"
_PAUSES_S = (0.2, 1.0, 3.0)
_AWAY_S = 30.0  # for so long after it was found away the server is asked once, not again and again
_CONNECT_S = 5.0
_ANSWER_S = 30.0
_MOST_REPLY = 16 << 20  # a reply that isn't an object's bytes
_RETRIED = {500, 502, 503, 504}
_BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Credentials:
    """Who asks; the secret never shows."""

    key_id: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        """Show the key's id alone."""
        return f"Credentials({self.key_id})"


@dataclass(frozen=True)
class Answer:
    """What the server said: status, headers (small letters), body; `code` is S3's own name of an error."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Return S3's error code, or the status."""
        return (tag(self.body.decode("utf-8", "replace"), "Code") or str(self.status))[:100]


def read_credentials(keys_dir: Path, environ: Mapping[str, str]) -> Credentials | None:
    """Return the credentials of the environment (AWS_ACCESS_KEY_ID …) or of `s3.json` in the keys folder; None without any.

    Raises `KeyExposedError` when others can read the file, `KeyDamagedError` when it isn't what it should be.
    """
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        token = environ.get("AWS_SESSION_TOKEN", "")
        return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
    path = keys_dir / CREDENTIALS
    if not path.exists():
        return None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyExposedError(path=path)
    try:
        body = json.loads(path.read_bytes())
        return Credentials(
            str(body["access_key_id"]), str(body["secret_access_key"]), str(body.get("session_token", ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyDamagedError(path=path) from error


def tag(text: str, name: str) -> str | None:
    """Return the text of the first element of that name."""
    match = re.search(rf"<{name}(?: [^>]*)?>([^<]*)</{name}>", text)
    return html.unescape(match[1]) if match else None


def tags(text: str, name: str) -> list[str]:
    """Return the insides of all elements of that name, in order."""
    return re.findall(rf"<{name}(?: [^>]*)?>(.*?)</{name}>", text, re.DOTALL)


class Requests:
    """One bucket, asked over kept connections, one a thread. Raises `PlaceAwayError` when it can't be reached."""

    def __init__(self, place: str, bucket: BucketSettings, credentials: Credentials) -> None:
        """Prepare; nothing is sent yet."""
        self._place = place
        self._bucket = bucket
        self._credentials = credentials
        self._local = threading.local()
        self._away_until = 0.0

    def send(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | memoryview = b"",
    ) -> Answer:
        """Send one request for a key of the bucket (none: the bucket itself) and return what the server said, errors too.

        A body travels with its SHA-256, signed and as S3's checksum, so that a server which stores other bytes refuses it.
        Broken connections and a server's own failures are tried again; every request here may be repeated.
        """
        problem = ""
        was_away = clock.monotonic() < self._away_until
        for pause in (None,) if was_away else (*_PAUSES_S, None):
            try:
                answer = self._send(method, key, dict(query or {}), dict(headers or {}), body)
                if answer.status not in _RETRIED:
                    self._away_until = 0.0
                    return answer
                problem = f"{answer.status} {answer.code}"
            except _BROKEN as error:
                self._drop()
                problem = str(error) or type(error).__name__
            if pause is not None:
                time.sleep(pause)
        self._away_until = clock.monotonic() + _AWAY_S
        raise PlaceAwayError(place=self._place, reason=f"{self._bucket.endpoint}: {problem}")

    def _send(
        self, method: str, key: str, query: dict[str, str], headers: dict[str, str], body: bytes | memoryview
    ) -> Answer:
        path = "/" + quote(f"{self._bucket.name}/{key}" if key else self._bucket.name, safe="/-_.~")
        asked = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in sorted(query.items()))
        digest = hashlib.sha256(body).digest()
        if method == "PUT" and body:
            headers["x-amz-checksum-sha256"] = base64.b64encode(digest).decode()
        self._sign(method, path, asked, headers, digest.hex())
        link = self._connection()
        link.request(method, f"{path}?{asked}" if asked else path, body=body or None, headers=headers)
        reply = link.getresponse()
        told = {name.lower(): value for name, value in reply.getheaders()}
        most = _MOST_REPLY if method != "HEAD" else 0
        content = reply.read(most + 1)
        if len(content) > most:
            raise http.client.HTTPException("the reply is too long")
        return Answer(reply.status, told, content)

    def _sign(self, method: str, path: str, query: str, headers: dict[str, str], digest: str) -> None:
        moment = clock.now().strftime("%Y%m%dT%H%M%SZ")
        headers |= {
            "host": urlsplit(self._bucket.endpoint).netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": moment,
        }
        if self._credentials.token:
            headers["x-amz-security-token"] = self._credentials.token
        lower = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
        signed = ";".join(name for name, _ in lower)
        canonical = "\n".join([method, path, query, *(f"{name}:{value}" for name, value in lower), "", signed, digest])
        scope = f"{moment[:8]}/{self._bucket.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b"AWS4" + self._credentials.secret.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        )

    def _connection(self) -> http.client.HTTPConnection:
        link: http.client.HTTPConnection | None = getattr(self._local, "link", None)
        if link is None:
            where = urlsplit(self._bucket.endpoint)
            assert where.hostname is not None
            if where.scheme == "https":
                context = ssl.create_default_context()
                link = http.client.HTTPSConnection(where.hostname, where.port, timeout=_CONNECT_S, context=context)
            else:
                link = http.client.HTTPConnection(where.hostname, where.port, timeout=_CONNECT_S)
            link.connect()
            link.sock.settimeout(_ANSWER_S)
            self._local.link = link
        return link

    def _drop(self) -> None:
        link = getattr(self._local, "link", None)
        if link is not None:
            link.close()
            self._local.link = None
