"""What a hand-over slip says, read back from its kept body, and the same on paper (phiếu bàn giao).

The paper is Vietnamese whatever the screen speaks: it is signed and filed. It is made from the kept body alone, so it is the same
whenever it is printed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bodycam.cases.models import MinuteChoice
from bodycam.clock import local
from bodycam.coverage.handover import digest
from bodycam.coverage.models import ShiftEnd
from bodycam.paper import Column, Document, Letterhead, PaperSize, Signature
from bodycam.people.numbers import number_label

SLOT_WORDS: Mapping[str | None, tuple[str, str]] = {
    None: ("không thấy ở trạm cắm", "not seen at a dock"),
    "uploading": ("đang tải lên", "uploading"),
    "verifying": ("đang đối chiếu", "verifying"),
    "waiting_receipt": ("đã lưu, chờ biên nhận", "saved, waiting for the receipt"),
    "done": ("đã xong, đủ biên nhận", "done, with all receipts"),
    "lost": ("mất kết nối", "connection lost"),
    "released": ("rút theo lệnh trực ban", "taken by order of the duty officer"),
    "error": ("lỗi, giữ máy trong khe", "error, left in the slot"),
}
_MEGA, _GIGA = 10**6, 10**9


@dataclass(frozen=True)
class SlipFile:
    """One recording of a slip; `leaf` is its place in the log, None as long as it had none."""

    recording: str
    name: str
    size: int
    sha256: str
    leaf: int | None


@dataclass(frozen=True)
class SlipStop:
    """One stop of a slip: its files, what was answered, and how many receipts there were (times UTC)."""

    camera: str
    starts_at: datetime
    is_read: bool
    seconds: float | None
    is_event: bool
    choice: str
    number: str
    due_at: datetime | None
    receipts: int
    files: Sequence[SlipFile]

    @property
    def size(self) -> int:
        """Its bytes together."""
        return sum(file.size for file in self.files)

    @property
    def ends_at(self) -> datetime | None:
        """When it ended, as far as its length is known."""
        return self.starts_at + timedelta(seconds=self.seconds) if self.is_read and self.seconds is not None else None


@dataclass(frozen=True)
class SlipCamera:
    """A camera of a slip; `state` is the board's, None when no station saw it."""

    camera: str
    serial: str
    station: str
    slot: int | None
    state: str | None
    files_left: int | None


@dataclass(frozen=True)
class Slip:
    """What a slip says."""

    id: str
    number: str
    officer_id: str
    officer: str
    badge: str
    force: str
    team: str
    unit: str
    unit_above: str
    station: str
    started_at: datetime
    ended_at: datetime
    cameras: Sequence[SlipCamera]
    stops: Sequence[SlipStop]
    put_off: int
    sha256: str

    @property
    def files(self) -> int:
        """How many recordings it lists."""
        return sum(len(stop.files) for stop in self.stops)

    @property
    def size(self) -> int:
        """Their bytes together."""
        return sum(stop.size for stop in self.stops)


def read_slip(row: ShiftEnd) -> Slip:
    """Return what a kept slip says."""
    body = json.loads(row.body)
    return Slip(
        id=row.id, number=row.slip, officer_id=row.officer_id, officer=body["officer"], badge=body["number"],
        force=body["force"], team=body["team"] or "", unit=body["unit"], unit_above=body["unit_above"] or "",
        station=body["station"] or "", started_at=row.started_at, ended_at=row.ended_at,
        cameras=[
            SlipCamera(c["camera"], c["serial"], c.get("station") or "", c.get("slot"), c["state"], c.get("files_left"))
            for c in body["cameras"]
        ],
        stops=[_stop(stop) for stop in body["stops"]],
        put_off=body["put_off"], sha256=digest(row),
    )  # fmt: skip


def _stop(stop: Mapping[str, object]) -> SlipStop:
    files = stop["files"] if isinstance(stop["files"], list) else []
    seconds, due = stop["seconds"], stop["due_at"]
    return SlipStop(
        camera=str(stop["camera"] or ""), starts_at=datetime.fromisoformat(str(stop["starts_at"])),
        is_read=bool(stop["is_read"]), seconds=float(str(seconds)) if seconds is not None else None,
        is_event=bool(stop["is_event"]), choice=str(stop["choice"] or ""), number=str(stop["number"] or ""),
        due_at=datetime.fromisoformat(str(due)) if due else None, receipts=int(str(stop["receipts"])),
        files=[SlipFile(**file) for file in files],
    )  # fmt: skip


