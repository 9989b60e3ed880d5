import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bodycam.paper import Column, Document, Letterhead, PaperSize, Signature

HEAD = Letterhead(
    "Công an tỉnh Lạng Sơn", "Phòng CSGT – Đội 3", "Số: 12/PBG-2026", "Lạng Sơn, ngày 22 tháng 11 năm 2026"
)
LETTERS = "ẰẮẲẴẶ ẦẤẨẪẬ ằắẳẵặ ầấẩẫậ đĐ ơớờởỡợ ưứừửữự ỳýỷỹỵ"


def a_slip(rows=60, size=PaperSize.A4, words=LETTERS):
    document = Document("Phiếu bàn giao", HEAD, subtitle="Cuối ca", digest="ab12" * 16, size=size)
    document.rows([("Cán bộ", "Đặng Ượng"), ("Không có", "")])
    document.heading("Bản ghi trong ca")
    columns = [Column("STT", 1, is_number=True), Column("Tệp", 5), Column("SHA-256", 4)]
    document.table(columns, [[str(n), f"VID_{n:04}.MP4", "f" * 64] for n in range(rows)])
    document.paragraph(words)
    document.signatures([Signature("Người giao", "(Ký, ghi rõ họ tên)", "Đặng Ượng"), Signature("Người nhận")])
    return document


def text_of(pdf):
    return [unicodedata.normalize("NFC", page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_long_table_goes_on_under_its_head_and_every_page_names_the_document():
    pages = text_of(a_slip().render())
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Trang {number}/{len(pages)}" in page
        assert "Số: 12/PBG-2026" in page
        assert "ab12" * 16 in page
    assert "SHA-256" in pages[0]
    assert "STT" in pages[1]
    assert all(f"VID_{n:04}.MP4" in "".join(pages) for n in range(60))


def test_every_vietnamese_letter_is_inside_and_can_be_read_back():
    text = "\n".join(text_of(a_slip(rows=1).render()))
    for letter in LETTERS.split():
        assert letter in text
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
    assert "PHIẾU BÀN GIAO" in text


def test_letters_typed_apart_are_put_together():
    text = "".join(text_of(a_slip(rows=0, words=unicodedata.normalize("NFD", "Đặng Ượng ở Lạng Sơn")).render()))
    assert "Đặng Ượng ở Lạng Sơn" in text


def test_the_same_content_gives_the_same_bytes_and_other_content_others():
    assert a_slip(rows=3).render() == a_slip(rows=3).render()
    assert a_slip(rows=3).render() != a_slip(rows=4).render()


def test_markup_in_a_text_is_only_text():
    text = "".join(text_of(a_slip(rows=0, words='<img src="/etc/passwd"/><b>x & y</b> </para>').render()))
    assert '<img src="/etc/passwd"/><b>x & y</b> </para>' in " ".join(text.split())


@pytest.mark.parametrize("size", list(PaperSize))
def test_a_cell_higher_than_a_page_goes_on_over_the_next(size):
    document = Document("Phiếu", HEAD, size=size)
    document.table([Column("A", 1), Column("B", 1)], [["x", "chữ " * 3000 + "hết"]])
    document.rows([("Lý do", "dài " * 3000 + "xong")])
    text = " ".join(text_of(document.render()))
    assert "hết" in text
    assert "xong" in text


def test_a_row_of_too_few_cells_is_refused():
    with pytest.raises(ValueError, match="cell for each column"):
        Document("Phiếu", HEAD).table([Column("A", 1), Column("B", 1)], [["x"]])


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200), st.text(max_size=40))
def test_no_text_stops_the_printing(words, name):
    document = Document(name, Letterhead(name, words, name, words), digest=words)
    document.rows([(name, words)])
    document.table([Column(name, 1), Column("B", 3)], [[words, name]])
    document.paragraph(words)
    document.signatures([Signature(name, words, name)])
    assert document.render().startswith(b"%PDF-")
