"""Why a package gets its verdict: the one table of reason codes (docs/formats.md says the same, and a test compares them)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_MAX_SHOWN = 500


class Weight(StrEnum):
    """How much a reason weighs."""

    TAMPERED = "T"
    INCOMPLETE = "I"
    UNWITNESSED = "W"


class Verdict(StrEnum):
    """What a verification ends with."""

    VALID = "valid"
    UNWITNESSED = "valid-unwitnessed"
    INCOMPLETE = "incomplete"
    TAMPERED = "tampered"

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return {Verdict.VALID: 0, Verdict.UNWITNESSED: 3, Verdict.INCOMPLETE: 4, Verdict.TAMPERED: 5}[self]


VERDICT_NAMES: dict[Verdict, tuple[str, str]] = {
    Verdict.VALID: ("Hợp lệ", "VALID"),
    Verdict.UNWITNESSED: ("Hợp lệ – chưa có bên xác nhận", "VALID-UNWITNESSED"),
    Verdict.INCOMPLETE: ("Thiếu thành phần", "INCOMPLETE"),
    Verdict.TAMPERED: ("Dữ liệu đã thay đổi", "TAMPERED"),
}

_T, _I, _W = Weight.TAMPERED, Weight.INCOMPLETE, Weight.UNWITNESSED
REASONS: dict[str, tuple[Weight, str, str]] = {
    "file_special": (
        _T,
        "Có liên kết hoặc tệp đặc biệt, không phải tệp thường",
        "A link or special file, not a plain file",
    ),
    "path_forbidden": (_T, "Tên tệp không được phép", "A file name that is not allowed"),
    "path_twin": (_T, "Hai tên tệp chỉ khác chữ hoa, chữ thường", "Two file names that differ in case only"),
    "file_extra": (_T, "Tệp lạ, không có trong danh mục của gói", "A file that the package doesn't list"),
    "file_changed": (_T, "Nội dung tệp đã thay đổi", "The file's content was changed"),
    "tag_malformed": (_T, "Tệp mô tả gói không đúng dạng", "A tag file is malformed"),
    "tag_changed": (_T, "Tệp mô tả gói đã thay đổi", "A tag file was changed"),
    "limit_exceeded": (_T, "Vượt giới hạn của định dạng; không đọc", "Beyond the format's limits; not read"),
    "manifest_changed": (
        _T,
        "Danh mục tệp không phải danh mục đã ghi vào nhật ký",
        "The manifest is not the one in the log",
    ),
    "proof_false": (_T, "Bằng chứng của gói không đúng", "The package's proof is false"),
    "log_unknown": (
        _T,
        "Không phải nhật ký trong chính sách của người kiểm tra; xem lại tệp chính sách",
        "Not a log of your policy; check that the policy file is the right one",
    ),
    "checkpoint_false": (
        _T,
        "Điểm nhật ký hoặc chữ ký trên đó không đúng",
        "The checkpoint, or a signature on it, is false",
    ),
    "log_forked": (_T, "Hai điểm nhật ký không thuộc cùng một nhật ký", "Two checkpoints are not of one log"),
    "document_malformed": (_T, "Tệp thông tin của gói không đúng dạng", "A document of the package is malformed"),
    "event_false": (_T, "Sự kiện hoặc bằng chứng của sự kiện không đúng", "An event or its proof is false"),
    "event_of_another": (_T, "Sự kiện của bản ghi hoặc phiếu khác", "An event of another recording or order"),
    "original_differs": (
        _T,
        "Tệp gốc không phải tệp đã lưu, khóa chống sửa",
        "The original is not the file that was sealed",
    ),
    "copy_differs": (_T, "Bản xem không phải bản đã tạo từ tệp gốc", "The copy is not the one made from the original"),
    "receipt_false": (_T, "Biên nhận không đúng", "The receipt is false"),
    "recording_twice": (_T, "Một bản ghi có hai lần", "One recording is listed twice"),
    "order_differs": (_T, "Phiếu đề nghị không khớp với nhật ký", "The order is not as the log has it"),
    "recording_not_ordered": (_T, "Có nội dung ngoài phiếu đề nghị", "Something the order doesn't cover"),
    "timestamp_false": (_T, "Dấu thời gian không đúng", "A timestamp is false"),
    "file_missing": (_I, "Thiếu tệp", "A file is missing"),
    "file_unreadable": (_I, "Không đọc được tệp", "A file can't be read"),
    "reference_missing": (_I, "Gói nhắc tới tệp không có trong danh mục", "The package names a file it doesn't list"),
    "proof_missing": (_I, "Thiếu bằng chứng của gói trong nhật ký", "The package's proof is missing"),
    "opening_missing": (
        _I,
        "Thiếu dữ liệu để mở cam kết của tệp gốc",
        "What opens the original's commitment is missing",
    ),
    "recording_missing": (_I, "Thiếu bản ghi nêu trong phiếu", "A recording of the order is missing"),
    "order_missing": (_I, "Thiếu sự kiện đề nghị hoặc phê duyệt", "The order's request or approval is missing"),
    "order_self_approved": (
        _I,
        "Người đề nghị tự phê duyệt: phiếu không có giá trị",
        "Requester and approver are one: no valid order",
    ),
    "order_expired": (
        _I,
        "Gói không được tạo trong thời hạn của phiếu",
        "The package was not made while the order held",
    ),
    "unwitnessed": (_W, "Chưa đủ bên xác nhận độc lập", "Not enough independent witnesses"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that doesn't fit, and the path it is about."""

    code: str
    where: str

    @property
    def weight(self) -> Weight:
        """How much it weighs."""
        return REASONS[self.code][0]

    @property
    def vi(self) -> str:
        """The reason in Vietnamese."""
        return REASONS[self.code][1]

    @property
    def en(self) -> str:
        """The reason in English."""
        return REASONS[self.code][2]


@dataclass(slots=True)
class Reasons:
    """What was found so far: all weights count, the first 500 reasons are kept."""

    found: list[Reason] = field(default_factory=list)
    _weights: set[Weight] = field(default_factory=set)

    def add(self, code: str, where: str = "") -> None:
        """Note a reason once."""
        reason = Reason(code, where)
        self._weights.add(reason.weight)
        if len(self.found) < _MAX_SHOWN and reason not in self.found:
            self.found.append(reason)

    def verdict(self) -> Verdict:
        """Return the worst that was found: TAMPERED, INCOMPLETE, VALID-UNWITNESSED, VALID."""
        order: Sequence[tuple[Weight, Verdict]] = (
            (Weight.TAMPERED, Verdict.TAMPERED),
            (Weight.INCOMPLETE, Verdict.INCOMPLETE),
            (Weight.UNWITNESSED, Verdict.UNWITNESSED),
        )
        return next((verdict for weight, verdict in order if weight in self._weights), Verdict.VALID)
