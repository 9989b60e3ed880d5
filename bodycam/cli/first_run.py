"""What the first `bodycam up` makes: keys, the database's first account, and in a demo the virtual cameras and their story."""

import secrets
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path

from sqlalchemy import select

from bodycam.cli import demo_witnesses
from bodycam.errors import BodycamError
from bodycam.people.accounts import create_account, grant
from bodycam.people.models import Account, Force, Role
from bodycam.people.units import create_unit
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime, open_runtime
from bodycam.sections import Settings


class DemoFailedError(BodycamError):
    """The virtual cameras could not be made."""

    code = "demo_failed"
    vi = "Không tạo được máy ghi hình ảo: {reason}"
    en = "The virtual cameras could not be made: {reason}"


class NotADemoError(BodycamError):
    """A demo, whose sign-ins need no password, was to run over an installation in earnest use."""

    code = "not_a_demo"
    vi = "Dữ liệu ở {where} không phải của bản trình diễn; bản trình diễn đăng nhập không cần mật khẩu. Đặt BODYCAM_DATA_DIR sang thư mục khác."
    en = "What lies in {where} is not a demo's, and a demo signs in without passwords. Set BODYCAM_DATA_DIR to another folder."
    exit_code = 2


def demo_environment(environment: MutableMapping[str, str]) -> None:
    """Turn the demo on for this process and its children: its own data folder, virtual cameras on the bus, two copies of all."""
    environment.setdefault("BODYCAM_DATA_DIR", "data/demo")
    data = Path(environment["BODYCAM_DATA_DIR"]).expanduser().absolute()
    environment["BODYCAM_DATA_DIR"] = str(data)
    environment["BODYCAM_DEMO"] = "true"
    environment.setdefault("BODYCAM_DOCK__BUS", f"sim:{data / 'cameras'}")
    environment["BODYCAM_LOG__POLICY"] = str(demo_witnesses.policy_path(data))
    if "BODYCAM_VAULT__COPIES" not in environment and "BODYCAM_VAULT__REQUIRED_COPIES" not in environment:
        environment["BODYCAM_VAULT__COPIES"] = f"file://{data / 'vault-second'}"
        environment["BODYCAM_VAULT__REQUIRED_COPIES"] = "2"


def prepare(settings: Settings) -> str | None:
    """Make keys, the first account and the demo's story where they are missing; return the new password, if any."""
    with open_runtime(settings) as rt:
        if settings.demo:
            refuse_real_data(rt)
            demo_witnesses.make(rt)
        password = _first_account(rt)
    if settings.demo:
        _make_demo(settings)
    return password


def refuse_real_data(rt: Runtime) -> None:
    """Raise NotADemoError when there are recordings, or other accounts than the first one, and no demo ever began here."""
    with rt.db.read() as session:
        names = select(Account.username).order_by(Account.username)
        begun = session.scalar(names.where(Account.username.startswith("demo-")).limit(1))
        others = session.scalar(names.where(Account.username != "admin").limit(1))
        used = others or session.scalar(select(Recording.id).order_by(Recording.id).limit(1))
    if used and not begun:
        raise NotADemoError(where=rt.settings.data_dir)


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
