"""Is the sealed object still what was sealed, and did the camera sign it?"""

from bodycam.recordings.models import Verdict
from bodycam.verification.facts import RecordingFacts
from bodycam.verification.finding import Finding, Row

_DAMAGES = {  # by the vault's problem codes
    "object_missing": ("tệp không còn trong kho", "the object is no longer in the vault"),
    "object_unreadable": ("ổ đĩa không đọc được dữ liệu", "the disk can't read the data"),
    "object_damaged": ("dữ liệu đã khác lúc khóa", "the data differ from what was sealed"),
    "size_mismatch": ("độ dài khác lúc khóa", "the length differs from what was sealed"),
    "envelope_damaged": ("phong bì khóa mã bị hỏng", "the key's envelope is damaged"),
    "key_missing": ("thiếu khóa giải mã", "the key to decrypt it is missing"),
    "manifest_damaged": ("bản kê kèm theo bị hỏng", "the manifest beside it is damaged"),
}


def sealed_bytes(facts: RecordingFacts) -> Finding:
    """Compare the hash of the re-read bytes with the one noted at sealing."""
    row, code = Row.INTEGRITY, "integrity.sealed"
    if facts.is_loose:
        return Finding(
            row,
            code,
            Verdict.NOT_APPLICABLE,
            "Tệp rời, chưa lưu vào hệ thống nên không có mã băm gốc để so.",
            "A loose file that isn't stored in the system; there is no earlier hash to compare with.",
        )
    if facts.sealed is None:
        return Finding(
            row, code, Verdict.NOT_CHECKED, "Chưa đọc lại dữ liệu đã khóa.", "The sealed data were not re-read."
        )
    short = facts.sealed.sha256[:12]
    if not facts.sealed.problems:
        return Finding(
            row,
            code,
            Verdict.MATCH,
            f"Đã đọc lại toàn bộ: dữ liệu đúng như lúc khóa (SHA-256 {short}…).",
            f"Re-read in full: the data are as they were sealed (SHA-256 {short}…).",
            {"sha256": facts.sealed.sha256},
        )
    vi, en = _DAMAGES.get(facts.sealed.problems[0], ("dữ liệu đã khóa có lỗi", "the sealed data have a fault"))
    return Finding(
        row,
        code,
        Verdict.CONTRADICTION,
        f"Đọc lại thì thấy {vi}. Có thể do hỏng đĩa; cần so với bản sao và nhật ký trước khi kết luận.",
        f"On re-reading, {en}. It may be a failing disk; compare with a copy and the log before concluding.",
        {"sha256": facts.sealed.sha256, "problems": ", ".join(facts.sealed.problems)},
    )


def device_signature(facts: RecordingFacts) -> Finding:  # noqa: ARG001  every check takes the facts
    """Say that the camera signs nothing; none of the supported ones does."""
    return Finding(
        Row.DEVICE_SIGNATURE,
        "device_signature.none",
        Verdict.NOT_APPLICABLE,
        "Máy này không ký lên bản ghi; tính toàn vẹn chỉ được bảo đảm từ lúc cắm vào trạm.",
        "This camera doesn't sign its recordings; integrity is assured only from docking on.",
    )
