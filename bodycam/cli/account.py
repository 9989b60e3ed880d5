"""`bodycam account`: the first account, a forgotten password, an account to switch off."""

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bodycam.people.models import Account, Unit


@click.group()
def account() -> None:
    """Tài khoản / Accounts."""


@account.command()
@click.argument("username")
@click.option("--name", help="Display name / Tên hiển thị.")
@click.option("--role", "roles", multiple=True, help="A role; may be repeated / Vai trò: administrator, commander …")
@click.option("--unit", help="Unit of the roles, a code or a path of names / Đơn vị; default: the root.")
@click.option("--officer", help="Number of the officer whose recordings are its own / Số hiệu cán bộ.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--generate", is_flag=True, help="Generate a password and print it once / Sinh mật khẩu, in một lần.")
def create(
    username: str,
    name: str | None,
    roles: tuple[str, ...],
    unit: str | None,
    officer: str | None,
    password_stdin: bool,
    generate: bool,
) -> None:
    """Tạo tài khoản / Create an account, with roles on a unit.

    Example: bodycam account create lan --role commander --unit "Phòng CSGT/Đội 3" --generate
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.fleet.imports import find_officer
    from bodycam.people import accounts
    from bodycam.settings import load_settings

    _check_roles(roles)
    settings = load_settings()
    password = _password(password_stdin, generate)
    with standalone(settings) as rt, rt.db.write() as session:
        made = accounts.create_account(
            session,
            username=username,
            display_name=name or username,
            password=password,
            settings=settings.sign_in,
            officer_id=find_officer(session, officer, None).id if officer else None,
            language=settings.language,
            actor=_actor(),
        )
        place = _unit(session, unit) if roles or unit else None
        for role in roles:
            if place is not None:
                accounts.grant(session, made.id, role, place.id, actor=_actor())
    click.echo(f"Đã tạo / Created: {made.username}")
    _print_once(password, generate)


@account.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """Liệt kê tài khoản / List accounts and their roles.

    Example: bodycam account list
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.people import accounts
    from bodycam.settings import load_settings

    with standalone(load_settings()) as rt, rt.db.read() as session:
        after: str | None = None
        while page := accounts.list_accounts(session, after=after):
            after = page[-1].username
            for row in page:
                held = [f"{role}@{unit.name}" for role, unit in accounts.grants_of(session, row.id)]
                facts = {"id": row.id, "username": row.username, "name": row.display_name, "active": row.active}
                if as_json:
                    click.echo(json.dumps(facts | {"roles": held}, ensure_ascii=False))
                else:
                    state = "" if row.active else "  (đã khóa / off)"
                    click.echo(f"{row.username:<20} {row.display_name:<30} {', '.join(held) or '—'}{state}")


@account.command("reset-password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--generate", is_flag=True, help="Generate a password and print it once / Sinh mật khẩu, in một lần.")
def reset_password(username: str, password_stdin: bool, generate: bool) -> None:
    """Đặt lại mật khẩu, mở khóa đăng nhập, kết thúc mọi phiên / Set a new password, unlock, end every session.

    Example: bodycam account reset-password lan --generate
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.people import accounts
    from bodycam.people.sign_in import unlock
    from bodycam.settings import load_settings

    settings = load_settings()
    password = _password(password_stdin, generate)
    with standalone(settings) as rt, rt.db.write() as session:
        found = _account(session, username)
        accounts.set_password(session, found.id, password, settings=settings.sign_in, actor=_actor())
        unlock(session, username)
    click.echo(f"Đã đặt lại / Reset: {found.username}")
    _print_once(password, generate)


@account.command()
@click.argument("username")
@click.argument("role")
@click.option("--unit", help="A code or a path of names / Đơn vị; default: the root.")
@click.option("--withdraw", is_flag=True, help="Take the role away / Thu hồi vai trò.")
def grant(username: str, role: str, unit: str | None, withdraw: bool) -> None:
    """Cấp hoặc thu hồi một vai trò trên một đơn vị / Grant a role on a unit, or take it away.

    Example: bodycam account grant lan case_officer --unit "Phòng CSGT"
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.people import accounts
    from bodycam.settings import load_settings

    _check_roles((role,))
    with standalone(load_settings()) as rt, rt.db.write() as session:
        found, place = _account(session, username), _unit(session, unit)
        change = accounts.withdraw if withdraw else accounts.grant
        change(session, found.id, role, place.id, actor=_actor())
        held = ", ".join(f"{name}@{where.name}" for name, where in accounts.grants_of(session, found.id))
    click.echo(f"{found.username}: {held or '—'}")


@account.command()
@click.argument("username")
@click.option("--keep-active", is_flag=True, help="Only end its sessions / Chỉ kết thúc các phiên.")
def revoke(username: str, keep_active: bool) -> None:
    """Khóa tài khoản và kết thúc mọi phiên / Switch an account off and end every session.

    Example: bodycam account revoke lan
    """
    from bodycam.cli.standalone import standalone  # late: --help needs none of this
    from bodycam.people import accounts, sessions
    from bodycam.settings import load_settings

    with standalone(load_settings()) as rt, rt.db.write() as session:
        found = _account(session, username)
        ended = sessions.revoke_all(session, found.id, actor=_actor())
        if not keep_active:
            accounts.set_active(session, found.id, active=False, actor=_actor())
    click.echo(f"Đã kết thúc {ended} phiên / Ended {ended} sessions: {found.username}")


def _actor() -> str:
    import os  # late: --help needs none of this

    return f"shell:{os.getuid()}"


def _check_roles(roles: tuple[str, ...]) -> None:
    from bodycam.people.models import Role  # late: --help needs none of this

    for role in roles:
        if role not in set(Role):
            raise click.BadParameter(f"“{role}”: {', '.join(Role)}", param_hint="role")


def _account(session: "Session", username: str) -> "Account":
    from bodycam.errors import NotFoundError  # late: --help needs none of this
    from bodycam.people.accounts import account_by_username

    found = account_by_username(session, username)
    if found is None:
        raise NotFoundError(what=username)
    return found


def _password(from_stdin: bool, generate: bool) -> str:
    from bodycam.people.accounts import new_password  # late: --help needs none of this

    if generate:
        return new_password()
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    text: str = click.prompt("Mật khẩu / Password", hide_input=True, confirmation_prompt="Nhập lại / Again")
    return text


def _print_once(password: str, generate: bool) -> None:
    if generate:
        click.echo(f"Mật khẩu (chỉ hiện lần này) / Password (shown only now): {password}")


def _unit(session: "Session", text: str | None) -> "Unit":
    from sqlalchemy import select  # late: --help needs none of this

    from bodycam.errors import NotFoundError
    from bodycam.people import units
    from bodycam.people.models import Force, Unit

    if text is None:
        root = session.scalar(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1))
        return root or units.create_unit(session, name="Đơn vị gốc", force=Force.OTHER, actor=_actor())
    found = session.scalar(select(Unit).where(Unit.code == text))
    found = found or units.unit_by_names(session, units.split_unit_path(text))
    if found is None:
        raise NotFoundError(what=text)
    return found
