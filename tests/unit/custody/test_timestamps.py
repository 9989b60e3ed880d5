"""Timestamps by a real openssl authority: good ones kept, and what a false one may try."""

import contextlib
import hashlib
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from sqlalchemy import func, select
from timestamp_authority import TimestampAuthority
from witness_world import answering, reply

from bodycam import clock
from bodycam.custody import record_now, timestamps
from bodycam.custody.errors import TimestampError
from bodycam.custody.models import CustodyEvent, TimestampToken
from bodycam.custody.stamping import Stamper
from bodycam.custody.timestamps import Authority, authorities, read_certificates, token_path, verify_token

BODY = "bodycam.test/log\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    return TimestampAuthority(tmp_path_factory.mktemp("tsa") / "good")


@pytest.fixture(scope="module")
def token(tsa):
    return tsa.answer(query(BODY).as_bytes())


def query(body):
    return TimestampRequestBuilder().data(body.encode()).hash_algorithm(HashAlgorithm.SHA256).build()


def stamper(db, log, *pairs, every=HOUR):
    return Stamper(db, log, authorities(pairs), every=every, timeout_s=5)


def count(db, kind):
    with db.read() as session:
        return session.scalar(select(func.count()).where(CustodyEvent.kind == kind))


def rows(db):
    with db.read() as session:
        return list(session.scalars(select(TimestampToken).order_by(TimestampToken.size)))


def test_a_checkpoint_is_dated_and_openssl_agrees(db, log, sequencer, tsa, tmp_path):
    sequencer.run_once()
    record_now(db, "recording.read", object_id="r")
    sequencer.run_once()
    before = datetime.now(UTC).replace(microsecond=0)
    with tsa.served() as url:
        assert stamper(db, log, (url, tsa.root)).run_once() == 1
        assert stamper(db, log, (url, tsa.root)).run_once() == 0  # not due again
    (row,) = rows(db)
    path = token_path(log, row.size, row.authority)
    body = log.checkpoint().body
    assert verify_token(path.read_bytes(), body, read_certificates(tsa.root)) == row.token_at
    assert before <= row.token_at <= datetime.now(UTC)
    assert (path.parent / f"{row.size}.checkpoint").read_text() == log.checkpoint().note
    (tmp_path / "body").write_text(body)
    check = ["openssl", "ts", "-verify", "-data", str(tmp_path / "body"), "-in", str(path), "-CAfile", str(tsa.root)]
    assert b"OK" in subprocess.run(check, check=True, capture_output=True).stdout
    assert count(db, "timestamp.received") == 1


def test_two_authorities_are_asked_and_named_apart(db, log, sequencer, tsa, tmp_path):
    sequencer.run_once()
    record_now(db, "recording.read", object_id="r")
    sequencer.run_once()
    other = TimestampAuthority(tmp_path / "other", "other")
    with tsa.served() as one, other.served() as two:
        assert stamper(db, log, (one, tsa.root), (two, other.root)).run_once() == 2
    assert len({row.authority for row in rows(db)}) == 2
    with db.read() as session:
        covering = timestamps.tokens_covering(session, 0)
        assert len(covering) == 2
        assert timestamps.tokens_covering(session, 10**6) == []


def test_while_offline_the_newest_due_checkpoint_waits_and_is_dated_when_the_line_is_back(db, log, sequencer, tsa):
    start = clock.now()
    nowhere = ("http://127.0.0.1:9/", tsa.root)
    for hour in range(3):
        clock.set_now(lambda hour=hour: start + hour * HOUR)
        record_now(db, "recording.read", object_id="r")
        sequencer.run_once()
        assert stamper(db, log, nowhere).run_once() == 0
    (row,) = rows(db)
    assert (row.size, row.token_at) == (log.checkpoint().size, None)
    clock.set_now(None)
    with tsa.served() as url:
        authority = Authority(row.authority, url, tsa.root)
        assert Stamper(db, log, [authority], every=HOUR, timeout_s=5).run_once() == 1
    assert [row.token_at is not None for row in rows(db)] == [True]
    assert count(db, "timestamp.refused") == 0


