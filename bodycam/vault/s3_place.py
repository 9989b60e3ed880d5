"""A bucket of an S3 server as a place for copies: the folder's layout as keys, and the same order of writing.

An object is put create-only (`If-None-Match: *`), in parts when long, every part with its SHA-256, which the server compares.
Then the whole is read back and must hash to its name. With `lock_days` each put is locked in COMPLIANCE mode for so long: nobody
can remove or shorten it, the bucket's owner included. What is removed is removed version by version, since in a versioned
bucket a plain DELETE only hides; what is still locked stays and is named. Read back means: as the server gives it. Whether that
came from its disk, no client can know.
"""

import base64
import hashlib
import html
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

from bodycam import clock
from bodycam.sections import BucketSettings
from bodycam.vault import label
from bodycam.vault.appender import BLOCK
from bodycam.vault.errors import (
    CopyLockedError,
    DamagedObjectError,
    KeyDamagedError,
    KeyMissingError,
    ObjectMissingError,
    PlaceAwayError,
    VaultIoError,
)
from bodycam.vault.keyring import Keyring
from bodycam.vault.places import PROBLEMS, Suffix, VerifyResult, check_id, is_id
from bodycam.vault.s3_requests import Answer, Credentials, Requests, tag, tags
from bodycam.vault.sealed_file import SealedBytes

PART = 16 << 20
_MOST_PARTS = 10_000  # Amazon S3 User Guide, "Multipart upload limits"
_READ = 8 << 20
_SWEEP_AFTER = timedelta(hours=24)
_CREATE_ONLY = {"if-none-match": "*"}


