"""The minute: words from the configuration with their days, facts from the closed list, the same bytes each time."""

import io
import unicodedata
from datetime import timedelta

import pytest
from pypdf import PdfReader
from wipe_story import make

from bodycam import clock
from bodycam.settings import config_dir
from bodycam.wipes import service
from bodycam.wipes.errors import MinuteWordsError, WipeStateError
from bodycam.wipes.listing import items_of, list_sha256
from bodycam.wipes.minute import FILE, minute_of


@pytest.fixture
def order(unit):
    unit.visit(unit.camera(), {f"DCIM/100MEDIA/{n:03}.mp4": make(1000 + n) for n in range(3)})
    with unit.rt.db.write() as session:
        return service.raise_order(session, unit.station_id, actor=unit.commander)


def approve(unit, order):
    with unit.rt.db.write() as session:
        seen = list_sha256(order, items_of(session, order.id))
        return service.approve(session, order.id, actor=unit.approver, seen=seen)


def minute(unit, order, language="vi", path=None):
    with unit.rt.db.read() as session:
        return minute_of(session, order.id, language, path)


def test_an_open_list_is_not_printed(unit, order):
    with pytest.raises(WipeStateError):
        minute(unit, order)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_paper_names_every_file_with_hash_and_receipt_and_who_signs(unit, order, language):
    order = approve(unit, order)
    paper = minute(unit, order, language)
    pdf = paper.pdf()
    assert pdf == minute(unit, order, language).pdf()
    pages = PdfReader(io.BytesIO(pdf)).pages
    text = unicodedata.normalize("NFC", "\n".join(page.extract_text() for page in pages))
    plain = text.replace("\n", "")
    for file in paper.files:
        assert file.path in plain
        assert file.sha256 in plain
        assert f"\n{file.receipt}\n" in text or f" {file.receipt}\n" in text
    assert order.number in text
    assert order.list_sha256 in plain
    assert ("Người duyệt kế hoạch" if language == "vi" else "Plan approver") in text
    assert "approver" in text  # whose name stands under the empty space
    assert "67/2024/TT-BCA" in text


def test_a_basis_outside_of_its_days_is_not_printed(unit, order, tmp_path):
    order = approve(unit, order)
    day = clock.local(order.approved_at).date()
    told = (
        (config_dir() / FILE).read_text().replace("valid_from = 2025-01-01", f"valid_from = {day + timedelta(days=1)}")
    )
    (tmp_path / FILE).write_text(told)
    assert len(minute(unit, order).basis) == 1
    assert minute(unit, order, path=tmp_path / FILE).basis == ()


@pytest.mark.parametrize(
    ("harm", "key"),
    [("title_vi = 1\n", "title_vi"), ('colour = "red"\n', "colour"), ("= ]", "–"), (None, "–")],
)
def test_wrong_words_are_named_by_file_and_key(unit, order, tmp_path, harm, key):
    order = approve(unit, order)
    if harm is not None:
        told = (config_dir() / FILE).read_text()
        told = told.replace(told[told.index("title_vi") : told.index("title_en")], "") if key == "title_vi" else told
        (tmp_path / FILE).write_text(harm + told)
    with pytest.raises(MinuteWordsError) as wrong:
        minute(unit, order, path=tmp_path / FILE)
    assert (wrong.value.values["file"], wrong.value.values["key"]) == (FILE, key)
