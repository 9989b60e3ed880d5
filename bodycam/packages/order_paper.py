"""The extraction order on paper (Phiếu đề nghị trích xuất): who asks for what, for whom, until when, and who approved it."""

from collections.abc import Sequence
from datetime import datetime

from bodycam.cases.models import Case
from bodycam.clock import local
from bodycam.packages.models import ExtractionOrder
from bodycam.paper import Column, Document, Letterhead, Signature
from bodycam.people.models import Account, Unit
from bodycam.recordings.models import Recording
from bodycam.wipes.minute import grouped

MOST_LINES = 1_000  # recordings named one by one; the list's hash covers all


def order_pdf(
    order: ExtractionOrder,
    recordings: Sequence[Recording],
    *,
    unit: Unit | None,
    above: Unit | None,
    case: Case | None,
    requester: Account,
    approver: Account | None,
    language: str,
) -> bytes:
    """Return an order as a PDF in "vi" or "en"; the same order gives the same bytes."""
    is_vi = language == "vi"
    document = Document(
        "Phiếu đề nghị trích xuất" if is_vi else "Extraction order",
        letterhead(order, unit, above, is_vi=is_vi),
        digest=order.list_sha256,
        language=language,
    )
    document.rows(_rows(order, recordings, case, requester, approver, is_vi=is_vi))
    heads = ("STT", "Tệp", "Cỡ (byte)", "SHA-256") if is_vi else ("No.", "File", "Size (bytes)", "SHA-256")
    columns = [
        Column(head, share, is_number=number)
        for head, share, number in zip(heads, (0.6, 3.4, 1.4, 4.2), (True, False, True, False), strict=True)
    ]
    lines = enumerate(recordings[:MOST_LINES], 1)
    document.table(columns, [[str(n), item.name, grouped(item.size), item.sha256] for n, item in lines])
    if len(recordings) > MOST_LINES:
        left = len(recordings) - MOST_LINES
        document.paragraph(
            f"… và {left} tệp nữa, có trong mã danh sách." if is_vi else f"… and {left} more, in the list's hash."
        )
    document.signatures(_signatures(requester, approver, is_vi=is_vi))
    return document.render()


def letterhead(order: ExtractionOrder, unit: Unit | None, above: Unit | None, *, is_vi: bool) -> Letterhead:
    """Return the head of an order's papers."""
    day = local(order.approved_at or order.requested_at).date()
    when = f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}" if is_vi else f"{day:%d/%m/%Y}"
    number = f"Số: {order.number}" if is_vi else f"No. {order.number}"
    return Letterhead(above.name if above else "", unit.name if unit else "", number, when)


def moment(value: datetime | None) -> str:
    """Return a time as people read it here: 24 h, Vietnam's zone."""
    return f"{local(value):%d/%m/%Y %H:%M:%S}" if value else "–"


def _rows(
    order: ExtractionOrder,
    recordings: Sequence[Recording],
    case: Case | None,
    requester: Account,
    approver: Account | None,
    *,
    is_vi: bool,
) -> list[tuple[str, str]]:
    size = f"{len(recordings)} tệp, {grouped(sum(item.size for item in recordings))} byte"
    told = [
        ("Mục đích", "Purpose", order.purpose),
        ("Nơi nhận", "Recipient", order.recipient),
        ("Vụ việc", "Case", f"{case.title} ({case.number or '–'})" if case else "–"),
        ("Người đề nghị", "Requested by", f"{requester.display_name}, {moment(order.requested_at)}"),
        ("Người duyệt", "Approved by", f"{approver.display_name}, {moment(order.approved_at)}" if approver else "–"),
        ("Hết hạn", "Expires", moment(order.expires_at)),
        ("Dữ liệu", "Data", size if is_vi else size.replace("tệp", "files").replace("byte", "bytes")),
        (
            "Kèm bản xem",
            "With copies to view",
            ("có" if is_vi else "yes") if order.renditions else ("không" if is_vi else "no"),
        ),
        ("SHA-256 của danh sách mã bản ghi", "SHA-256 of the list of recording ids", order.list_sha256),
    ]
    return [(vi if is_vi else en, value) for vi, en, value in told]


def _signatures(requester: Account, approver: Account | None, *, is_vi: bool) -> list[Signature]:
    hint = "(Ký, ghi rõ họ tên)" if is_vi else "(Signature and full name)"
    return [
        Signature("Người đề nghị" if is_vi else "Requested by", hint, requester.display_name),
        Signature("Người duyệt" if is_vi else "Approved by", hint, approver.display_name if approver else ""),
    ]
