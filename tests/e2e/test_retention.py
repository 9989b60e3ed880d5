"""Retention's pages in Chromium: accessible, in both languages, at a desk and on a phone."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, sign_in
from playwright.sync_api import Page
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.sequencer import Sequencer
from bodycam.people.models import Account
from bodycam.retention import batches, changes, clockwatch, holds, negatives
from bodycam.retention.models import DispositionBatch, LegalHold, SignedNegative
from bodycam.retention.negatives import Asked
from bodycam.retention.schedule import check
from bodycam.retention.targets import Target


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, list[str]]:
    """A hold, a proposed change, a batch and a reopened negative; the pages of each by role."""
    rt = site.rt
    Sequencer(rt.db, rt.log).run_once()
    with rt.db.write() as session:
        who = {account.username: account.id for account in session.scalars(select(Account))}
        holds.place(
            session, Target(case_id=site.story.case_id), actor=who["head"], reason_code="court", reason="CV 12/TA"
        )
        holds.place_for_complaint(session, Target(starts_at=clock.now(), ends_at=clock.now()), submission_id="s")
        tree = changes.in_force(session).model_dump(mode="json")
        tree["rule"][0]["amount"] = 120
        changes.propose(session, check(tree, "x"), actor=who["administrator"], reason="theo PC08")
        at = clock.now() - timedelta(days=40)
        asked = Asked(starts_at=at, ends_at=at + timedelta(hours=2), place="Quốc lộ 1A", everything=True)
        negative = negatives.sign(session, asked, actor=who["commander"], unit_id=site.story.team_id)
        negative.reopened_at, negative.reopened_by = clock.now(), site.story.plain_id
    Sequencer(rt.db, rt.log).run_once()
    moment = clock.now() + timedelta(days=420)
    clock.set_now(lambda: moment)
    with rt.db.write() as session:
        clockwatch.confirm(session, timedelta(hours=72), actor=who["administrator"])
        for row in session.scalars(
            select(LegalHold).where(LegalHold.cause == "complaint", LegalHold.kind == "recording")
        ):
            holds.release(session, row.id, actor=who["intake"], reason="x")
    Sequencer(rt.db, rt.log).run_once()
    batches.propose(rt.db, rt.settings.retention)
    clock.set_now(None)
    with rt.db.read() as session:
        hold = session.scalars(select(LegalHold).where(LegalHold.cause == "complaint")).first()
        batch = session.scalars(select(DispositionBatch)).one()
        signed = session.scalars(select(SignedNegative)).one()
    assert hold is not None
    return {
        "auditor": [
            "/retention", "/holds", "/holds?cause=complaint", f"/holds/{hold.id}", "/holds/new", "/disposition",
            f"/disposition/{batch.id}",
        ],
        "commander": ["/negatives", f"/negatives/{signed.id}", "/negatives/new"],
    }  # fmt: skip


@pytest.mark.parametrize("role", ["auditor", "commander"])
def test_the_pages_fit_and_are_accessible_in_both_languages(
    page: Page, addresses: dict[str, list[str]], role: str
) -> None:
    sign_in(page, role)
    for address in addresses[role]:
        for language, width in (("vi", 1440), ("en", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
            found = Axe().run(page).response["violations"]
            assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == [], address
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
