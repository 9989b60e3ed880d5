import base64
import struct
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.cosignature import Cosigner
from bodycam.custody.errors import NoteError, PolicyError
from bodycam.custody.log import Log
from bodycam.custody.merkle import EMPTY_ROOT
from bodycam.custody.note import Signer, encode
from bodycam.custody.policy import Policy

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
LOG = Signer("bodycam.test/log", b"\x01" * 32)
HEAD = Checkpoint.sign(LOG, 9, b"\x07" * 32)
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "abc"}
COSIGNERS = {name: Cosigner(f"{name}.example/w", key.public_key().public_bytes_raw()) for name, key in KEYS.items()}


def line(name, *, at=AT, body=HEAD.body, key=None):
    seconds = int(at.timestamp())
    signed = (key or KEYS[name]).sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
    return f"— {COSIGNERS[name].name} {encode(COSIGNERS[name].key_id + struct.pack('>Q', seconds) + signed)}\n"


def policy(rules="group g 2 a b c\nquorum g\n"):
    witnesses = "".join(f"witness {name} {cosigner}\n" for name, cosigner in COSIGNERS.items())
    return Policy.parse(f"# a comment\nlog {LOG.verifier}\n\n{witnesses}{rules}")


def test_two_of_three_are_a_quorum_and_one_is_not():
    one = policy().judge(HEAD.note + line("a"))
    assert (one.quorum, one.witnesses, one.checkpoint.size) == (False, (("a", AT),), 9)
    two = policy().judge(HEAD.note + line("c") + line("a"))
    assert two.quorum
    assert [name for name, _ in two.witnesses] == ["a", "c"]


def test_one_witness_that_signs_twice_counts_once():
    later = AT.replace(minute=5)
    judged = policy().judge(HEAD.note + line("a") + line("a", at=later))
    assert (judged.quorum, judged.witnesses) == (False, (("a", later),))


@pytest.mark.parametrize(
    ("rules", "signed", "quorum"),
    [
        ("quorum none", "", True),
        ("quorum b", "a", False),
        ("quorum b", "b", True),
        ("group g all a b\nquorum g", "a", False),
        ("group g all a b\nquorum g", "ab", True),
        ("group g any a b\nquorum g", "b", True),
        ("group g any a b\ngroup h all g c\nquorum h", "ab", False),
        ("group g any a b\ngroup h all g c\nquorum h", "bc", True),
        (" group\tg  2 a b c \nquorum\tg", "bc", True),
    ],
)
def test_the_rules_of_the_format_decide(rules, signed, quorum):
    assert policy(rules).judge(HEAD.note + "".join(map(line, signed))).quorum is quorum


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "quorum x",
        "quorum a\nquorum a",
        "group g 4 a b c\nquorum g",
        "group g 0 a b c\nquorum g",
        "group g 02 a b c\nquorum g",
        "group g 2\nquorum g",
        "group g 2 a none\nquorum g",
        "group g 2 a a b\nquorum g",
        "group g 1 a\ngroup h 1 a b\nquorum h",
        "group none any a\nquorum none",
        "group a any b\nquorum a",
        "quorum a\x00",
        "quorum\u00a0a",
        "witness d a.example/w+00000000+AAAA\nquorum a",
        f"witness d {COSIGNERS['a']}\nquorum a",
        f"witness d {LOG.verifier}\nquorum a",
        f"log {LOG.verifier}\nquorum a",
        "something else\nquorum a",
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused(rules):
    with pytest.raises(PolicyError):
        policy(rules)


def test_a_false_signature_of_the_log_or_of_a_known_witness_is_refused():
    other = Checkpoint.sign(LOG, 9, b"\x08" * 32)
    forged = Checkpoint.sign(Signer(LOG.name, b"\x02" * 32), 9, b"\x07" * 32)
    for note in (
        forged.note + line("a"),
        HEAD.note.replace("\n9\n", "\n10\n") + line("a"),
        HEAD.note + line("a", body=other.body),
        HEAD.note + line("a", key=KEYS["b"]),
    ):
        with pytest.raises(NoteError):
            policy().judge(note)


def test_lines_of_unknown_witnesses_are_ignored():
    stranger = line("b").replace("b.example", "x.example")
    assert policy().judge(HEAD.note + line("a") + stranger).witnesses == (("a", AT),)


def test_a_flipped_bit_in_a_cosignature_never_makes_a_quorum():
    note = (HEAD.note + line("a") + line("b")).encode()
    start = len(HEAD.note.encode())
    for bit in range(start * 8, len(note) * 8):
        data = bytearray(note)
        data[bit // 8] ^= 1 << bit % 8
        try:
            assert not policy().judge(data.decode()).quorum
        except (NoteError, UnicodeDecodeError):
            continue


def test_a_time_past_every_calendar_is_refused():
    cosigner = COSIGNERS["a"]
    signed = KEYS["a"].sign(f"cosignature/v1\ntime {2**63 - 1}\n{HEAD.body}".encode())
    far = f"— {cosigner.name} {encode(cosigner.key_id + struct.pack('>Q', 2**63 - 1) + signed)}\n"
    with pytest.raises(NoteError):
        policy().judge(HEAD.note + far)


def test_the_keys_of_the_example_in_the_specification_are_read():
    # C2SP tlog-cosignature: a line's key id and time stand in clear, whoever holds the key
    name, data = "witness.example.com/w1", "jWbPPwAAAABkGFDL"
    assert struct.unpack(">Q", base64.b64decode(data)[4:])[0] == 1679315147
    assert Cosigner.parse(str(Cosigner(name, b"\x03" * 32))).name == name


@given(st.text())
def test_foreign_text_never_crashes(text):
    with pytest.raises(PolicyError):
        Policy.parse(text)
    with pytest.raises(NoteError):
        policy().judge(text)
    with pytest.raises(NoteError):
        Cosigner.parse(text)


def test_the_newest_cosigned_head_is_kept_beside_the_log(tmp_path):
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")
    assert log.witnessed_checkpoint() is None
    signed = log.sign(0, EMPTY_ROOT)
    log.publish_witnessed(signed)
    assert log.witnessed_checkpoint() == signed
