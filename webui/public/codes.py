"""The secret code: made in the citizen's browser, or by the server where that can't be (weaker, and says so).

The server never stores a code. One it made itself is shown in the answer; what its holder types back is compared with a signed
value in that page's own form, so that nothing lies in the cookie or the database.
"""

import base64
import binascii
import re

from flask import current_app, jsonify, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from bodycam.errors import InvalidInputError
from bodycam.petitions import secret_code, service
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import CodeSource, FileState, Submission, SubmissionState
from bodycam.petitions.secret_code import CodeKeys
from webui.common.base import runtime
from webui.common.locale import t
from webui.public import visitor
from webui.public.portal import panel_files, portal

_SEAL_S = 12 * 3600
_LOOKUP = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 32


@portal.get("/ma")
def code() -> str:
    """Make and show the secret code; the first receipt is under way meanwhile."""
    return _page()


@portal.post("/ma/dat")
def register_code() -> Response:
    """Keep the public halves of the code that the browser made."""
    form = request.form
    lookup_id = form.get("lookup", "")
    keys = CodeKeys(lookup_id, _key(form.get("sign_in", "")), _key(form.get("reply", "")))
    if _LOOKUP.fullmatch(lookup_id) is None:
        raise InvalidInputError(field="lookup", reason="32 hex digits")
    with runtime().db.write() as session:
        service.register_code(session, visitor.required(), keys, CodeSource.BROWSER)
    return jsonify(ok=True)


@portal.post("/ma/may-chu")
def make_code() -> str:
    """Make the code here and show it once."""
    made = secret_code.make()
    with runtime().db.write() as session:
        service.register_code(session, visitor.required(), secret_code.keys(made), CodeSource.SERVER)
    return _page(made)


@portal.post("/ma/xac-nhan")
def confirm_code() -> Response | tuple[str, int]:
    """Take the last group typed back; a wrong one is asked again."""
    typed = "".join(request.form.get("last", "").upper().split())
    seal = request.form.get("seal", "")
    if seal:  # the server's own code; the browser's one is compared in the browser, which alone knows it
        try:
            made = str(_sealer().loads(seal, max_age=_SEAL_S))
        except BadSignature:
            return _page(
                problem=t("Biểu mẫu đã hết hạn; hãy tạo mã khác.", "The form has expired; make another code.")
            ), 400
        if typed != secret_code.groups(made)[-1]:
            wrong = t("Không khớp với nhóm cuối ở trên. Xem lại từng ký tự.", "This is not the last group above.")
            return _page(made, problem=wrong), 400
    with runtime().db.write() as session:
        service.confirm_code(session, visitor.required())
    return redirect(url_for("public.receipts"), 303)


def _page(made: str = "", problem: str = "") -> str:
    with runtime().db.read() as session:
        submission = session.get(Submission, visitor.required())
    if submission is None or submission.state == SubmissionState.DRAFT:
        raise NoSuchSubmissionError(what="submission")
    files = panel_files(submission.id)
    return render_template(
        "public/code.html",
        received_at=submission.received_at,
        sending=any(file.state == FileState.RECEIVING for file in files),
        confirmed=submission.code_confirmed,
        code=made,
        groups=secret_code.groups(made),
        seal=_sealer().dumps(made) if made else "",
        files=files,
        problem=problem,
    )


def _sealer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="bodycam code typed back")


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidInputError(field="key", reason="32 bytes in base64")
    return key
