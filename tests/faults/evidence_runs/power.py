"""What a disk holds after the power went.

`Watched` stands between the program and one folder: every call that changes a name or a byte in it is seen before it happens, and a
model keeps what is durable (bytes at their file's last fsync, names at their folder's). At any of these moments `image` makes the
tree that a restart may find: all of it after a kill; after a power cut what is durable and, by a seeded draw, more or less of the
rest: names in order, in part or not at all, and of unsynced bytes the old, the new, zeros, or a mixture by sectors.

It is stricter than most file systems: an fsync of a file makes no name durable, an fsync of a folder no bytes and no parent's name.
"""

import io
import os
import stat
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_active = None
_WRITING = os.O_WRONLY | os.O_RDWR


@dataclass(eq=False)
class Node:
    """A file or a folder: what is durable of it, and where it can be found now."""

    is_folder: bool = False
    durable: dict | bytes | None = None  # a folder's names, a file's bytes at its last fsync
    dirty: bool = False
    paths: set[str] = field(default_factory=set)
    last: bytes = b""  # a file's bytes when its last name went


def _audit(event, args):
    if event == "open" and _active is not None and isinstance(args[1], str) and set(args[1]) & set("wxa+"):
        _active.note_bypass(args[0])


sys.addaudithook(_audit)


