import pytest

from bodycam.custody import merkle
from bodycam.custody.errors import LogDamagedError
from bodycam.custody.tiles import TileStore, TileWriter, tile_width

LEAVES = [f"entry {i}".encode() for i in range(1000)]


def grow(folder, *sizes):
    store = TileStore(folder)
    writer = TileWriter(store, 0)
    for size in sizes:
        for entry in LEAVES[writer.size : size]:
            writer.append(entry)
        writer.flush()
        writer.prune()
    return store, writer


def mth(leaves):
    if len(leaves) == 1:
        return merkle.leaf_hash(leaves[0])
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return merkle.node_hash(mth(leaves[:k]), mth(leaves[k:]))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_files_are_where_the_specification_puts_them(tmp_path):
    grow(tmp_path, 70, 256, 600)
    assert files(tmp_path) == [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/1",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    store = TileStore(tmp_path)
    assert store.path(0, 1234067).relative_to(tmp_path).as_posix() == "tile/0/x001/x234/067"
    assert store.path("entries", 5, 3).relative_to(tmp_path).as_posix() == "tile/entries/005.p/3"
    assert (tmp_path / "tile/entries/002.p/88").read_bytes()[:11] == b"\x00\x09entry 512"


def test_the_specification_s_example_of_70_000_leaves():
    assert tile_width(0, 273, 70_000) == 112
    assert tile_width(1, 0, 70_000) == 256
    assert tile_width(1, 1, 70_000) == 17
    assert tile_width(2, 0, 70_000) == 1
    with pytest.raises(ValueError, match="no tile"):
        tile_width(1, 1, 65_536)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 999])
def test_roots_proofs_and_entries_come_back_from_disk(tmp_path, size):
    store, writer = grow(tmp_path, size)
    node = store.node(size)
    assert merkle.root(size, node) == writer.root() == mth(LEAVES[:size])
    for index in {0, size // 2, size - 1}:
        proof = merkle.inclusion_proof(index, size, node)
        assert merkle.check_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, proof, writer.root())
        assert store.entry(index, size) == LEAVES[index]
    assert [entry for _, entry in store.all_entries(size)] == LEAVES[:size]
    assert [index for index, _ in store.all_entries(size, size // 2)] == list(range(size // 2, size))


def test_a_writer_goes_on_where_another_stopped(tmp_path):
    store, _ = grow(tmp_path, 300)
    writer = TileWriter(store, 300)
    for entry in LEAVES[300:520]:
        writer.append(entry)
    writer.flush()
    assert writer.root() == mth(LEAVES[:520]) == merkle.root(520, store.node(520))
    assert merkle.root(300, store.node(300)) == mth(LEAVES[:300])


def test_what_a_crash_left_beyond_the_signed_size_is_written_over(tmp_path):
    store, _ = grow(tmp_path, 250)
    crashed = TileWriter(store, 250)
    for number in range(300):
        crashed.append(f"lost {number}".encode())
    crashed.flush()  # and never signed
    writer = TileWriter(store, 250)
    for entry in LEAVES[250:553]:
        writer.append(entry)
    writer.flush()
    writer.prune()
    assert merkle.root(553, store.node(553)) == mth(LEAVES[:553])
    assert [entry for _, entry in store.all_entries(553)] == LEAVES[:553]


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/entries/001.p/44"])
@pytest.mark.parametrize("keep", [None, 0, 10, 300])
def test_a_missing_or_cut_file_is_named(tmp_path, name, keep):
    store, _ = grow(tmp_path, 300)
    path = tmp_path / name
    if keep is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(LogDamagedError, match=name.split("/")[1]):
        for bundle in (0, 1):
            store.entries(bundle, 300)
            store.hashes(0, bundle, 300)


def test_files_are_private(tmp_path):
    grow(tmp_path, 3)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o600}
    assert (tmp_path / "tile").stat().st_mode & 0o777 == 0o700
