"""A signed negative on paper: what was asked, where and among how much was looked, what can't be excluded, and its hash."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from bodycam.clock import local
from bodycam.custody.canonical import JSON, parse
from bodycam.paper import Document, Letterhead, Signature
from bodycam.people.models import Unit
from bodycam.retention.models import SignedNegative

Words = tuple[tuple[str, str], ...]


def rows_of(row: SignedNegative, language: str) -> tuple[Words, Words]:
    """Return what was asked and what was searched, as labels and values, for the page and the paper alike."""
    body = parse(row.document)
    assert isinstance(body, dict), "we wrote it as an object"
    asked, searched = _tree(body["asked"]), _tree(body["searched"])
    is_vi = language == "vi"
    what = [("Thời gian" if is_vi else "Time", f"{_time(asked['starts_at'])} – {_time(asked['ends_at'])}")]
    if asked.get("place") or "lat" in asked:
        spot = f" ({asked['lat']}, {asked['lon']}; {asked['radius_m']} m)" if "lat" in asked else ""
        what.append(("Nơi" if is_vi else "Place", f"{asked.get('place', '')}{spot}".strip()))
    for key, vi, en in (("officer", "Cán bộ", "Officer"), ("plate", "Biển số", "Plate"), ("case", "Hồ sơ", "Case")):
        if asked.get(key):
            what.append((vi if is_vi else en, str(asked[key])))
    units = searched["units"]
    everywhere = "toàn hệ thống" if is_vi else "the whole installation"
    where = everywhere if units == ["*"] else ", ".join(str(unit) for unit in units) if isinstance(units, list) else ""
    told = [
        ("Phạm vi tìm" if is_vi else "Searched in", where),
        ("Số bản ghi đã đối chiếu" if is_vi else "Recordings compared", str(searched["recordings"])),
        ("Số máy" if is_vi else "Cameras", str(searched["cameras"])),
        ("Chưa rõ giờ hoặc nơi, không loại trừ được" if is_vi else "Time or place unknown, not excluded",
         str(searched["unsure"])),
        ("Đã hủy theo thời hạn, có thể liên quan" if is_vi else "Destroyed under the schedule, may have fitted",
         str(searched["destroyed"])),
        ("Máy, bản ghi còn thiếu lúc tìm" if is_vi else "Cameras and footage still owed then", str(searched["debts"])),
        ("Người tìm" if is_vi else "Searched by", f"{body['by']}, {body['unit']}"),
        ("Lúc" if is_vi else "At", _time(body["made_at"])),
    ]  # fmt: skip
    return tuple(what), tuple(told)


def negative_paper(session: Session, row: SignedNegative, language: str) -> bytes:
    """Return the statement as a PDF; the same statement gives the same bytes until it is reopened."""
    is_vi = language == "vi"
    unit = session.get_one(Unit, row.unit_id)
    above = session.get(Unit, unit.parent_id) if unit.parent_id else None
    at = local(row.made_at)
    paper = Document(
        title="XÁC NHẬN KHÔNG TÌM THẤY BẢN GHI" if is_vi else "STATEMENT THAT NO FOOTAGE WAS FOUND",
        letterhead=Letterhead(
            above=above.name if above else "",
            unit=unit.name,
            number=f"Số: {row.number}" if is_vi else f"No. {row.number}",
            place_and_date=f"ngày {at:%d} tháng {at:%m} năm {at:%Y}" if is_vi else f"{at:%d/%m/%Y}",
        ),
        digest=hashlib.sha256(row.document.encode()).hexdigest(),
        language=language,
    )
    if row.reopened_at is not None:
        paper.heading(
            f"ĐÃ MỞ LẠI {local(row.reopened_at):%d/%m/%Y}: đã có bản ghi có thể liên quan. Không dùng xác nhận này nữa."
            if is_vi
            else f"REOPENED {local(row.reopened_at):%d/%m/%Y}: footage that may fit has appeared. Do not rely on this."
        )
    asked, searched = rows_of(row, language)
    paper.heading("Tìm bản ghi" if is_vi else "Footage asked for")
    paper.rows(asked)
    paper.heading("Đã tìm" if is_vi else "Searched")
    paper.rows(searched)
    paper.paragraph(
        "Xác nhận này nói điều đã tìm và chưa thấy, không nói rằng không có sự việc. Nếu sau này có bản ghi phù hợp, xác nhận tự "
        "mở lại. Biên nhận của nhật ký chứng minh nội dung và thời điểm lập."
        if is_vi
        else "This says what was searched and not found, not that nothing happened. Should footage that fits come in later, it "
        "reopens by itself. The log's receipt proves what it says and when."
    )
    paper.signatures(
        [
            Signature(
                "NGƯỜI TÌM" if is_vi else "SEARCHED BY", "(Ký, ghi rõ họ tên)" if is_vi else "(signature, full name)"
            ),
            Signature("THỦ TRƯỞNG ĐƠN VỊ" if is_vi else "HEAD OF UNIT", "(Ký, đóng dấu)" if is_vi else "(signature)"),
        ]
    )
    return paper.render()


def _tree(value: JSON) -> Mapping[str, JSON]:
    assert isinstance(value, dict), "we wrote it as an object"
    return value


def _time(value: JSON) -> str:
    return f"{local(datetime.fromisoformat(str(value))):%d/%m/%Y %H:%M}"
