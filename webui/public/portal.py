"""The portal's blueprint, and what all its pages share: words about law, promises, the sending panel.

A promise is shown only while it holds: that no network address is kept is said only when the server that runs this application
says that it writes no access log (`ADDRESSES_LOGGED`, set by `webui.serve`; unknown counts as logged).
"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from bodycam import clock
from bodycam.petitions import legal, service, uploads
from bodycam.petitions.models import FileState, Submission, SubmissionFile
from webui.common.base import runtime
from webui.common.formatting import size
from webui.common.locale import t
from webui.public import visitor

portal = Blueprint("public", __name__)


@dataclass(frozen=True)
class PanelFile:
    """One file as the sending panel shows it."""

    url: str
    name: str
    size: int
    offset: int
    sha256: str | None
    state: str
    words: str


@portal.app_context_processor
def shared() -> dict[str, Any]:
    """Give every template what it may use."""
    return {
        "has_session": lambda: visitor.submission_id() is not None,
        "legal": lambda place: legal.texts(place, clock.local(clock.now()).date()),
        "hotline": runtime().settings.public.hotline,
        "most_bytes": runtime().settings.public.max_upload_bytes,
        "most_files": uploads.MOST_FILES,
        "no_addresses": not current_app.config.get("ADDRESSES_LOGGED", True),
        "token": lambda: Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf()),
        "files": [],
        "demo_home": _demo_home(),
    }


def _demo_home() -> str:
    """Return the address of the demo's stories on the staff app; empty outside a demo, where neither door knows the other."""
    staff = runtime().settings.staff
    return f"http://{staff.host}:{staff.port}/demo/citizen" if runtime().settings.demo else ""


def panel_files(submission_id: str) -> list[PanelFile]:
    """Return a report's files for the sending panel."""
    rt = runtime()
    with rt.db.read() as session:
        submission = session.get(Submission, submission_id)
        received = submission is not None and submission.received_at is not None
        files = service.files_of(session, submission_id)
        return [_panel_file(file, uploads.name_of(session, rt.keyring, file), received) for file in files]


def _panel_file(file: SubmissionFile, name: str, received: bool) -> PanelFile:
    return PanelFile(
        url=url_for("uploads.upload", upload_id=file.id),
        name=name,
        size=file.size,
        offset=file.offset,
        sha256=file.declared_sha256,
        state=file.state,
        words=file_words(file, received),
    )


def file_words(file: SubmissionFile, received: bool = True) -> str:
    """Say where a file stands, in the reader's language; `received`: the report's text has been received."""
    match file.state:
        case FileState.RECEIVING:
            sent = t(
                f"Đã nhận {size(file.offset)} trên {size(file.size)}", f"{size(file.offset)} of {size(file.size)} here"
            )
            more = t("chọn lại đúng tệp này để gửi tiếp", "choose this very file again to go on")
            return f"{sent} – {more}"
        case FileState.COMPLETE if not received:
            return t(
                "Đã nhận đủ; được đối chiếu khi bạn gửi phản ánh",
                "All of it is here; compared once you send the report",
            )
        case FileState.COMPLETE:
            return t("Đã nhận đủ, đang đối chiếu và khóa chống sửa", "All of it is here, being compared and locked")
        case FileState.SEALED:
            return t("Đã lưu, khóa chống sửa", "Stored and locked against change")
    return t(
        "Không khớp với tệp trên máy gửi: chưa được tiếp nhận. Chọn lại tệp và gửi lại.",
        "Differs from the file on the sender's device: not accepted. Choose the file and send it again.",
    )
