"""What was destroyed under the schedule, in public: the leaf's hash, the rule, the dates, and nothing else.

Whoever holds a receipt finds the hash of his leaf here and knows that the footage existed, was kept for its term, and is gone.
"""

from datetime import datetime

from flask import Response, jsonify, render_template, request, url_for

from bodycam.retention import changes, queries
from bodycam.retention.models import Tombstone
from webui.common.base import runtime
from webui.common.formatting import day
from webui.common.locale import t
from webui.public.portal import portal

ROWS = 50


@portal.get("/da-huy")
def tombstones() -> str:
    """Show the tombstones, newest first."""
    rows, after = _page()
    with runtime().db.read() as session:
        rules = {rule.key: t(rule.vi, rule.en) for rule in changes.in_force(session).rule}
    return render_template("public/tombstones.html", rows=rows, rules=rules, after=after)


@portal.get("/da-huy.json")
def tombstones_json() -> Response:
    """Give the same as JSON; `next` is the address of the following page."""
    rows, after = _page()
    told = [
        {
            "leaf": row.leaf_hash,
            "rule": row.rule,
            "sealed": day(row.sealed_at),
            "due": day(row.due_at),
            "destroyed": day(row.destroyed_at),
            "complete": day(row.complete_at),
        }
        for row in rows
    ]
    return jsonify(tombstones=told, next=url_for("public.tombstones_json", after=after) if after else None)


def _page() -> tuple[list[Tombstone], str | None]:
    moment, _, index = request.args.get("after", "").partition("~")
    try:
        before = (datetime.fromisoformat(moment.replace(" ", "+")), int(index)) if index else None
    except ValueError:
        before = None
    if before is not None and (before[0].tzinfo is None or not 0 <= before[1] < 1 << 62):
        before = None
    with runtime().db.read() as session:
        rows = queries.list_tombstones(session, before=before, limit=ROWS + 1)
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return rows[:ROWS], f"{last.destroyed_at.isoformat()}~{last.leaf_index}" if last else None
