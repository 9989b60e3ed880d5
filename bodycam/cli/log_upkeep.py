"""`bodycam log rebuild` and `inventories`: the table of events made again, and what went from the vault between two hours."""

import json
import sys

import click

# imports inside the functions are late on purpose: --help needs none of them
_INCOMPLETE = 4  # as the log's and the package's verifiers


@click.command()
@click.option("--yes", is_flag=True, help="Không hỏi lại / Don't ask.")
def rebuild(yes: bool) -> None:
    """Lập lại bảng sự kiện từ nhật ký trên đĩa / Make the table of events again from the log on disk.

    For a table that is lost, emptied, from an older copy or altered. The log's files are only read, and proven before they are
    believed. Broken off, start it again. Salts and hidden values are not in the log: those still there stay, others don't come
    back. Not while `bodycam up` runs; keep a copy of an altered database first, it is evidence.

    Example: bodycam log rebuild
    """
    from bodycam.cli.log import opened
    from bodycam.custody.rebuild import rebuild as run
    from bodycam.custody.sequencer import Sequencer

    if not yes:
        vi, en = "Sửa cơ sở dữ liệu theo nhật ký?", "Bring the database to what the log says?"
        click.confirm(f"{vi} / {en}", abort=True)
    bar = click.progressbar(length=1, label="Lập lại / Rebuilding", file=sys.stderr, hidden=not sys.stderr.isatty())
    with opened() as (db, custody_log):
        sequencer = Sequencer(db, custody_log)
        with sequencer.hold(), bar:

            def progress(done: int, size: int) -> None:
                bar.length = size
                bar.update(done - bar.pos)

            brought = run(db, custody_log, progress)
        sequencer.run_once()
    click.echo(f"{brought.made} dòng lập lại / rows made again, {brought.mended} dòng sửa lại / rows mended")
    if brought.unopened:
        click.echo(
            f"{brought.unopened} sự kiện không còn muối và giá trị mở (không có trong nhật ký; lấy lại từ bản sao lưu) / "
            "events without their salts and hidden values (not in the log; restore them from a backup)"
        )


@click.command()
@click.option("--since", help="The event id of an older inventory; without it, the oldest list that is kept.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {inventories, losses}.")
@click.pass_context
def inventories(ctx: click.Context, since: str | None, as_json: bool) -> None:
    """Các lần kiểm kê kho, và gì đã mất giữa hai lần / The vault's inventories, and what went between two of them.

    Compares the newest list with an older one. An object that is gone without a disposition, or a lost copy, is named. Exit
    codes: 0 nothing went, 4 something did. Whether the lists themselves are true: bodycam log verify.

    Example: bodycam log inventories --since 0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d
    """
    from bodycam.cli.log import opened
    from bodycam.clock import local
    from bodycam.custody.inventory import compare, kept
    from bodycam.errors import NotFoundError

    with opened() as (db, log), db.read() as session:
        found = kept(session)
        older = next((one for one in found if since in {None, one.event_id}), None)
        if older is None:
            raise NotFoundError(what=since or "inventory")
        losses = list(compare(session, log, older, found[-1]))
    if as_json:
        listed = [
            {"event": one.event_id, "at": one.taken_at.isoformat(), "objects": one.objects, "root": one.root}
            for one in found
        ]
        lost = [{"object": one.object_id, "gone": one.is_gone, "copies": one.places} for one in losses]
        click.echo(json.dumps({"inventories": listed, "losses": lost}, ensure_ascii=False))
    else:
        for one in found:
            place = f"mục / entry {one.index}" if one.index is not None else "đang chờ / waiting"
            click.echo(
                f"{local(one.taken_at):%d/%m/%Y %H:%M}  {one.objects} tệp / objects, {one.copies} bản / copies  {place}  {one.event_id}"
            )
        for loss in losses:
            words = (
                "KHÔNG CÒN, không có quyết định hủy / GONE without a disposition"
                if loss.is_gone
                else "mất bản sao / lost a copy"
            )
            click.echo(f"{loss.object_id}  {', '.join(loss.places)}  {words}")
        click.echo(f"{len(losses)} khác biệt / differences, {older.event_id} → {found[-1].event_id}")
    if losses:
        ctx.exit(_INCOMPLETE)
