"""The policy: whose log is believed, which witnesses are known, and how many of them make a checkpoint witnessed.

A text file in the format of C2SP tlog-policy. It is the verifier's own: a copy that comes with what is to be verified proves
nothing. Needs no database, settings or network.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.cosignature import Cosigner
from bodycam.custody.errors import NoteError, PolicyError
from bodycam.custody.note import Verifier

NO_QUORUM = "none"
_MAX_TEXT = 100_000
_MAX_DEFINED = 64  # logs, witnesses and groups together; the format asks for 32 of each at least to be read
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLANKS = re.compile(r"[ \t]+")  # the only white space of the format


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness as the policy names it; `url` is its submission prefix, "" when it is reached by file only."""

    name: str
    cosigner: Cosigner
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """At least `least` of the members must have witnessed."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy says of a checkpoint: who of its witnesses cosigned it and when (UTC), and whether they are enough."""

    checkpoint: Checkpoint
    witnesses: tuple[tuple[str, datetime], ...]
    quorum: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was read; `quorum` names a witness or a group, or is "none"."""

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Witness]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy.

        Raises:
            PolicyError: it is not one, names no log, or breaks a rule of the format; says the line.
        """
        reader = _Reader()
        if len(text) > _MAX_TEXT:
            raise PolicyError(line=1, reason="the text is far too long")
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                reader.read(line)
            except NoteError as error:
                raise PolicyError(line=number, reason=error.values["reason"]) from None
        if reader.quorum is None or not reader.logs:
            raise PolicyError(line=number, reason="a policy has a log line and a quorum line")
        return cls(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a policy file.

        Raises:
            PolicyError: it can't be read, or isn't one.
        """
        try:
            return cls.parse(path.read_text("utf-8", errors="surrogateescape"))  # octets above ASCII are opaque names
        except OSError as error:
            raise PolicyError(line=0, reason=f"{path}: {error.strerror}") from None

    @property
    def log(self) -> Verifier:
        """The (first) log's key."""
        return self.logs[0]

    def judge(self, note: str) -> Judged:
        """Check a checkpoint and say who witnessed it. Lines of unknown keys are ignored.

        Raises:
            NoteError: none of the logs signed it, it is no checkpoint, or a line of a known key is false.
        """
        checkpoint = self._open(note)
        found = [(name, witness.cosigner.signed_at(note)) for name, witness in self.witnesses.items()]
        times = tuple((name, moment) for name, moment in found if moment is not None)
        return Judged(checkpoint, times, self.is_quorum({name for name, _ in times}))

    def is_quorum(self, names: set[str]) -> bool:
        """Say whether these witnesses are enough."""
        return self.quorum == NO_QUORUM or self._holds(self.quorum, names)

    def _open(self, note: str) -> Checkpoint:
        failed = NoteError(reason="the policy names no log")
        for log in self.logs:
            try:
                return Checkpoint.open(note, log)
            except NoteError as error:
                failed = error
        raise failed

    def _holds(self, name: str, names: set[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in names
        return sum(self._holds(member, names) for member in group.members) >= group.least


@dataclass(slots=True)
class _Reader:
    logs: list[Verifier] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    _grouped: set[str] = field(default_factory=set)

    def read(self, line: str) -> None:
        if _CONTROL.search(line):
            raise NoteError(reason="a control character")
        if len(self.logs) + len(self.witnesses) + len(self.groups) > _MAX_DEFINED:
            raise NoteError(reason=f"more than {_MAX_DEFINED} logs, witnesses and groups")
        text = line.strip(" \t")
        if text and not text.startswith("#"):
            self._define(_BLANKS.split(text))

    def _define(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._add_log(Verifier.parse(vkey))
            case ["witness", name, vkey]:
                self._add_witness(Witness(self._new(name), Cosigner.parse(vkey), ""))
            case ["witness", name, vkey, url]:
                self._add_witness(Witness(self._new(name), Cosigner.parse(vkey), url))
            case ["group", name, least, *members] if members:
                self._add_group(self._new(name), least, members)
            case ["quorum", name] if self.quorum is None:
                self.quorum = name if name == NO_QUORUM else self._known(name)
            case ["quorum", _]:
                raise NoteError(reason="a second quorum line")
            case _:
                raise NoteError(reason="not a log, witness, group or quorum line")

    def _add_log(self, log: Verifier) -> None:
        if any(log.public == other.public for other in self.logs):
            raise NoteError(reason="this log's key is given twice")
        self.logs.append(log)

    def _add_witness(self, witness: Witness) -> None:
        if any(witness.cosigner.public == other.cosigner.public for other in self.witnesses.values()):
            raise NoteError(reason="this witness's key is given twice: it would count twice")
        self.witnesses[witness.name] = witness

    def _add_group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            if self._known(member) in self._grouped:
                raise NoteError(reason=f"{member} stands in a group already: it would count twice")
            self._grouped.add(member)
        if least in {"all", "any"}:
            count = len(members) if least == "all" else 1
        elif re.fullmatch(r"[1-9][0-9]{0,2}", least) and int(least) <= len(members):
            count = int(least)
        else:
            raise NoteError(reason=f"{least} of {len(members)} can't be asked for: write all, any or 1…{len(members)}")
        self.groups[name] = Group(name, count, tuple(members))

    def _new(self, name: str) -> str:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise NoteError(reason=f"the name {name} is taken")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise NoteError(reason=f"{name} is not defined above")
        return name
