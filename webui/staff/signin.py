"""Sign-in, sign-out, the start page and the language of an account; in a demo also one-click sign-ins.

The source of an attempt is the remote address; it is counted as a hash, and stands beside the event as a salted value. After a sign-in the form cookie starts anew,
so that nothing a stranger put into it stays.
"""

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from bodycam.people.accounts import first_account_with_role
from bodycam.people.errors import SignInLockedError, WrongSignInError
from bodycam.people.sessions import sign_out
from bodycam.people.sign_in import SignedIn, open_without_password, sign_in
from webui.common.base import runtime
from webui.common.locale import language
from webui.common.permissions import any_account, open_to_all
from webui.common.signin import Viewer, drop_cookie, scope, set_cookie, viewer
from webui.staff.demo import STORIES, STORY_KEY, story_of
from webui.staff.menu import ENTRIES
from webui.staff.tamper import find_target

bp = Blueprint("signin", __name__)


@bp.get("/sign-in")
@open_to_all
def form() -> str:
    """Show the sign-in form, and in a demo the stories."""
    return _page()


@bp.post("/sign-in")
@open_to_all
def enter() -> Response | tuple[str, int]:
    """Check name and password."""
    rt = runtime()
    try:
        entered = sign_in(
            rt.db,
            username=request.form.get("username", ""),
            password=request.form.get("password", ""),
            source=request.remote_addr or "?",
            settings=rt.settings.sign_in,
            hours=rt.settings.staff.session_hours,
            user_agent=request.user_agent.string,
        )
    except SignInLockedError as error:
        return _page(error.text(language())), 429
    except WrongSignInError as error:
        return _page(error.text(language())), 401
    return _entered(entered, _safe(request.form.get("next", "")))


@bp.get("/demo/")
@open_to_all
def demo() -> str:
    """Show the demo's stories, also to somebody who is signed in."""
    if not runtime().settings.demo:
        abort(404)
    return _page()


@bp.post("/demo/<key>/enter")
@open_to_all
def enter_demo(key: str) -> Response:
    """Sign in as a demo role without a password; only where `demo` is set, and then only on localhost."""
    rt = runtime()
    story = story_of(key)
    if not rt.settings.demo or story is None:
        abort(404)
    with rt.db.read() as db:
        account = first_account_with_role(db, story.role)
    if account is None:
        abort(404)
    entered = open_without_password(rt.db, account.id, hours=rt.settings.staff.session_hours)
    response = _entered(entered, url_for("signin.demo_story", key=key))
    session[STORY_KEY] = key
    return response


@bp.get("/demo/<key>")
@any_account
def demo_story(key: str) -> str:
    """Show one demo story: a sentence, and what to press."""
    story = story_of(key)
    if not runtime().settings.demo or story is None:
        abort(404)
    session[STORY_KEY] = key
    spoils = key == "tamper" and story.role in viewer().roles
    return render_template("staff/story.html", story=story, spoils=spoils, target=find_target() if spoils else None)


@bp.post("/sign-out")
@any_account
def leave() -> Response:
    """End the session here and on the server."""
    with runtime().db.write() as db:
        sign_out(db, viewer().session_id)
    session.clear()
    response = redirect(url_for("signin.form"))
    drop_cookie(response)
    return response


@bp.get("/")
@any_account
def home() -> Response | str:
    """Lead to the first page the person may open."""
    for entry in ENTRIES:
        if not scope(entry.action).is_empty:
            return redirect(url_for(entry.endpoint))
    return render_template("staff/nothing.html")


def _page(problem: str = "") -> str:
    stories = STORIES if runtime().settings.demo else ()
    given = request.values.get("next", "")
    return render_template("staff/sign_in.html", problem=problem, stories=stories, next=_safe(given) if given else "")


def _entered(entered: SignedIn, target: str) -> Response:
    before: Viewer | None = g.get("viewer")
    if before is not None:  # its cookie is about to be overwritten: a copy of it must not live on
        with runtime().db.write() as db:
            sign_out(db, before.session_id)
    session.clear()
    response = redirect(target)
    set_cookie(response, entered.token)
    return response


def _safe(target: str) -> str:
    """Return an address of this host; anything else becomes the start page. Browsers read a backslash as a slash and skip line ends."""
    local = target.startswith("/") and not target.startswith("//") and target.isprintable() and "\\" not in target
    return target if local else url_for("signin.home")
