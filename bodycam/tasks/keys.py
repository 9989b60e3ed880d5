"""The job that ends a replacement of the vault's key, and what the key wraps outside the vault."""

import structlog

from bodycam import clock
from bodycam.fixity.rewrap import SETTLED_AFTER, Rewrap
from bodycam.petitions.rewrap import rewrap_keys
from bodycam.runtime import Runtime

_log = structlog.get_logger(__name__)


def rewrap(rt: Runtime) -> None:
    """Go on with a replacement that is under way; nothing to do when there is none."""
    if rt.keyring.older:
        run = Rewrap(rt, lambda: rewrap_rest(rt))
        for _ in run.steps():
            pass
        report = run.finish("system")
        _log.info("vault.rewrapped", retired=report.retired, kept=[reason for _, _, reason in report.kept])


def rewrap_rest(rt: Runtime) -> int:
    """Wrap anew what lies in citizens' reports and in the spool; return how many attempts must wait."""
    if broken := rewrap_keys(rt.db, rt.keyring):
        _log.warning("submission.keys_broken", reports=broken)
    settled_before = (clock.now() - SETTLED_AFTER).timestamp()
    return sum(not rt.spool.rewrap(name, settled_before) for name in rt.spool.attempts())
