"""Reading lists that people keep: CSV in the encodings of Vietnamese offices, and XLSX.

A file is foreign bytes: its size, rows and columns are bounded and whatever is wrong with it is a `SheetError`, never a
crash. Headers are compared folded, so "Họ tên", "HO TEN" and "Họ và tên" meet the same column; titles above the header row
are skipped. Cells come out as text in NFC; row numbers are those a person sees in the spreadsheet, from 1.
"""

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from bodycam.clock import VIETNAM
from bodycam.db import fold, nfc
from bodycam.errors import BodycamError, InvalidInputError

MAX_BYTES = 32 << 20
MAX_UNPACKED = 256 << 20  # an XLSX is a ZIP: 32 MiB may unpack to anything
MAX_ROWS = 50_000
MAX_COLUMNS = 200
HEADER_WITHIN = 10  # rows
_DELIMITERS = ";,\t"
_TIMES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_ZIP_MAGIC = b"PK\x03\x04"


class SheetError(BodycamError):
    """The file as a whole can't be read; says how to save it."""

    code = "sheet"
    vi = "Không đọc được {file}: {reason_vi}."
    en = "Cannot read {file}: {reason_en}."


@dataclass(frozen=True)
class Column:
    """A column the import knows: its key, the name people see, the headers it goes by, and whether it must be there."""

    key: str
    vi: str
    en: str
    headers: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True)
class Row:
    """One row: its number in the spreadsheet and its cells by column key ("" when empty or absent)."""

    number: int
    cells: Mapping[str, str]

    def get(self, key: str) -> str:
        """Return a cell's text."""
        return self.cells.get(key, "")


@dataclass(frozen=True)
class Sheet:
    """A list that was read."""

    name: str
    sha256: str
    size: int
    encoding: str
    rows: tuple[Row, ...]
    ignored: tuple[str, ...]  # headers nobody knows


def read_sheet(path: Path, columns: Sequence[Column]) -> Sheet:
    """Read a CSV or XLSX file with the given columns; raises `SheetError`."""
    return parse_sheet(path.name, read_bytes(path), columns)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `SheetError` when it can't be opened or is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise SheetError(file=path.name, reason_vi=f"không mở được tệp ({why})", reason_en=why) from error
    if len(data) > MAX_BYTES:
        raise SheetError(file=path.name, reason_vi="tệp quá lớn, hãy chia nhỏ", reason_en="it is too large, split it")
    return data


def parse_sheet(name: str, data: bytes, columns: Sequence[Column]) -> Sheet:
    """Read a list from bytes; raises `SheetError`."""
    if data.startswith(_ZIP_MAGIC):
        encoding, grid = "xlsx", _read_xlsx(name, data)
    else:
        encoding, text = _decode(name, data)
        grid = _read_csv(name, text)
    place, header = _header(name, grid, columns)
    keys, ignored = _assign(name, header, columns)
    rows = tuple(_rows(grid[place + 1 :], keys, place + 2))
    return Sheet(name, hashlib.sha256(data).hexdigest(), len(data), encoding, rows, ignored)


def parse_local_time(text: str) -> datetime:
    """Return a time written dd/mm/yyyy [hh:mm[:ss]] (or ISO, year first) in Vietnam's time, aware.

    Raises:
        InvalidInputError: it is written otherwise.
    """
    plain = " ".join(text.replace("T", " ").split())
    for form in _TIMES:
        with suppress(ValueError):
            return datetime.strptime(plain, form).replace(tzinfo=VIETNAM)
    raise InvalidInputError(
        field="time",
        reason=f"“{text}” isn't a date; write dd/mm/yyyy or dd/mm/yyyy hh:mm",
        reason_vi=f"“{text}” không phải ngày; ghi ngày/tháng/năm hoặc ngày/tháng/năm giờ:phút",
    )


