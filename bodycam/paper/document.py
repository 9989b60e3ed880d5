"""One printed document: letterhead, title, rows, tables, signature blocks, and a footer that names it on every page.

The form follows Nghị định 30/2020/NĐ-CP, appendix I: the agencies at the left, the state's name at the right, then the title.
The same content gives the same bytes, so that a printed hash can be checked against a file made again. Text is put into NFC
and is never markup; what is too long for its place breaks, a table goes on over pages under its repeated head.
"""

import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from bodycam.db import nfc

_FONTS = Path(__file__).parent / "fonts"
_REGULAR, _BOLD, _ITALIC = "BeVietnamPro", "BeVietnamPro-SemiBold", "BeVietnamPro-Italic"
_LINE = colors.HexColor("#8A94A6")
_HEAD = colors.HexColor("#EEF1F5")
_MARGIN: float = 15 * mm
_FOOT: float = 12 * mm
_STATE = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
_PAGE_WORDS = {"vi": "Trang {page}/{pages}", "en": "Page {page} of {pages}"}


class PaperSize(Enum):
    """The paper a document is made for, width by height in points."""

    A4 = A4
    A5 = A5


@dataclass(frozen=True)
class Letterhead:
    """Who issues it (the agency above, then the unit itself), its number, and where and when, as they are written."""

    above: str
    unit: str
    number: str
    place_and_date: str


@dataclass(frozen=True)
class Column:
    """A table's column: its head, its share of the width, and whether it holds numbers (set right)."""

    head: str
    share: float
    is_number: bool = False


@dataclass(frozen=True)
class Signature:
    """A block to sign in: what the signer is, a hint under it, and the name under the empty space."""

    role: str
    hint: str = ""
    name: str = ""


@dataclass
class Document:
    """A document that is filled from top to bottom and then rendered.

    `digest` is the SHA-256 (hex) of what it states, printed at the foot of each page with the number; empty: none is printed.
    """

    title: str
    letterhead: Letterhead
    subtitle: str = ""
    digest: str = ""
    language: str = "vi"
    size: PaperSize = PaperSize.A4
    _parts: list[Callable[[], Flowable]] = field(default_factory=list, init=False)

    def heading(self, text: str) -> None:
        """Add a heading over what follows."""
        self._parts.append(lambda: Paragraph(_text(text), self._style("heading")))

    def paragraph(self, text: str) -> None:
        """Add a paragraph; line breaks are kept."""
        self._parts.append(lambda: Paragraph(_text(text), self._style("body")))

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add rows of a label and its value."""
        widths = [self._width * 0.32, self._width * 0.68]
        cells = [(_text(label), _text(value or "–")) for label, value in rows]
        if cells:
            self._parts.append(lambda: self._rows(cells, widths))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Add a table; each row has a text for each column.

        Raises:
            ValueError: a row has another number of cells than there are columns: a mistake in the program.
        """
        if any(len(row) != len(columns) for row in rows):
            raise ValueError("a row needs a cell for each column")
        total = sum(column.share for column in columns)
        widths = [self._width * column.share / total for column in columns]
        cells = [[_text(cell) for cell in row] for row in rows]
        self._parts.append(lambda: self._table(columns, cells, widths))

    def signatures(self, blocks: Sequence[Signature]) -> None:
        """Add blocks to sign in, side by side; they stay together on one page."""
        if blocks:
            self._parts.append(lambda: self._signatures(blocks))

    def render(self) -> bytes:
        """Return the PDF; the same content gives the same bytes."""
        _register_fonts()
        out = io.BytesIO()
        width, height = self.size.value
        template = BaseDocTemplate(out, pagesize=(width, height), invariant=1, title=nfc(self.title), author="bodycam")
        frame = Frame(_MARGIN, _FOOT + 6 * mm, self._width, height - _MARGIN - _FOOT - 6 * mm,
                      leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)  # fmt: skip
        template.addPageTemplates(PageTemplate(id="page", frames=[frame]))
        story = [*self._top(), *(part() for part in self._parts)]
        template.build(story, canvasmaker=partial(_Footed, foot=self._footer))
        return out.getvalue()

    @property
    def _width(self) -> float:
        return float(self.size.value[0]) - 2 * _MARGIN

    def _footer(self, canvas: Canvas, pages: int) -> None:
        canvas.setStrokeColor(_LINE)
        canvas.setLineWidth(0.4)
        canvas.line(_MARGIN, _FOOT + 3 * mm, _MARGIN + self._width, _FOOT + 3 * mm)
        canvas.setFont(_REGULAR, 7)
        words = _PAGE_WORDS["vi" if self.language == "vi" else "en"].format(page=canvas.getPageNumber(), pages=pages)
        canvas.drawRightString(_MARGIN + self._width, _FOOT, words)
        canvas.drawString(_MARGIN, _FOOT, _clean(self.letterhead.number)[:60])
        if self.digest:
            canvas.setFont(_REGULAR, 6)
            canvas.drawString(_MARGIN, _FOOT - 3.5 * mm, f"SHA-256 {_clean(self.digest)[:64]}")

    def _top(self) -> list[Flowable]:
        head, small = self.letterhead, self._style("head")
        left = [Paragraph(_text(head.above.upper()), small)] if head.above else []
        left += [Paragraph(_text(head.unit.upper()), self._style("head_bold")), _rule("30%")]
        left.append(Paragraph(_text(head.number), small))
        right = [Paragraph(_text(line), self._style("head_bold")) for line in _STATE]
        right += [_rule("48%"), Paragraph(_text(head.place_and_date), self._style("head_italic"))]
        top = Table([[left, right]], colWidths=[self._width * 0.42, self._width * 0.58])
        top.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("ALIGN", (0, 0), (-1, -1), "CENTER"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                      ("RIGHTPADDING", (0, 0), (-1, -1), 2)])  # fmt: skip
        parts: list[Flowable] = [top, Spacer(1, 4 * mm), Paragraph(_text(self.title.upper()), self._style("title"))]
        if self.subtitle:
            parts.append(Paragraph(_text(self.subtitle), self._style("subtitle")))
        return [*parts, Spacer(1, 3 * mm)]

    def _rows(self, rows: Sequence[tuple[str, str]], widths: list[float]) -> Flowable:
        label, value = self._style("label"), self._style("cell")
        table = Table([[Paragraph(k, label), Paragraph(v, value)] for k, v in rows], colWidths=widths, splitInRow=1)
        table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                        ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)])  # fmt: skip
        return table

    def _table(self, columns: Sequence[Column], rows: list[list[str]], widths: list[float]) -> Flowable:
        head = [Paragraph(_text(column.head), self._style("cell_bold")) for column in columns]
        styles = [self._style("cell_number" if column.is_number else "cell") for column in columns]
        body = [[Paragraph(cell, style) for cell, style in zip(row, styles, strict=True)] for row in rows]
        table = Table([head, *body], colWidths=widths, repeatRows=1, splitInRow=1, spaceBefore=4, spaceAfter=6)
        table.setStyle([("GRID", (0, 0), (-1, -1), 0.4, _LINE), ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
                        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 3),
                        ("RIGHTPADDING", (0, 0), (-1, -1), 3), ("TOPPADDING", (0, 0), (-1, -1), 2),
                        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5)])  # fmt: skip
        return table

    def _signatures(self, blocks: Sequence[Signature]) -> Flowable:
        cells = [
            [Paragraph(_text(block.role), self._style("sign")) for block in blocks],
            [Paragraph(_text(block.hint), self._style("sign_hint")) for block in blocks],
            [Spacer(1, 18 * mm) for _ in blocks],
            [Paragraph(_text(block.name), self._style("sign")) for block in blocks],
        ]
        table = Table(cells, colWidths=[self._width / len(blocks)] * len(blocks))
        table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP")])
        return KeepTogether([Spacer(1, 6 * mm), table])

    def _style(self, name: str) -> ParagraphStyle:
        font, size, align = _STYLES[name]
        size *= 1.0 if self.size is PaperSize.A4 else 0.85
        before = 5 if name == "heading" else 0
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=size * 1.35, alignment=align, spaceBefore=before,
            spaceAfter=3, splitLongWords=1,
        )  # fmt: skip


