"""What is done while the power may go: each phase's work, drawn from a seed, begins anew where it was broken off.

A phase's `work` is also the retry after the cut: what a station, a sequencer or an administrator does next.
"""

import random
from dataclasses import dataclass

from sqlalchemy import select

from bodycam import custody
from bodycam.custody.models import CustodyEvent
from bodycam.intake import service as intake
from bodycam.intake.models import AttemptState, IntakeAttempt
from bodycam.recordings.models import Origin
from tests.faults.evidence_runs import upkeep


@dataclass(frozen=True)
class Source:
    """A file on a camera, and where the camera is pulled while it is read."""

    key: str
    data: bytes
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Variant:
    """One way through a phase."""

    phase: str
    seed: int
    before: tuple[Source, ...] = ()  # sealed before anything goes wrong
    sources: tuple[Source, ...] = ()
    old_events: int = 0  # in the log before anything goes wrong
    batches: tuple[int, ...] = ()
    copies: int = 1
    due: int = 0  # recordings whose term has passed
    fresh: bool = False  # the installation itself is new

    def random(self):
        """Return a generator of this variant's own."""
        return random.Random(f"{self.phase} {self.seed}")


def draw(phase, seed):
    """Return the variant of a phase that a seed names."""
    dice = random.Random(f"{phase} variant {seed}")
    return DRAW[phase](dice, phase, seed)


def _sources(dice, count, name="new"):
    found = []
    for number in range(count):
        size = dice.choice([0, 1, 700, 16_384, 16_385, 40_000, dice.randint(1, 90_000)])
        cuts = tuple(sorted(dice.randint(0, size) for _ in range(dice.choice([0, 0, 1, 2]))))
        found.append(Source(f"{name}-{number}", dice.randbytes(size), cuts))
    return tuple(found)


def _draw_intake(dice, phase, seed):
    fresh = dice.random() < 0.2
    return Variant(
        phase,
        seed,
        before=() if fresh else _sources(dice, dice.choice([0, 1]), "old"),
        sources=_sources(dice, dice.choice([1, 1, 2, 3])),
        old_events=0 if fresh else dice.choice([0, 0, 3]),
        copies=dice.choice([1, 2]),
        fresh=fresh,
    )


def _draw_copy(dice, phase, seed):
    return Variant(phase, seed, before=_sources(dice, dice.choice([1, 2, 3]), "old"), copies=2)


def _draw_append(dice, phase, seed):
    return Variant(
        phase,
        seed,
        old_events=dice.choice([0, 1, 17, dice.randint(240, 256), dice.randint(240, 256)]),
        batches=tuple(dice.choice([1, 2, 8, 20]) for _ in range(dice.randint(1, 3))),
        fresh=dice.random() < 0.2,
    )


def _draw_checkpoint(dice, phase, seed):
    old, batches = dice.choice([0, 17, dice.randint(250, 256)]), dice.randint(1, 2)
    return Variant(phase, seed, old_events=old, batches=tuple(dice.choice([1, 2, 8]) for _ in range(batches)))


def _draw_scrub(dice, phase, seed):
    return Variant(phase, seed, before=_sources(dice, dice.choice([1, 2, 3]), "old"), copies=2)


def _draw_disposition(dice, phase, seed):
    return Variant(phase, seed, copies=2, due=dice.choice([1, 2, 3]))


def prepare(world):
    """Bring a world to where its phase begins."""
    variant = world.variant
    if variant.phase == "disposition":
        upkeep.age(world, variant.due)
    add_events(world.rt.db, "old", variant.old_events)
    world.sequence()
    for source in variant.before:
        take_in(world, source)
    world.sequence()
    if variant.phase == "scrub":
        upkeep.spoil(world, variant.random())
    elif variant.phase == "copy":
        for object_id in world.rt.vault.iter_objects():
            world.rt.vault.place("second").remove(object_id)
    world.published()


def work(world):
    """Do the phase's work, or what is left of it."""
    WORK[world.variant.phase](world)


def do_intake(world):
    """Take in every source, as a station does that was switched on again."""
    for source in world.variant.sources:
        take_in(world, source)
        if world.variant.seed % 2:
            world.sequence()
    world.sequence()


def do_append(world):
    """Commit events and sequence them, batch after batch."""
    for number, count in enumerate(world.variant.batches):
        add_events(world.rt.db, f"batch{number}", count)
        world.sequence()


def take_in(world, source):
    """Copy a source through all its cuts, seal and catalogue it."""
    rt = world.rt
    attempt = intake.begin(rt.db, source.key)
    if attempt.state == AttemptState.OPEN:
        for goal in (*source.cuts, len(source.data)):
            _copy_until(world, attempt.id, source, goal)
        with rt.spool.open(attempt.id, expected=len(source.data)) as writer:
            spooled = writer.finish()
        facts = intake.Facts(origin=Origin.IMPORT, name=f"{source.key}.mp4", actor="system")
        intake.finish(rt, attempt, spooled, facts)
    world.told.sealed[source.key] = attempt.id


def _copy_until(world, attempt_id, source, goal):
    with world.rt.spool.open(attempt_id, expected=len(source.data)) as writer:
        while writer.received < goal:
            at = writer.received
            writer.write(source.data[at : min(at + 20_000, goal)])
            world.told.spooled[source.key] = writer.sync()
        world.told.spooled[source.key] = writer.close()


def do_copy(world):
    """Bring every object to the second place, which has lost some."""
    vault = world.rt.vault
    for object_id in vault.iter_objects():
        vault.copy_to(object_id, "second")


def add_events(db, name, count):
    """Commit events, each in the log once however often this is repeated; a few earn a receipt."""
    with db.write() as session:
        first = session.get(CustodyEvent, f"{name}-0")  # a batch is one transaction: all of it is there, or nothing
        for number in range(0 if first is not None else count):
            event_id = f"{name}-{number}"
            if number % 20:
                custody.record(session, "recording.read", object_id=f"r{number}", event_id=event_id)
            else:
                known = {"sha256": f"{number:064x}", "size": number}
                custody.record(session, "submission.received", object_id=event_id, event_id=event_id, **known)


def attempt_of(session, source):
    """Return a source's attempt, or None when it was never begun."""
    return session.scalar(select(IntakeAttempt).where(IntakeAttempt.source_key == intake._hash(source.key)))


def do_checkpoint(world):
    """Sequence events, batch after batch, and have each head cosigned."""
    for number, count in enumerate(world.variant.batches):
        add_events(world.rt.db, f"batch{number}", count)
        world.sequence()
        upkeep.cosign(world)


DRAW = {
    "intake": _draw_intake,
    "copy": _draw_copy,
    "append": _draw_append,
    "checkpoint": _draw_checkpoint,
    "scrub": _draw_scrub,
    "disposition": _draw_disposition,
}
WORK = {
    "intake": do_intake,
    "copy": do_copy,
    "append": do_append,
    "checkpoint": do_checkpoint,
    "scrub": upkeep.scrub,
    "disposition": upkeep.dispose,
}
