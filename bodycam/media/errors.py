"""What ends the reading of a file from outside. What is merely wrong with a file is a `problems.Problem`."""

from bodycam.errors import BodycamError


class MediaError(BodycamError):
    """Base of the reading errors; never raised itself."""

    code = "media"


class SandboxTimeoutError(MediaError):
    """Reading took longer than allowed; the child process was ended."""

    code = "read_timeout"
    vi = "Đọc tệp quá {seconds} giây nên đã dừng. Bản gốc vẫn được giữ nguyên; thử lại hoặc xem trên máy của hãng."
    en = (
        "Reading took more than {seconds} s and was stopped. The original is kept; try again or use the maker's player."
    )


class SandboxMemoryError(MediaError):
    """Reading wanted more memory than allowed."""

    code = "read_memory"
    vi = "Đọc tệp cần nhiều bộ nhớ hơn mức cho phép ({mib} MiB) nên đã dừng. Bản gốc vẫn được giữ nguyên."
    en = "Reading wanted more memory than allowed ({mib} MiB) and was stopped. The original is kept."


class SandboxCrashError(MediaError):
    """The child process that read the file died or failed in a way nobody foresaw."""

    code = "read_crash"
    vi = "Chương trình đọc tệp gặp lỗi ({detail}). Bản gốc vẫn được giữ nguyên; tệp có thể hỏng."
    en = "The reader failed on this file ({detail}). The original is kept; the file may be damaged."


class NoPictureError(MediaError):
    """No picture could be decoded, so there is no preview."""

    code = "no_picture"
    vi = "Không giải mã được hình nào từ tệp này; không có ảnh xem trước."
    en = "No picture could be decoded from this file; there is no preview."


class NotPlayableError(MediaError):
    """No viewing copy could be made."""

    code = "not_playable"
    vi = "Không tạo được bản xem từ tệp này ({detail}). Bản gốc vẫn tải về được."
    en = "No viewing copy could be made of this file ({detail}). The original can still be downloaded."
