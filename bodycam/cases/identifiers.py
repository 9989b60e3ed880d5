"""Identifiers people type: plates, tax codes, personal IDs, phones, customs declarations, document numbers.

Each keeps the text as typed (NFC), its kind, a compact form (A-Z and 0-9 only) to search by, and every variant the text may
be: `29A12345` is a car's plate and an old motorbike's, and no pattern can tell. A compact form is never a key: `0900120003`
is a tax code and a mobile number. Sources: plates Circular 79/2024/TT-BCA art. 37 and the older ones still on the road; tax
codes Circular 105/2020/TT-BTC art. 5 and, for individuals since 1/7/2025, the personal ID (Circular 86/2024/TT-BTC).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from stdnum.vn import mst

from bodycam.cases.errors import IdentifierError
from bodycam.db import nfc

MAX_TEXT = 100


class IdentifierType(StrEnum):
    """What an identifier is, which decides how it is checked and compared."""

    PLATE = "plate"
    TAX_CODE = "tax_code"
    PERSONAL_ID = "personal_id"
    PHONE = "phone"
    DECLARATION = "declaration"
    DOCUMENT = "document"
    OFFICER_NUMBER = "officer_number"


@dataclass(frozen=True)
class Identifier:
    """A checked identifier; `variants` are all the things it may be, in a fixed order, empty when there is one only."""

    type: IdentifierType
    raw: str
    compact: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class DocumentNumber:
    """A document's number taken apart: 45/BB-VPHC, 12/2026/QĐ-TTr, 3628/UBND-NC (no kind)."""

    number: int
    year: int | None
    kind: str | None
    issuer: str


_SERIES = "[ABCDEFGHKLMNPSTUVXYZ]"  # 20 letters, Circular 79/2024 appendix 2
_PLATES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("car", re.compile(rf"\d{{2}}{_SERIES}(\d{{5}}|\d{{4}})")),
    ("motorbike", re.compile(rf"\d{{2}}({_SERIES}{{2}}\d{{5}}|{_SERIES}[1-9](\d{{5}}|\d{{4}}))")),
    ("special", re.compile(r"\d{2}(CD|RM|HC|KT|LD|DA|MK|MD\d?|TD|CT|LB|R)\d{4,5}")),
    ("foreign", re.compile(r"\d{2}\d{3}(NG|QT|CV|NN)\d{2}")),
    ("military", re.compile(r"[A-Z]{2}\d{4}")),
    ("temporary", re.compile(r"T\d{2}\d{5,6}")),
)
_DOCUMENT = re.compile(
    r"0*(?P<no>\d{1,6})(/(?P<year>(19|20)\d{2}))?/((?P<kind>QĐ|BB|KH|TB|KL|BC|TTr|CV)-)?(?P<org>[^\s]{1,40})"
)
_DECLARATIONS = {"10": "import", "30": "export", "50": "transport"}


def compact(text: str) -> str:
    """Return the compact form: upper case, no diacritics, Đ as D, letters and digits only ("29-Đ1 234" is "29D1234")."""
    plain = unicodedata.normalize("NFKD", text.upper().replace("Đ", "D"))
    return re.sub(r"[^A-Z0-9]", "", plain)


def parse(kind: IdentifierType, text: str) -> Identifier:
    """Return the checked identifier of a text; raises `IdentifierError` saying what it should look like."""
    raw = nfc(text).strip()
    if not raw or len(raw) > MAX_TEXT:
        raise _wrong(raw[:MAX_TEXT], f"cần 1 đến {MAX_TEXT} ký tự", f"needs 1 to {MAX_TEXT} characters")
    return _PARSERS[kind](raw)


def guess(text: str) -> list[Identifier]:
    """Return every identifier a text may be, by type, for one search box; free-text types only when it parses as one."""
    found: list[Identifier] = []
    for kind in (t for t in IdentifierType if t is not IdentifierType.OFFICER_NUMBER):
        try:
            identifier = parse(kind, text)
        except IdentifierError:
            continue
        if kind is not IdentifierType.DOCUMENT or document_number(text) is not None:
            found.append(identifier)
    return found


def search_forms(text: str) -> list[str]:
    """Return the compact forms under which a text as typed may be stored, sorted; empty for a text without any."""
    return sorted({compact(text), *(identifier.compact for identifier in guess(text))} - {""})


def document_number(text: str) -> DocumentNumber | None:
    """Return a document's number taken apart, or None when it isn't written in the usual way."""
    plain = re.sub(r"^số\s*:?\s*", "", nfc(text).strip(), flags=re.IGNORECASE)
    plain = re.sub(r"/QD-", "/QĐ-", re.sub(r"\s*([/-])\s*", r"\1", plain), flags=re.IGNORECASE)
    match = _DOCUMENT.fullmatch(plain)
    if match is None:
        return None
    year = match["year"]
    return DocumentNumber(int(match["no"]), int(year) if year else None, match["kind"], match["org"])


