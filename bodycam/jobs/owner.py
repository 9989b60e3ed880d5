"""Who runs a job, and whether that process is still there.

A message redelivered after `kill -9` must not wait for a lease: if the owner ran on this machine and is gone, the job is free.
"""

import os
import platform

from bodycam import clock


def me() -> str:
    """Return this process as "host|boot id|pid"."""
    return f"{platform.node()}|{clock.boot_id()}|{os.getpid()}"


def is_gone(owner: str) -> bool:
    """Return True if `owner` surely no longer runs: this machine was restarted since, or has no such process.

    A process on another machine is never judged; its lease decides.
    """
    host, _, rest = owner.partition("|")
    boot, _, pid = rest.partition("|")
    if host != platform.node():
        return False
    if boot != clock.boot_id():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return True
    except PermissionError:
        return False
    return False
