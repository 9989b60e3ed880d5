"""One's own account: another password, the language, and the sign-ins that are open elsewhere."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from bodycam.access.errors import OutOfReachError
from bodycam.errors import InvalidInputError
from bodycam.people import accounts, sessions
from bodycam.people.errors import WrongSignInError
from bodycam.people.models import StaffSession
from bodycam.people.sign_in import confirm_password
from webui.common.base import runtime
from webui.common.locale import LANGUAGES, t
from webui.common.permissions import any_account
from webui.common.signin import drop_cookie, viewer

bp = Blueprint("account", __name__)


@bp.get("/account")
@any_account
def index() -> str:
    """Show the account's roles and open sign-ins."""
    with runtime().db.read() as db:
        grants = accounts.grants_of(db, viewer().account_id)
        live = sessions.live_sessions(db, viewer().account_id)
        account = accounts.get_account(db, viewer().account_id)
    return render_template("staff/account.html", account=account, grants=grants, live=live)


@bp.post("/account/password")
@any_account
def change_password() -> Response:
    """Set another password; every sign-in of the account ends, this one too."""
    rt, who = runtime(), viewer().account_id
    settings = rt.settings.sign_in
    try:
        confirm_password(rt.db, who, request.form.get("current", ""), settings=settings)
    except WrongSignInError:
        raise InvalidInputError(
            field=t("Mật khẩu hiện tại", "Current password"), reason_vi="không đúng", reason="is wrong"
        ) from None
    fresh = request.form.get("fresh", "")
    if fresh != request.form.get("again", ""):
        raise InvalidInputError(
            field=t("Mật khẩu mới", "New password"),
            reason_vi="hai lần gõ không giống nhau",
            reason="the two don't agree",
        )
    with rt.db.write() as db:
        accounts.set_password(db, who, fresh, settings=settings, actor=who)
    session.clear()
    flash(t("Đã đổi mật khẩu. Đăng nhập lại bằng mật khẩu mới.", "The password is changed. Sign in with the new one."))
    response = redirect(url_for("signin.form"))
    drop_cookie(response)
    return response


@bp.post("/account/language")
@any_account
def change_language() -> Response:
    """Keep the language for the next sign-ins, here and elsewhere."""
    chosen = request.form.get("language", "")
    with runtime().db.write() as db:
        accounts.set_language(db, viewer().account_id, chosen)
    return redirect(url_for("account.index", lang=chosen if chosen in LANGUAGES else "vi"))


@bp.post("/account/sessions/<session_id>/end")
@any_account
def end(session_id: str) -> Response:
    """End one of one's own sign-ins; somebody else's isn't touched."""
    with runtime().db.write() as db:
        row = db.get(StaffSession, session_id)
        if row is None or row.account_id != viewer().account_id:
            raise OutOfReachError(what=t("phiên đăng nhập", "sign-in"))
        sessions.revoke(db, session_id, actor=viewer().account_id)
    return redirect(url_for("account.index"))
