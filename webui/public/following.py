"""Following a report with its secret code. The browser signs a challenge; without JavaScript the code itself is sent.

A wrong code and an unknown one get the same answer after the same kind of pause.
"""

import base64
import binascii
import secrets
import threading
import time
from dataclasses import dataclass

from flask import current_app, jsonify, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bodycam import custody
from bodycam.custody.canonical import parse
from bodycam.petitions import secret_code, sign_in
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import FileState, Submission, SubmissionState
from bodycam.petitions.words import STATE_WORDS
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.public import visitor
from webui.public.portal import panel_files, portal
from webui.public.receipts import received

_CHALLENGE_S = 120
_waiting = threading.BoundedSemaphore(8)


@dataclass(frozen=True)
class WayStep:
    """One state on the way; `mark` is "past", "now" or ""."""

    words: str
    mark: str


@portal.get("/tra-cuu")
def look_up() -> str:
    """Ask for the code."""
    return render_template("public/look_up.html")


@portal.post("/tra-cuu")
def look_up_plain() -> Response | tuple[str, int]:
    """Open a report by the code itself (no JavaScript)."""
    code = secret_code.read(request.form.get("code", ""))
    nonce = secrets.token_hex(16)
    lookup_id = secret_code.keys(code).lookup_id if code else ""
    signature = secret_code.sign(code, sign_in.message(lookup_id, nonce)) if code else b""
    return _open(lookup_id, nonce, signature)


@portal.post("/tra-cuu/thu-thach")
def challenge() -> Response:
    """Give a nonce to sign, whether the look-up id is known or not."""
    return jsonify(nonce=_sealer().dumps([request.form.get("lookup", "")[:32], secrets.token_hex(16)]))


@portal.post("/tra-cuu/mo")
def open_report() -> Response | tuple[str, int]:
    """Open a report by a signed challenge."""
    lookup_id, nonce = request.form.get("lookup", ""), request.form.get("nonce", "")
    try:
        signature = base64.b64decode(request.form.get("signature", ""), validate=True)
        asked = _sealer().loads(nonce, max_age=_CHALLENGE_S)[0]
    except (binascii.Error, BadSignature):
        asked, signature = "", b""
    return _open(lookup_id if asked == lookup_id else "", nonce, signature)


@portal.get("/ho-so")
def status() -> str:
    """Show where the report stands and what was answered."""
    with runtime().db.read() as session:
        submission = received(session)
        way = _way(session, submission)
    waiting = [file for file in panel_files(submission.id) if file.state == FileState.RECEIVING]
    return render_template(
        "public/status.html",
        received_at=submission.received_at,
        changed_at=submission.changed_at,
        way=way,
        answer=submission.answer,
        sending=bool(waiting),
        files=waiting,
    )


def _open(lookup_id: str, nonce: str, signature: bytes) -> Response | tuple[str, int]:
    rt = runtime()
    try:
        submission_id = sign_in.open_submission(rt.db, lookup_id, nonce, signature)
    except NoSuchSubmissionError as error:
        with rt.db.read() as session:
            pause = sign_in.pause_s(session, lookup_id)
        if _waiting.acquire(
            blocking=False
        ):  # the rest is answered at once: a flood of wrong codes must not hold every thread
            try:
                time.sleep(pause)
            finally:
                _waiting.release()
        return render_template("public/look_up.html", problem=error.text(language())), 404
    visitor.forget()
    visitor.remember(submission_id)
    return redirect(url_for("public.status"), 303)


def _way(session: Session, submission: Submission) -> list[WayStep]:
    """Return the states in order, those passed marked from the log itself, so that no step is claimed that never was."""
    visited = {SubmissionState.RECEIVED.value}
    for event in custody.history(session, submission.id):
        leaf = parse(event.body)
        details = leaf.get("details") if isinstance(leaf, dict) else None
        if event.kind == "submission.state_changed" and isinstance(details, dict):
            visited.add(str(details.get("to")))
    last = SubmissionState.DECLINED if submission.state == SubmissionState.DECLINED else SubmissionState.ANSWERED
    order = [s for s in STATE_WORDS if s not in {SubmissionState.ANSWERED, SubmissionState.DECLINED}] + [last]
    return [WayStep(t(*STATE_WORDS[s]), _mark(s, submission.state, visited)) for s in order]


def _mark(state: SubmissionState, now: str, visited: set[str]) -> str:
    if state == now:
        return "now"
    return "past" if state in visited else ""


def _sealer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="bodycam sign-in challenge")
