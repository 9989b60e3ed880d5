"""`bodycam offload`: one camera now, with or without `bodycam up`."""

import functools
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.errors import BodycamError
    from bodycam.runtime import Runtime
    from bodycam.sections import Settings
    from dock_service.board import Progress
    from dock_service.cameras.camera import Camera
    from dock_service.offload import Offload
    from dock_service.outcome import Copied, Outcome, Problem
    from dock_service.profiles import Match

_INTERRUPTED = 130


@click.command()
@click.argument("source")
@click.option("--bus", "bus_setting", help="libusb, sim:FOLDER, usbip://host:port (default: dock.bus)")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on standard output.")
def offload(source: str, bus_setting: str | None, as_json: bool) -> None:
    """Lấy dữ liệu một máy ngay / Offload one camera now: copied, sealed, read back, with receipts.

    SOURCE is a folder (an SD card, a vendor dock's folder), usb:BUS-PORT as `bodycam usb list` shows it, usb:all, or
    usbip://HOST:PORT/BUS-PORT for a camera on another machine. Run it again after an interruption: it goes on at the byte
    where it stopped. Nothing on the camera is changed.

    Examples: bodycam offload /media/card    bodycam offload usb:1-2 --json
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.errors import BodycamError
    from bodycam.settings import load_settings

    settings = load_settings()
    run = _Run(settings, sys.stderr.isatty())
    with _interruptible(run.stop):
        try:
            with standalone(settings) as rt:
                run.all(rt, source, bus_setting or settings.dock.bus)
        except BodycamError as error:
            if not as_json:
                raise
            run.failed(error)
    if as_json:
        click.echo(json.dumps(run.as_json(), ensure_ascii=False))
    else:
        run.tell()
    sys.exit(run.exit_code())


@contextmanager
def _interruptible(stop: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the copying in order; a second Ctrl-C, a second later, ends at once."""
    asked = 0.0

    def ask(number: int, _frame: object) -> None:
        nonlocal asked
        if not stop.is_set():
            asked = time.monotonic()
            stop.set()
        elif number == signal.SIGINT and time.monotonic() - asked > 1:  # timeout(1) sends every signal twice
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """What one call of the command did, over all its cameras."""

    def __init__(self, settings: "Settings", is_terminal: bool) -> None:
        self.stop = threading.Event()
        self._settings = settings
        self._is_terminal = is_terminal
        self._outcomes: list[Outcome] = []
        self._errors: list[Problem] = []

    def all(self, rt: "Runtime", source: str, bus_setting: str) -> None:
        """Offload every camera that the source names, one after the other."""
        from bodycam.errors import BodycamError  # late: --help needs none of this

        for opened, port, match in _cameras(source, bus_setting, rt.settings):
            try:
                with closing(opened()) as camera:
                    self._one(rt, camera, port, match)
            except BodycamError as error:
                self.failed(error)
            if self.stop.is_set():
                return

    def _one(self, rt: "Runtime", camera: "Camera", port: str, match: "Match") -> None:
        from bodycam.cli.standalone import settle  # late: --help needs none of this
        from bodycam.fleet.models import VisitState
        from dock_service.errors import CameraGoneError
        from dock_service.journal import open_journal
        from dock_service.offload import Offload, Watch
        from dock_service.visit import Place, hold_camera, owe_footage

        with hold_camera(rt.settings.data_dir, camera.identity.serial), self._shown() as report:
            journal = open_journal(rt, "cli")
            watch = Watch(report=report, settle=lambda events: settle(rt, events), stop=self.stop, write=journal.append)
            work = Offload(rt, camera, Place(port), watch, match)
            state = VisitState.FAILED
            try:
                state = VisitState.DONE if work.run().is_complete else VisitState.FAILED
            except CameraGoneError:
                state = VisitState.LOST  # the log then says that it was pulled, so no other end may be called so
                raise
            finally:
                self._keep(work)
                work.end(state)
                if state is VisitState.LOST and work.outcome is not None:
                    owe_footage(rt, work.outcome.visit)
                settle(rt, [])

    def _keep(self, work: "Offload") -> None:
        if work.outcome is not None:
            self._outcomes.append(work.outcome)

    def failed(self, error: "BodycamError") -> None:
        """Keep an error that ended a camera's work."""
        from dock_service.outcome import Problem  # late: --help needs none of this

        self._errors.append(Problem("", error))

    @contextmanager
    def _shown(self) -> "Iterator[Callable[[Progress], None]]":
        if not self._is_terminal:
            yield lambda _: None
            return
        from rich.console import Console  # late: only a terminal pays for it
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)

            def report(at: "Progress") -> None:
                stage = _STAGES[at.stage][self._settings.language]
                text = f"{stage} {at.files_done}/{at.files_total} {Path(at.path).name}"
                bar.update(task, description=text, completed=at.bytes_done, total=at.bytes_total)

            yield report

    def _problems(self) -> "list[Problem]":
        return [problem for outcome in self._outcomes for problem in outcome.problems] + self._errors

    def exit_code(self) -> int:
        """Return 0 only when everything new is sealed with its receipt and nothing needs a person."""
        if self._errors:
            return _INTERRUPTED if self.stop.is_set() else self._errors[0].error.exit_code
        return 0 if all(outcome.is_complete for outcome in self._outcomes) else 1

    def as_json(self) -> dict[str, object]:
        """Return the one object that ends the output; with several cameras, `visit` and `camera` are lists."""
        visits = [outcome.visit.id for outcome in self._outcomes]
        cameras = [outcome.visit.serial for outcome in self._outcomes]
        single = len(self._outcomes) <= 1
        return {
            "visit": (visits[0] if visits else None) if single else visits,
            "camera": (cameras[0] if cameras else None) if single else cameras,
            "recordings": [copied.as_json() for outcome in self._outcomes for copied in _by_path(outcome)],
            "skipped": sum(outcome.skipped for outcome in self._outcomes),
            "problems": [problem.as_json(self._settings.language) for problem in self._problems()],
        }

    def tell(self) -> None:
        """Print what a person wants to know."""
        for outcome in self._outcomes:
            click.echo(f"{outcome.visit.name}:")
            for copied in _by_path(outcome):
                click.echo(f"  {copied.sha256[:12]}  {copied.size:>14,}  {copied.path}")
            new, old, receipts = len(outcome.recordings), outcome.skipped, outcome.receipts
            click.echo(f"  {new} bản ghi mới, {old} đã có từ trước, {receipts} biên nhận")
            click.echo(f"  {new} new, {old} sealed before, {receipts} receipts")
        if not self._outcomes and not self._errors:
            click.echo("Không có máy ghi hình nào đang cắm. / No camera is plugged in.")
        for problem in self._problems():
            click.echo(problem.error.text("vi"), err=True)
            click.echo(problem.error.text("en"), err=True)
        if not self._problems() and self._outcomes:
            click.echo("ĐÃ XONG, được phép rút máy. / DONE, the camera may be removed.")


