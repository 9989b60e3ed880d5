"""The log on disk: its tiles, its published checkpoint, and the rule under which a new one is signed.

A checkpoint is signed only when the tree on disk provably begins with the last signed one; it is kept beside the key first and
published second, so a published head is never newer than what the key remembers.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bodycam.custody import keys, merkle
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import make_folder, write_durably
from bodycam.custody.errors import LogDamagedError, LogForkError, LogKeyError, NoteError
from bodycam.custody.note import Signer, Verifier
from bodycam.custody.tiles import TileStore

CHECKPOINT_FILE = "checkpoint"  # C2SP tlog-tiles, "Checkpoints"
WITNESSED_FILE = "witnessed"
PUBLIC_KEY_FILE = "log.vkey"


class Log:
    """One log: a folder of tiles, its public key, and where the key lies that signs its heads."""

    def __init__(self, log_dir: Path, keys_dir: Path, origin: str) -> None:
        """Remember where the parts are; use `open`."""
        self.dir = log_dir
        self.origin = origin
        self.tiles = TileStore(log_dir)
        self._keys_dir = keys_dir
        self._verifier: Verifier | None = None
        self._signer: Signer | None = None

    @classmethod
    def open(cls, log_dir: Path, keys_dir: Path, *, origin: str) -> Self:
        """Open the log for reading; the signing key is not touched, whoever signs calls `unlock`."""
        make_folder(log_dir)
        return cls(log_dir, keys_dir, origin)

    @property
    def verifier(self) -> Verifier:
        """The log's public key, from `log.vkey` in its folder.

        Raises:
            LogKeyError: the file is missing (nothing was ever signed), is no key, or the key is of another log.
        """
        if self._verifier is None:
            self._verifier = keys.read_public(self.dir / PUBLIC_KEY_FILE, self.origin)
        return self._verifier

    def unlock(self) -> Signer:
        """Open the signing key, as only the sequencer does; a log that nothing was ever signed for gets its key here.

        Raises:
            LogKeyError: the key is missing, of another log, or not the one whose public half is published.
        """
        if self._signer is None:
            signed = (self.dir / CHECKPOINT_FILE).exists() or keys.read_head(self._keys_dir) is not None
            signer = keys.open_key(self._keys_dir, self.origin, create=not signed)
            path = self.dir / PUBLIC_KEY_FILE
            if not path.exists():
                write_durably(path, f"{signer.verifier}\n".encode())
            if self.verifier != signer.verifier:
                raise LogKeyError(path=path, reason="it is not the public half of the signing key")
            self._signer = signer
        return self._signer

    def checkpoint(self) -> Checkpoint | None:
        """Return the published checkpoint, or None when there is none.

        Raises:
            LogDamagedError: the file isn't a checkpoint signed by this log's key.
        """
        return self._read(CHECKPOINT_FILE)

    def witnessed_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint that a quorum of witnesses cosigned, its note with their lines; None before the first.

        Only the log's own signature is checked here; `Policy.judge` says which witnesses' lines hold.

        Raises:
            LogDamagedError: the file isn't a checkpoint signed by this log's key.
        """
        return self._read(WITNESSED_FILE)

    def publish_witnessed(self, checkpoint: Checkpoint) -> None:
        """Keep a cosigned checkpoint for `witnessed_checkpoint`, over an older one; the caller has judged it."""
        write_durably(self.dir / WITNESSED_FILE, checkpoint.note.encode())

    def checkpoint_at(self) -> datetime | None:
        """Return when the published checkpoint was written, by the file's own time (UTC): a checkpoint carries none."""
        try:
            return datetime.fromtimestamp((self.dir / CHECKPOINT_FILE).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def head(self) -> Checkpoint | None:
        """Return the last signed checkpoint, from beside the key.

        Raises:
            LogDamagedError: the file isn't a checkpoint signed by this log's key.
        """
        try:
            note = keys.read_head(self._keys_dir)
            return None if note is None else Checkpoint.open(note, self.verifier)
        except (NoteError, UnicodeDecodeError) as error:
            raise LogDamagedError(path=self._keys_dir / keys.HEAD_FILE, reason=str(error)) from None

    def check_head(self) -> Checkpoint | None:
        """Return the last signed checkpoint after checking that the log on disk still has that tree.

        A checkpoint that was signed but not yet published when the process died is published now.

        Raises:
            LogForkError: the log is older than what was signed, was rewritten, or the memory of the key is gone.
            LogDamagedError: a file of the right edge is missing or cut.
        """
        head, published = self.head(), self.checkpoint()
        if head is None:
            if published is not None:
                raise _fork(
                    f"a checkpoint of {published.size} is published, but {keys.HEAD_FILE} is not beside the key",
                    f"đã công bố điểm {published.size} nhưng thiếu {keys.HEAD_FILE} cạnh khóa",
                )
            return None
        if published is not None and published.size > head.size:
            raise _fork(
                f"{published.size} entries are published, the key remembers {head.size}",
                f"đã công bố {published.size} mục, khóa chỉ nhớ {head.size}",
            )
        try:
            tree = merkle.root(head.size, self.tiles.node(head.size))
        except LogDamagedError as error:
            if published is None or published.size < head.size:
                here = published.size if published else 0
                raise _fork(
                    f"the log has {here} entries, {head.size} were signed",
                    f"nhật ký có {here} mục, đã ký {head.size}",
                ) from error
            raise
        self._check_same(head, tree)
        if published is not None:
            self._check_same(published, merkle.root(published.size, self.tiles.node(published.size)))
        if published is None or published.note != head.note:
            write_durably(self.dir / CHECKPOINT_FILE, head.note.encode())
        return head

    def sign(self, size: int, root: bytes) -> Checkpoint:
        """Sign and publish the head of the tree whose tiles are on disk; only the sequencer calls it.

        Raises:
            LogForkError: that tree doesn't begin with the last signed one.
            LogKeyError: the signing key can't be used.
        """
        signer = self.unlock()
        head = self.head()
        if head is not None:
            if size < head.size:
                raise _fork(f"{size} entries after {head.size} were signed", f"{size} mục sau khi đã ký {head.size}")
            proof = merkle.consistency_proof(head.size, size, self.tiles.node(size))
            if not merkle.check_consistency(head.size, size, proof, head.root, root):
                raise _fork(
                    f"the tree of {size} doesn't begin with the signed tree of {head.size}",
                    f"cây {size} mục không nối tiếp cây {head.size} mục đã ký",
                )
        signed = Checkpoint.sign(signer, size, root)
        keys.save_head(self._keys_dir, signed.note)
        write_durably(self.dir / CHECKPOINT_FILE, signed.note.encode())
        return signed

    def _read(self, name: str) -> Checkpoint | None:
        path = self.dir / name
        try:
            return Checkpoint.open(path.read_text("utf-8"), self.verifier)
        except FileNotFoundError:
            return None
        except (NoteError, UnicodeDecodeError) as error:
            raise LogDamagedError(path=path, reason=str(error)) from None

    @staticmethod
    def _check_same(signed: Checkpoint, tree: bytes) -> None:
        if tree != signed.root:
            raise _fork(
                f"the tree of {signed.size} on disk is not the one that was signed",
                f"cây {signed.size} mục trên đĩa khác cây đã ký",
            )


def _fork(reason: str, reason_vi: str) -> LogForkError:
    return LogForkError(reason=reason, reason_vi=reason_vi)
