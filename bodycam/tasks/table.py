"""The one table of jobs: name -> function of (runtime, **ids)."""

from collections.abc import Callable, Mapping
from functools import partial

from bodycam.jobs.service import Handler
from bodycam.runtime import Runtime

HANDLERS: dict[str, Callable[..., None]] = {}


def bind(rt: Runtime) -> Mapping[str, Handler]:
    """Return the handlers with the runtime filled in, as `jobs.service` takes them."""
    return {name: partial(function, rt) for name, function in HANDLERS.items()}