class _Footed(Canvas):  # type: ignore[misc]  # reportlab tells no types
    """A canvas that draws the foot of every page at the end, when the number of pages is known: laying out takes long."""

    def __init__(self, *args: object, foot: Callable[[Canvas, int], None], **options: object) -> None:
        super().__init__(*args, **options)
        self._foot = foot
        self._drawn: list[dict[str, object]] = []

    def showPage(self) -> None:  # noqa: N802  the base's name
        """Keep the page for later."""
        self._drawn.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Put the foot under every page, and write them."""
        for page in self._drawn:
            self.__dict__.update(page)
            self._foot(self, len(self._drawn))
            super().showPage()
        super().save()


_STYLES: dict[str, tuple[str, float, int]] = {
    "head": (_REGULAR, 9, TA_CENTER),
    "head_bold": (_BOLD, 9, TA_CENTER),
    "head_italic": (_ITALIC, 9, TA_CENTER),
    "title": (_BOLD, 13, TA_CENTER),
    "subtitle": (_REGULAR, 9.5, TA_CENTER),
    "heading": (_BOLD, 10.5, TA_LEFT),
    "body": (_REGULAR, 9.5, TA_LEFT),
    "label": (_REGULAR, 9, TA_LEFT),
    "cell": (_REGULAR, 8.5, TA_LEFT),
    "cell_bold": (_BOLD, 8.5, TA_LEFT),
    "cell_number": (_REGULAR, 8.5, TA_RIGHT),
    "sign": (_BOLD, 9.5, TA_CENTER),
    "sign_hint": (_ITALIC, 8, TA_CENTER),
}


@cache
def _register_fonts() -> None:
    for name, style in ((_REGULAR, "Regular"), (_BOLD, "SemiBold"), (_ITALIC, "Italic")):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"BeVietnamPro-{style}.ttf")))


def _rule(width: str) -> Flowable:
    return HRFlowable(width=width, thickness=0.5, color=colors.black, spaceBefore=1, spaceAfter=3)


def _clean(text: str) -> str:
    """Return the text in NFC without control characters, which a printed page can't show."""
    return "".join(c for c in nfc(text) if c == "\n" or unicodedata.category(c)[0] != "C")


def _text(text: str) -> str:
    """Return a text as a paragraph takes it: markup of its own is only text."""
    return escape(_clean(text)).replace("\n", "<br/>")
