"""The tree on disk, as C2SP tlog-tiles lays it out: hash tiles, entry bundles, and partial ones at the right edge.

What was signed is never written again with other bytes: a file of a larger tree has a new name, or is the full tile that
begins with the partial one. Files beyond the last signed size are left-overs of a crash; nobody reads them and the next
append replaces them.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from bodycam.custody.durable import write_durably
from bodycam.custody.errors import LogDamagedError
from bodycam.custody.merkle import HASH_SIZE, Node, complete_root, leaf_hash, node_hash

WIDTH = 256  # hashes in a full tile
_LEVEL_BITS = 8
_CACHED_TILES = 64
_LENGTH_SIZE = 2


class TileStore:
    """Reads the tiles under one folder. Every read names the tree's size, so that a left-over is never taken for signed."""

    def __init__(self, root: Path) -> None:
        """Remember the log's folder; nothing is read or made yet."""
        self.root = root

    def path(self, level: int | str, index: int, width: int = WIDTH) -> Path:
        """Return the file of a tile (`level` 0…63) or of an entry bundle (`level` "entries")."""
        parts = [f"{index % 1000:03d}"]
        rest = index // 1000
        while rest:
            parts.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        path = self.root / "tile" / str(level) / Path(*parts)
        return path if width == WIDTH else path.with_name(f"{path.name}.p") / str(width)

    def hashes(self, level: int, index: int, size: int) -> list[bytes]:
        """Return the hashes of a tile in the tree of `size` leaves.

        Raises:
            LogDamagedError: the file is missing or has another length.
        """
        width = tile_width(level, index, size)
        path, data = self._read(level, index, width)
        expected = len(data) if path == self.path(level, index) else width * HASH_SIZE
        if len(data) < width * HASH_SIZE or len(data) != expected or len(data) % HASH_SIZE:
            raise LogDamagedError(path=path, reason=f"{len(data)} bytes instead of {width * HASH_SIZE}")
        return [data[at : at + HASH_SIZE] for at in range(0, width * HASH_SIZE, HASH_SIZE)]

    def entries(self, index: int, size: int) -> list[bytes]:
        """Return the entries of a bundle in the tree of `size` leaves.

        Raises:
            LogDamagedError: the file is missing, or its lengths don't add up.
        """
        width = tile_width(0, index, size)
        path, data = self._read("entries", index, width)
        entries: list[bytes] = []
        at = 0
        while at < len(data):
            length = int.from_bytes(data[at : at + _LENGTH_SIZE], "big")
            entry = data[at + _LENGTH_SIZE : at + _LENGTH_SIZE + length]
            if len(entry) != length or at + _LENGTH_SIZE > len(data):
                raise LogDamagedError(path=path, reason="it ends in the middle of an entry")
            entries.append(entry)
            at += _LENGTH_SIZE + length
        whole = WIDTH if path == self.path("entries", index) else width
        if len(entries) != whole:
            raise LogDamagedError(path=path, reason=f"{len(entries)} entries instead of {whole}")
        return entries[:width]

    def entry(self, index: int, size: int) -> bytes:
        """Return one entry by its index in the log."""
        return self.entries(index // WIDTH, size)[index % WIDTH]

    def all_entries(self, size: int, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) from `start` to the end of the tree of `size`, one bundle in memory at a time."""
        for bundle in range(start // WIDTH, -(-size // WIDTH)):
            for offset, entry in enumerate(self.entries(bundle, size)):
                if bundle * WIDTH + offset >= start:
                    yield bundle * WIDTH + offset, entry

    def node(self, size: int) -> Node:
        """Return the complete subtrees of the tree of `size` leaves, read from its tiles."""

        @lru_cache(maxsize=_CACHED_TILES)
        def tile(level: int, index: int) -> list[bytes]:
            return self.hashes(level, index, size)

        def node(level: int, index: int) -> bytes:
            tile_level, height = divmod(level, _LEVEL_BITS)
            first = index << height
            offset = first % WIDTH
            return complete_root(tile(tile_level, first // WIDTH)[offset : offset + (1 << height)])

        return node

    def _read(self, level: int | str, index: int, width: int) -> tuple[Path, bytes]:
        paths = [self.path(level, index, width)]
        if width < WIDTH:  # a partial tile may go once the full one is there
            paths.append(self.path(level, index))
        for path in paths:
            try:
                return path, path.read_bytes()
            except FileNotFoundError:
                continue
        raise LogDamagedError(path=paths[0], reason="the file is missing")


class Edge:
    """The right edge of a growing tree: the hashes of every level's unfinished tile."""

    def __init__(self, levels: Sequence[Sequence[bytes]] = (), size: int = 0) -> None:
        """Start from the unfinished tiles of a tree of `size` leaves, lowest level first."""
        self.levels = [list(level) for level in levels]
        self.size = size

    def append(self, leaf: bytes) -> list[tuple[int, int, list[bytes]]]:
        """Add a leaf's hash; return the tiles it filled, as (level, index, hashes)."""
        self.size += 1
        filled: list[tuple[int, int, list[bytes]]] = []
        value, level = leaf, 0
        while True:
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(value)
            if len(self.levels[level]) < WIDTH:
                return filled
            hashes, self.levels[level] = self.levels[level], []
            filled.append((level, (self.size >> (_LEVEL_BITS * (level + 1))) - 1, hashes))
            value, level = complete_root(hashes), level + 1

    def partial(self) -> list[tuple[int, int, list[bytes]]]:
        """Return the unfinished tiles, as (level, index, hashes)."""
        return [
            (level, self.size >> (_LEVEL_BITS * (level + 1)), hashes)
            for level, hashes in enumerate(self.levels)
            if hashes
        ]

    def root(self) -> bytes:
        """Return the tree's root hash, from the peaks alone; the tree must not be empty."""
        value: bytes | None = None
        for hashes in self.levels:
            end = len(hashes)
            while end:
                start = end & (end - 1)
                peak = complete_root(hashes[start:end])
                value = peak if value is None else node_hash(peak, value)
                end = start
        if value is None:
            raise ValueError("an empty tree has no peaks")
        return value


class TileWriter:
    """Appends entries and writes the files of the larger tree. Only the holder of the sequencer's lock has one."""

    def __init__(self, store: TileStore, size: int) -> None:
        """Read the right edge of the signed tree of `size` leaves.

        Raises:
            LogDamagedError: a file of the edge is missing or cut.
        """
        self._store = store
        levels = []
        level = 0
        while size >> (_LEVEL_BITS * level):
            count = size >> (_LEVEL_BITS * level)
            levels.append(store.hashes(level, count // WIDTH, size) if count % WIDTH else [])
            level += 1
        self._edge = Edge(levels, size)
        self._bundle = store.entries(size // WIDTH, size) if size % WIDTH else []
        self._full: list[tuple[int | str, int, bytes]] = []
        self._written: set[Path] = set()

    @property
    def size(self) -> int:
        """The number of leaves, those not yet flushed included."""
        return self._edge.size

    def append(self, entry: bytes) -> None:
        """Add one entry (at most 65,535 bytes) in memory."""
        self._bundle.append(entry)
        filled = self._edge.append(leaf_hash(entry))
        for level, index, hashes in filled:
            if level == 0:
                self._full.append(("entries", index, _pack(self._bundle)))
                self._bundle = []
            self._full.append((level, index, b"".join(hashes)))

    def flush(self) -> None:
        """Write what changed; when this returns, the tree of `size` lasts. After an error, drop this writer and open anew."""
        for level, index, data in self._full:
            write_durably(self._store.path(level, index), data)
        if self._bundle:
            self._write_partial("entries", self.size // WIDTH, len(self._bundle), _pack(self._bundle))
        for level, index, hashes in self._edge.partial():
            self._write_partial(level, index, len(hashes), b"".join(hashes))

    def prune(self) -> None:
        """Remove the partial tiles whose full tile now stands (tlog-tiles, "Partial Tiles"); call it once that is signed."""
        for level, index, _ in self._full:
            folder = self._store.path(level, index, 1).parent
            if folder.is_dir():
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()
            self._written = {path for path in self._written if path.parent != folder}
        self._full = []

    def root(self) -> bytes:
        """Return the root hash of the tree of `size` leaves."""
        return self._edge.root()

    def _write_partial(self, level: int | str, index: int, width: int, data: bytes) -> None:
        path = self._store.path(level, index, width)
        if path not in self._written:  # the higher levels change once in 256 leaves
            write_durably(path, data)
            self._written.add(path)


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes a tile has in the tree of `size` leaves, 1…256.

    Raises:
        ValueError: that tree has no such tile.
    """
    width = min((size >> (_LEVEL_BITS * level)) - index * WIDTH, WIDTH)
    if width <= 0:
        raise ValueError(f"a tree of {size} has no tile {level}/{index}")
    return width


def _pack(entries: Sequence[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(_LENGTH_SIZE, "big") + entry for entry in entries)
