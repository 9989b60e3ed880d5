"""The one table of jobs: name -> "module:function" of (runtime, **ids), imported when the first such job runs.

Text and not functions, so that a command with no job to run doesn't load the decoders. `EVERY` names the jobs that are asked
for by the clock, with their seconds.
"""

import importlib
from collections.abc import Mapping
from functools import partial

from bodycam.jobs.service import Handler
from bodycam.runtime import Runtime

HANDLERS = {
    "package.create": "bodycam.tasks.packages:create",
    "log.inventory": "bodycam.tasks.inventory:take",
    "recording.read": "bodycam.tasks.recordings:read",
    "recording.recheck": "bodycam.tasks.recordings:recheck",
    "recording.render": "bodycam.tasks.recordings:render",
    "recording.match": "bodycam.tasks.recordings:match",
    "retention.dispose": "bodycam.tasks.retention:dispose",
    "retention.look_again": "bodycam.tasks.retention:look_again",
    "retention.propose": "bodycam.tasks.retention:propose",
    "retention.watch": "bodycam.tasks.retention:watch",
    "spool.tidy": "bodycam.tasks.vault:tidy_spool",
    "submission.adopt_file": "bodycam.tasks.petitions:adopt_file",
    "submission.hold": "bodycam.tasks.petitions:hold",
    "submission.seal_file": "bodycam.tasks.petitions:seal_file",
    "submission.tidy": "bodycam.tasks.petitions:tidy",
    "vault.rewrap": "bodycam.tasks.keys:rewrap",
    "vault.scrub": "bodycam.tasks.vault:scrub",
    "vault.scrub_share": "bodycam.tasks.vault:scrub_share",
    "vault.survey": "bodycam.tasks.vault:survey_places",
    "vault.sweep": "bodycam.tasks.vault:sweep",
}
EVERY = {
    "log.inventory": 3600,
    "retention.dispose": 3600,
    "retention.look_again": 3600,
    "retention.propose": 86_400,
    "retention.watch": 600,
    "spool.tidy": 3600,
    "submission.tidy": 600,
    "vault.rewrap": 10_800,
    "vault.scrub_share": 3600,
    "vault.survey": 86_400,
    "vault.sweep": 86_400,
}


def bind(rt: Runtime) -> Mapping[str, Handler]:
    """Return the handlers with the runtime filled in, as `jobs.service` takes them."""
    return {name: partial(_run, where, rt) for name, where in HANDLERS.items()}


def _run(where: str, rt: Runtime, **ids: str) -> None:
    importlib.import_module(
        "bodycam.models"
    )  # a job may be this process's first write, and keys name other slices' tables
    module, _, function = where.partition(":")
    getattr(importlib.import_module(module), function)(rt, **ids)
