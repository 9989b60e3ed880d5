"""A shim under `bodycam.vault.disk`: counts the steps that change a disk, kills or cuts the power at one, and rebuilds what stayed."""

import os

from bodycam.vault import disk

STEPS = ("create", "write_at", "sync", "sync_folder", "truncate", "link", "replace", "remove", "protect")


class Counted:
    """Counts the steps that change the disk and does something at the one it waits for."""

    def __init__(self, monkeypatch, at, action):
        self.count, self.at, self.action = 0, at, action
        for name in STEPS:
            monkeypatch.setattr(disk, name, self.wrap(name, getattr(disk, name)))

    def wrap(self, name, real):
        def step(*args, **kwargs):
            self.count += 1
            if self.count >= self.at:
                self.action()
            result = real(*args, **kwargs)
            self.after(name, args)
            return result

        return step

    def after(self, name, args):
        pass


class PowerCutError(Exception):
    """Nothing happens on a machine without power."""


class Power(Counted):
    """Remembers what of a tree is durable: contents since the last fsync, names since the last fsync of their folder."""

    def __init__(self, monkeypatch, at, root):
        super().__init__(monkeypatch, at, self.cut)
        self.root, self.contents, self.names = root, {}, {}

    def cut(self):
        raise PowerCutError

    def after(self, name, args):
        if name == "create":
            self.contents.pop(args[0].stat().st_ino, None)  # inode numbers are used again
        elif name == "sync":
            with open(f"/proc/self/fd/{args[0]}", "rb") as file:  # noqa: PTH123  a descriptor, not a path
                self.contents[os.fstat(args[0]).st_ino] = file.read()
        elif name == "sync_folder":
            self.names[args[0]] = {e.name: (e.inode(), e.is_dir()) for e in os.scandir(args[0])}

    def rebuild(self, target, source, names_reached_disk):
        """Make the tree a restart finds: durable contents only, under durable names or all names."""
        target.mkdir(mode=0o700, exist_ok=True)
        if names_reached_disk:
            entries = {e.name: (e.inode(), e.is_dir()) for e in os.scandir(source)}
        else:
            entries = self.names.get(source, {})
        for name, (inode, is_folder) in entries.items():
            if is_folder:
                self.rebuild(target / name, source / name, names_reached_disk)
            elif inode in self.contents:
                (target / name).write_bytes(self.contents[inode])
                (target / name).chmod(0o600)
            elif names_reached_disk:
                (target / name).write_bytes(bytes((source / name).stat().st_size))
                (target / name).chmod(0o600)
