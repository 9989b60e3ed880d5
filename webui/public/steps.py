"""The way through a report: one question a page, each answer kept at once in the draft.

Works without JavaScript: every step is a plain form. A draft belongs to the browser session that began it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bodycam.errors import BodycamError, NotFoundError
from bodycam.petitions import service
from bodycam.petitions.content import Content, Identity
from bodycam.petitions.models import Submission
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.public import visitor
from webui.public.portal import panel_files, portal


@dataclass(frozen=True)
class Step:
    """One question: its address, its template, and the answers it asks for (fields of `Content`)."""

    slug: str
    template: str
    vi: str
    en: str
    fields: tuple[str, ...] = ()


STEPS = (
    Step("khi-nao", "when", "Việc xảy ra khi nào?", "When did it happen?", ("when",)),
    Step("o-dau", "where", "Việc xảy ra ở đâu?", "Where did it happen?", ("where", "plate", "unit")),
    Step("tep", "files", "Gửi video hoặc ảnh", "Send a video or photo"),
    Step("noi-dung", "what", "Bạn đã chứng kiến điều gì?", "What did you see?", ("text",)),
    Step("danh-tinh", "who", "Bạn muốn ẩn danh hay có tên?", "Anonymous, or with your name?"),
    Step("xem-lai", "review", "Xem lại và cam kết", "Check and declare"),
)
_BY_SLUG: Mapping[str, int] = {step.slug: number for number, step in enumerate(STEPS)}


@portal.get("/")
def start() -> str:
    """Limits, hotline and confidentiality first."""
    return render_template("public/start.html")


@portal.post("/gui")
def begin() -> Response:
    """Open a draft and ask the first question; a draft left open in this session is taken up again."""
    rt = runtime()
    with rt.db.write() as session:
        known = session.get(Submission, visitor.submission_id() or "")
        if known is None or known.received_at is not None:
            visitor.remember(service.start(session, rt.keyring).id)
    return redirect(url_for("public.ask", slug=STEPS[0].slug), 303)


@portal.get("/gui/<slug>")
def ask(slug: str) -> str:
    """Ask one question."""
    return _page(_number(slug))


@portal.post("/gui/<slug>")
def answer(slug: str) -> Response | tuple[str, int]:
    """Keep the answer and go on; an answer that breaks a rule is asked again with the reason."""
    number = _number(slug)
    step = STEPS[number]
    rt = runtime()
    submission_id = visitor.required()
    try:
        with rt.db.write() as session:
            if step.fields:
                told = {name: request.form.get(name, "") for name in step.fields}
                service.tell(session, rt.keyring, submission_id, **told)
            elif step.template == "who":
                service.identify(session, rt.keyring, submission_id, _identity())
            elif step.template == "review":
                service.receive(session, rt.keyring, submission_id)
    except NotFoundError:
        raise
    except BodycamError as error:
        return _page(number, problem=_without_field(error)), 400
    if number + 1 == len(STEPS):
        return redirect(url_for("public.code"), 303)
    return redirect(url_for("public.ask", slug=STEPS[number + 1].slug), 303)


def _page(number: int, problem: str = "") -> str:
    step = STEPS[number]
    told, identity = _told()
    return render_template(
        f"public/{step.template}.html",
        title=t(step.vi, step.en),
        number=number + 1,
        count=len(STEPS),
        back=url_for("public.ask", slug=STEPS[number - 1].slug) if number else url_for("public.start"),
        told=told,
        identity=identity,
        files=panel_files(visitor.required()),
        panel_open=step.template == "files",
        problem=problem,
    )


def _told() -> tuple[Content, Identity | None]:
    rt = runtime()
    with rt.db.read() as session:
        submission = service.draft(session, visitor.required())
        return service.content_of(rt.keyring, submission), service.identity_of(rt.keyring, submission)


def _identity() -> Identity | None:
    if request.form.get("who") != "named":
        return None
    return Identity(**{name: request.form.get(name, "") for name in ("name", "contact", "address")})


def _number(slug: str) -> int:
    if slug not in _BY_SLUG:
        raise NotFoundError(what=t("trang này", "this page"))
    return _BY_SLUG[slug]


def _without_field(error: BodycamError) -> str:
    """Return the message without the field's name, which is the program's word: the page has one question only."""
    field = error.values.get("field")
    text = error.text(language())
    plain = text.removeprefix(f"{field}: ") if field else text
    return plain[:1].upper() + plain[1:]
