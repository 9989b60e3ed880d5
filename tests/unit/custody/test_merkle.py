"""The tree against a naive one written from RFC 6962's recursive definitions, and against known hashes."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam.custody import merkle
from bodycam.custody.tiles import Edge

LEAVES = [f"entry {i}".encode() for i in range(600)]
# the eight inputs and the roots that the Certificate Transparency implementations test with
CT_INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m, leaves):
    return subproof(m, leaves, known=True)


def subproof(m, leaves, *, known):
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], known=known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], known=False), mth(leaves[:k])]


def node(level, index):
    return mth(LEAVES[index << level : (index + 1) << level])


def test_known_roots_of_the_certificate_transparency_test_tree():
    edge = Edge()
    for count, expected in enumerate(CT_ROOTS, start=1):
        edge.append(merkle.leaf_hash(CT_INPUTS[count - 1]))
        assert edge.root().hex() == expected
        assert merkle.root(count, lambda k, i: mth(CT_INPUTS[i << k : (i + 1) << k])).hex() == expected
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_edge_has_the_root_of_every_size_to_600():
    edge = Edge()
    for size in range(1, 601):
        edge.append(merkle.leaf_hash(LEAVES[size - 1]))
        if size < 20 or size % 37 == 0 or size in {255, 256, 257, 511, 512, 513}:
            assert edge.root() == mth(LEAVES[:size])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_inclusion_proofs_are_those_of_the_rfc_and_check(data):
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    made = merkle.inclusion_proof(index, size, node)
    assert made == path(index, LEAVES[:size])
    leaf, root = merkle.leaf_hash(LEAVES[index]), mth(LEAVES[:size])
    assert merkle.check_inclusion(leaf, index, size, made, root)
    other = data.draw(st.integers(0, 320))
    if other != index:
        assert not merkle.check_inclusion(leaf, other, size, made, root)
    assert not merkle.check_inclusion(leaf, index, size, [*made, root], root)
    assert not merkle.check_inclusion(merkle.leaf_hash(b"other"), index, size, made, root)
    if made:
        assert not merkle.check_inclusion(leaf, index, size, made[:-1], root)
        spoilt = list(made)
        spoilt[data.draw(st.integers(0, len(made) - 1))] = bytes(32)
        assert not merkle.check_inclusion(leaf, index, size, spoilt, root)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_consistency_proofs_are_those_of_the_rfc_and_check(data):
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(1, new))
    made = merkle.consistency_proof(old, new, node)
    assert made == proof(old, LEAVES[:new])
    old_root, new_root = mth(LEAVES[:old]), mth(LEAVES[:new])
    assert merkle.check_consistency(old, new, made, old_root, new_root)
    rewritten = mth([b"rewritten", *LEAVES[1:old]])
    assert not merkle.check_consistency(old, new, made, rewritten, new_root)
    assert not merkle.check_consistency(old, new, [*made, new_root], old_root, new_root)
    if old != new:
        assert not merkle.check_consistency(old, new, made, old_root, rewritten)
        assert not merkle.check_consistency(old, new, made[:-1], old_root, new_root)


def test_every_small_pair_has_proofs_that_check():
    for size in range(1, 34):
        root = mth(LEAVES[:size])
        for index in range(size):
            made = merkle.inclusion_proof(index, size, node)
            assert merkle.check_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, made, root)
        for old in range(size + 1):
            made = merkle.consistency_proof(old, size, node)
            assert merkle.check_consistency(old, size, made, mth(LEAVES[:old]), root)


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(3, 3, node)
    with pytest.raises(ValueError, match="prefix"):
        merkle.consistency_proof(4, 3, node)
    assert not merkle.check_inclusion(b"", -1, 3, [], b"")
    assert not merkle.check_consistency(4, 3, [], b"", b"")
