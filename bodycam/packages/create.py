"""Making an order's package: resumable, in one pass over the originals, and finished only when our own verifier accepts it.

It grows in `<number>.part` and gets its name at the very end. What is copied out of the vault stays for the next try after a crash;
the small files are made anew each time, under the log's newest head. Before the first byte leaves, every recording has its
`recording.exported` event; the bag's manifest is committed to the log by `package.created`.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bodycam import custody
from bodycam.clock import now
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import make_folder
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.policy import NO_QUORUM, Policy
from bodycam.errors import BodycamError
from bodycam.packages import bag, papers
from bodycam.packages.errors import LogLateError, PackageNotSoundError, PackagePlaceError
from bodycam.packages.evidence import Evidence
from bodycam.packages.models import ExtractionOrder, MakingState, OrderState
from bodycam.packages.orders import begin_making, check_unexpired, get_order
from bodycam.packages.originals import extract
from bodycam.packages.plan import Plan, gather
from bodycam.packages.reasons import Verdict
from bodycam.packages.timestamps import collect
from bodycam.packages.verify import Verified, verify
from bodycam.process import only_one
from bodycam.runtime import Runtime

COPYING, CHECKING = "copying", "checking"
Tell = Callable[[str, int, int], None]  # stage, bytes done, bytes in all
Settle = Callable[[], None]  # returns once the log has taken what was committed before
WITNESS_WAIT_S = 20.0
_ROOM = 64 << 20  # beyond the originals: events, proofs, papers
_KEPT = ("originals", "copies")


@dataclass(frozen=True)
class Made:
    """A finished package, and what our own verifier said of it."""

    order: ExtractionOrder
    path: Path
    verified: Verified


def create(
    rt: Runtime,
    order_id: str,
    place: Path,
    *,
    actor: str,
    settle: Settle,
    policy_text: str | None = None,
    tell: Tell = lambda *_: None,
    witness_wait_s: float = WITNESS_WAIT_S,
) -> Made:
    """Make the package of an approved order in the folder `place`, or go on with one that was cut off.

    A package that is there already only gets the newest cosignatures. `policy_text` is the operator's own policy.

    Raises:
        OrderStateError, OrderExpiredError: there is no order in force.
        PackagePlaceError: no such folder, or no room.
        NotTheSealedFileError, NothingToExtractError, LogLateError: see there; what was copied stays.
    """
    with rt.db.write() as session:
        order = begin_making(session, order_id, actor=actor)
    try:
        return _create(rt, order, place, actor=actor, settle=settle, policy_text=policy_text, tell=tell,
                       wait_s=witness_wait_s)  # fmt: skip
    except BodycamError as error:
        with rt.db.write() as session:
            failed = get_order(session, order_id)
            failed.making, failed.making_problem = MakingState.FAILED, f"{error.text('vi')}\n{error.text('en')}"
        raise


def _create(
    rt: Runtime, order: ExtractionOrder, place: Path, *, actor: str, settle: Settle, policy_text: str | None,
    tell: Tell, wait_s: float,
) -> Made:  # fmt: skip
    policy = Policy.parse(policy_text or f"log {rt.log.verifier}\nquorum none\n")
    settle()
    with rt.db.read() as session:
        plan = gather(session, order.id)
    root, done = place / f"{order.number}.part", place / order.number
    if not place.is_dir():
        raise PackagePlaceError(path=place, reason="there is no such folder", reason_vi="không có thư mục này")
    with only_one(place / f".{order.number}.lock", order.number):
        if not done.exists():
            _build(rt, plan, root, actor=actor, settle=settle, policy=policy, text=policy_text, tell=tell,
                   wait_s=wait_s)  # fmt: skip
            root.rename(done)
        elif (head := rt.log.witnessed_checkpoint()) is not None:
            bag.renew_proof(done, rt.log, head)
        bag.sync_tree(done)
    (place / f".{order.number}.lock").unlink(missing_ok=True)
    verified = verify(done, policy, lambda count, total: tell(CHECKING, count, total))
    if verified.verdict not in {Verdict.VALID, Verdict.UNWITNESSED}:
        first = verified.reasons[0]
        raise PackageNotSoundError(
            path=done, reason=f"{first.en} ({first.where})", reason_vi=f"{first.vi} ({first.where})"
        )
    return Made(_note_made(rt, order.id, done, verified), done, verified)


def _build(
    rt: Runtime, plan: Plan, root: Path, *, actor: str, settle: Settle, policy: Policy, text: str | None, tell: Tell,
    wait_s: float,
) -> None:  # fmt: skip
    _prepare(root, plan)
    known = _copy_out(rt, plan, root, tell)
    head = _head(rt.log, plan.last_index)
    evidence = Evidence(root, plan, rt.log, head)
    stamped, stamps = collect(rt.log, head, plan.last_index)
    for path, data in stamped.items():
        _put(root / path, data)
    evidence.write(text, papers.of(plan, rt.log, head), stamps)
    info = {
        "Source-Organization": plan.unit.name if plan.unit else "bodycam",
        "External-Identifier": plan.order.number,
        "Bagging-Date": f"{now():%Y-%m-%d}",
        "Bag-Software-Agent": "bodycam",
    }
    manifest, bag_info, files, size = bag.write_manifest(root, known, info)
    with rt.db.write() as session:
        order = get_order(session, plan.order.id, OrderState.APPROVED, OrderState.MADE)
        check_unexpired(order)
        event = custody.record(
            session, "package.created", object_id=order.id, actor=actor,
            details={"package": order.package_id, "order": order.id, "manifest": manifest, "bag_info": bag_info,
                     "files": files, "bytes": size},
        )  # fmt: skip
        order.manifest_sha256 = manifest
    settle()
    with rt.db.read() as session:
        index = session.get_one(CustodyEvent, event.id).log_index
    if index is None:
        raise LogLateError(seconds=0)
    bag.write_proof(root, rt.log, leaf=event.body, index=index, head=_witnessed(rt.log, index, policy, wait_s))


def _prepare(root: Path, plan: Plan) -> None:
    """Make the folder, drop the small files of an earlier try, and see that there is room for what is still to be copied."""
    make_folder(root / "data")
    for entry in [*root.iterdir(), *(root / "data").iterdir()]:
        if entry.name in {"data", *_KEPT}:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    there = sum(path.stat().st_size for path in (root / "data").rglob("*") if path.is_file())
    free = shutil.disk_usage(root).free
    if free < plan.size - there + _ROOM:
        gap = (plan.size - there + _ROOM - free) >> 20
        raise PackagePlaceError(path=root, reason=f"{gap} MiB more are needed", reason_vi=f"còn thiếu {gap} MiB")


def _copy_out(rt: Runtime, plan: Plan, root: Path, tell: Tell) -> dict[str, str]:
    """Write originals and copies; return their hashes by path, which the vault's bytes were compared with."""
    done, known = 0, {}

    def step(count: int) -> None:
        nonlocal done
        done += count
        tell(COPYING, done, plan.size)

    for item in plan.items:
        wanted = [(item.recording.object_id, item.original_path, item.recording.sha256, item.recording.size)]
        if item.proxy is not None:
            rendition = item.proxy[0]
            wanted.append((rendition.object_id, item.proxy_path, rendition.sha256, rendition.size))
        for object_id, path, sha256, size in wanted:
            extract(rt, object_id, root / path, sha256=sha256, size=size, step=step)
            known[path] = sha256
    return known


def _head(log: Log, last_index: int) -> Checkpoint:
    """Return the newest cosigned head that covers all events, else the newest one."""
    for head in (log.witnessed_checkpoint(), log.checkpoint()):
        if head is not None and head.size > last_index:
            return head
    raise LogLateError(seconds=0)


def _witnessed(log: Log, index: int, policy: Policy, wait_s: float) -> Checkpoint:
    """Return a head over the package's event: a cosigned one if it comes in time, else the newest."""
    deadline = time.monotonic() + (0 if policy.quorum == NO_QUORUM else wait_s)
    while True:
        head = log.witnessed_checkpoint()
        if head is not None and head.size > index:
            return head
        if time.monotonic() >= deadline:
            return _head(log, index)
        time.sleep(0.2)


def _note_made(rt: Runtime, order_id: str, path: Path, verified: Verified) -> ExtractionOrder:
    with rt.db.write() as session:
        order = get_order(session, order_id, OrderState.APPROVED, OrderState.MADE)
        order.state, order.making, order.made_at = OrderState.MADE, MakingState.DONE, now()
        order.package_path, order.package_verdict = str(path), verified.verdict.value
        return order


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
