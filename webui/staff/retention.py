"""The schedule: its rules with their sources, a change that waits for a second person, and the clock that all terms rest on."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.errors import InvalidInputError
from bodycam.retention import changes, clockwatch
from bodycam.retention.batches import STATE_NAMES
from bodycam.retention.errors import (
    ApproverTwiceError,
    BatchChangedError,
    BatchStateError,
    ClockDoubtfulError,
    FootageFoundError,
    HoldError,
    SameUnitError,
    ScheduleError,
    SecondPersonError,
)
from bodycam.retention.models import RetentionSchedule
from bodycam.retention.schedule import Rule, Schedule, check, parse
from webui.common import errors
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff import disposition, negatives
from webui.staff.menu import count_with
from webui.staff.names import account_names

bp = Blueprint("retention", __name__)
_SURE = {
    "text": ("đọc nguyên văn", "text read"),
    "press": ("theo báo chí", "press report"),
    "memory": ("theo trí nhớ", "from memory"),
    "own": ("đề xuất, đơn vị tự quyết", "our proposal, yours to decide"),
}
_DAYS = ("answered_days", "declined_days", "unknown_days")


def init_app(app: Flask) -> None:
    """Say what retention's errors are in HTTP, and count for the menu."""
    for wrong in (ScheduleError, HoldError, FootageFoundError):
        errors.status_for(wrong, HTTPStatus.BAD_REQUEST)
    for refused in (SecondPersonError, ApproverTwiceError, SameUnitError):
        errors.status_for(refused, HTTPStatus.FORBIDDEN)
    for late in (BatchStateError, BatchChangedError, ClockDoubtfulError):
        errors.status_for(late, HTTPStatus.CONFLICT)
    count_with(app, "retention.index", waiting_for_me)
    count_with(app, "negatives.index", negatives.waiting_for_me)
    count_with(app, "disposition.index", disposition.waiting_for_me)
    app.jinja_env.globals.update(
        batch_state=lambda state: t(*STATE_NAMES[state]),
        term_of=lambda rule: term(rule.amount, rule.unit),
        sure_of=lambda sure: t(*_SURE[sure]),
    )


def term(amount: int, unit: str) -> str:
    """Write a term in words."""
    return f"{amount} {t('năm', 'years') if unit == 'years' else t('ngày', 'days')}"


def waiting_for_me() -> int:
    """Return how many changes wait for the signed-in person as the second one, and whether the clock waits for a person."""
    count = 0
    with runtime().db.read() as session:
        if not scope("retention.edit").is_empty:
            row = changes.proposed(session)
            count += row is not None and row.proposed_by != viewer().account_id
        if not scope("clock.confirm").is_empty:
            count += any(doubt.until is None for doubt in clockwatch.doubts(session))
    return count


@bp.get("/retention")
@allowed("retention.view")
def index() -> str:
    """Show the schedule in force, what waits, and earlier versions."""
    with runtime().db.read() as session:
        schedule = changes.in_force(session)
        waiting = changes.proposed(session)
        versions = changes.versions(session)
        doubt = next((one for one in clockwatch.doubts(session) if one.until is None), None)
        names = account_names(session, [one for row in versions for one in (row.proposed_by, row.decided_by)])
    return render_template(
        "staff/retention.html",
        schedule=schedule,
        waiting=waiting,
        differences=_differences(schedule, waiting) if waiting else [],
        versions=versions,
        names=names,
        doubt=doubt,
        settings=runtime().settings.retention,
        is_mine=waiting is not None and waiting.proposed_by == viewer().account_id,
    )


@bp.post("/retention/propose")
@allowed("retention.edit")
def propose() -> BaseResponse:
    """Propose other terms; they wait for a second person."""
    with runtime().db.write() as session:
        current = changes.in_force(session)
        wanted = check(_typed(current), t("đề nghị", "the proposal"))
        changes.propose(session, wanted, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("retention.index"), 303)


@bp.post("/retention/<version_id>/agree")
@allowed("retention.edit")
def agree(version_id: str) -> BaseResponse:
    """Put a change in force as the second person."""
    with runtime().db.write() as session:
        changes.agree(session, version_id, actor=viewer().account_id)
    return redirect(url_for("retention.index"), 303)


@bp.post("/retention/<version_id>/refuse")
@allowed("retention.edit")
def refuse(version_id: str) -> BaseResponse:
    """Refuse a change, or take one's own back."""
    with runtime().db.write() as session:
        changes.refuse(session, version_id, actor=viewer().account_id)
    return redirect(url_for("retention.index"), 303)


@bp.post("/retention/clock")
@allowed("clock.confirm")
def confirm_clock() -> BaseResponse:
    """Confirm that the server's clock is right now."""
    jump = timedelta(hours=runtime().settings.retention.clock_jump_hours)
    with runtime().db.write() as session:
        clockwatch.confirm(session, jump, actor=viewer().account_id)
    return redirect(url_for("retention.index"), 303)


def _typed(current: Schedule) -> dict[str, object]:
    tree = current.model_dump(mode="json")
    for rule in tree["rule"]:
        rule["amount"] = _whole(f"amount-{rule['key']}", rule["amount"])
        rule["unit"] = request.form.get(f"unit-{rule['key']}", rule["unit"])
    for name in _DAYS:
        tree["complaint"][name] = _whole(name, tree["complaint"][name])
    return dict(tree)


def _whole(name: str, usual: int) -> int:
    text = request.form.get(name, str(usual)).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):  # noqa: PLR2004  a term has at most five digits
        raise InvalidInputError(field=name, reason="needs a whole number", reason_vi="cần một số nguyên")
    return int(text)


def _differences(current: Schedule, waiting: RetentionSchedule) -> list[tuple[str, str, str]]:
    """Return what a proposal changes: what for, from, to."""
    wanted = parse(waiting.body)
    before = {rule.key: rule for rule in current.rule}
    found = [
        (t(rule.vi, rule.en), _words(before.get(rule.key)), _words(rule))
        for rule in wanted.rule
        if _words(before.get(rule.key)) != _words(rule)
    ]
    labels: Mapping[str, str] = complaint_labels()
    for name in _DAYS:
        old, new = getattr(current.complaint, name), getattr(wanted.complaint, name)
        if old != new:
            found.append((labels[name], term(old, "days"), term(new, "days")))
    return found


def complaint_labels() -> dict[str, str]:
    """Return the words of the three times that a citizen's report is held for."""
    return {
        "answered_days": t("Sau khi trả lời tin phản ánh", "After a report was answered"),
        "declined_days": t("Sau khi không thụ lý", "After a report was declined"),
        "unknown_days": t("Không rõ ngày: giữ lùi về trước", "No date told: held so far back"),
    }


def _words(rule: Rule | None) -> str:
    return term(rule.amount, rule.unit) if rule else "–"
