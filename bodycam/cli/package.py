"""`bodycam package`: make an evidence package on an approved order; check one, with no database, settings or network."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime

    from bodycam.packages.contents import Confirm
    from bodycam.packages.verify import Verified
    from bodycam.runtime import Runtime

# imports inside the functions are late on purpose: --help needs none of them
Step = Callable[[str, int, int], None]
_STAGES = {"copying": "Chép / Copying", "checking": "Kiểm tra / Checking"}


@click.group()
def package() -> None:
    """Gói chứng cứ / Evidence packages."""


@package.command()
@click.option("--case", "case_id", help="The case's id / Mã vụ việc.")
@click.option("--recording", "recordings", multiple=True, help="A recording's id; repeatable / Mã bản ghi.")
@click.option("--order", "number", help="The order's number, such as TX-20261122-0001 / Số phiếu.")
@click.option("--renditions", is_flag=True, help="With copies to view / Kèm bản xem.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that gets the package as <order's number>/ / Thư mục chứa gói.",
)
def create(
    case_id: str | None, recordings: tuple[str, ...], number: str | None, renditions: bool, output: Path
) -> None:
    """Tạo gói chứng cứ theo phiếu đã duyệt, còn hạn / Make the package of an approved, unexpired extraction order.

    The order names just these recordings, or this case. Originals are copied straight out of the vault; what was cut off goes on
    where it stopped when the command is given again. Given again for a finished package, it adds the newest cosignatures.
    Exit codes: 0 made and valid, 3 made, too few witnesses yet, 1 not made.

    Example: bodycam package create --order TX-20261122-0001 -o /media/usb
    """
    if sum((case_id is not None, bool(recordings), number is not None)) != 1:
        raise click.UsageError("chọn một trong / give one of --case, --recording, --order")
    import os

    from bodycam.cli.standalone import standalone
    from bodycam.packages.create import create as make
    from bodycam.packages.queries import order_in_force
    from bodycam.settings import load_settings

    settings = load_settings()
    policy = settings.log.policy_file
    with standalone(settings) as rt:
        with rt.db.read() as session:
            order_id = order_in_force(
                session, number=number, case_id=case_id, recording_ids=recordings, renditions=renditions
            )
        with _progress() as step:
            made = make(
                rt,
                order_id,
                output.absolute(),
                actor=f"shell:{os.getuid()}",
                settle=_settler(rt),
                policy_text=policy.read_text("utf-8", errors="surrogateescape") if policy else None,
                tell=step,
            )
    _print(made.verified)
    click.echo(str(made.path))
    sys.exit(made.verified.verdict.exit_code)


@package.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--policy",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own policy file: the log's key and the witnesses, never the copy in the package / Chính sách của người kiểm tra.",
)
@click.option(
    "--authority",
    "authorities",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) of a timestamp authority, root among them; repeatable / Chứng thư của cơ quan cấp dấu thời gian.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {verdict, reasons, …}.")
def verify(path: Path, policy: Path, authorities: tuple[Path, ...], as_json: bool) -> None:
    """Kiểm tra gói chứng cứ, không cần mạng, cơ sở dữ liệu, cấu hình / Check a package with nothing but its folder and a policy.

    Exit codes: 0 valid, 3 valid but not enough witnesses, 4 incomplete, 5 tampered, 2 the policy or the path is no good.

    Example: bodycam package verify /media/usb/TX-20261122-0001 --policy chinh-sach.txt
    """
    from bodycam.custody.policy import Policy
    from bodycam.packages.verify import verify as check

    rules = Policy.load(policy)
    with _progress() as step:
        verified = check(
            path,
            rules,
            lambda done, total: step("checking", done, total),
            confirm=_confirmer(authorities) if authorities else None,
        )
    if as_json:
        click.echo(json.dumps(_told(verified), ensure_ascii=False))
    else:
        _print(verified)
    sys.exit(verified.verdict.exit_code)


@package.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="verify.html")
def verifier(file: Path) -> None:
    """Chép trang kiểm tra gói chứng cứ ra tệp / Write out the page that checks a package in any browser, offline.

    Give it to who checks packages, apart from every package, and publish the SHA-256 that is printed. An existing file is not
    overwritten.

    Example: bodycam package verifier /media/usb/verify.html
    """
    from hashlib import sha256

    data = Path(__file__).parents[1].joinpath("packages", "verify.html").read_bytes()
    try:
        with file.open("xb") as target:
            target.write(data)
    except FileExistsError:
        raise click.UsageError(
            f"{file}: đã có tệp này, hãy chọn tên khác / exists already, choose another name"
        ) from None
    click.echo(f"{sha256(data).hexdigest()}  {file}")


def _confirmer(paths: tuple[Path, ...]) -> "Confirm":
    """Return what asks each authority's certificates about a token."""
    from bodycam.custody.errors import TimestampError
    from bodycam.custody.timestamps import read_certificates, verify_token

    known = [read_certificates(path) for path in paths]

    def confirm(token: bytes, text: bytes) -> "datetime | None":
        for certificates in known:
            with suppress(TimestampError):
                return verify_token(token, text.decode(), certificates)
        return None

    return confirm


