import os

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from hypothesis import given
from hypothesis import strategies as st

from bodycam.vault import chunked

EDGES = [0, 1, 16383, 16384, 16385, 32767, 32768, 32769, 100_000]
KEY = bytes(range(32))


def sealed(data, context=b"test"):
    encryptor = Cobblestone256Encryptor(KEY, context)
    return encryptor.update(data) + encryptor.finalize()


def reader(message, key=KEY, context=b"test"):
    return chunked.RangeReader(lambda start, length: message[start : start + length], len(message), key, context)


@pytest.mark.parametrize("size", EDGES)
def test_what_the_library_streams_is_read_back_at_every_chunk_edge(size):
    data = os.urandom(size)
    message = sealed(data)
    assert len(message) == chunked.sealed_size(size)
    assert chunked.plain_size(len(message)) == size
    assert reader(message).read(0, size + 1) == data


@given(size=st.integers(0, 70_000), start=st.integers(0, 70_000), length=st.integers(0, 70_000))
def test_any_range_equals_the_slice_of_the_plaintext(size, start, length):
    data = (bytes(range(256)) * 274)[:size]
    assert reader(sealed(data)).read(start, length) == data[start : start + length]


def test_the_key_derivation_is_hkdf_expand_of_the_specification():
    import hashlib
    import hmac

    message = sealed(b"hello world", b"context")
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + message[:24] + b"context"
    first = hmac.new(KEY, info + b"\x01", hashlib.sha512).digest()
    second = hmac.new(KEY, first + info + b"\x02", hashlib.sha512).digest()
    assert (first + second)[44:76] == message[24:56]


@pytest.mark.parametrize("at", [0, 30, 56, 60, 16440, 16456, 20000, -1])
def test_any_flipped_bit_is_found(at):
    message = bytearray(sealed(os.urandom(20_000)))
    message[at] ^= 4
    with pytest.raises(chunked.BrokenMessageError):
        reader(bytes(message)).read(0, 20_000)


@pytest.mark.parametrize("cut", [1, 16, 17, 100, 3632, 3633, 16_400, 20_000, 20_056])
def test_any_truncation_is_found_on_opening(cut):
    message = sealed(os.urandom(20_000))
    with pytest.raises(chunked.BrokenMessageError):
        reader(message[: len(message) - cut])


def test_another_key_or_context_does_not_open_it():
    message = sealed(b"x")
    with pytest.raises(chunked.BrokenMessageError):
        reader(message, key=bytes(32))
    with pytest.raises(chunked.BrokenMessageError):
        reader(message, context=b"other")


def test_the_library_opens_what_the_reader_opens():
    message = sealed(b"abc" * 10_000)
    decryptor = Cobblestone256Decryptor(KEY, b"test")
    assert decryptor.update(message) + decryptor.finalize() == reader(message).read(0, 30_000)
