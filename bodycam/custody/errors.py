"""What can go wrong with the log, each with what to do."""

from bodycam.errors import BodycamError


class LogDamagedError(BodycamError):
    """A file of the log is missing, cut or not what the hashes above it say."""

    code = "log_damaged"
    vi = "Nhật ký bị hỏng ở {path}: {reason}. Không sửa tay; chạy “bodycam log verify” và khôi phục tệp từ bản sao lưu."
    en = "The log is damaged at {path}: {reason}. Don't edit it; run `bodycam log verify` and restore the file from a backup."
    exit_code = 5


class LogForkError(BodycamError):
    """Going on would sign a history that contradicts one already signed."""

    code = "log_fork"
    vi = (
        "Nhật ký trên đĩa mâu thuẫn với điểm đã ký ({reason_vi}). Không ký tiếp. Có thể thư mục nhật ký, cơ sở dữ liệu hoặc khóa "
        "được khôi phục từ bản cũ, hoặc bị sửa: giữ nguyên hiện trạng, chạy “bodycam log verify”, báo người quản trị."
    )
    en = (
        "The log on disk contradicts what was signed ({reason}). Nothing more is signed. The log folder, the database or the "
        "keys may come from an older backup, or were altered: keep everything as it is, run `bodycam log verify`, and tell "
        "the administrator."
    )
    exit_code = 5


class LogKeyError(BodycamError):
    """The signing key is missing, unreadable or belongs to another log."""

    code = "log_key"
    vi = "Không dùng được khóa ký nhật ký {path}: {reason}. Khôi phục đúng tệp khóa của nhật ký này từ bản sao lưu."
    en = "The log's signing key {path} can't be used: {reason}. Restore this log's own key file from a backup."


class NoteError(BodycamError):
    """A signed note isn't well formed, or not signed by the expected key."""

    code = "note_invalid"
    vi = "Chữ ký hoặc định dạng không hợp lệ: {reason}."
    en = "The signature or the format is not valid: {reason}."
    exit_code = 5


class PolicyError(BodycamError):
    """A policy file (C2SP tlog-policy) can't be used: nothing may be judged by it."""

    code = "policy_invalid"
    vi = "Tệp chính sách xác nhận sai ở dòng {line}: {reason}. Sửa tệp, hoặc xin lại từ nơi ban hành."
    en = "The witness policy is wrong at line {line}: {reason}. Correct the file, or get it again from whoever issued it."
    exit_code = 2


class ReceiptError(BodycamError):
    """A receipt doesn't prove what it says."""

    code = "receipt_invalid"
    vi = "Biên nhận không hợp lệ: {reason}. Biên nhận đã bị sửa, bị cắt hoặc thuộc nhật ký khác."
    en = "The receipt is not valid: {reason}. It was altered, cut, or belongs to another log."
    exit_code = 5


class NotInLogError(BodycamError):
    """The event is committed but no checkpoint covers it yet."""

    code = "not_in_log_yet"
    vi = "Sự kiện {event_id} đang chờ ghi vào nhật ký. Thử lại sau vài giây; nếu vẫn vậy, bộ ghi (sequencer) đã dừng."
    en = "Event {event_id} still waits for the log. Try again in a few seconds; if it stays so, the sequencer has stopped."


class TimestampError(BodycamError):
    """A timestamp doesn't prove what it should, or its authority's certificates can't be read."""

    code = "timestamp_invalid"
    vi = "Dấu thời gian không hợp lệ: {reason}. Không dùng được làm căn cứ; kiểm tra chứng thư gốc của cơ quan cấp dấu thời gian."
    en = "The timestamp is not valid: {reason}. It proves nothing; check the authority's root certificate."
    exit_code = 5
