"""Real evidence packages for tests: an installation with sealed recordings, an approved order, witnesses, and what comes of it.

`made(folder)` gives a finished package and the policy to check it with; nothing in it is faked but the witnesses' clocks.
"""

import hashlib
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.cosignature import Cosigner
from bodycam.custody.note import encode
from bodycam.custody.policy import Policy
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.service import register_camera
from bodycam.intake import service as intake
from bodycam.packages import orders
from bodycam.packages.create import Made, create
from bodycam.packages.verify import Verified, verify
from bodycam.people.accounts import create_account
from bodycam.people.models import Force
from bodycam.people.units import create_unit
from bodycam.recordings.models import Origin
from bodycam.runtime import Runtime
from bodycam.sections import SignInSettings
from bodycam.settings import load_settings

CHEAP = SignInSettings(attempts=10, pause_seconds=30, argon2_memory_kib=8, argon2_time_cost=1)
PASSWORD = "mat-khau-thu-1"
NAMES = ("DCIM/100/MOV_0001.MP4", "DCIM/100/Bản ghi số 2.mp4", "DCIM/100/MOV_0003.MP4", "DCIM/100/GPS_0001.nmea")


class Witness:
    """A witness's key: it cosigns whatever it is given."""

    def __init__(self, number: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.cosigner = Cosigner(f"witness{number}.example/w", self._key.public_key().public_bytes_raw())

    def line(self, body: str) -> str:
        seconds = int(clock.now().timestamp())
        signed = self._key.sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
        name = self.cosigner.name
        return f"— {name} {encode(self.cosigner.key_id + struct.pack('>Q', seconds) + signed)}\n"


WITNESSES = tuple(Witness(number) for number in (1, 2, 3))


@dataclass
class World:
    """An installation with two people, a camera, and recordings; `witnesses` cosign each head when they are there."""

    rt: Runtime
    unit_id: str
    camera_id: str
    requester: str
    approver: str
    witnesses: Sequence[Witness] = ()
    recordings: list[str] = field(default_factory=list)
    originals: dict[str, bytes] = field(default_factory=dict)

    def settle(self) -> None:
        """Let the log take what waits, and its witnesses cosign the head."""
        Sequencer(self.rt.db, self.rt.log).run_once()
        head = self.rt.log.checkpoint()
        if head is not None and self.witnesses:
            lines = "".join(witness.line(head.body) for witness in self.witnesses)
            self.rt.log.publish_witnessed(Checkpoint(head.origin, head.size, head.root, head.note + lines))

    def policy(self, asked: int | None = None) -> str:
        """Return the policy: this log and two of the three witnesses, or `asked` of them (0: none)."""
        keys = "".join(f"witness w{n} {witness.cosigner}\n" for n, witness in enumerate(WITNESSES, 1))
        wanted = 2 if asked is None else asked
        quorum = f"group all-three {wanted} w1 w2 w3\nquorum all-three\n" if wanted else "quorum none\n"
        return f"log {self.rt.log.verifier}\n{keys}{quorum}"

    def seal(self, name: str, data: bytes) -> str:
        """Bring one file in by the one door."""
        attempt = intake.begin(self.rt.db, f"{name}|{hashlib.sha256(data).hexdigest()}")
        with self.rt.spool.open(attempt.id) as writer:
            writer.write(data)
            spooled = writer.finish()
        facts = intake.Facts(
            origin=Origin.DOCK, name=name, actor="system", camera_id=self.camera_id, unit_id=self.unit_id
        )
        sealed = intake.finish(self.rt, attempt, spooled, facts)
        self.recordings.append(sealed.recording_id)
        self.originals[sealed.recording_id] = data
        return sealed.recording_id

    def order(self, *recording_ids: str, renditions: bool = False, days: int = 7, case_id: str | None = None) -> str:
        """Have an order requested by one and approved by the other; returns its id."""
        wanted = orders.Request(
            purpose="Phục vụ điều tra vụ va chạm ngày 20/11",
            recipient="Viện kiểm sát nhân dân quận 1",
            renditions=renditions,
            days=days,
            recording_ids=recording_ids if case_id is None else (),
            case_id=case_id,
        )
        with self.rt.db.write() as session:
            order = orders.request(session, wanted, actor=self.requester)
        with self.rt.db.write() as session:
            orders.approve(session, order.id, actor=self.approver, seen=order.list_sha256)
        return order.id

    def make(self, order_id: str, place: Path, **options: object) -> Made:
        """Make an order's package."""
        return create(self.rt, order_id, place, actor=self.requester, settle=self.settle, witness_wait_s=0, **options)  # type: ignore[arg-type]


@contextmanager
def world(
    folder: Path, *, witnesses: Sequence[Witness] = (), sizes: Sequence[int] = (70_000, 40_000)
) -> Iterator[World]:
    """Open an installation below `folder` with recordings of these sizes."""
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(folder / "data")})) as rt:
        with rt.db.write() as session:
            unit = create_unit(session, name="Đội Cảnh sát giao thông số 3", force=Force.TRAFFIC_POLICE)
            camera = register_camera(session, serial="SN0001", label="BWC-01", unit_id=unit.id)
            people = [
                create_account(session, username=name, display_name=shown, password=PASSWORD, settings=CHEAP).id
                for name, shown in (("thu-ly", "Nguyễn Văn Thụ"), ("thu-truong", "Trần Thị Trưởng"))
            ]
        told = World(rt, unit.id, camera.id, *people, witnesses=witnesses)
        make = random.Random(5).randbytes
        for number, size in enumerate(sizes):
            told.seal(NAMES[number] if number < len(NAMES) else f"DCIM/100/MOV_{number:04d}.MP4", make(size))
        told.settle()
        yield told


@dataclass(frozen=True)
class Package:
    """A finished package on the disk, and the policy text of who checks it."""

    path: Path
    policy: str

    def verify(self, policy: str | None = None) -> Verified:
        return verify(self.path, Policy.parse(policy or self.policy))


def made(
    folder: Path, *, witnesses: Sequence[Witness] = WITNESSES[:2], sizes: Sequence[int] = (70_000, 40_000)
) -> Package:
    """Return a finished package of an installation of its own: witnessed by two of three, or `witnesses=()` by nobody."""
    with world(folder, witnesses=witnesses, sizes=sizes) as told:
        place = folder / "out"
        place.mkdir()
        finished = told.make(told.order(*told.recordings), place, policy_text=told.policy())
        return Package(finished.path, told.policy())