def _by_path(outcome: "Outcome") -> "list[Copied]":
    return sorted(outcome.recordings, key=lambda copied: copied.path)


_STAGES = {
    "uploading": {"vi": "Đang tải", "en": "Uploading"},
    "verifying": {"vi": "Đang đối chiếu", "en": "Verifying"},
    "waiting_receipt": {"vi": "Chờ biên nhận", "en": "Waiting for receipts"},
}


def _cameras(
    source: str, bus_setting: str, settings: "Settings"
) -> "Iterator[tuple[Callable[[], Camera], str, Match]]":
    """Yield a way to open each camera a SOURCE names, its port and its profile; UnknownSourceError when it names none."""
    from dock_service.bus import open_bus  # late: --help needs none of this
    from dock_service.cameras.folder import FolderCamera
    from dock_service.cameras.opening import is_camera, match_device, open_after_switch
    from dock_service.errors import OwnFolderError, UnknownSourceError
    from dock_service.profiles import profiles_of

    profiles = profiles_of(settings)
    if source.startswith("usbip://"):
        server, _, busid = source.removeprefix("usbip://").partition("/")
        source, bus_setting = f"usb:{busid or 'all'}", f"usbip://{server}"
    if not source.startswith("usb:"):
        if not Path(source).is_dir():
            raise UnknownSourceError(source=source)
        folder, data_dir = Path(source).resolve(), settings.data_dir.resolve()
        if folder.is_relative_to(data_dir) or data_dir.is_relative_to(folder):
            raise OwnFolderError(source=source, data=data_dir)
        match = profiles.match_card(folder)
        yield functools.partial(FolderCamera, folder, identity=match.profile.identity), str(folder), match
        return
    wanted, bus = source.removeprefix("usb:"), open_bus(bus_setting)
    devices = [found for found in bus.devices() if is_camera(found, match_device(profiles, found))]
    chosen = [found for found in devices if wanted in {"all", found.port}]
    if not chosen and wanted != "all":
        raise UnknownSourceError(source=source)
    for found in chosen:
        opened = functools.partial(open_after_switch, bus, found, profiles, settings)
        yield opened, f"usb:{found.port}", match_device(profiles, found)
