"""RFC 3161 timestamps for a package: the tokens of heads of the log that the package's own head continues."""

import re
from collections.abc import Sequence
from pathlib import Path

from bodycam.custody import merkle
from bodycam.custody.canonical import JSON
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.log import Log
from bodycam.packages.evidence import consistency
from bodycam.packages.layout import MAX_TOKEN, safe_name

_FOLDER = "timestamps"  # below the log's folder, where tokens are kept
_TOKEN = re.compile(r"([1-9]\d{0,15})-(.{1,100})\.tsr")


def collect(log: Log, head: Checkpoint, last_index: int) -> tuple[dict[str, bytes], Sequence[JSON]]:
    """Return the files by path and what `data/package.json` says of them; none when nothing was stamped.

    Of each authority the first token over a head with the entry `last_index`: the earliest proof that all was there. Without one, its
    last token.
    """
    files: dict[str, bytes] = {}
    told: dict[int, list[JSON]] = {}
    for size, authority, token in _chosen(log.dir / _FOLDER, head.size, last_index):
        name = safe_name(authority)
        path = f"data/log/timestamps/{size}-{name}.tsr"
        files[path] = token.read_bytes()
        chain = token.with_name(f"{authority}.pem")
        chain_path = f"data/log/timestamps/{name}.pem" if chain.is_file() else None
        if chain_path:
            files[chain_path] = chain.read_bytes()
        told.setdefault(size, []).append({"authority": authority, "path": path, "chain": chain_path})
    stamped: list[JSON] = []
    for size, tokens in sorted(told.items()):
        path = f"data/log/timestamps/{size}.checkpoint"
        root = merkle.root(size, log.tiles.node(size))
        files[path] = Checkpoint(log.origin, size, root, "").body.encode()
        stamped.append({"checkpoint": path, "consistency": consistency(log, size, head), "tokens": tokens})
    return files, stamped


def _chosen(folder: Path, head_size: int, last_index: int) -> list[tuple[int, str, Path]]:
    by_authority: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _TOKEN.fullmatch(path.name)
        if match and int(match[1]) <= head_size and path.stat().st_size <= MAX_TOKEN:
            by_authority.setdefault(match[2], {})[int(match[1])] = path
    chosen = []
    for authority, tokens in sorted(by_authority.items()):
        size = min((size for size in tokens if size > last_index), default=max(tokens))
        chosen.append((size, authority, tokens[size]))
    return chosen
