"""The root of every error a person may meet.

An error has a stable `code`, and says in Vietnamese and in English what happened and what to do. `BodycamError` itself is
never raised; each slice keeps its own subclasses in its `errors.py`. Only `webui.common` turns them into HTTP and only the
command line into exit codes.
"""

from typing import ClassVar


class BodycamError(Exception):
    """Base of all domain errors; never raised itself.

    Subclasses set `code`, `vi` and `en`; the two texts are `str.format` templates filled from the keyword arguments.
    """

    code: ClassVar[str] = "error"
    vi: ClassVar[str] = "Có lỗi."
    en: ClassVar[str] = "Something went wrong."
    exit_code: ClassVar[int] = 1

    def __init__(self, **values: object) -> None:
        """Keep the values that fill the two texts; they are also attributes of `self.values`."""
        self.values = values
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """Return the message in "vi" or "en"."""
        template = self.vi if language == "vi" else self.en
        return template.format(**self.values)


class NotFoundError(BodycamError):
    """What was asked for isn't there, or the asker may not know that it is."""

    code = "not_found"
    vi = "Không tìm thấy {what}."
    en = "Not found: {what}."


class InvalidInputError(BodycamError):
    """A value from outside breaks a rule; names the field and the rule."""

    code = "invalid_input"
    vi = "{field}: {reason_vi}"
    en = "{field}: {reason}"

    def __init__(self, *, field: str, reason: str, reason_vi: str | None = None) -> None:
        """Name the field and say in both languages what is wrong with it (English serves both when alone)."""
        super().__init__(field=field, reason=reason, reason_vi=reason_vi or reason)


class ConflictError(BodycamError):
    """Somebody else changed or holds the thing meanwhile."""

    code = "conflict"
    vi = "{what} đang được dùng hoặc vừa thay đổi; thử lại."
    en = "{what} is in use or has just changed; try again."


class DiskFullError(BodycamError):
    """A disk has no room for the database, the log or sealed bytes; what was committed before is kept."""

    code = "disk_full"
    vi = "Ổ đĩa đã đầy ({path}). Dữ liệu đã lưu vẫn còn nguyên; hãy giải phóng chỗ trống, công việc sẽ tiếp tục từ chỗ dừng."
    en = "The disk is full ({path}). Nothing saved is lost; free some space, and work goes on where it stopped."


class DatabaseAwayError(BodycamError):
    """The database does not answer, or somebody holds it for too long."""

    code = "database_away"
    vi = "Cơ sở dữ liệu không trả lời ({reason}). Dữ liệu đã lưu vẫn còn nguyên; kiểm tra máy chủ cơ sở dữ liệu (`bodycam doctor`) rồi thử lại."
    en = "The database does not answer ({reason}). Nothing saved is lost; check its server (`bodycam doctor`), then try again."


class DatabaseEmptyError(BodycamError):
    """A table is missing: the database was never brought up to date."""

    code = "database_empty"
    vi = "Cơ sở dữ liệu chưa được chuẩn bị. Chạy: bodycam db upgrade"
    en = "The database was not made ready. Run: bodycam db upgrade"