class Watched:
    """One folder under watch; `on_step(what)` is called before each change, with nobody changing anything meanwhile."""

    def __init__(self, root, on_step):
        self.root = str(root)
        self.on_step = on_step
        self.bypassed = []
        self._inside = threading.local()
        self._paused = False
        self._lock = threading.RLock()
        self._pending = []  # changes of names not durable yet: lists of (folder, name, node or None), in order
        self._files, self._folders = {}, {}
        self._learn(self.root)

    def _learn(self, path):
        node = self._folders[path] = Node(is_folder=True, durable={}, paths={path})
        for entry in os.scandir(path):
            if entry.is_dir():
                node.durable[entry.name] = self._learn(entry.path)
            else:
                known = self._files.setdefault(entry.inode(), Node(durable=Path(entry.path).read_bytes()))
                known.paths.add(entry.path)
                node.durable[entry.name] = known
        return node

    @contextmanager
    def watching(self):
        """Take the place of the system calls until the block ends."""
        global _active
        names = ["open", "pwrite", "write", "fsync", "fdatasync", "ftruncate", "posix_fallocate", "link", "replace"]
        names += ["rename", "unlink", "remove", "mkdir", "rmdir"]
        real = {name: getattr(os, name) for name in names}
        for name in names:
            setattr(os, name, self._wrap(real[name], getattr(self, f"_{name}", None)))
        _active = self
        try:
            yield
        finally:
            _active = None
            for name in names:
                setattr(os, name, real[name])

    def _wrap(self, real, ours):
        def call(*args, **kwargs):
            if self._paused or getattr(self._inside, "call", False):
                return real(*args, **kwargs)
            with self._lock:
                self._inside.call = True
                try:
                    return ours(real, *args, **kwargs)
                finally:
                    self._inside.call = False

        return call

    def note_bypass(self, path):
        """Remember a file of the folder that was opened for writing past the calls that are watched."""
        if (
            not self._paused
            and not getattr(self._inside, "call", False)
            and not isinstance(path, int)
            and self._here(path)
        ):
            self.bypassed.append(os.fspath(path))

    # the calls

    def _open(self, real, path, flags, mode=0o777, **kwargs):
        if not self._here(path) or not flags & (_WRITING | os.O_CREAT):
            return real(path, flags, mode, **kwargs)
        path = os.fspath(path)
        is_new = not os.path.lexists(path)
        if is_new or flags & os.O_TRUNC:
            self.on_step(f"open {self._short(path)}")
        descriptor = real(path, flags, mode, **kwargs)
        if is_new:
            node = self._files[os.fstat(descriptor).st_ino] = Node(paths={path})
            self._change((path, node))
        elif flags & os.O_TRUNC:
            self._node(descriptor).dirty = True
        if flags & _WRITING and flags & os.O_CREAT:
            self._node(descriptor).dirty = True
        return descriptor

    def _pwrite(self, real, descriptor, *args):
        return self._writing("write", real, descriptor, *args)

    def _write(self, real, descriptor, *args):
        return self._writing("write", real, descriptor, *args)

    def _ftruncate(self, real, descriptor, *args):
        return self._writing("truncate", real, descriptor, *args)

    def _posix_fallocate(self, real, descriptor, *args):
        return self._writing("allocate", real, descriptor, *args)

    def _writing(self, what, real, descriptor, *args):
        node = self._node(descriptor)
        if node is not None:
            self.on_step(f"{what} {self._where(node)}")
            node.dirty = True
        return real(descriptor, *args)

    def _fsync(self, real, descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folder = self._folders.get(_path_of(descriptor))
            if folder is not None:
                self.on_step(f"fsync {self._where(folder)}/")
                self._keep_names(folder)
            return real(descriptor)
        node = self._node(descriptor)
        if node is not None:
            self.on_step(f"fsync {self._where(node)}")
            node.durable, node.dirty = Path(f"/proc/self/fd/{descriptor}").read_bytes(), False
        return real(descriptor)

    _fdatasync = _fsync

    def _link(self, real, source, target, **kwargs):
        if not self._here(target):
            return real(source, target, **kwargs)
        self.on_step(f"link {self._short(target)}")
        real(source, target, **kwargs)
        node = self._files[Path(target).stat().st_ino]
        node.paths.add(os.fspath(target))
        self._change((target, node))
        return None

    def _replace(self, real, source, target, **kwargs):
        if not self._here(target):
            return real(source, target, **kwargs)
        self.on_step(f"rename {self._short(target)}")
        node = self._files[Path(source).stat().st_ino]
        if os.path.lexists(target):
            self._lose(target)
        real(source, target, **kwargs)
        node.paths.discard(os.fspath(source))
        node.paths.add(os.fspath(target))
        self._change((source, None), (target, node))
        return None

    _rename = _replace

    def _unlink(self, real, path, **kwargs):
        if not self._here(path) or not os.path.lexists(path):
            return real(path, **kwargs)
        self.on_step(f"unlink {self._short(path)}")
        self._lose(path)
        real(path, **kwargs)
        self._change((path, None))
        return None

    _remove = _unlink

    def _mkdir(self, real, path, mode=0o777, **kwargs):
        if not self._here(path) or os.path.lexists(path):
            return real(path, mode, **kwargs)
        path = os.fspath(path)
        self.on_step(f"mkdir {self._short(path)}")
        real(path, mode, **kwargs)
        self._folders[path] = Node(is_folder=True, durable={}, paths={path})
        self._change((path, self._folders[path]))
        return None

    def _rmdir(self, real, path, **kwargs):
        if not self._here(path):
            return real(path, **kwargs)
        self.on_step(f"rmdir {self._short(path)}")
        real(path, **kwargs)
        self._folders.pop(os.fspath(path)).paths.clear()
        self._change((path, None))
        return None

    # the model

    def _here(self, path):
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root + "/")

    def _short(self, path):
        return os.fspath(path)[len(self.root) + 1 :]

    def _where(self, node):
        return self._short(min(node.paths)) if node.paths else "(no name)"

    def _node(self, descriptor):
        found = os.fstat(descriptor)
        node = self._files.get(found.st_ino) if stat.S_ISREG(found.st_mode) else None
        if node is None or not _path_of(descriptor).startswith(self.root + "/"):
            return None
        return node

    def _lose(self, path):
        node = self._files[Path(path).stat().st_ino]
        node.paths.discard(os.fspath(path))
        if not node.paths:
            node.last = Path(path).read_bytes()

    def _change(self, *names):
        places = [(os.path.split(os.fspath(path)), node) for path, node in names]
        self._pending.append([(self._folders[folder], name, node) for (folder, name), node in places])

    def _keep_names(self, folder):
        waiting, self._pending = self._pending, []
        for change in waiting:
            if not any(place is folder for place, _, _ in change):
                self._pending.append(change)
                continue
            for place, name, node in change:  # what is durable now outlives older changes of the same name
                for older in self._pending:
                    older[:] = [item for item in older if item[0] is not place or item[1] != name]
                _put(place.durable, name, node)

    def image(self, target, draw=None):
        """Make the tree that a restart finds: after a kill, or with `draw` (a Random) after a power cut."""
        with self._lock, self.aside():
            _Image(self._folders[self.root], self._pending, draw).make(Path(target))

    @contextmanager
    def aside(self):
        """Let files elsewhere be changed without being watched, by threads of this thread too."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before


def _path_of(descriptor):
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _put(names, name, node):
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


class _Image:
    def __init__(self, root, pending, draw):
        self._root, self._draw = root, draw
        self._names, self._made, self._bytes = {}, {}, {}
        for change in self._survivors(pending):
            for folder, name, node in change:
                _put(self._names_of(folder), name, node)

    def _survivors(self, pending):
        if self._draw is None:
            return pending
        match self._draw.choice(["none", "beginning", "some", "all"]):
            case "none":
                return []
            case "beginning":
                return pending[: self._draw.randint(0, len(pending))]
            case "some":
                return [change for change in pending if self._draw.random() < 0.5]
        return pending

    def _names_of(self, folder):
        return self._names.setdefault(id(folder), dict(folder.durable))

    def make(self, target):
        self._make(self._root, target)

    def _make(self, folder, target):
        target.mkdir(0o700)
        for name, node in self._names_of(folder).items():
            place = target / name
            if node.is_folder:
                self._make(node, place)
            elif id(node) in self._made:
                os.link(self._made[id(node)], place)
            else:
                descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with io.FileIO(descriptor, "w") as file:
                    file.write(self._content(node))
                self._made[id(node)] = place

    def _content(self, node):
        if not node.dirty:
            return node.durable
        new = Path(min(node.paths)).read_bytes() if node.paths else node.last
        if self._draw is None:
            return new
        old = node.durable or b""
        match self._draw.choice(["old", "new", "zeros", "torn"]):
            case "old":
                return old
            case "new":
                return new
            case "zeros":
                return old[: len(new)].ljust(len(new), b"\0")
        return self._torn(old, new)

    def _torn(self, old, new):
        """Mix old and new by sectors; a sector that nobody wrote since it was durable stays, one that was never durable may be zero."""
        size = self._draw.choice([len(old), len(new), self._draw.randint(*sorted((len(old), len(new))))])
        sectors = []
        for at in range(0, size, SECTOR):
            choices = [new, old] if at < len(old) else [new, b""]
            sectors.append(self._draw.choice(choices)[at : at + SECTOR].ljust(SECTOR, b"\0"))
        return b"".join(sectors)[:size]
