"""Hand-over slips as pages and as PDF: one look for the kiosk and for the staff pages."""

from flask import Flask, Response, abort, make_response, request

from bodycam.coverage.slip import SLOT_WORDS, Slip, print_slip
from bodycam.paper import PaperSize
from webui.common.base import runtime
from webui.common.locale import t


def slip_pdf(slip: Slip) -> Response:
    """Answer with the slip's PDF for A4, or A5 with `?size=A5`."""
    size = request.args.get("size", PaperSize.A4.name)
    if size not in PaperSize.__members__:
        abort(404)
    response = make_response(print_slip(slip, labels=runtime().settings.labels, size=PaperSize[size]))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{slip.number}.pdf"'
    return response


def init_app(app: Flask) -> None:
    """Give templates the words for a camera's state on a slip."""
    app.jinja_env.globals.update(slot_words=lambda state: t(*SLOT_WORDS.get(state, SLOT_WORDS["error"])))
