"""The report in a package: what, who, when, where, what the checks found, its way through our hands, hashes, how to verify.

It is for people, in Vietnamese with English beside it; the proof is in the other files. Times are Vietnam's. A position is WGS 84 as
it was recorded; VN-2000 is for reference only.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.kinds import KINDS
from bodycam.custody.log import Log
from bodycam.geo.geodesy import to_vn2000
from bodycam.geo.zones import zone_of
from bodycam.packages.order_paper import letterhead, moment
from bodycam.packages.plan import Item, Plan
from bodycam.paper import Column, Document
from bodycam.recordings.models import Verdict
from bodycam.verification.finding import ROW_NAMES, VERDICT_NAMES
from bodycam.wipes.minute import grouped

MOST_DETAILED = 300  # recordings with a chapter of their own; the others are in the table and in findings/
_VERIFY = """1. Lấy chương trình kiểm tra và tệp chính sách (khóa của nhật ký, khóa các bên xác nhận) từ nơi công bố, không lấy từ gói này. / \
Get the verifier and the policy file (the log's key, the witnesses' keys) from where they are published, never from this package.
2. bodycam package verify <thư mục / folder> --policy <tệp / file>, hoặc mở verify.html rồi chọn thư mục gói / or open verify.html and choose the folder.
3. Kết quả / Verdict: Hợp lệ (VALID), Hợp lệ – chưa có bên xác nhận (VALID-UNWITNESSED), Thiếu thành phần (INCOMPLETE), Dữ liệu đã thay đổi (TAMPERED).
4. Không cần chương trình nào của đơn vị / With no program of ours: sha256sum -c manifest-sha256.txt; bagit.py --validate; openssl dgst -sha256 <tệp / file>.
5. Định dạng được công bố trong docs/formats.md; ai cũng có thể viết chương trình kiểm tra riêng. / The format is published; anybody can write a verifier."""
_LIMITS = """Kết quả kiểm tra cho biết các byte này đúng là byte đã được lưu vào lúc ghi trong nhật ký và từ đó không thay đổi. Kết quả đó \
không nói nội dung hình ảnh là đúng sự thật. Gói chỉ có các sự kiện cần cho phiếu này; thiếu một sự kiện trong chuỗi không có ý nghĩa gì. / \
A verdict says that these are the bytes that were stored when the log says so, unchanged since. It does not say that what they show is true. The package \
holds only the events that this order needs; a gap in their chain means nothing."""


def report_pdf(plan: Plan, log: Log, head: Checkpoint) -> bytes:
    """Return the report as a PDF."""
    document = Document(
        "Báo cáo gói chứng cứ",
        letterhead(plan.order, plan.unit, plan.above, is_vi=True),
        subtitle="Evidence package report",
        digest=plan.order.list_sha256,
    )
    order = plan.order
    document.heading("1. Phiếu đề nghị / The order")
    document.rows(
        [
            ("Số phiếu / Number", order.number),
            ("Mục đích / Purpose", order.purpose),
            ("Nơi nhận / Recipient", order.recipient),
            ("Vụ việc / Case", f"{plan.case.title} ({plan.case.number or '–'})" if plan.case else "–"),
            ("Đề nghị / Requested", f"{plan.requester.display_name}, {moment(order.requested_at)}"),
            ("Duyệt / Approved", f"{plan.approver.display_name}, {moment(order.approved_at)}"),
            ("Hết hạn / Expires", moment(order.expires_at)),
            ("Nhật ký / Log", f"{log.origin}\n{log.verifier}"),
            ("Điểm nhật ký / Checkpoint", f"{grouped(head.size)} mục / entries\n{head.root.hex()}"),
        ]
    )
    document.heading("2. Danh mục / Contents")
    document.table(
        [Column("STT / No.", 0.7, is_number=True), Column("Tệp / File", 2.6), Column("Bắt đầu / Start", 1.7),
         Column("Cỡ / Size (byte)", 1.4, is_number=True), Column("SHA-256", 3.6)],
        [[str(n), item.recording.name, moment(item.recording.started_at), grouped(item.recording.size), item.recording.sha256]
         for n, item in enumerate(plan.items, 1)],
    )  # fmt: skip
    names = {account.id: account.display_name for account in (plan.requester, plan.approver)}
    for number, item in enumerate(plan.items[:MOST_DETAILED], 1):
        _chapter(document, number, item, names)
    document.heading("4. Cách kiểm tra / How to verify")
    document.paragraph(_VERIFY)
    document.heading("5. Điều gói này không chứng minh / What it can't show")
    document.paragraph(_LIMITS)
    return document.render()


def _chapter(document: Document, number: int, item: Item, names: Mapping[str, str]) -> None:
    recording = item.recording
    document.heading(f"3.{number}. {item.described.name}")
    document.rows(
        [
            ("Mã bản ghi / Recording", recording.id),
            ("Tệp gốc trong gói / Original in the package", item.original_path),
            (
                "Bản xem / Copy to view",
                f"{item.proxy_path} (không phải bản gốc / not the original)" if item.proxy else "–",
            ),
            ("SHA-256", recording.sha256),
            ("Máy / Camera", _camera(item)),
            ("Cán bộ / Officer", _officer(item)),
            ("Thời gian / Time", _time(item)),
            ("Nơi / Place", _place(item)),
            ("Kết luận kiểm tra / Checks", " / ".join(VERDICT_NAMES[Verdict(recording.verdict)])),
        ]
    )
    if item.findings:
        document.table(
            [Column("Kiểm tra / Check", 1.6), Column("Kết quả / Result", 1.4), Column("Giải thích / Explanation", 6)],
            [[" / ".join(ROW_NAMES[f.row]), " / ".join(VERDICT_NAMES[f.result]), f"{f.vi}\n{f.en}"] for f in item.findings],
        )  # fmt: skip
    document.table(
        [Column("Mục / Entry", 0.9, is_number=True), Column("Lúc / At", 1.8), Column("Sự kiện / Event", 4), Column("Ai / Who", 2.6)],
        [_event(event.body, event.log_index or 0, names) for event in item.events],
    )  # fmt: skip


def _event(body: str, index: int, names: Mapping[str, str]) -> list[str]:
    leaf = json.loads(body)
    kind = KINDS.get(leaf["kind"])
    actor = str(leaf.get("actor") or "–")
    words = f"{kind.vi} / {kind.en}" if kind else leaf["kind"]
    return [grouped(index), moment(datetime.fromisoformat(leaf["time"])), words, names.get(actor, actor)]


def _camera(item: Item) -> str:
    camera, recording = item.described.camera, item.recording
    made = " ".join(part for part in (recording.device_make, recording.device_model) if part)
    named = f"{camera.label or '–'}, số máy / serial {camera.serial}" if camera else "–"
    return f"{named}\n{made}" if made else named


def _officer(item: Item) -> str:
    officer, unit = item.described.officer, item.described.unit
    named = f"{officer.name}, {officer.number}" if officer else "–"
    return f"{named}\n{unit.name}" if unit else named


def _time(item: Item) -> str:
    recording = item.recording
    lines = [
        f"Giờ đã hiệu chỉnh / Corrected: {' – '.join(moment(m) for m in (recording.started_at, recording.ended_at) if m) or '–'}",
        f"Máy tự ghi / As the device wrote it: {recording.time_raw or '–'}",
        f"Lưu vào kho / Stored: {moment(recording.sealed_at)}",
    ]
    if recording.clock_offset_s is not None:
        lines.append(f"Đồng hồ máy lệch khi cắm trạm / Device clock at the dock: {recording.clock_offset_s:+.1f} s")
    return "\n".join(lines)


def _place(item: Item) -> str:
    recording = item.recording
    if recording.lat is None or recording.lon is None:
        return "Không có định vị / No position"
    zone = zone_of(recording.lon)
    lines = [f"WGS 84: {recording.lat:.6f}, {recording.lon:.6f}"]
    with suppress(ValueError):  # the projection has no answer there
        east, north = to_vn2000(recording.lat, recording.lon, zone.epsg)
        lines.append(
            f"VN-2000: X {grouped(round(north))} m, Y {grouped(round(east))} m, "
            f"kinh tuyến trục / central meridian {zone.meridian}°, múi / zone {zone.width}° "
            "(để tham khảo, khoảng 1 m cộng sai số máy / for reference, about 1 m plus the receiver's error)"
        )
    if recording.place:
        lines.append(recording.place)
    if item.track is not None:
        lines.append(f"Vết / Track: {item.track.count} điểm / positions, {item.track.distance_m / 1000:.2f} km")
    return "\n".join(lines)
