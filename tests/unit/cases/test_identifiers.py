import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bodycam.cases.errors import IdentifierError
from bodycam.cases.identifiers import (
    DocumentNumber,
    IdentifierType,
    compact,
    document_number,
    guess,
    parse,
    search_forms,
)

WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
PLATES = [
    ("29A-123.45", "29A12345", ("car", "motorbike")),
    ("30A-12345", "30A12345", ("car", "motorbike")),
    ("51G 1234", "51G1234", ("car",)),
    ("29A-01234", "29A01234", ("car",)),
    ("29-AB 123.45", "29AB12345", ("motorbike",)),
    ("29-A1 2345", "29A12345", ("car", "motorbike")),
    ("29-A1 123.45", "29A112345", ("motorbike",)),
    ("29A-123456", "29A123456", ("motorbike",)),
    ("29LD-123.45", "29LD12345", ("motorbike", "special")),
    ("29CD-123.45", "29CD12345", ("motorbike", "special")),
    ("51R-012.34", "51R01234", ("special",)),
    ("50RM-001.23", "50RM00123", ("special",)),
    ("29-MĐ1 123.45", "29MD112345", ("special",)),
    ("29MĐ-12345", "29MD12345", ("motorbike", "special")),
    ("80-121-NG-45", "80121NG45", ("foreign",)),
    ("80-NG-121.45", "80NG12145", ("motorbike",)),
    ("TM-12-34", "TM1234", ("military",)),
    ("T29-12345", "T2912345", ("temporary",)),
    ("２９Ａ－１２３４５", "29A12345", ("car", "motorbike")),
]
DOCUMENTS = [
    ("45/BB-VPHC", DocumentNumber(45, None, "BB", "VPHC"), "45BBVPHC"),
    ("Số: 0045/BB-VPHC", DocumentNumber(45, None, "BB", "VPHC"), "45BBVPHC"),
    ("123/QĐ-XPHC", DocumentNumber(123, None, "QĐ", "XPHC"), "123QDXPHC"),
    ("123/qd-XPHC", DocumentNumber(123, None, "QĐ", "XPHC"), "123QDXPHC"),
    ("12/2026/QĐ-TTr", DocumentNumber(12, 2026, "QĐ", "TTr"), "122026QDTTR"),
    ("58/KH-PC08", DocumentNumber(58, None, "KH", "PC08"), "58KHPC08"),
    ("77/QĐ-TTr", DocumentNumber(77, None, "QĐ", "TTr"), "77QDTTR"),
    ("1234/QĐ-CT", DocumentNumber(1234, None, "QĐ", "CT"), "1234QDCT"),
    ("3628/UBND-NC", DocumentNumber(3628, None, None, "UBND-NC"), "3628UBNDNC"),
]


@pytest.mark.parametrize(("text", "form", "variants"), PLATES)
def test_plates_keep_every_vehicle_they_may_be(text, form, variants):
    plate = parse(IdentifierType.PLATE, text)
    assert (plate.raw, plate.compact, plate.variants) == (text, form, variants)


@pytest.mark.parametrize(
    "text", ["", "29", "29I-12345", "29W12345", "A-123.45", "29A-1234567", "xin chào", "29A-00\u0301x"]
)
def test_what_is_no_plate_is_refused_with_an_example(text):
    with pytest.raises(IdentifierError) as error:
        parse(IdentifierType.PLATE, text)
    assert error.value.text("vi")


@given(st.from_regex(r"\A[0-9]{2}[ABCDEFGHKLMNPSTUVXYZ][0-9]{5}\Z"), st.text(" .-\t", max_size=4))
def test_separators_and_case_never_change_a_plate(form, noise):
    typed = noise.join(form.lower())
    assert parse(IdentifierType.PLATE, f"x{typed}"[1:]).compact == form