def _plate(raw: str) -> Identifier:
    form = compact(raw)
    variants = tuple(name for name, pattern in _PLATES if pattern.fullmatch(form))
    if not variants:
        raise _wrong(raw, "không đúng dạng biển số, ví dụ 29A-123.45 hoặc 29-AB 123.45",
                     "isn't a plate; write it like 29A-123.45 or 29-AB 123.45")  # fmt: skip
    return Identifier(IdentifierType.PLATE, raw, form, variants)


def _tax_code(raw: str) -> Identifier:
    digits = _digits(raw)
    if _is_personal_id(digits):
        return Identifier(IdentifierType.TAX_CODE, raw, digits, ("personal_id",))
    if not mst.is_valid(digits):
        raise _wrong(raw, "không phải mã số thuế: cần 10 số, 10 số-3 số, hoặc số định danh 12 số; kiểm tra lại từng số",
                     "isn't a tax code: 10 digits, 10-3 digits, or the 12-digit personal ID; check each digit")  # fmt: skip
    return Identifier(IdentifierType.TAX_CODE, raw, digits, ("organisation" if len(digits) == 10 else "branch",))  # noqa: PLR2004  Circular 105/2020 art. 5


def _personal_id(raw: str) -> Identifier:
    digits = _digits(raw)
    if not _is_personal_id(digits):
        raise _wrong(raw, "số định danh có 12 số, bắt đầu bằng số 0", "a personal ID has 12 digits and begins with 0")
    return Identifier(IdentifierType.PERSONAL_ID, raw, digits)


def _is_personal_id(digits: str) -> bool:
    """Test the shape only, there is no check digit: province (3), century and sex, year (2), six more."""
    return re.fullmatch(r"0\d{2}[0-3]\d{8}", digits) is not None


def _phone(raw: str) -> Identifier:
    try:
        number = phonenumbers.parse(raw, "VN")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise _wrong(raw, "không phải số điện thoại, ví dụ 0912 345 678", "isn't a phone number, such as 0912 345 678")
    form = phonenumbers.PhoneNumberFormat
    ours = number.country_code == phonenumbers.country_code_for_region("VN")
    written = phonenumbers.format_number(number, form.NATIONAL if ours else form.E164)
    return Identifier(IdentifierType.PHONE, raw, re.sub(r"\D", "", written))


def _declaration(raw: str) -> Identifier:
    """A customs declaration: 12 digits, of which the last counts amendments, so the first 11 are compared."""
    digits = _digits(raw)
    if re.fullmatch(r"[1-9]\d{11}", digits) is None:
        raise _wrong(raw, "số tờ khai hải quan có 12 số, không bắt đầu bằng 0",
                     "a customs declaration has 12 digits and doesn't begin with 0")  # fmt: skip
    variant = _DECLARATIONS.get(digits[:2])
    return Identifier(IdentifierType.DECLARATION, raw, digits[:11], (variant,) if variant else ())


def _document(raw: str) -> Identifier:
    """A document's number: parsed if possible, the text is always kept."""
    parsed = document_number(raw)
    if parsed is None:
        return Identifier(IdentifierType.DOCUMENT, raw, compact(raw) or raw)
    year = str(parsed.year) if parsed.year else ""
    form = f"{parsed.number}{year}{compact(parsed.kind or '')}{compact(parsed.issuer)}"
    return Identifier(IdentifierType.DOCUMENT, raw, form, (parsed.kind,) if parsed.kind else ())


def _officer_number(raw: str) -> Identifier:
    return Identifier(IdentifierType.OFFICER_NUMBER, raw, compact(raw) or raw)


def _digits(raw: str) -> str:
    """Return the digits of a number typed with spaces, dots or dashes; with anything else, the text, which no shape fits."""
    plain = re.sub(r"[\s.\-–]", "", unicodedata.normalize("NFKC", raw))
    return plain if plain.isascii() else raw


def _wrong(text: str, vi: str, en: str) -> IdentifierError:
    return IdentifierError(text=text, reason_vi=vi, reason_en=en)


_PARSERS: dict[IdentifierType, Callable[[str], Identifier]] = {
    IdentifierType.PLATE: _plate,
    IdentifierType.TAX_CODE: _tax_code,
    IdentifierType.PERSONAL_ID: _personal_id,
    IdentifierType.PHONE: _phone,
    IdentifierType.DECLARATION: _declaration,
    IdentifierType.DOCUMENT: _document,
    IdentifierType.OFFICER_NUMBER: _officer_number,
}