def _settler(rt: "Runtime") -> Callable[[], None]:
    """Return what lets the log take what was committed: by this process, or by the sequencer that holds it."""
    from bodycam.cli.standalone import RECEIPT_WAIT_SECONDS
    from bodycam.custody.sequencer import Sequencer
    from bodycam.packages.errors import LogLateError
    from bodycam.process import AlreadyRunningError

    sequencer = Sequencer(rt.db, rt.log)

    def settle() -> None:
        try:
            sequencer.run_once(wait_s=RECEIPT_WAIT_SECONDS)
        except AlreadyRunningError:
            raise LogLateError(seconds=int(RECEIPT_WAIT_SECONDS)) from None

    return settle


@contextmanager
def _progress() -> Iterator[Step]:
    """Show what is done on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {stage: bar.add_task(words, total=None, visible=False) for stage, words in _STAGES.items()}
        yield lambda stage, done, total: bar.update(tasks[stage], completed=done, total=total, visible=True)


def _print(verified: "Verified") -> None:
    from bodycam import clock
    from bodycam.packages.reasons import VERDICT_NAMES

    vi, en = VERDICT_NAMES[verified.verdict]
    click.echo(f"{vi.upper()} / {en}")
    for reason in verified.reasons:
        click.echo(f"  {reason.code}  {reason.where}\n    {reason.vi} / {reason.en}")
    for note in verified.notes:
        click.echo(f"  {note}")
    if verified.package is not None:
        click.echo(f"phiếu / order       {verified.package.number}")
        click.echo(f"bản ghi / recordings {len(verified.package.recordings)}")
    click.echo(f"tệp / files         {verified.files}, {verified.size} B")
    if verified.head is not None:
        head = verified.head.checkpoint
        click.echo(f"nhật ký / log       {head.origin}, {head.size}, {head.root.hex()}")
    for name, moment in verified.witnesses:
        click.echo(f"bên xác nhận / witness {name}  {clock.local(moment):%d/%m/%Y %H:%M:%S} (UTC+7)")


def _told(verified: "Verified") -> dict[str, object]:
    package, head = verified.package, verified.head
    return {
        "schema": "bodycam/package-verdict/1",
        "verdict": verified.verdict.value,
        "reasons": [
            {"code": reason.code, "where": reason.where, "weight": reason.weight.value, "vi": reason.vi, "en": reason.en}
            for reason in verified.reasons
        ],
        "notes": list(verified.notes),
        "package": package
        and {"id": package.id, "number": package.number, "made_at": package.made_at,
             "recordings": len(package.recordings)},
        "log": head and {"origin": head.checkpoint.origin, "size": head.checkpoint.size, "root": head.checkpoint.root.hex()},
        "witnesses": [{"name": name, "time": moment.isoformat()} for name, moment in verified.witnesses],
        "files": verified.files,
        "bytes": verified.size,
    }  # fmt: skip
