import io
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from bodycam.people.imports import PEOPLE_COLUMNS
from bodycam.people.sheets import Column, SheetError, parse_sheet

TEXT = "Số hiệu;Họ tên;Đơn vị\r\n123-456;Nguyễn Đức Thắng;Đội 3\r\n"
TONES = dict(zip("\u0300\u0301\u0303\u0309\u0323", "\u0300\u0301\u0303\u0309\u0323", strict=True))


def windows_1258(text):
    """As Windows writes Vietnamese: letters with their shape composed, tones as marks after them."""
    out = []
    for char in unicodedata.normalize("NFC", text):
        marks = unicodedata.normalize("NFD", char)
        tone = "".join(mark for mark in marks if mark in TONES)
        out.append(unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES)) + tone)
    return "".join(out).encode("cp1258")


def xlsx(rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (windows_1258(TEXT), "cp1258"),
        (unicodedata.normalize("NFD", TEXT).encode(), "utf-8"),
    ],
)
def test_the_encodings_of_vietnamese_offices_are_read(data, encoding):
    sheet = parse_sheet("a.csv", data, PEOPLE_COLUMNS)
    assert sheet.encoding == encoding
    assert dict(sheet.rows[0].cells) == {"number": "123-456", "name": "Nguyễn Đức Thắng", "unit": "Đội 3"}


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_any_usual_delimiter_and_quotes(delimiter):
    text = TEXT.replace(";", delimiter).replace("Đội 3", f'"Đội{delimiter} 3"')
    assert parse_sheet("a.csv", text.encode(), PEOPLE_COLUMNS).rows[0].get("unit") == f"Đội{delimiter} 3"


def test_a_workbook_with_titles_above_its_header_keeps_the_row_numbers_people_see():
    data = xlsx([["DANH SÁCH CÁN BỘ"], [], ["STT", "HO TEN", "So hieu CAND", "Đơn vị"], [1, "An", 123456.0, "Đội 1"]])
    sheet = parse_sheet("a.xlsx", data, PEOPLE_COLUMNS)
    assert [(row.number, row.get("number"), row.get("name")) for row in sheet.rows] == [(4, "123456", "An")]
    assert sheet.ignored == ("STT",)


def test_english_headers_are_read():
    sheet = parse_sheet("a.csv", b"Name,Badge,Unit\nAn,1,U\n\n,,\nBinh,2,U\n", PEOPLE_COLUMNS)
    assert [row.number for row in sheet.rows] == [2, 5]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "header row"),
        (b"a;b\n1;2\n", "header row"),
        ("Họ tên;Đơn vị\nAn;X\n".encode(), "lacks the column “Number”"),
        (b"\x8a\x8d\x9a" * 10, "encoding"),
        (b"PK\x03\x04 not a zip", "XLSX"),
        (xlsx([["Số hiệu", "Họ tên", "Đơn vị"]])[:-40], "XLSX"),
        ("Số hiệu;Họ tên;Đơn vị\n".encode() + b'1;"' + b"x" * 200_000, "broken"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(data, words):
    with pytest.raises(SheetError, match=words):
        parse_sheet("a.csv", data, PEOPLE_COLUMNS)


def test_a_header_that_fits_two_columns_takes_what_the_clear_one_left():
    columns = (Column("serial", "S", "S", ("Serial", "Số máy"), required=True), Column("label", "L", "L", ("Số máy",)))
    both = parse_sheet("a.csv", "Số máy,Serial\nBWC-1,SN1\n".encode(), columns).rows[0].cells
    alone = parse_sheet("a.csv", "Số máy,X\nSN1,\n".encode(), columns).rows[0].cells
    assert (both, alone) == ({"label": "BWC-1", "serial": "SN1"}, {"serial": "SN1"})


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda b: b"PK\x03\x04" + b)))
def test_no_bytes_crash_the_reader(data):
    with suppress(SheetError):
        parse_sheet("a", data, PEOPLE_COLUMNS)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4))
def test_no_damage_to_a_workbook_crashes_the_reader(place, noise):
    whole = bytearray(_WORKBOOK)
    place %= len(whole)
    whole[place : place + len(noise)] = noise
    with suppress(SheetError):
        parse_sheet("a.xlsx", bytes(whole), PEOPLE_COLUMNS)


_WORKBOOK = xlsx([["Số hiệu", "Họ tên", "Đơn vị"], ["1", "An", "Đội"]])