@pytest.mark.parametrize(
    ("text", "form", "variant"),
    [
        ("0100233488", "0100233488", "organisation"),
        ("0314409058-002", "0314409058002", "branch"),
        ("031 440.9058", "0314409058", "organisation"),
        ("001099012345", "001099012345", "personal_id"),
        ("0900120003", "0900120003", "organisation"),
    ],
)
def test_tax_codes_of_firms_branches_and_people(text, form, variant):
    code = parse(IdentifierType.TAX_CODE, text)
    assert (code.compact, code.variants) == (form, (variant,))


@pytest.mark.parametrize(
    "text", ["0100233489", "0314409058-000", "101099012345", "01002334881", "MST 0100233488", "٠١٠٠٢٣٣٤٨٨x"]
)
def test_a_wrong_tax_code_is_refused(text):
    with pytest.raises(IdentifierError):
        parse(IdentifierType.TAX_CODE, text)


@given(st.integers(0, 999_999_999))
def test_exactly_the_right_check_digit_makes_a_tax_code(stem):
    digits = f"{stem:09}"
    assume(digits[2:] != "0000000")  # no such number is issued
    rest = sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11
    good = [c for c in range(10) if _holds(IdentifierType.TAX_CODE, f"{digits}{c}")]
    assert good == ([10 - rest] if 1 <= rest <= 10 else [])


def _holds(kind, text):
    try:
        parse(kind, text)
    except IdentifierError:
        return False
    return True


@given(st.from_regex(r"\A0[0-9]{2}[0-3][0-9]{8}\Z"))
def test_every_personal_id_is_also_a_tax_code_and_never_a_declaration(text):
    assert _holds(IdentifierType.PERSONAL_ID, text)
    assert _holds(IdentifierType.TAX_CODE, text)
    assert not _holds(IdentifierType.DECLARATION, text)


def test_one_text_may_be_a_tax_code_and_a_phone_and_both_are_kept():
    assert {found.type for found in guess("0900120003")} == {IdentifierType.TAX_CODE, IdentifierType.PHONE}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("0912 345 678", "0912345678"),
        ("+84 912 345 678", "0912345678"),
        ("024 3826 2222", "02438262222"),
        ("19001234", "19001234"),
    ],
)
def test_phones_are_compared_as_dialled_at_home(text, form):
    assert parse(IdentifierType.PHONE, text).compact == form


@pytest.mark.parametrize("text", ["0551234567", "12", "phone", "+999999999999"])
def test_unassigned_numbers_are_no_phones(text):
    with pytest.raises(IdentifierError):
        parse(IdentifierType.PHONE, text)


def test_an_amended_declaration_is_the_same_declaration():
    first, amended = (parse(IdentifierType.DECLARATION, text) for text in ("302912345670", "3029 1234 5671"))
    assert first.compact == amended.compact == "30291234567"
    assert first.variants == ("export",)
    assert "30291234567" in search_forms("302912345675")


@pytest.mark.parametrize(("text", "parts", "form"), DOCUMENTS)
def test_document_numbers_are_taken_apart(text, parts, form):
    assert document_number(text) == parts
    found = parse(IdentifierType.DOCUMENT, text)
    assert (found.raw, found.compact) == (text, form)


def test_a_document_number_written_in_another_way_is_kept_as_it_is():
    found = parse(IdentifierType.DOCUMENT, "Biên bản ngày 3")
    assert (found.compact, found.variants) == ("BIENBANNGAY3", ())


@given(st.text(max_size=120), st.sampled_from(list(IdentifierType)))
def test_any_text_is_an_identifier_or_an_error_and_compact_is_stable(text, kind):
    form = compact(text)
    assert form.isascii()
    assert compact(form) == form
    assert compact(unicodedata.normalize("NFD", text)) == compact(unicodedata.normalize("NFC", text))
    guess(text)
    try:
        found = parse(kind, text)
    except IdentifierError:
        return
    assert found.compact
    assert parse(kind, found.raw).compact == found.compact


def test_compact_folds_the_letter_d_with_a_stroke():
    assert compact("123/QĐ-xphc") == "123QDXPHC"
