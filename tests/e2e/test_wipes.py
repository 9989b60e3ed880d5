"""Wipe orders in Chromium: from the plan approver's count to the signed copy, accessible at a desk and on a phone."""

import pytest
import wipe_story
from axe_playwright_python.sync_playwright import Axe
from browser import Site, sign_in
from playwright.sync_api import Page

from bodycam.wipes.models import WipeOrder


@pytest.fixture(scope="module")
def order(site: Site) -> WipeOrder:
    """The order that the system raised for the story's camera."""
    return wipe_story.filling_card(site.rt, site.story)


def _fits(page: Page, address: str) -> None:
    for language in ("vi", "en"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}?lang={language}")
            found = Axe().run(page).response["violations"]
            assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
    page.goto(f"{address}?lang=vi")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_from_the_approvers_count_to_the_signed_copy(page: Page, order: WipeOrder) -> None:
    sign_in(page, "plan_approver")
    _fits(page, "/wipes")
    assert page.inner_text(".rail a[aria-current] i").split()[0] == "1"
    page.click(f"text={order.number}")
    _fits(page, f"/wipes/{order.id}")
    page.click("text=Không duyệt")
    page.click("#refuse + button")
    said = page.evaluate("document.getElementById('refuse').validationMessage")
    assert said == "Cần điền ô này"  # a refusal needs its reason
    page.click("text=Duyệt 1 tệp")
    page.wait_for_selector("text=Gắn bản ký vào đây")
    assert page.locator(".rail i").count() == 0
    _fits(page, f"/wipes/{order.id}/minute")
    page.context.clear_cookies()
    sign_in(page, "commander")
    _fits(page, f"/wipes/{order.id}")
    with page.expect_download() as paper:
        page.get_by_role("link", name="PDF", exact=True).click()
    assert paper.value.path().read_bytes()[:5] == b"%PDF-"
    chosen = {"name": "bien-ban-da-ky.pdf", "mimeType": "application/pdf", "buffer": wipe_story.PDF}
    page.set_input_files("#scan", chosen)
    assert page.inner_text("#chosen") == "bien-ban-da-ky.pdf"
    page.check("input[name=is_signed]")
    page.click("text=Gắn bản ký và cho phép xóa")
    page.wait_for_selector("text=Cắm vào Trạm cắm 02: BWC-0412")
    _fits(page, f"/wipes/{order.id}")
    _fits(page, "/wipes/new")
