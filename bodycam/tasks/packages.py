"""The job that makes an order's package, with its progress on the order's row."""

import time

import structlog
from sqlalchemy import exists, select

from bodycam.clock import monotonic
from bodycam.custody.durable import make_folder
from bodycam.custody.models import CustodyEvent
from bodycam.errors import BodycamError
from bodycam.packages.create import COPYING
from bodycam.packages.create import create as make
from bodycam.packages.errors import LogLateError
from bodycam.packages.orders import get_order
from bodycam.runtime import Runtime

_LOG_WAIT_S = 60.0
_TELL_EVERY_S = 1.0
_logger = structlog.get_logger(__name__)


def create(rt: Runtime, order_id: str, account_id: str) -> None:
    """Make an order's package in the installation's own folder; what stops it stands on the order's page, to be tried again there."""
    place, policy = rt.settings.packages.dir, rt.settings.log.policy_file
    make_folder(place)
    try:
        make(
            rt,
            order_id,
            place,
            actor=account_id,
            settle=lambda: _wait_for_log(rt),
            policy_text=policy.read_text("utf-8", errors="surrogateescape") if policy else None,
            tell=_Teller(rt, order_id),
        )
    except BodycamError as error:
        _logger.warning("package.not_made", order=order_id, code=error.code)


def _wait_for_log(rt: Runtime) -> None:
    """Wait until the sequencer took what was committed before this call."""
    deadline = monotonic() + _LOG_WAIT_S
    with rt.db.read() as session:
        pending = list(session.scalars(select(CustodyEvent.id).where(CustodyEvent.log_index.is_(None))))
    while True:
        with rt.db.read() as session:
            left = select(exists().where(CustodyEvent.log_index.is_(None), CustodyEvent.id.in_(pending)))
            if not session.scalar(left):
                return
        if monotonic() > deadline:
            raise LogLateError(seconds=int(_LOG_WAIT_S))
        time.sleep(0.1)


class _Teller:
    """Writes the progress to the order, once a second at most; copying and checking are half of it each."""

    def __init__(self, rt: Runtime, order_id: str) -> None:
        self._rt, self._order_id, self._told_at = rt, order_id, -_TELL_EVERY_S

    def __call__(self, stage: str, done: int, total: int) -> None:
        if monotonic() - self._told_at < _TELL_EVERY_S:
            return
        self._told_at = monotonic()
        with self._rt.db.write() as session:
            order = get_order(session, self._order_id)
            order.making_done, order.making_total = (done if stage == COPYING else total + done), 2 * total
