"""What can be wrong with a file that was still read as far as it goes: a code, and a text in both languages."""

from dataclasses import dataclass

TEXTS: dict[str, tuple[str, str]] = {
    "empty": ("Tệp rỗng (0 byte).", "The file is empty (0 bytes)."),
    "no_moov": (
        "Tệp MP4 bị cắt trước khi máy ghi xong mục lục (không có moov); có thể do rút máy hoặc hết pin.",
        "The MP4 was cut before the camera wrote its index (no moov); the camera may have been pulled or lost power.",
    ),
    "truncated": (
        "Tệp ngắn hơn độ dài ghi bên trong: thiếu {missing} byte ở cuối.",
        "The file is shorter than it says inside: {missing} bytes are missing at its end.",
    ),
    "damaged": ("Cấu trúc tệp bị hỏng, không đọc được.", "The file's structure is damaged and can't be read."),
    "not_media": ("Đây là văn bản, không phải bản ghi hình hay ghi âm.", "This is text, not a recording."),
    "unknown_format": (
        "Không nhận ra định dạng tệp; có thể đã mã hóa hoặc hỏng.",
        "The file's format isn't known; it may be encrypted or damaged.",
    ),
    "no_streams": ("Tệp không có hình và không có tiếng.", "The file has neither picture nor sound."),
    "exif_damaged": (
        "Thông tin Exif bị hỏng một phần; đã đọc phần còn lại bằng cách khác.",
        "The Exif block is partly damaged; what is left was read another way.",
    ),
    "bad_position": (
        "Vị trí ghi trong tệp nằm ngoài khoảng hợp lệ nên không dùng: {raw}.",
        "A position in the file is out of range and isn't used: {raw}.",
    ),
    "track_damaged": (
        "Dữ liệu định vị bị hỏng một phần: bỏ {count} điểm.",
        "The positioning data are partly damaged: {count} fixes were left out.",
    ),
    "bad_checksums": (
        "{count} câu NMEA sai mã kiểm; vẫn giữ lại để đối chiếu.",
        "{count} NMEA sentences have a wrong checksum; they are kept.",
    ),
}


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file, by code, in both languages."""

    code: str
    vi: str
    en: str


def problem(code: str, **values: object) -> Problem:
    """Return the problem of this code with its numbers filled in."""
    vi, en = TEXTS[code]
    return Problem(code, vi.format(**values), en.format(**values))
