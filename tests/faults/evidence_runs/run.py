"""One variant: its work is done once, and at every step of it the tree that a restart may find is made and judged."""

import os
import shutil
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random

from tests.faults.evidence_runs import phases, upkeep
from tests.faults.evidence_runs.judge import judge
from tests.faults.evidence_runs.power import Watched
from tests.faults.evidence_runs.world import SITE, World, copy_database, empty_database

CUTS_A_STEP = 3  # draws of what a power cut leaves, besides the kill


@dataclass
class Outcome:
    """What one variant gave: points by kind, what was wrong where."""

    phase: str
    seed: int
    steps: int = 0
    points: Counter = field(default_factory=Counter)
    wrong: list[tuple[str, list[str]]] = field(default_factory=list)
    bypassed: list[str] = field(default_factory=list)


def run(phase, seed, base, most=None, stop_at_first=False):
    """Go through a variant; at most `most` points are judged, drawn from all steps. What failed stays under `base`."""
    variant = phases.draw(phase, seed)
    folder = base / f"lane-{os.getpid()}"  # the same for every variant, as the database's engine is
    folder.mkdir(exist_ok=True)
    outcome = Outcome(phase, seed)
    images = _Images(variant, folder, outcome, stop_at_first=stop_at_first)
    with upkeep.slow_time() if phase == "disposition" else nullcontext():
        images.chance = 1.0 if most is None else most / (_count_steps(variant, folder / "counting") * (1 + CUTS_A_STEP))
        images.record()
    shutil.rmtree(folder)
    return outcome


def run_job(job):
    """Run a variant whose arguments come in one, as a pool of processes hands them over."""
    return run(*job)


def _make(folder, variant):
    folder.mkdir()
    (folder / SITE).mkdir(mode=0o700)
    shutil.copyfile(empty_database(_templates(folder)), folder / "bodycam.db")
    if not variant.fresh:
        with World(folder, variant) as world:
            phases.prepare(world)
            return world.told
    return None


def _templates(folder):
    place = folder.parents[1] / f"template-{os.getpid()}"
    place.mkdir(exist_ok=True)
    return place


def _count_steps(variant, folder):
    steps = []
    told = _make(folder, variant)
    watched = Watched(folder / SITE, steps.append)
    with watched.watching(), World(folder, variant, told) as world:
        phases.work(world)
    shutil.rmtree(folder)
    return len(steps) + 1


class _Images:
    def __init__(self, variant, folder, outcome, *, stop_at_first):
        self._variant, self._folder, self._outcome = variant, folder, outcome
        self._stop_at_first = stop_at_first
        self._draw = variant.random()
        self._world = None
        self.chance = 1.0

    def record(self):
        place = self._folder / "world"
        told = _make(place, self._variant)
        self._world = World(place, self._variant, told)
        self._watched = Watched(place / SITE, self._step)
        with self._watched.watching(), self._world:
            phases.work(self._world)
            self._step("the end")
        self._outcome.bypassed = self._watched.bypassed

    def _step(self, what):
        self._world.published()
        self._outcome.steps += 1
        for number in range(1 + CUTS_A_STEP):
            if self._draw.random() < self.chance and not (self._stop_at_first and self._outcome.wrong):
                self._judge("power" if number else "kill", Random(self._draw.random()) if number else None, what)

    def _judge(self, kind, draw, what):
        outcome = self._outcome
        place = self._folder / "judged"
        place.mkdir()
        copy_database(self._world.folder, place)
        self._watched.image(place / SITE, draw)
        with self._watched.aside():
            for mark in (place / SITE).glob("keys/*.place"):  # the vault lies elsewhere now
                mark.write_text(mark.read_text("utf-8").replace(str(self._folder / "world"), str(place)), "utf-8")
            wrong = judge(place, self._variant, self._world.told)
        outcome.points[kind] += 1
        if wrong:
            kept = self._folder.with_name(
                f"wrong-{outcome.phase}-{outcome.seed}-{outcome.steps}-{outcome.points.total()}"
            )
            place.rename(kept)
            outcome.wrong.append((f"{kind} before step {outcome.steps}, {what}: {kept}", wrong))
        else:
            shutil.rmtree(place)
