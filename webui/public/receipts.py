"""The receipts of this session's report: the first as soon as the text is in, one more for each sealed file.

A receipt is the custody log's own file; the page only shows it. Its QR code holds the look-up id (or the report's id while
there is no code) and the leaf hash, so that a scanner finds the proof without learning anything of the report.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Response, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.errors import NotFoundError
from bodycam.petitions import content, service
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import FileState, Submission, SubmissionFile
from webui.common.base import runtime
from webui.common.formatting import minute
from webui.common.locale import t
from webui.common.receipt_codes import receipt_code
from webui.public import visitor
from webui.public.portal import file_words, panel_files, portal


@dataclass(frozen=True)
class ShownReceipt:
    """One receipt as the page shows it; `issued_at` is None while the log has not covered the event.

    `witnessed_at` is when it was written anew with the signatures of a quorum of outside witnesses.
    """

    title: str
    said: str
    event_id: str | None
    issued_at: datetime | None = None
    sha256: str = ""
    qr: Markup | None = None
    witnessed_at: datetime | None = None


@portal.get("/bien-nhan")
def receipts() -> str:
    """Show all receipts, and what is still under way."""
    with runtime().db.read() as session:
        submission = received(session)
        files = service.files_of(session, submission.id)
        text = _text_receipt(session, submission)
        shown = [_file_receipt(session, submission, file, n) for n, file in enumerate(files, 1)]
    moving = any(file.state in {FileState.RECEIVING, FileState.COMPLETE} for file in files)
    unsigned = any(item.issued_at is None and item.event_id for item in [text, *shown])
    return render_template(
        "public/receipts.html",
        summary=_summary(submission, files),
        text_receipt=text,
        file_receipts=shown,
        pending=moving or unsigned,
        code_confirmed=submission.code_confirmed,
        has_witnesses=bool(runtime().settings.log.policy),
        files=[file for file in panel_files(submission.id) if file.state == FileState.RECEIVING],
    )


@portal.get("/bien-nhan/<event_id>.json")
def receipt_file(event_id: str) -> Response:
    """Give a receipt as a file; only those of this session's report."""
    with runtime().db.read() as session:
        submission = received(session)
        receipt = custody.receipt_for(session, event_id)
    if receipt is None or receipt.object_id != submission.id:
        raise NotFoundError(what=t("biên nhận này", "this receipt"))
    return _download(receipt.body, f"bien-nhan-{event_id[-6:]}.json")


@portal.get("/noi-dung-da-gui.json")
def what_was_sent() -> Response:
    """Give exactly the text whose SHA-256 the first receipt opens."""
    rt = runtime()
    with rt.db.read() as session:
        told = service.content_of(rt.keyring, received(session))
    return _download(content.write_content(told), "noi-dung-da-gui.json")


def received(session: Session) -> Submission:
    """Return this session's report; raises NoSuchSubmissionError while it is a draft or when there is none."""
    submission = session.get(Submission, visitor.required())
    if submission is None or submission.received_at is None:
        raise NoSuchSubmissionError(what="submission")
    return submission


def _summary(submission: Submission, files: list[SubmissionFile]) -> str:
    at = minute(submission.received_at)
    if any(file.state == FileState.RECEIVING for file in files):
        return t(f"Đã nhận nội dung lúc {at}; video đang gửi.", f"Text received at {at}; the video is being sent.")
    if any(file.state == FileState.COMPLETE for file in files):
        return t(
            f"Đã nhận nội dung lúc {at}; tệp đang được đối chiếu.", f"Text received at {at}; files being compared."
        )
    if any(file.state == FileState.MISMATCH for file in files):
        return t(
            f"Đã nhận nội dung lúc {at}; có tệp cần gửi lại.", f"Text received at {at}; a file must be sent again."
        )
    if files:
        return t(
            f"Đã nhận nội dung lúc {at} và đủ {len(files)} tệp.",
            f"Text received at {at}; files received in full: {len(files)}.",
        )
    return t(f"Đã nhận nội dung lúc {at}.", f"Text received at {at}.")


def _text_receipt(session: Session, submission: Submission) -> ShownReceipt:
    title = t("Biên nhận nội dung", "Receipt of the text")
    said = t("Đã nhận nội dung lúc", "The text was received at") + f" {minute(submission.received_at)}."
    return _shown(session, submission, title, said, submission.received_event_id)


def _file_receipt(session: Session, submission: Submission, file: SubmissionFile, number: int) -> ShownReceipt:
    title = t(f"Biên nhận tệp {number}", f"Receipt of file {number}")
    return _shown(session, submission, title, f"{file_words(file)}.", file.sealed_event_id)


def _shown(session: Session, submission: Submission, title: str, said: str, event_id: str | None) -> ShownReceipt:
    receipt = custody.receipt_for(session, event_id) if event_id else None
    if receipt is None:
        return ShownReceipt(title, said, event_id)
    event = session.get_one(CustodyEvent, receipt.event_id)
    drawn = receipt_code(submission.lookup_id or submission.id, event)
    return ShownReceipt(title, said, event_id, receipt.issued_at, _sha256(receipt), drawn, receipt.witnessed_at)


def _sha256(receipt: Receipt) -> str:
    opened = json.loads(receipt.body).get("openings", {}).get("content", {})
    return str(opened.get("sha256", ""))


def _download(body: str, name: str) -> Response:
    response = Response(body, mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
