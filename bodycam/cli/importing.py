"""`bodycam import`: officers, cameras and stations from a CSV or XLSX list, all or nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bodycam.people.imports import ImportRefusedError, ImportReport
    from bodycam.people.sheets import Sheet
    from bodycam.sections import Settings

FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only check / Chỉ kiểm tra, không ghi.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
MOST_SHOWN = 50


@click.group("import")
def import_() -> None:
    """Nhập danh sách từ CSV hoặc XLSX / Import lists from CSV or XLSX, all or nothing.

    Templates: docs/import/people.csv, cameras.csv, stations.csv
    """


@import_.command()
@FILE
@click.option("--force", help="Force of rows that name none / Lực lượng của dòng không ghi, e.g. traffic_police, CSGT.")
@DRY_RUN
@AS_JSON
def people(file: Path, force: str | None, dry_run: bool, as_json: bool) -> None:
    """Nhập cán bộ và đơn vị / Import officers and their units.

    Columns: Số hiệu, Họ tên, Đơn vị ("Phòng CSGT/Đội 3"), Lực lượng, Tổ, Thẻ trạm cắm (kiosk card).

    The same number in the same force is updated.

    Example: bodycam import people can-bo.xlsx --dry-run
    """
    from bodycam.people.imports import PEOPLE_COLUMNS, force_of, import_people  # late: --help needs none of this
    from bodycam.people.passes import Cards
    from bodycam.people.sheets import read_sheet

    default = force_of(force) if force else None
    if force and default is None:
        raise click.BadParameter(f"“{force}” không phải lực lượng / isn't a force", param_hint="--force")

    sheet = read_sheet(file, PEOPLE_COLUMNS)
    run_import(
        sheet,
        lambda session, settings: import_people(
            session,
            sheet,
            patterns=settings.number_patterns,
            cards=Cards(settings.keys.dir, settings.kiosk.card_prefix, settings.kiosk.card_suffix),
            default_force=default,
            actor=actor(),
        ),
        dry_run=dry_run,
        as_json=as_json,
    )


@import_.command()
@FILE
@DRY_RUN
@AS_JSON
def cameras(file: Path, dry_run: bool, as_json: bool) -> None:
    """Nhập máy ghi hình và người giữ / Import cameras and who holds them.

    Columns: Serial, Mã máy, Loại máy, Đơn vị, Lực lượng, Người giữ (number or name), Từ ngày, Đến ngày (dd/mm/yyyy hh:mm).

    Example: bodycam import cameras may.csv
    """
    from bodycam.fleet.imports import CAMERA_COLUMNS, import_cameras  # late: --help needs none of this
    from bodycam.people.sheets import read_sheet

    sheet = read_sheet(file, CAMERA_COLUMNS)
    run_import(
        sheet,
        lambda session, _: import_cameras(session, sheet, actor=actor()),
        dry_run=dry_run,
        as_json=as_json,
    )


@import_.command()
@FILE
@DRY_RUN
@AS_JSON
def stations(file: Path, dry_run: bool, as_json: bool) -> None:
    """Nhập trạm cắm và số khe / Import docking stations and their slots.

    Columns: Trạm, Số khe, Đơn vị, Lực lượng. The same name is updated.

    Example: bodycam import stations tram.csv
    """
    from bodycam.fleet.station_imports import STATION_COLUMNS, import_stations  # late: --help needs none of this
    from bodycam.people.sheets import read_sheet

    sheet = read_sheet(file, STATION_COLUMNS)
    run_import(
        sheet,
        lambda session, _: import_stations(session, sheet, actor=actor()),
        dry_run=dry_run,
        as_json=as_json,
    )


def actor() -> str:
    """Return who imports, as the log knows them: the shell's user id."""
    import os  # late: --help needs none of this

    return f"shell:{os.getuid()}"


def run_import(
    sheet: "Sheet",
    take: Callable[["Session", "Settings"], "ImportReport"],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take a list over in one transaction and say what came of it; a refused list is shown row by row, then raised."""
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.people.imports import ImportRefusedError
    from bodycam.settings import load_settings

    settings = load_settings()
    try:
        with standalone(settings) as rt, rt.db.write() as session:
            report = take(session, settings)
            if dry_run:
                session.rollback()
    except ImportRefusedError as refused:
        _show_errors(refused, as_json=as_json)
        raise
    if as_json:
        counts = {"rows": report.rows, "created": report.created, "updated": report.updated}
        rest = {"unchanged": report.unchanged, "units": report.units, "dry_run": dry_run, "encoding": sheet.encoding}
        click.echo(json.dumps(counts | rest | {"ignored": sheet.ignored, "errors": []}, ensure_ascii=False))
        return
    _show_report(report, sheet, dry_run=dry_run)


def _show_errors(refused: "ImportRefusedError", *, as_json: bool) -> None:
    errors = refused.errors
    if as_json:
        rows = [{"row": e.row, "column": e.column, "vi": e.vi, "en": e.en} for e in errors]
        click.echo(json.dumps({"created": 0, "updated": 0, "errors": rows}, ensure_ascii=False))
        return
    for e in errors[:MOST_SHOWN]:
        click.echo(f"Dòng {e.row}, cột “{e.column}”: {e.vi} / Row {e.row}: {e.en}", err=True)
    if len(errors) > MOST_SHOWN:
        more = len(errors) - MOST_SHOWN
        click.echo(f"… và {more} lỗi nữa (--json để xem hết) / and {more} more (--json shows all)", err=True)


def _show_report(report: "ImportReport", sheet: "Sheet", *, dry_run: bool) -> None:
    if dry_run:
        click.echo("Chạy thử, chưa ghi gì / Dry run, nothing written")
    click.echo(
        f"{report.rows} dòng: {report.created} mới, {report.updated} sửa, {report.unchanged} như cũ"
        f" / {report.rows} rows: {report.created} new, {report.updated} changed, {report.unchanged} as before"
    )
    for name in report.units:
        click.echo(f"Đơn vị mới / New unit: {name}")
    if sheet.encoding == "cp1258":
        click.echo(
            "Bảng mã Windows-1258: kiểm tra lại dấu trong tên / Read as Windows-1258: check the accents of names"
        )
    if sheet.ignored:
        click.echo(f"Cột không dùng / Columns not used: {', '.join(sheet.ignored)}")
