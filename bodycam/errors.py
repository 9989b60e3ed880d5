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
