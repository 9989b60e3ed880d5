"""What the first `bodycam up` makes: keys, the database's first account, and in a demo the virtual cameras and their story."""

import secrets
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path

from sqlalchemy import select

from bodycam.errors import BodycamError
from bodycam.people.accounts import create_account, grant
from bodycam.people.models import Account, Force, Role
from bodycam.people.units import create_unit
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import Settings


class DemoFailedError(BodycamError):
    """The virtual cameras could not be made."""

    code = "demo_failed"
    vi = "Không tạo được máy ghi hình ảo: {reason}"
    en = "The virtual cameras could not be made: {reason}"


def demo_environment(environment: MutableMapping[str, str]) -> None:
    """Turn the demo on for this process and its children: its own data folder, virtual cameras on the bus."""
    environment.setdefault("BODYCAM_DATA_DIR", "data/demo")
    data = Path(environment["BODYCAM_DATA_DIR"]).expanduser().absolute()
    environment["BODYCAM_DATA_DIR"] = str(data)
    environment["BODYCAM_DEMO"] = "true"
    environment.setdefault("BODYCAM_DOCK__BUS", f"sim:{data / 'cameras'}")


def prepare(settings: Settings) -> str | None:
    """Make keys, the first account and the demo's story where they are missing; return the new password, if any."""
    with open_runtime(settings) as rt:
        password = _first_account(rt)
    if settings.demo:
        _make_demo(settings)
    return password


def _first_account(rt: Runtime) -> str | None:
    with rt.db.write() as session:
        if session.scalar(select(Account.id).limit(1)) is not None:
            return None
        password = secrets.token_urlsafe(12)
        unit = create_unit(session, name="Đơn vị gốc", force=Force.OTHER)
        account = create_account(
            session, username="admin", display_name="Quản trị", password=password, settings=rt.settings.sign_in
        )
        grant(session, account.id, Role.ADMINISTRATOR, unit.id)
        return password


def _make_demo(settings: Settings) -> None:
    folder = settings.dock.bus.removeprefix("sim:")
    made = subprocess.run(
        [sys.executable, "-m", "dock_service.simulator.demo", folder], check=False, capture_output=True, text=True
    )
    if made.returncode:
        raise DemoFailedError(reason=made.stderr.strip().rpartition("\n")[2] or f"exit {made.returncode}")
    from bodycam.cli.demo_story import seed  # late: only a demo needs the story

    with open_runtime(settings) as rt:
        seed(rt, made.stdout)
