"""Copies in a bucket, against a real S3 server: what it refuses, what it gives back, what it locks, and when it is away."""

import base64
import hashlib
import json
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
import services

from bodycam.cli import copy_symptoms
from bodycam.sections import BucketSettings
from bodycam.settings import load_settings
from bodycam.vault import Keyring, LocalPlace, Spool, Vault, s3_place
from bodycam.vault.errors import (
    CopiesMissingError,
    CopyLockedError,
    DamagedObjectError,
    KeyExposedError,
    ObjectMissingError,
    PlaceAwayError,
)
from bodycam.vault.s3_place import S3Place
from bodycam.vault.s3_requests import Credentials, Requests, read_credentials, tag

CREDENTIALS = Credentials(services.SeaweedFS.KEY, services.SeaweedFS.SECRET)
MIB = 1 << 20
LONG = os.urandom(MIB) * 35 + b"end"  # three parts, the last one short


@pytest.fixture
def world(seaweedfs, tmp_path):
    return World(seaweedfs, tmp_path)


class World:
    """A vault whose second copy lies in a bucket of its own."""

    def __init__(self, server, tmp_path, *, lock_days=0):
        self.server, self.tmp_path = server, tmp_path
        self.keyring = Keyring.open(tmp_path / "keys")
        self.spool = Spool(tmp_path / "spool", self.keyring)
        name = f"test-{os.urandom(6).hex()}"
        self.url = f"s3://{name}/evidence?endpoint={server.endpoint}&lock_days={lock_days}"
        self.settings = BucketSettings.parse(self.url)
        self.requests = Requests("s3", self.settings, CREDENTIALS)
        headers = {"x-amz-bucket-object-lock-enabled": "true"} if lock_days else {}
        assert self.requests.send("PUT", headers=headers).status == 200
        self.place = S3Place(self.settings, CREDENTIALS, self.keyring)
        self.vault = Vault(tmp_path / "vault", self.keyring, [self.place], required=2)

    @classmethod
    def again(cls, world):
        """Open the same world as another process does."""
        other = cls.__new__(cls)
        other.__dict__ |= world.__dict__
        other.place = S3Place(world.settings, CREDENTIALS, world.keyring)
        other.vault = Vault(world.tmp_path / "vault", world.keyring, [other.place], required=2)
        return other

    def spooled(self, data, attempt="a1"):
        with self.spool.open(attempt) as writer:
            if writer.offset < len(data):
                writer.write(data[writer.offset :])
            return writer.finish()

    def seal(self, data, attempt="a1"):
        return self.vault.seal(self.spooled(data, attempt), {"name": "x.mp4"})

    def key(self, object_id, suffix=""):
        return f"evidence/objects/{object_id[:2]}/{object_id}{suffix}"

    def overwrite(self, key, body):
        assert self.requests.send("PUT", key, body=body).status == 200

    def drop_main(self, object_id):
        for path in (self.tmp_path / "vault" / "objects").rglob(f"{object_id}*"):
            path.unlink()