def _decode(name: str, data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif data.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    elif b"\0" in data[:200]:
        candidates = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        candidates = ["utf-8", "cp1258"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return encoding, nfc(text)
    raise SheetError(
        file=name,
        reason_vi="không nhận ra bảng mã; trong Excel chọn “Lưu thành…”, kiểu “CSV UTF-8” hoặc “XLSX”",
        reason_en="its encoding isn't UTF-8, UTF-16 or Windows-1258; save it as “CSV UTF-8” or “XLSX”",
    )


def _read_csv(name: str, text: str) -> list[list[str]]:
    sample = [line for line in islice(io.StringIO(text, newline=""), HEADER_WITHIN) if not line.startswith("sep=")]
    delimiter = max(_DELIMITERS, key=lambda d: max((line.count(d) for line in sample), default=0))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _bounded(name, reader)
    except csv.Error as error:
        raise SheetError(
            file=name,
            reason_vi=f"dòng {reader.line_num} hỏng ({error}); kiểm tra dấu nháy kép",
            reason_en=f"line {reader.line_num} is broken ({error}); check its quotes",
        ) from error


def _read_xlsx(name: str, data: bytes) -> list[list[str]]:
    from openpyxl import load_workbook  # late: half a second that CSV doesn't need
    from openpyxl.utils.exceptions import InvalidFileException

    broken = SheetError(
        file=name,
        reason_vi="không phải tệp XLSX lành; mở bằng Excel và lưu lại",
        reason_en="it isn't a sound XLSX file; open it in Excel and save it again",
    )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise broken
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            return _bounded(name, ([_cell(value) for value in row] for row in book.worksheets[0].values))
        finally:
            book.close()
    except (
        zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, TypeError, IndexError,
        AttributeError, EOFError, OSError, NotImplementedError, RuntimeError, OverflowError,
    ) as error:  # what openpyxl lets through from a broken file  # fmt: skip
        raise broken from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return nfc(str(value))


def _bounded(name: str, rows: Iterable[Sequence[str]]) -> list[list[str]]:
    grid: list[list[str]] = []
    for row in rows:
        if len(grid) >= MAX_ROWS or len(row) > MAX_COLUMNS:
            raise SheetError(
                file=name,
                reason_vi=f"quá {MAX_ROWS} dòng hoặc {MAX_COLUMNS} cột, hãy chia nhỏ",
                reason_en=f"more than {MAX_ROWS} rows or {MAX_COLUMNS} columns, split it",
            )
        grid.append([cell.strip() for cell in row])
    return grid


def _form(header: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", fold(header)).strip()


def _header(name: str, grid: list[list[str]], columns: Sequence[Column]) -> tuple[int, list[str]]:
    known = {_form(alias) for column in columns for alias in column.headers}
    scored = [(sum(_form(cell) in known for cell in row), -place) for place, row in enumerate(grid[:HEADER_WITHIN])]
    best, place = max(scored, default=(0, 0))
    if best == 0:
        wanted = ", ".join(column.vi for column in columns if column.required)
        english = ", ".join(column.en for column in columns if column.required)
        raise SheetError(
            file=name,
            reason_vi=f"không thấy dòng tiêu đề; cần các cột: {wanted}",
            reason_en=f"there is no header row; it needs the columns: {english}",
        )
    return -place, grid[-place]


def _assign(name: str, header: list[str], columns: Sequence[Column]) -> tuple[dict[int, str], tuple[str, ...]]:
    """Give each header its column; one that fits two ("Số máy") takes what the clear ones left."""
    fits = [[c for c in columns if _form(cell) in {_form(h) for h in c.headers}] for cell in header]
    keys: dict[int, str] = {}
    for position in sorted(range(len(header)), key=lambda p: len(fits[p])):
        free = [column.key for column in fits[position] if column.key not in keys.values()]
        if free:
            keys[position] = free[0]
    missing = [column for column in columns if column.required and column.key not in keys.values()]
    if missing:
        raise SheetError(
            file=name,
            reason_vi="thiếu cột " + ", ".join(f"“{column.vi}”" for column in missing),
            reason_en="it lacks the column " + ", ".join(f"“{column.en}”" for column in missing),
        )
    return keys, tuple(cell for position, cell in enumerate(header) if cell and position not in keys)


def _rows(grid: Sequence[Sequence[str]], keys: Mapping[int, str], first: int) -> Iterator[Row]:
    for number, cells in enumerate(grid, start=first):
        row = {key: cells[position] for position, key in keys.items() if position < len(cells)}
        if any(row.values()):
            yield Row(number, row)