class S3Place:
    """One bucket, or the keys below a prefix of it. The server is asked at the first use, not before."""

    name = "s3"

    def __init__(self, bucket: BucketSettings, credentials: Credentials | None, keyring: Keyring) -> None:
        """Name the bucket; without credentials it counts as away."""
        self._bucket = bucket
        self._keyring = keyring
        self._known: Requests | None = None
        self._is_ready = False
        self._where = f"{bucket.endpoint}/{bucket.name}/{bucket.prefix}"
        if credentials is not None:
            self._known = Requests(self.name, bucket, credentials)

    def probe(self) -> None:
        """Reach the bucket, check its label and what its object lock is set to; see `Place.probe`."""
        self.bind()

    def bind(self, retired: str = "") -> None:
        """Rewrite the label if need be; see `Place.bind`."""
        before, after = self._labels(retired)
        if after != before:
            key = self._bucket.prefix + label.FILE
            self._ask("PUT", key, headers={} if before else _CREATE_ONLY, body=after)
        label.remember(self.name, self._where, self._keyring)
        self._is_ready = True

    def look(self) -> None:
        """Check all that `probe` checks, and write nothing."""
        self._labels("")

    def _labels(self, retired: str) -> tuple[bytes | None, bytes]:
        """Return the label as it stands and as it should stand."""
        self._is_ready = False
        self._check_lock_rule()
        found = self._ask("GET", self._bucket.prefix + label.FILE, fine=(404,))
        before = found.body if found.status == HTTPStatus.OK else None
        if before is None and label.remembered(self.name, self._keyring) == self._where:
            raise PlaceAwayError(
                place=self.name, reason=f"{self._where} was emptied, or is another bucket of that name"
            )
        try:
            return before, label.label_text(self._keyring, self._where, before, retired)
        except (KeyMissingError, KeyDamagedError) as error:
            raise PlaceAwayError(place=self.name, reason=str(error)) from error

    def put(
        self, object_id: str, source: SealedBytes, envelope: bytes, manifest: bytes, *, instead: bool = False
    ) -> None:
        """Upload a copy and read it back; see `Place.put`."""
        key = self._key(object_id)
        is_here = self._ask("HEAD", key, fine=(404,)).status == HTTPStatus.OK
        if is_here and not instead:
            self._confirm(object_id, "the copy already in the bucket was changed")
            return
        self._ask("PUT", f"{key}.env", headers=self._lock(), body=envelope)
        self._ask("PUT", f"{key}.manifest", headers=self._lock(), body=manifest)
        only_new = {} if is_here else _CREATE_ONLY
        upload = self._upload if source.size <= PART else self._upload_parts
        version = upload(key, source, only_new)
        try:
            self._confirm(object_id, "read back from the server, the copy is not the object")
        except DamagedObjectError:
            if version:
                self._ask("DELETE", key, query={"versionId": version}, fine=(403,))
            elif version is not None and not instead:
                self._ask("DELETE", key, fine=(403,))
            raise
        if instead:
            for suffix in ("", ".env", ".manifest"):
                self._remove_versions(key + suffix, keep_newest=True)

    def open(self, object_id: str) -> SealedBytes:
        """Ask for the object's size; ranges are asked for as they are read; see `Place.open`."""
        return _S3Object(self, object_id, self.size(object_id))

    def size(self, object_id: str) -> int:
        """Return what the server says; see `Place.size`."""
        told = self._ask("HEAD", self._key(object_id), fine=(404,))
        if told.status == HTTPStatus.NOT_FOUND:
            raise ObjectMissingError(object_id=object_id)
        return int(told.headers.get("content-length", "0"))

    def read(self, object_id: str, offset: int, length: int) -> bytes:
        """Ask for a range; see `Place.read`."""
        key, pieces = self._key(object_id), list[bytes]()
        while length > 0:
            wanted = min(length, _READ)
            asked = {"range": f"bytes={offset}-{offset + wanted - 1}"}
            told = self._ask("GET", key, headers=asked, fine=(404, 416))
            if told.status == HTTPStatus.NOT_FOUND:
                raise ObjectMissingError(object_id=object_id)
            if told.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                break
            if told.status != HTTPStatus.PARTIAL_CONTENT or len(told.body) > wanted:
                raise VaultIoError(path=key, reason="the server ignores ranges")
            pieces.append(told.body)
            if len(told.body) < wanted:
                break
            offset, length = offset + wanted, length - wanted
        return b"".join(pieces)

    def beside(self, object_id: str, suffix: Suffix) -> bytes:
        """Get what lies beside; see `Place.beside`."""
        told = self._ask("GET", self._key(object_id) + suffix, fine=(404,))
        if told.status == HTTPStatus.OK:
            return told.body
        self.size(object_id)
        what = "its manifest is missing" if suffix == ".manifest" else "its key envelope is missing"
        raise DamagedObjectError(object_id=object_id, reason=what)

    def replace_envelope(self, object_id: str, data: bytes) -> None:
        """Put another envelope and remove the older ones as far as their lock lets; see `Place.replace_envelope`."""
        self.size(object_id)
        key = self._key(object_id) + ".env"
        self._ask("PUT", key, headers=self._lock(), body=data)
        if self._ask("GET", key).body != data:
            raise VaultIoError(path=key, reason="the server gives back another envelope")
        self._remove_versions(key, keep_newest=True)

    def verify(self, object_id: str) -> VerifyResult:
        """Read all of it back; see `Place.verify`."""
        try:
            size, digest = self._hash(object_id)
        except (ObjectMissingError, PlaceAwayError, VaultIoError) as error:
            return VerifyResult(object_id, 0, (PROBLEMS[type(error)],))
        return VerifyResult(object_id, size, () if digest == object_id else ("object_damaged",))

    def remove(self, object_id: str) -> None:
        """Remove all versions of envelope, manifest and object; see `Place.remove`. Raises `CopyLockedError`."""
        key = self._key(object_id)
        locked = [key + suffix for suffix in (".env", ".manifest", "") if not self._remove_versions(key + suffix)]
        if locked:
            raise CopyLockedError(place=self.name, object_id=object_id, until=self._locked_until(locked[-1]))

    def ids(self, after: str = "") -> Iterator[str]:
        """List the keys page by page; see `Place.ids`."""
        prefix = f"{self._bucket.prefix}objects/"
        last = f"{prefix}{after[:2]}/{after}" if after else ""
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"start-after": last} if last else {})
            page = self._ask("GET", query=query).body.decode("utf-8", "replace")
            keys = [tag(entry, "Key") or "" for entry in tags(page, "Contents")]
            names = (key.rpartition("/")[2] for key in keys)
            yield from (name for name in names if is_id(name) and name > after)
            if tag(page, "IsTruncated") != "true" or not keys:
                return
            last = keys[-1]

    def sweep(self) -> int:
        """Give up multipart uploads begun over a day ago; see `Place.sweep`."""
        query = {"uploads": "", "prefix": f"{self._bucket.prefix}objects/"}
        page = self._ask("GET", query=query).body.decode("utf-8", "replace")
        before, count = (clock.now() - _SWEEP_AFTER).strftime("%Y-%m-%dT%H:%M:%S"), 0
        for entry in tags(page, "Upload"):
            if (tag(entry, "Initiated") or "9")[:19] < before:
                self._ask(
                    "DELETE", tag(entry, "Key") or "", query={"uploadId": tag(entry, "UploadId") or ""}, fine=(404,)
                )
                count += 1
        return count

    def _upload(self, key: str, source: SealedBytes, only_new: dict[str, str]) -> str | None:
        """Put in one request; return the version's id ("" without versions), or None when somebody else was quicker."""
        told = self._ask("PUT", key, headers=self._lock() | only_new, body=source.read(0, source.size), fine=(412,))
        return None if told.status == HTTPStatus.PRECONDITION_FAILED else told.headers.get("x-amz-version-id", "")

    def _upload_parts(self, key: str, source: SealedBytes, only_new: dict[str, str]) -> str | None:
        begun = self._ask(
            "POST", key, query={"uploads": ""}, headers=self._lock() | {"x-amz-checksum-algorithm": "SHA256"}
        )
        upload = {"uploadId": tag(begun.body.decode("utf-8", "replace"), "UploadId") or ""}
        try:
            listed = self._send_parts(key, source, upload)
            body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
            told = self._ask("POST", key, query=upload, headers=only_new, body=body, fine=(404, 412))
        except BaseException:
            self._give_up(key, upload)
            raise
        if told.status == HTTPStatus.OK and "<Error>" not in told.body[:400].decode("utf-8", "replace"):
            return told.headers.get("x-amz-version-id", "")
        if told.status == HTTPStatus.OK:  # S3 may fail after it has begun to answer
            self._give_up(key, upload)
            raise PlaceAwayError(place=self.name, reason=told.code)
        self._give_up(key, upload)
        return None  # it is there already, by somebody else or by a try whose answer was lost: it is read back next

    def _send_parts(self, key: str, source: SealedBytes, upload: dict[str, str]) -> str:
        """Send all parts and return the list of them that completes the upload."""
        length = max(PART, -(-source.size // _MOST_PARTS))
        listed = ""
        for number, at in enumerate(range(0, source.size, length), 1):
            part = source.read(at, min(length, source.size - at))
            told = self._ask("PUT", key, query=upload | {"partNumber": str(number)}, body=part)
            checksum = base64.b64encode(hashlib.sha256(part).digest()).decode()
            etag = html.escape(told.headers.get("etag", ""))
            listed += (
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>"
                f"<ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
            )
        return listed

    def _give_up(self, key: str, upload: dict[str, str]) -> None:
        try:
            self._ask("DELETE", key, query=upload, fine=(404,))
        except PlaceAwayError:
            return  # the sweep gives it up later

    def _confirm(self, object_id: str, otherwise: str) -> None:
        if self._hash(object_id)[1] != object_id:
            raise DamagedObjectError(object_id=object_id, reason=otherwise)
        if self._bucket.lock_days and not self._locked_until(self._key(object_id)):
            raise PlaceAwayError(place=self.name, reason="the server took an object without locking it")

    def _hash(self, object_id: str) -> tuple[int, str]:
        digest, at, size = hashlib.sha256(), 0, self.size(object_id)
        while at < size and (block := self.read(object_id, at, _READ)):
            digest.update(block)
            at += len(block)
        return at, digest.hexdigest()

    def _remove_versions(self, key: str, *, keep_newest: bool = False) -> bool:
        """Remove all versions and delete markers of a key; tell whether the lock let every one of them go."""
        page = self._ask("GET", query={"versions": "", "prefix": key}).body.decode("utf-8", "replace")
        entries = [
            entry for kind in ("Version", "DeleteMarker") for entry in tags(page, kind) if tag(entry, "Key") == key
        ]
        if keep_newest:
            entries = [entry for entry in entries if tag(entry, "IsLatest") != "true"]
        is_gone = True
        for entry in entries:
            told = self._ask("DELETE", key, query={"versionId": tag(entry, "VersionId") or "null"}, fine=(403, 404))
            is_gone = is_gone and told.status != HTTPStatus.FORBIDDEN
        return is_gone

    def _locked_until(self, key: str) -> str:
        return self._ask("HEAD", key, fine=(404,)).headers.get("x-amz-object-lock-retain-until-date", "")

    def _lock(self) -> dict[str, str]:
        if not self._bucket.lock_days:
            return {}
        until = clock.now() + timedelta(days=self._bucket.lock_days)
        return {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _check_lock_rule(self) -> None:
        """Refuse a bucket that would lock for longer than the setting says, or couldn't lock at all."""
        told = self._requests().send("GET", query={"object-lock": ""})
        if told.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND} or told.code == "NoSuchBucket":
            raise PlaceAwayError(place=self.name, reason=f"{self._bucket.endpoint}: {told.code}")
        rule = told.body.decode("utf-8", "replace") if told.status == HTTPStatus.OK else ""
        days = int(tag(rule, "Days") or 0) + 366 * int(tag(rule, "Years") or 0)
        if days > self._bucket.lock_days:
            raise PlaceAwayError(
                place=self.name,
                reason=f"the bucket itself locks for {days} days, longer than lock_days={self._bucket.lock_days}",
            )
        if self._bucket.lock_days and tag(rule, "ObjectLockEnabled") != "Enabled":
            raise PlaceAwayError(
                place=self.name, reason="lock_days is set, but the bucket was made without object lock"
            )

    def _ask(
        self,
        method: str,
        key: str = "",
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | memoryview = b"",
        fine: tuple[int, ...] = (),
    ) -> Answer:
        """Send a request; every answer but success and `fine` counts as away, named."""
        if not self._is_ready and key != self._bucket.prefix + label.FILE:
            self.probe()
        answer = self._requests().send(method, key, query=query, headers=headers, body=body)
        is_missing_bucket = answer.status == HTTPStatus.NOT_FOUND and answer.code == "NoSuchBucket"
        if (answer.status < HTTPStatus.BAD_REQUEST or answer.status in fine) and not is_missing_bucket:
            return answer
        raise PlaceAwayError(place=self.name, reason=f"{self._bucket.endpoint}: {method} {answer.code}")

    def _requests(self) -> Requests:
        if self._known is None:
            raise PlaceAwayError(place=self.name, reason="no credentials: put s3.json into the keys folder")
        return self._known

    def _key(self, object_id: str) -> str:
        return f"{self._bucket.prefix}objects/{check_id(object_id)[:2]}/{object_id}"


class _S3Object:
    """An object of the bucket whose size is known."""

    def __init__(self, place: S3Place, object_id: str, size: int) -> None:
        self._place, self._object_id, self.size = place, object_id, size

    def read(self, start: int, length: int) -> bytes:
        return self._place.read(self._object_id, start, length)

    def blocks(self) -> Iterator[memoryview]:
        for at in range(0, self.size, BLOCK):
            yield memoryview(self.read(at, BLOCK))

    def close(self) -> None:
        """Nothing is held."""