@pytest.mark.parametrize("size", [0, 1, 100_000, s3_place.PART + 1, len(LONG)])
def test_a_sealed_object_lies_in_the_bucket_byte_for_byte(world, size):
    data = LONG[:size]
    sealed = world.seal(data)
    assert sealed.copies == ("main", "s3")
    local = world.vault.places[0]
    assert world.place.size(sealed.object_id) == local.size(sealed.object_id) == sealed.cipher_size
    for suffix in (".env", ".manifest"):
        assert world.place.beside(sealed.object_id, suffix) == local.beside(sealed.object_id, suffix)
    assert world.vault.verify_copy(sealed.object_id, "s3").ok
    assert list(world.place.ids()) == [sealed.object_id]
    assert list(world.place.ids(after=sealed.object_id)) == []
    world.drop_main(sealed.object_id)
    with world.vault.open(sealed.object_id) as reader:
        assert hashlib.sha256(b"".join(reader.chunks())).hexdigest() == hashlib.sha256(data).hexdigest()
        assert reader.read(size // 2, 20_000) == data[size // 2 : size // 2 + 20_000]


def test_any_range_of_the_sealed_bytes_reads_alone(world):
    sealed = world.seal(LONG)
    whole = world.vault.places[0].read(sealed.object_id, 0, sealed.cipher_size)
    for start, length in [(0, 1), (5, 100), (8 * MIB - 3, 9), (0, 20 * MIB), (len(whole) - 4, 100), (len(whole), 5)]:
        assert world.place.read(sealed.object_id, start, length) == whole[start : start + length]


def test_the_server_refuses_to_overwrite_what_is_put_create_only(world):
    world.overwrite("k", b"first")
    told = world.requests.send("PUT", "k", headers={"if-none-match": "*"}, body=b"second")
    assert (told.status, told.code) == (412, "PreconditionFailed")
    assert world.requests.send("GET", "k").body == b"first"


@pytest.mark.parametrize("data", [b"film" * 1000, LONG], ids=["one request", "parts"])
def test_what_already_has_the_objects_name_is_read_back_and_never_overwritten(world, data):
    sealed = world.seal(data)
    world.overwrite(world.key(sealed.object_id), b"something else")
    with pytest.raises(CopiesMissingError, match="already in the bucket was changed"):
        world.seal(data)
    assert world.requests.send("GET", world.key(sealed.object_id)).body == b"something else"
    world.vault.repair(sealed.object_id, "main", "s3")
    assert world.vault.verify_copy(sealed.object_id, "s3").ok


@pytest.mark.parametrize("data", [b"film" * 1000, LONG], ids=["one request", "parts"])
def test_two_who_upload_the_same_object_at_once_both_find_it_whole(world, data, monkeypatch):
    """Another process puts the object between this one's look and its put: create-only refuses, the read-back decides."""
    first = world.seal(data)
    whole = world.vault.places[0].read(first.object_id, 0, first.cipher_size)
    world.place.remove(first.object_id)
    asked = S3Place._ask

    def other_first(self, method, key="", **rest):
        answer = asked(self, method, key, **rest)
        if method == "HEAD" and key == world.key(first.object_id) and answer.status == 404:
            world.overwrite(key, whole)
        return answer

    monkeypatch.setattr(S3Place, "_ask", other_first)
    assert world.seal(data).copies == ("main", "s3")


class Lying(Requests):
    """Names another checksum than the body's, as if the bytes had changed on the way."""

    def _sign(self, method, path, query, headers, digest):
        if method == "PUT":
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes(32)).decode()
        super()._sign(method, path, query, headers, digest)


def test_a_wrong_checksum_is_refused_by_the_server_in_one_request_and_in_parts(world):
    lying = Lying("s3", world.settings, CREDENTIALS)
    assert lying.send("PUT", "k", body=b"hello").code == "BadDigest"
    assert world.requests.send("GET", "k").status == 404
    begun = world.requests.send("POST", "m", query={"uploads": ""}, headers={"x-amz-checksum-algorithm": "SHA256"})
    upload = {"uploadId": tag(begun.body.decode(), "UploadId"), "partNumber": "1"}
    assert lying.send("PUT", "m", query=upload, body=b"hello").code == "BadDigest"


