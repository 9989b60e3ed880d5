import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError
from bodycam.custody.note import Signer, Verifier

# the key pair and the note of the example in Go's note package (golang.org/x/mod/sumdb/note)
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_note_of_another_implementation_is_made_and_checked():
    assert Signer.parse(SECRET).sign(TEXT) == NOTE
    assert str(Signer.parse(SECRET).verifier) == PUBLIC
    assert Verifier.parse(PUBLIC).open(NOTE) == TEXT
    assert Signer.parse(SECRET).private_text() == SECRET


def test_signatures_of_unknown_keys_are_ignored():
    other = Signer.generate("other.example")
    both = NOTE + other.sign(TEXT).rpartition("\n\n")[2]
    assert Verifier.parse(PUBLIC).open(both) == TEXT
    assert other.verifier.open(both) == TEXT


@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_any_flipped_bit_spoils_the_note(bit):
    data = bytearray(NOTE.encode())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((NoteError, UnicodeDecodeError)):
        Verifier.parse(PUBLIC).open(bytes(data).decode())


@pytest.mark.parametrize(
    "text",
    ["", "x\n", "x\n\n", "x\n\n— a\n", "x\n\n— a !!\n", "\n\n", NOTE[:-1], NOTE + "\n", NOTE.replace("\n", "\r\n")],
)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(NoteError):
        Verifier.parse(PUBLIC).open(text)


@given(st.text())
def test_foreign_text_never_crashes(text):
    with pytest.raises(NoteError):
        Verifier.parse(PUBLIC).open(text)
    with pytest.raises(NoteError):
        Verifier.parse(text)
    with pytest.raises(NoteError):
        Signer.parse(text)


@pytest.mark.parametrize("key", [PUBLIC.replace("c74f", "c74e"), PUBLIC[:-4], "a b+00+AA==", SECRET])
def test_a_key_that_is_not_whole_is_refused(key):
    with pytest.raises(NoteError):
        Verifier.parse(key)


def test_a_checkpoint_reads_back_and_only_with_its_own_key():
    signer = Signer.generate("bodycam.local/log")
    made = Checkpoint.sign(signer, 7, bytes(32))
    assert Checkpoint.open(made.note, signer.verifier) == made
    assert made.note.startswith("bodycam.local/log\n7\n" + "A" * 43 + "=\n\n— bodycam.local/log ")
    with pytest.raises(NoteError):
        Checkpoint.open(made.note, Signer.generate("bodycam.local/log").verifier)


@pytest.mark.parametrize(
    "text",
    [
        "x\n",
        "bodycam.local/log\n07\n" + "A" * 43 + "=\n",
        "bodycam.local/log\n-1\n" + "A" * 43 + "=\n",
        "bodycam.local/log\n7\nAAAA\n",
        f"bodycam.local/log\n{'9' * 5000}\n{'A' * 43}=\n",
        "else.where/log\n7\n" + "A" * 43 + "=\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    signer = Signer.generate("bodycam.local/log")
    with pytest.raises(NoteError):
        Checkpoint.open(signer.sign(text), signer.verifier)
