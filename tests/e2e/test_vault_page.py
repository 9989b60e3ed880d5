"""The vault's page when places differ: late, damaged, half read, with strangers; both languages, desk and phone."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, sign_in
from playwright.sync_api import Page
from sqlalchemy import select

from bodycam import clock
from bodycam.backup.models import Backup
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.recordings.models import Recording


@pytest.fixture(scope="module")
def troubled(site: Site) -> Site:
    """Two places: one late, one with a damaged and a missing copy; an object and an attempt that nobody knows."""
    now = clock.now()
    with site.rt.db.write() as session:
        known = session.scalars(select(Recording.object_id).order_by(Recording.object_id).limit(3)).all()
        for number, object_id in enumerate([*known, "f" * 64]):
            read_at = now - timedelta(days=3 + 20 * number)
            for place in ("main", "second"):
                row = VaultCopy(object_id=object_id, place=place, cipher_size=2_400_000_000, verified_at=read_at)
                row.is_listed = object_id in known
                session.merge(row)
        bad = session.get_one(VaultCopy, (known[0], "second"))
        bad.state, bad.problems = CopyState.DAMAGED, "object_damaged"
        gone = session.get_one(VaultCopy, (known[1], "second"))
        gone.state, gone.problems, gone.verified_at = CopyState.MISSING, "object_missing", now
        session.get_one(VaultCopy, (known[2], "second")).verified_at = None
        began = now - timedelta(days=12)
        until = now + timedelta(days=23)
        session.add(
            Backup(
                id="b1", place="/media/backup", began_at=began, finished_at=began, expires_at=until, has_keys=False,
                log_size=4321, size=9_800_000,
            )
        )  # fmt: skip
    with site.rt.spool.open("0192-left-over") as writer:
        writer.write(b"never finished")
    return site


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_a_troubled_vault_is_told_plainly_and_accessibly(page: Page, troubled: Site, role: str, language: str) -> None:
    assert troubled.url
    sign_in(page, role)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"/vault?lang={language}")
    text = page.inner_text("main")
    late, never = ("quá hạn", "1 chưa đọc lại lần nào") if language == "vi" else ("overdue", "1 never read back")
    assert late in text
    assert never in text
    assert "ffffffffffffffff…" in text
    assert "0192-left-over" in text
    assert page.locator("#damaged .chip").inner_text() == "! 2"
    told = page.locator("section[aria-labelledby=backup]").inner_text()
    assert ("quá một tuần" if language == "vi" else "over a week ago") in told
    assert ("12 ngày trước" if language == "vi" else "12 days ago") in told
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Axe().run(page).response["violations"] == []
