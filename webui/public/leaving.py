"""Leaving without a trace: at once, or with an account of what was removed and what can't be.

Both end the session, delete a draft that was never sent, and tell the browser to clear this site's data.
"""

from flask import Response, make_response, render_template

from bodycam.petitions import sealing, service
from webui.common import locale
from webui.common.base import runtime
from webui.public import visitor
from webui.public.portal import portal

_CLEAR = '"cache", "cookies", "storage"'


@portal.get("/thoat")
def quick_exit() -> Response:
    """Show an empty page; nothing on it says where it came from."""
    _leave()
    return _cleared(render_template("public/left.html"))


@portal.post("/xoa-dau-vet")
def wipe() -> Response:
    """Remove the traces of this site and say which others remain."""
    _leave()
    return _cleared(render_template("public/wiped.html"))


def _leave() -> None:
    rt = runtime()
    submission_id = visitor.submission_id()
    visitor.forget()
    if submission_id is None:
        return
    with rt.db.write() as session:
        files = service.discard_draft(session, submission_id)
    sealing.drop(rt, files)


def _cleared(page: str) -> Response:
    response = make_response(page)
    response.headers["Clear-Site-Data"] = _CLEAR  # browsers heed it on https only
    response.delete_cookie(locale.COOKIE)
    return response
