"""Accounts, for the administrator: made, switched on and off, given roles on units; he never learns a chosen password.

A new password is made here, shown once on the page that answers, and never kept. Every change is an event.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bodycam.access.errors import OwnRolesError
from bodycam.errors import InvalidInputError
from bodycam.people import accounts
from bodycam.people.models import Role
from bodycam.people.units import list_units
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of

bp = Blueprint("accounts", __name__)
ROWS = 50


@bp.get("/accounts")
@allowed("account.edit")
def index() -> str:
    """Show the accounts by username, each with its roles."""
    with runtime().db.read() as session:
        rows = accounts.list_accounts(session, after=request.args.get("after") or None, limit=ROWS + 1)
        grants = accounts.grants_by_account(session, [row.id for row in rows])
    after = rows[ROWS - 1].username if len(rows) > ROWS else None
    return render_template("staff/accounts.html", rows=rows[:ROWS], grants=grants, after=after)


@bp.post("/accounts")
@allowed("account.edit")
def create() -> str:
    """Make an account without roles; its first password is shown once."""
    password = accounts.new_password()
    with runtime().db.write() as session:
        account = accounts.create_account(
            session,
            username=request.form.get("username", ""),
            display_name=request.form.get("name", ""),
            password=password,
            settings=runtime().settings.sign_in,
            language=language(),
            actor=viewer().account_id,
        )
    return _page(account.id, password)


@bp.get("/accounts/<account_id>")
@allowed("account.edit")
def show(account_id: str) -> str:
    """Show one account, its roles and its story."""
    return _page(account_id)


@bp.post("/accounts/<account_id>/roles")
@allowed("account.edit")
def grant(account_id: str) -> Response:
    """Give somebody else a role on a unit, or take it away."""
    role, unit_id = request.form.get("role", ""), request.form.get("unit", "")
    if role not in set(Role):
        raise InvalidInputError(
            field=t("Vai trò", "Role"), reason_vi="chọn trong danh sách", reason="choose one of the list"
        )
    if account_id == viewer().account_id:
        raise OwnRolesError
    change = accounts.withdraw if request.form.get("step") == "withdraw" else accounts.grant
    with runtime().db.write() as session:
        change(session, account_id, role, unit_id, actor=viewer().account_id)
    return redirect(url_for("accounts.show", account_id=account_id))


@bp.post("/accounts/<account_id>/active")
@allowed("account.edit")
def switch(account_id: str) -> Response:
    """Switch an account on or off; one's own stays on, so that nobody locks the last door behind himself."""
    active = request.form.get("active") == "1"
    if account_id == viewer().account_id and not active:
        raise InvalidInputError(
            field=t("Tài khoản", "Account"),
            reason_vi="không tự tắt tài khoản của mình",
            reason="you can't switch off your own",
        )
    with runtime().db.write() as session:
        accounts.set_active(session, account_id, active, actor=viewer().account_id)
    return redirect(url_for("accounts.show", account_id=account_id))


@bp.post("/accounts/<account_id>/password")
@allowed("account.edit")
def reset(account_id: str) -> str:
    """Make another password, shown once; every open sign-in of the account ends."""
    password = accounts.new_password()
    with runtime().db.write() as session:
        accounts.set_password(
            session, account_id, password, settings=runtime().settings.sign_in, actor=viewer().account_id
        )
    return _page(account_id, password)


def _page(account_id: str, password: str = "") -> str:
    with runtime().db.read() as session:
        account = accounts.get_account(session, account_id)
        grants = accounts.grants_of(session, account_id)
        units = list_units(session, scope("account.edit"))
        story = story_of(session, account_id)
    return render_template(
        "staff/account_edit.html",
        account=account,
        grants=grants,
        units=units,
        story=story,
        password=password,
        is_own=account_id == viewer().account_id,
    )
