"""Merkle tree hashes and proofs of RFC 6962, section 2.1, over SHA-256. Pure functions, no storage.

Whoever holds the tree gives a `Node`: a function from (level, index) to the hash of the complete subtree over the leaves
[index · 2^level, (index + 1) · 2^level). Checking follows RFC 9162, 2.1.3.2 and 2.1.4.2, and needs no tree.
"""

import hashlib
from collections.abc import Callable, Sequence

Node = Callable[[int, int], bytes]

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 over 0x00 ‖ entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 over 0x01 ‖ left ‖ right."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over 2^k neighbouring hashes of one level."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def root(size: int, node: Node) -> bytes:
    """Return the tree's root hash at this size."""
    return _range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return PATH(index, D[size]), from the leaf's sibling to the root's child.

    Raises:
        ValueError: the tree of that size has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_root(middle, end, node))
            end = middle
        else:
            proof.append(_range_root(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return PROOF(old, D[new]); empty when the sizes are equal or the old tree is empty.

    Raises:
        ValueError: the old tree is larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} can't be a prefix of one of {new}")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    start, end = 0, new
    while end > old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_root(middle, end, node))
            end = middle
        else:
            proof.append(_range_root(start, middle, node))
            start = middle
    if start:  # else the old root itself, which the checker has
        proof.append(_range_root(start, end, node))
    return proof[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Say whether the proof leads from a leaf's hash at `index` to the root of the tree of `size`."""
    if not 0 <= index < size:
        return False
    here, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            value = node_hash(sibling, value)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and value == tree_root


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Say whether the proof shows that the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and old_root == (EMPTY_ROOT if old == 0 else new_root)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_value = new_value = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old_value, new_value = node_hash(sibling, old_value), node_hash(sibling, new_value)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            new_value = node_hash(new_value, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old_value == old_root and new_value == new_root


def _split(count: int) -> int:
    # the largest power of two smaller than count
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: Node) -> bytes:
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_root(start, middle, node), _range_root(middle, end, node))
