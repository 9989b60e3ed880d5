"""Why a person opens, exports, attaches: a short list, since a free field is filled with a dot.

The code goes into the custody log as it is; what was typed beside "other" only as a salted commitment.
"""

from dataclasses import dataclass

from flask import request

from bodycam.errors import InvalidInputError
from webui.common.locale import t

LONGEST = 300


@dataclass(frozen=True)
class Given:
    """A reason as given: its code, and the words beside "other"."""

    code: str
    words: str

    @property
    def private(self) -> dict[str, str]:
        """The words as a private value of a custody event."""
        return {"reason": self.words} if self.words else {}


VIEWING = {
    "shift_check": ("Kiểm tra ca trực", "Shift check"),
    "sample_review": ("Kiểm tra theo mẫu", "Sample review"),
    "case_work": ("Phục vụ hồ sơ vụ việc", "Work on a case"),
    "complaint": ("Giải quyết khiếu nại, phản ánh", "Complaint or petition"),
    "authority_request": ("Yêu cầu của cơ quan có thẩm quyền", "Request of an authority"),
    "technical": ("Kiểm tra kỹ thuật", "Technical check"),
    "other": ("Lý do khác", "Other reason"),
}
EXPORTING = {code: VIEWING[code] for code in ("case_work", "complaint", "authority_request", "other")}
READING = {
    "intake": ("Tiếp nhận, phân loại", "Intake and sorting"),
    "verifying": ("Xác minh nội dung phản ánh", "Verifying what is reported"),
    "audit": ("Kiểm tra việc tiếp nhận, giải quyết", "Audit of how reports are handled"),
    **{code: VIEWING[code] for code in ("authority_request", "other")},
}
IDENTIFYING = {
    "contact_sender": ("Liên hệ người gửi để làm rõ", "To ask the sender for details"),
    "send_answer": ("Gửi trả lời cho người gửi", "To send the answer"),
    **{code: VIEWING[code] for code in ("authority_request", "other")},
}
_WORDS = VIEWING | READING | IDENTIFYING


def words_of(code: str | None) -> str:
    """Return a reason's words for a code out of the log; an unknown code is shown as it is."""
    return t(*_WORDS[code]) if code in _WORDS else code or ""


def given(choices: dict[str, tuple[str, str]]) -> Given:
    """Return the reason of the request's form; raises InvalidInputError when none is chosen or "other" says nothing."""
    code = request.form.get("reason", "")
    words = " ".join(request.form.get("words", "").split())[:LONGEST]
    if code not in choices:
        raise InvalidInputError(
            field=t("Lý do", "Reason"), reason_vi="chọn một lý do trong danh sách", reason="choose one of the list"
        )
    if code == "other" and not words:
        raise InvalidInputError(
            field=t("Lý do", "Reason"), reason_vi="“Lý do khác” cần ghi rõ", reason="“Other” needs a few words"
        )
    return Given(code, words)