def test_a_timestamp_of_a_wrong_authority_is_refused_and_told_once(db, log, sequencer, tsa, tmp_path):
    record_now(db, "recording.read", object_id="r")
    sequencer.run_once()
    other = TimestampAuthority(tmp_path / "other", "tsa")  # even of the same name
    with other.served() as url:
        asking = stamper(db, log, (url, tsa.root))
        assert asking.run_once() == 0
        assert asking.run_once(now=True) == 0
    assert [row.token_at for row in rows(db)] == [None]
    assert not (log.dir / "timestamps").exists()
    assert count(db, "timestamp.refused") == 1


def test_an_expired_timestamp_certificate_is_refused(tmp_path):
    expired = TimestampAuthority(tmp_path / "expired", valid_for=timedelta(days=-1))
    with pytest.raises(TimestampError):
        verify_token(expired.answer(query(BODY).as_bytes()), BODY, read_certificates(expired.root))


def test_a_certificate_that_is_not_for_timestamps_is_refused(tmp_path, tsa, token):
    wrong = TimestampAuthority(tmp_path / "wrong", purpose=False)
    for answer in (token,):
        with pytest.raises(TimestampError):
            verify_token(answer, BODY, read_certificates(wrong.root))
    with pytest.raises((TimestampError, subprocess.CalledProcessError)):
        verify_token(wrong.answer(query(BODY).as_bytes()), BODY, read_certificates(wrong.root))
    assert verify_token(token, BODY, read_certificates(tsa.root))


def test_a_timestamp_over_another_head_or_of_another_question_is_refused(tsa, token):
    certificates = read_certificates(tsa.root)
    with pytest.raises(TimestampError):
        verify_token(token, BODY.replace("\n9\n", "\n8\n"), certificates)
    with pytest.raises(TimestampError):
        verify_token(token, BODY, certificates, nonce=1)
    with pytest.raises(TimestampError):
        verify_token(token, BODY, [])
    assert hashlib.sha256(BODY.encode()).digest() in token


def test_a_timestamp_far_from_this_clock_is_refused(db, log, sequencer, tsa):
    record_now(db, "recording.read", object_id="r")
    sequencer.run_once()
    clock.set_now(lambda: datetime.now(UTC) - timedelta(days=400))
    with tsa.served() as url:
        assert stamper(db, log, (url, tsa.root)).run_once() == 0
    assert count(db, "timestamp.refused") == 1


@pytest.mark.parametrize("data", [b"", b"garbage", b"0" * 10**7, bytes(range(256))])
def test_an_authority_that_answers_garbage_gives_no_timestamp(db, log, sequencer, tsa, data):
    record_now(db, "recording.read", object_id="r")
    sequencer.run_once()
    with answering(reply(200, data)) as url:
        assert stamper(db, log, (url, tsa.root)).run_once() == 0
    assert [row.token_at for row in rows(db)] == [None]


def test_a_refusal_by_the_authority_is_no_timestamp(tsa):
    rejected = bytes.fromhex("30053003020102")
    with pytest.raises(TimestampError):
        verify_token(rejected, BODY, read_certificates(tsa.root))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0))
def test_a_flipped_bit_never_crashes_and_never_gives_another_time(tsa, token, seed):
    good = verify_token(token, BODY, read_certificates(tsa.root))
    data = bytearray(token)
    bit = seed % (len(data) * 8)
    data[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(TimestampError):
        assert verify_token(bytes(data), BODY, read_certificates(tsa.root)) == good


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_foreign_bytes_never_crash(tsa, data):
    with pytest.raises(TimestampError):
        verify_token(data, BODY, read_certificates(tsa.root))


def test_an_authority_is_named_by_its_host(tmp_path):
    found = authorities([("http://user:x@TSA.example:8080/a?b", tmp_path), ("http://tsa.example:8080/c", tmp_path)])
    assert [authority.name for authority in found] == ["tsa.example-8080", "tsa.example-8080-2"]
