import io
import unicodedata
from datetime import timedelta

from pypdf import PdfReader

from bodycam import clock
from bodycam.cases.minutes import Answer
from bodycam.cases.models import MinuteChoice
from bodycam.coverage import handover, shift
from bodycam.coverage.slip import print_slip, read_slip
from bodycam.paper import PaperSize
from tests.unit.coverage.world import NOON, docked, filmed, world

LABELS = {"traffic_police": "Số hiệu CAND"}


def a_slip(session, recordings=12):
    clock.set_now(lambda: NOON)
    w = world(session)
    docked(session, w, "uploading", files=(2, 6))
    made = [filmed(session, w, NOON - timedelta(minutes=15 * n), receipt=n > 1) for n in range(recordings, 0, -1)]
    said = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
    shift.answer(session, [r.id for r in made[:2]], said, officer_id=w.officer, station_id=w.station)
    shift.answer(session, [made[2].id], Answer(MinuteChoice.NONE), officer_id=w.officer, station_id=w.station)
    return read_slip(handover.end_shift(session, officer_id=w.officer, station_id=w.station))


def text_of(pdf):
    pages = [unicodedata.normalize("NFC", page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]
    return " ".join("\n".join(pages).split())


def test_the_paper_says_whose_what_and_how_it_stood_in_vietnamese_letters(db):
    with db.write() as session:
        slip = a_slip(session)
    text = text_of(print_slip(slip, labels=LABELS))
    for words in (
        "PHIẾU BÀN GIAO", "Số: PBG-20261122-0001", "PHÒNG CSGT", "ĐỘI 3", "Nguyễn Đức – Số hiệu CAND 123-456",
        "Ngày 22 tháng 11 năm 2026", "Trạm cắm 01", "đang tải lên, còn 4 tệp", "45/BB-VPHC", "không lập biên bản",
        "để sau, hạn 23/11/2026 12:00", "đã lưu, có biên nhận", "đã lưu, chờ biên nhận", "Người giao", "Người nhận",
        "12 lần ghi, 12 tệp", slip.sha256, "22/11/2026 09:00:00–09:05:00",
    ):  # fmt: skip
        assert words in text, words


def test_the_same_slip_is_the_same_paper_whenever_it_is_printed(db):
    with db.write() as session:
        slip = a_slip(session)
    first = print_slip(slip, labels=LABELS)
    clock.set_now(lambda: NOON + timedelta(days=400))
    assert print_slip(slip, labels=LABELS) == first
    assert print_slip(slip, labels=LABELS, size=PaperSize.A5) != first


def test_a_shift_without_recordings_and_cameras_is_a_slip_too(db):
    clock.set_now(lambda: NOON)
    with db.write() as session:
        w = world(session)
        slip = read_slip(handover.end_shift(session, officer_id=w.officer, station_id=None))
    text = text_of(print_slip(slip, labels=LABELS))
    assert "không thấy ở trạm cắm" in text
    assert "0 lần ghi, 0 tệp" in text
    assert "Trạm cắm –" in text