@pytest.mark.parametrize("data", [b"film" * 1000, LONG], ids=["one request", "parts"])
def test_a_copy_changed_on_its_way_is_never_called_a_copy(world, data, monkeypatch):
    """The bytes change before they are hashed for the request: only the read-back can know, and takes the bad copy away."""
    send = Requests.send

    def flip(self, method, key="", **rest):
        if method == "PUT" and rest.get("body") and "objects" in key and not key.endswith((".env", ".manifest")):
            body = bytearray(rest["body"])
            body[len(body) // 2] ^= 1
            rest["body"] = bytes(body)
        return send(self, method, key, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(Requests, "send", flip)
        with pytest.raises(CopiesMissingError, match=r"400 BadDigest|BadDigest|read back"):
            world.seal(data)
    assert list(world.place.ids()) == []
    assert world.seal(data).copies == ("main", "s3")


@pytest.mark.parametrize(
    ("suffix", "code"), [("", "object_damaged"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")]
)
def test_a_damaged_copy_in_the_bucket_is_found_and_repaired(world, suffix, code):
    sealed = world.seal(b"film" * 10_000)
    key = world.key(sealed.object_id, suffix)
    body = bytearray(world.requests.send("GET", key).body)
    body[len(body) // 2] ^= 1
    world.overwrite(key, bytes(body))
    assert world.vault.verify_copy(sealed.object_id, "s3").problems == (code,)
    with pytest.raises(DamagedObjectError):
        world.vault.repair(sealed.object_id, "s3", "main")
    world.vault.repair(sealed.object_id, "main", "s3")
    assert world.vault.verify_copy(sealed.object_id, "s3").ok


def test_a_lost_main_copy_is_repaired_from_the_bucket(world):
    sealed = world.seal(LONG)
    world.drop_main(sealed.object_id)
    world.vault.repair(sealed.object_id, "s3", "main")
    assert world.vault.verify(sealed.object_id).ok


@pytest.mark.parametrize(
    ("suffix", "code"), [("", "object_missing"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")]
)
def test_what_is_missing_in_the_bucket_is_found(world, suffix, code):
    sealed = world.seal(b"film")
    assert world.requests.send("DELETE", world.key(sealed.object_id, suffix)).status == 204
    assert world.vault.verify_copy(sealed.object_id, "s3").problems == (code,)


def test_destroying_leaves_nothing_in_the_bucket(world):
    sealed = world.seal(LONG)
    assert [(gone.place, gone.ok) for gone in world.vault.destroy(sealed.object_id)] == [("main", True), ("s3", True)]
    listed = world.requests.send("GET", query={"versions": "", "prefix": "evidence/objects/"}).body.decode()
    assert sealed.object_id not in listed
    with pytest.raises(ObjectMissingError):
        world.vault.open(sealed.object_id)
    assert all(gone.ok for gone in world.vault.destroy(sealed.object_id)), "it can be repeated"


def test_a_new_envelope_leaves_no_older_version_behind(seaweedfs, tmp_path):
    world = World(seaweedfs, tmp_path)
    on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert world.requests.send("PUT", query={"versioning": ""}, body=on).status == 200
    sealed = world.seal(b"film")
    world.place.replace_envelope(sealed.object_id, b"{}")
    assert world.place.beside(sealed.object_id, ".env") == b"{}"
    prefix = world.key(sealed.object_id, ".env")
    listed = world.requests.send("GET", query={"versions": "", "prefix": prefix}).body.decode()
    assert listed.count("<Version>") == 1
    assert all(gone.ok for gone in world.vault.destroy(sealed.object_id))
    assert sealed.object_id not in world.requests.send("GET", query={"versions": ""}).body.decode()


def test_a_locked_copy_outlives_its_destruction_until_the_lock_ends(seaweedfs, tmp_path, monkeypatch):
    world = World(seaweedfs, tmp_path, lock_days=1)
    until = datetime.now(UTC) + timedelta(seconds=8)
    lock = {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    monkeypatch.setattr(S3Place, "_lock", lambda _: lock)
    sealed = world.seal(b"film")
    gone = {one.place: one for one in world.vault.destroy(sealed.object_id)}
    assert (gone["s3"].ok, gone["s3"].reason) == (False, "copy_locked")
    assert world.vault.verify_copy(sealed.object_id, "s3").ok
    with pytest.raises(CopyLockedError, match=until.strftime("%Y-%m-%d")):
        world.place.remove(sealed.object_id)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 1.5)
    assert all(one.ok for one in world.vault.destroy(sealed.object_id))
    assert sealed.object_id not in world.requests.send("GET", query={"versions": ""}).body.decode()


@pytest.mark.parametrize("data", [b"film" * 1000, LONG], ids=["one request", "parts"])
def test_every_copy_is_locked_for_exactly_the_days_that_are_set(seaweedfs, tmp_path, data):
    world = World(seaweedfs, tmp_path, lock_days=2)
    before = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    sealed = world.seal(data)
    after = datetime.now(UTC) + timedelta(days=2)
    for suffix in ("", ".env", ".manifest"):
        told = world.requests.send("HEAD", world.key(sealed.object_id, suffix)).headers
        assert told["x-amz-object-lock-mode"] == "COMPLIANCE"
        assert before <= datetime.fromisoformat(told["x-amz-object-lock-retain-until-date"]) <= after
    version = world.requests.send("HEAD", world.key(sealed.object_id)).headers["x-amz-version-id"]
    bypass = {"x-amz-bypass-governance-retention": "true"}
    refused = world.requests.send("DELETE", world.key(sealed.object_id), query={"versionId": version}, headers=bypass)
    assert refused.status == 403


def test_a_bucket_that_locks_for_longer_than_is_set_is_refused(seaweedfs, tmp_path):
    world = World(seaweedfs, tmp_path, lock_days=5)
    rule = (
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>COMPLIANCE</Mode><Days>6</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
    )
    assert world.requests.send("PUT", query={"object-lock": ""}, body=rule.encode()).status == 200
    with pytest.raises(CopiesMissingError, match="6 days, longer than lock_days=5"):
        world.seal(b"film")
    assert list(world.requests.send("GET", query={"list-type": "2"}).body.decode().split("<Contents>"))[1:] == []


def test_a_bucket_without_object_lock_is_refused_when_locking_is_set(seaweedfs, tmp_path):
    world = World(seaweedfs, tmp_path)
    locking = BucketSettings.parse(world.url.replace("lock_days=0", "lock_days=3"))
    with pytest.raises(PlaceAwayError, match="without object lock"):
        S3Place(locking, CREDENTIALS, world.keyring).probe()


def test_an_emptied_bucket_or_another_vaults_is_not_taken_for_a_new_one(world, tmp_path):
    sealed = world.seal(b"film")
    other = S3Place(world.settings, CREDENTIALS, Keyring.open(tmp_path / "other-keys"))
    with pytest.raises(PlaceAwayError, match=r"Key .* is missing"):
        other.probe()
    assert world.requests.send("DELETE", "evidence/vault.json").status == 204
    again = S3Place(world.settings, CREDENTIALS, world.keyring)
    with pytest.raises(PlaceAwayError, match="was emptied"):
        again.probe()
    assert again.verify(sealed.object_id).problems == ("place_away",)


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        (None, r"put s3\.json into the keys folder"),
        (Credentials("evidence", "wrong"), "SignatureDoesNotMatch"),
        (Credentials("nobody", "wrong"), "InvalidAccessKeyId"),
    ],
)
def test_missing_or_wrong_credentials_are_named_and_never_shown(world, credentials, reason):
    place = S3Place(world.settings, credentials, world.keyring)
    with pytest.raises(PlaceAwayError, match=reason) as caught:
        place.probe()
    assert "wrong" not in str(caught.value)
    assert "only-for-tests" not in repr(CREDENTIALS)


def test_a_bucket_that_does_not_exist_is_away_and_its_objects_are_not_missing(world):
    gone = BucketSettings.parse(world.url.replace("test-", "gone-"))
    place = S3Place(gone, CREDENTIALS, world.keyring)
    with pytest.raises(PlaceAwayError, match="NoSuchBucket"):
        place.probe()
    assert place.verify("0" * 64).problems == ("place_away",)


def test_credentials_come_from_the_environment_or_a_file_that_nobody_else_reads(tmp_path):
    assert read_credentials(tmp_path, {}) is None
    path = tmp_path / "s3.json"
    path.write_text(json.dumps({"access_key_id": "a", "secret_access_key": "b"}))
    path.chmod(0o640)
    with pytest.raises(KeyExposedError):
        read_credentials(tmp_path, {})
    path.chmod(0o600)
    assert read_credentials(tmp_path, {}) == Credentials("a", "b")
    environ = {"AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d", "AWS_SESSION_TOKEN": "e"}
    assert read_credentials(tmp_path, environ) == Credentials("c", "d", "e")


@pytest.fixture
def own_server(tmp_path):
    (tmp_path / "weed").mkdir()
    server = services.SeaweedFS(tmp_path / "weed")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("bodycam.vault.s3_requests._PAUSES_S", (0.05,))


@pytest.mark.usefixtures("impatient")
def test_a_server_killed_in_the_middle_of_an_upload_costs_nothing(own_server, tmp_path, monkeypatch):
    world = World(own_server, tmp_path)
    first = world.seal(b"before", "a0")
    send, parts = Requests.send, []

    def killing(self, method, key="", **rest):
        if method == "PUT" and "partNumber" in (rest.get("query") or {}):
            parts.append(key)
            if len(parts) == 2:
                own_server.kill()
        return send(self, method, key, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(Requests, "send", killing)
        with pytest.raises(CopiesMissingError, match=r"s3 .*can't be reached"):
            world.seal(LONG)
    assert len(parts) == 2
    assert world.vault.verify_copy(first.object_id, "s3").problems == ("place_away",)
    with world.vault.open(first.object_id) as reader:
        assert reader.read(0, 6) == b"before"
    own_server.start()
    sealed = world.seal(LONG)
    assert sealed.copies == ("main", "s3")
    assert world.vault.verify_copy(sealed.object_id, "s3").ok
    assert world.vault.verify_copy(first.object_id, "s3").ok
    assert world.vault.sweep() == 0
    monkeypatch.setattr(s3_place, "_SWEEP_AFTER", timedelta(seconds=-5))
    assert world.vault.sweep() == 1, "the upload that broke off is given up"
    assert world.vault.sweep() == 0
    assert world.vault.verify_copy(sealed.object_id, "s3").ok


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_away_holds_up_only_who_requires_its_copy(own_server, tmp_path):
    world = World(own_server, tmp_path)
    second = LocalPlace("second", tmp_path / "second", world.keyring)
    world.place.probe()
    own_server.kill()
    spooled = world.spooled(b"film")
    both = Vault(tmp_path / "vault", world.keyring, [second, world.place], required=2)
    assert both.seal(spooled, {}).copies == ("main", "second")
    strict = Vault(tmp_path / "vault", world.keyring, [second, world.place], required=3)
    with pytest.raises(CopiesMissingError, match=r"2 of 3 .* s3 .*can't be reached"):
        strict.seal(spooled, {})
    own_server.start()
    assert strict.seal(spooled, {}).copies == ("main", "second", "s3")


def test_the_doctor_looks_at_a_bucket_and_writes_nothing_there(world, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret)
    environ = {
        "BODYCAM_DATA_DIR": str(world.tmp_path / "data"),
        "BODYCAM_KEYS__DIR": str(world.tmp_path / "keys"),
        "BODYCAM_VAULT__COPIES": world.url,
        "BODYCAM_VAULT__REQUIRED_COPIES": "2",
    }
    [symptom] = copy_symptoms.look(load_settings(environ))
    assert symptom.level == "ok"
    assert world.requests.send("GET", "evidence/vault.json").status == 404
    environ["BODYCAM_VAULT__COPIES"] = world.url.replace("lock_days=0", "lock_days=91")
    [symptom] = copy_symptoms.look(load_settings(environ))
    assert (symptom.level, "91 days, longer than the shortest retention (90 days)" in symptom.en) == ("bad", True)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    environ["BODYCAM_VAULT__COPIES"] = world.url
    [symptom] = copy_symptoms.look(load_settings(environ))
    assert (symptom.level, "SignatureDoesNotMatch" in symptom.todo_en) == ("bad", True)


LONG_ENOUGH = LONG[: s3_place.PART + 1000]  # two parts


@pytest.mark.parametrize("data", [b"film" * 1000, LONG_ENOUGH], ids=["one request", "parts"])
def test_a_process_killed_before_or_after_any_request_leaves_what_the_retry_finishes(seaweedfs, tmp_path, data):
    """The process dies at each request in turn, half of the times after the server has done what was asked."""
    world = World(seaweedfs, tmp_path)
    fork = multiprocessing.get_context("fork")
    send, at, is_through = Requests.send, 0, False
    while not is_through:
        at += 1

        def work(at=at):
            asked = []

            def dying(self, method, key="", **rest):
                asked.append(key)
                if len(asked) == at and at % 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                answer = send(self, method, key, **rest)
                if len(asked) == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer

            Requests.send = dying
            World.again(world).seal(data, f"a{at}")

        child = fork.Process(target=work)
        child.start()
        child.join()
        assert child.exitcode in {0, -signal.SIGKILL}
        is_through = child.exitcode == 0
        sealed = world.seal(data, f"a{at}")
        assert sealed.copies == ("main", "s3")
        assert world.vault.verify_copy(sealed.object_id, "s3").ok
        world.spool.discard(f"a{at}")
    assert at > 8
    assert list(world.place.ids()) == list(world.vault.iter_objects())
    assert len(list(world.place.ids())) == at