def print_slip(slip: Slip, *, labels: Mapping[str, str], size: PaperSize = PaperSize.A4) -> bytes:
    """Return the slip as PDF; `labels` are the settings' names of officers' numbers."""
    day = local(slip.ended_at)
    paper = Document(
        "Phiếu bàn giao",
        Letterhead(
            slip.unit_above, slip.unit, f"Số: {slip.number}", f"Ngày {day.day} tháng {day.month} năm {day.year}"
        ),
        subtitle="Máy ghi hình và bản ghi cuối ca",
        digest=slip.sha256,
        size=size,
    )
    team = f", {slip.team}" if slip.team else ""
    paper.rows(
        [
            ("Người giao", f"{slip.officer} – {number_label(labels, slip.force, 'vi')} {slip.badge}"),
            ("Đơn vị", slip.unit + team),
            ("Trạm cắm", slip.station),
            ("Ca", f"từ {_when(slip.started_at)} đến {_when(slip.ended_at)}"),
        ]
    )
    paper.heading("Máy")
    paper.table(
        [Column("Máy", 2), Column("Số máy", 3), Column("Khe", 1), Column("Lúc bàn giao", 5)],
        [[c.camera, c.serial, str(c.slot or "–"), _camera_words(c)] for c in slip.cameras],
    )
    paper.heading(f"Bản ghi: {len(slip.stops)} lần ghi, {slip.files} tệp, {_size(slip.size)}")
    paper.table(
        [Column("STT", 1, is_number=True), Column("Thời gian", 4), Column("Máy", 2), Column("Tệp", 4),
         Column("Dung lượng", 2, is_number=True), Column("Biên bản", 4), Column("Trạng thái", 4)],
        [[str(n), *_line(stop)] for n, stop in enumerate(slip.stops, 1)],
    )  # fmt: skip
    if slip.put_off:
        paper.paragraph(f"Còn {slip.put_off} bản ghi của ca trước chưa ghi số biên bản.")
    paper.signatures(
        [
            Signature("Người giao", "(Ký, ghi rõ họ tên)", slip.officer),
            Signature("Người nhận", "(Ký, ghi rõ họ tên)"),
        ]
    )
    return paper.render()


def _line(stop: SlipStop) -> list[str]:
    first, last = (file.name.rpartition("/")[2] for file in (stop.files[0], stop.files[-1]))
    names = first if len(stop.files) == 1 else f"{len(stop.files)} tệp: {first} … {last}"
    leaves = [file.leaf for file in stop.files if file.leaf is not None]
    place = f", nhật ký số {min(leaves)}" + (f"–{max(leaves)}" if len(leaves) > 1 else "") if leaves else ""
    saved = "đã lưu, có biên nhận" if stop.receipts == len(stop.files) else "đã lưu, chờ biên nhận"
    return [_times(stop), stop.camera, names, _size(stop.size), _choice(stop), saved + place]


def _times(stop: SlipStop) -> str:
    if not stop.is_read:
        return f"lưu lúc {_when(stop.starts_at)}"
    if stop.ends_at is None:
        return _when(stop.starts_at)
    return f"{local(stop.starts_at):%d/%m/%Y %H:%M:%S}–{local(stop.ends_at):%H:%M:%S}"


def _choice(stop: SlipStop) -> str:
    if stop.choice == MinuteChoice.NUMBER:
        return stop.number
    if stop.choice == MinuteChoice.NONE:
        return "không lập biên bản"
    return f"để sau, hạn {_when(stop.due_at)}" if stop.due_at else "để sau"


def _camera_words(camera: SlipCamera) -> str:
    words = SLOT_WORDS.get(camera.state, SLOT_WORDS["error"])[0]
    left = f", còn {camera.files_left} tệp" if camera.files_left else ""
    return f"{words}{left}" + (f" ({camera.station})" if camera.station else "")


def _when(moment: datetime) -> str:
    return f"{local(moment):%d/%m/%Y %H:%M}"


def _size(octets: int) -> str:
    value, unit = (octets / _GIGA, "GB") if octets >= _GIGA else (octets / _MEGA, "MB")
    return f"{value:.1f} {unit}".replace(".", ",")
