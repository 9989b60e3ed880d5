"""`bodycam backup` and `bodycam restore`: the database, the log and, on request, the keys."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

_WHAT = {
    "database": "cơ sở dữ liệu / database",
    "log": "nhật ký / log",
    "keys": "khóa / keys",
    "config": "cấu hình / settings",
    "check": "đọc lại / reading back",
}
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--with-keys", is_flag=True, help="The keys too: whoever has this backup and a vault's disk can then open all."
)
@click.option(
    "--keep-days", default=90, show_default=True, type=click.IntRange(1, 36500), help="By then it must be destroyed."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def backup(folder: Path, with_keys: bool, keep_days: int | None, as_json: bool) -> None:
    """Sao lưu cơ sở dữ liệu và nhật ký, khi đang chạy / Back up database and log while everything runs.

    Recordings are not in it: `vault.copies` keeps further copies of those. Keys are not in it unless asked for. What was
    written is read back and compared. Destroy it by its date: what retention destroys lasts in it until then.

    Example: bodycam backup /media/backup/2026-11-22
    """
    from bodycam.backup.service import make_backup  # late: --help needs none of this
    from bodycam.cli.standalone import standalone
    from bodycam.settings import load_settings

    settings = load_settings()
    site = os.environ.get("BODYCAM_CONFIG")
    if with_keys:
        click.secho(
            "Bản sao lưu này chứa KHÓA: cất riêng, có khóa, không để cùng ổ đĩa của kho.", fg="yellow", err=True
        )
        click.secho("This backup holds the KEYS: lock it away, never beside a vault's disk.", fg="yellow", err=True)
    with standalone(settings) as rt, _progress(quiet=as_json) as progress:
        made = make_backup(
            settings, rt.db, rt.log, folder, progress=progress, with_keys=with_keys, keep_days=keep_days or settings.retention.backup_days,
            site_file=Path(site) if site else None,
        )  # fmt: skip
    if as_json:
        body = {"id": made.backup_id, "files": made.files, "bytes": made.size, "log_size": made.log_size}
        click.echo(json.dumps(body | {"expires_at": made.expires_at.isoformat(), "keys": with_keys}))
        return
    until = f"{made.expires_at:%d/%m/%Y}"
    click.echo(
        f"Đã sao lưu và đọc lại: {made.files} tệp, {made.size / 1e6:,.1f} MB, nhật ký {made.log_size} mục; hủy trước {until}"
    )
    click.echo(
        f"Backed up and read back: {made.files} files, {made.size / 1e6:,.1f} MB, {made.log_size} log entries; destroy by {until}"
    )
    click.echo("Không gồm bản ghi trong kho (xem vault.copies) / Sealed recordings are not in it (see vault.copies)")
    if not with_keys:
        click.echo(f"Không gồm khóa: giữ riêng một bản của {settings.keys.dir}; thiếu khóa thì không ai mở được kho.")
        click.echo(
            f"Keys are not in it: keep a copy of {settings.keys.dir} apart; without them nobody opens the vault."
        )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--database-only",
    is_flag=True,
    help="Keep the log that is here: it survived, the database is brought forward to it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def restore(folder: Path, database_only: bool, as_json: bool) -> None:
    """Khôi phục từ bản sao lưu vào nơi trống / Restore a backup where nothing is.

    Everything is checked first; nothing is ever overwritten. Stop `bodycam up` before.

    Example: bodycam restore /media/backup/2026-11-22
    """
    from bodycam.backup.errors import BackupDamagedError  # late: --help needs none of this
    from bodycam.backup.restore import note_restored, plan_restore
    from bodycam.backup.restore import restore as put_back
    from bodycam.db import Database
    from bodycam.migrations.runner import head, upgrade_to_head
    from bodycam.settings import load_settings

    settings = load_settings()
    with _progress(quiet=as_json) as progress:
        plan = plan_restore(settings, folder, progress=progress, database_only=database_only)
        if plan.revision > head():
            reason = f"its tables are of version {plan.revision}, this program knows {head()}"
            raise BackupDamagedError(
                path=folder, reason=reason, reason_vi=f"bảng phiên bản {plan.revision}, chương trình có {head()}"
            )
        put_back(settings, plan, progress=progress)
    upgrade_to_head(settings.database.url)
    db = Database(settings.database.url)
    try:
        note_restored(db, plan)
    finally:
        db.close()
    if as_json:
        click.echo(
            json.dumps({"id": plan.backup_id, "parts": list(plan.parts), "brought_forward": plan.brought_forward})
        )
        return
    made = f"{plan.made_at:%d/%m/%Y %H:%M} UTC"
    click.echo(f"Đã khôi phục {', '.join(plan.parts)} của {made} / Restored {', '.join(plan.parts)} of {made}")
    if plan.brought_forward:
        count = plan.brought_forward
        click.echo(
            f"Nhật ký mới hơn cơ sở dữ liệu {count} mục; lần khởi động tới sẽ bổ sung, rồi chạy bodycam log verify."
        )
        click.echo(
            f"The log is {count} entries ahead of the database; the next start brings it forward, then run bodycam log verify."
        )
    if "keys" not in plan.parts and not (settings.keys.dir / "vault.key").exists():
        click.echo(f"Chưa có khóa: chép thư mục khóa vào {settings.keys.dir} trước khi khởi động.")
        click.echo(f"The keys are not here: put their folder back into {settings.keys.dir} before starting.")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Show what is being done and how many bytes of it are; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _count: None
        return
    from rich.console import Console  # late: --help needs none of this
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, count: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(_WHAT[what], total=None)
            bar.advance(tasks[what], count)

        yield advance
