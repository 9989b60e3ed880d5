"""An extraction in Chromium: asked for on a recording's page, approved, made while the page watches, accessible at a desk and on a phone."""

import threading
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, open_player, sign_in
from playwright.sync_api import Page

from bodycam.custody.sequencer import Sequencer
from bodycam.jobs import service as jobs
from bodycam.tasks.table import bind

PURPOSE = "Phục vụ điều tra vụ va chạm trên Quốc lộ 1A ngày 09/11/2026"


def _fits(page: Page, address: str) -> None:
    for language in ("vi", "en"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
            found = Axe().run(page).response["violations"]
            assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
    page.goto(f"{address}{'&' if '?' in address else '?'}lang=vi")
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.fixture
def working(site: Site) -> Callable[[], None]:
    """Run the jobs that wait, with a sequencer beside, as `bodycam up` does."""

    def work() -> None:
        stop = threading.Event()
        sequencer = Sequencer(site.rt.db, site.rt.log)
        log = threading.Thread(target=sequencer.run_forever, args=(stop,), kwargs={"checkpoint_s": None})
        log.start()
        try:
            jobs.drain(site.rt.db, bind(site.rt))
        finally:
            stop.set()
            log.join()

    return work


def test_from_a_recordings_page_to_the_hand_over(page: Page, site: Site, working: Callable[[], None]) -> None:
    working()
    sign_in(page, "commander")
    open_player(page, site.story.stop_id)
    page.click("text=Đề nghị trích xuất")
    _fits(page, f"/extractions/new?recording={site.story.stop_id}")
    page.fill("#purpose", PURPOSE)
    page.fill("#recipient", "Viện kiểm sát nhân dân khu vực 3")
    page.click("text=Gửi phiếu để duyệt")
    page.wait_for_selector("text=Thủ trưởng đơn vị xem danh sách và duyệt")
    address = page.url.split("?")[0].removeprefix(site.url)
    page.context.clear_cookies()
    sign_in(page, "head")
    _fits(page, "/extractions")
    assert page.inner_text(".rail a[aria-current] i").split()[0] == "1"
    _fits(page, address)
    page.click("text=Duyệt trích xuất 1 bản ghi")
    page.wait_for_selector("text=Tạo gói chứng cứ")
    page.context.clear_cookies()
    sign_in(page, "commander")
    page.goto(address)
    page.click("#making button")
    page.wait_for_selector("#making [role=status]")
    _fits(page, address)
    working()
    page.wait_for_selector("#making .chip", timeout=15_000)  # the page watches by itself
    assert "Hợp lệ" in page.inner_text("#making .chip")
    _fits(page, address)
    with page.expect_download() as fetched:
        page.click("text=Tải về (.zip)")
    assert fetched.value.path().read_bytes()[:4] == b"PK\x03\x04"
    page.fill("#taken_by", "Kiểm sát viên Lê Văn A")
    page.click("text=Ghi đã bàn giao")
    page.wait_for_selector("text=Người nhận: Kiểm sát viên Lê Văn A")
    _fits(page, address)
