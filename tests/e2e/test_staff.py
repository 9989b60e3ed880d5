"""The staff pages in Chromium: the way from the dock to the picture, accessible, within budget, talking to nobody else."""

import re
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, eventually, open_player, sign_in
from playwright.sync_api import Page, Response

from bodycam.fleet import docking
from bodycam.petitions import service as petitions
from bodycam.petitions.content import Identity

PAGES = {
    "commander": [
        "/recordings",
        "/recordings?q=khong-co-gi",
        "/cases",
        "/cases/new",
        "/devices",
        "/officers",
        "/officers/{officer_id}",
    ],
    "case_officer": ["/cases/{case_id}", "/cases/{case_id}/edit", "/cases/new/traffic_stop"],
    "auditor": ["/log", "/vault", "/submissions", "/recordings/{stop_id}/access-log", "/devices-nowhere"],
    "administrator": ["/accounts", "/devices", "/dock/{station_id}/screen"],
    "intake": ["/recordings", "/submissions"],
    "monitor": ["/account", "/devices", "/devices/{camera_id}"],
}
TILES = ("empty", "uploading", "verifying", "waiting_receipt", "done", "lost", "error")


@pytest.fixture
def beating(site: Site) -> Iterator[Event]:
    """A station that beats until the event is set."""
    silent = Event()

    def beat() -> None:
        while not silent.wait(0.8):
            _board(site, dict(enumerate(TILES, 1)))

    _board(site, dict(enumerate(TILES, 1)))
    thread = Thread(target=beat)
    thread.start()
    yield silent
    silent.set()
    thread.join()


def _board(site: Site, states: dict[int, str]) -> None:
    told = {"camera": "BWC-0412", "officer": "Trần Văn Nam", "number": "184-221", "files_done": 3, "files_total": 9}
    slots = [{"slot": n, "state": state, "bytes_done": 1, "bytes_total": 3, **told} for n, state in states.items()]
    with site.rt.db.write() as session:
        docking.put_board(session, site.story.station_id, {"slots": slots})


def assert_accessible(page: Page) -> None:
    """Fail on any axe violation, naming rule and element."""
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("role", PAGES)
def test_pages_are_accessible_and_fit_a_phone(page: Page, site: Site, role: str, language: str) -> None:
    sign_in(page, role)
    for address in PAGES[role]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address.format(**vars(site.story)) + ("&" if "?" in address else "?") + f"lang={language}")
        assert page.evaluate("document.documentElement.lang") == language
        assert_accessible(page)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert_accessible(page)


def test_the_sign_in_page_is_accessible_and_the_demo_enters_with_one_press(page: Page) -> None:
    page.goto("/sign-in")
    assert_accessible(page)
    page.click("text=Tìm lần dừng xe 14:20")
    assert page.url.endswith("/demo/stop")
    assert_accessible(page)
    page.click("text=Bắt đầu")
    assert page.url.endswith("/recordings")


def test_the_dock_shows_every_state_and_falls_silent_with_its_station(page: Page, site: Site, beating: Event) -> None:
    sign_in(page, "commander")
    page.goto(f"/dock/{site.story.station_id}")
    for state in TILES:
        assert page.locator(f".slot.{state}").count() >= 1
    assert_accessible(page)
    _board(site, {1: "done"})
    eventually(page, "document.querySelectorAll('.slot.done').length >= 1")
    beating.set()
    eventually(page, "document.getElementById('grid').hidden && !document.getElementById('down').hidden", 12)
    assert "KHÔNG RÚT MÁY" in page.inner_text("#down")
    assert page.locator(".slot.done:visible").count() == 0
    assert_accessible(page)
    _board(site, {1: "done"})
    eventually(page, "!document.getElementById('grid').hidden", 4)


def test_the_dock_says_nothing_when_the_server_is_gone(page: Page, site: Site, beating: Event) -> None:
    assert not beating.is_set()
    sign_in(page, "commander")
    page.goto(f"/dock/{site.story.station_id}")
    eventually(page, "document.querySelectorAll('.slot.done').length === 1")
    page.context.set_offline(True)
    eventually(page, "document.getElementById('grid').hidden", 12)
    page.context.set_offline(False)


def test_the_picture_moves_map_clocks_and_timeline(page: Page, site: Site) -> None:
    sign_in(page, "commander")
    open_player(page, site.story.stop_id)
    eventually(page, "document.getElementById('video').readyState >= 1")
    eventually(page, "document.querySelectorAll('#map path').length > 30")
    assert_accessible(page)
    before = page.inner_text("#wgs")
    page.evaluate("document.getElementById('video').currentTime = 20")
    eventually(page, "document.getElementById('true-clock').textContent === '14:20:27'")
    assert page.inner_text("#device-clock") == "14:20:28"
    assert page.inner_text("#wgs") != before
    page.click("button.span[data-row=gps].warn")
    eventually(page, "Math.abs(document.getElementById('video').currentTime - 13) < 0.2")
    page.keyboard.press("ArrowRight")
    eventually(page, "Math.abs(document.getElementById('video').currentTime - 18) < 0.3")
    page.evaluate("document.getElementById('video').currentTime = 18.02")
    page.keyboard.press(",")  # ten frames a second: the middle of the frame before
    eventually(page, "Math.abs(document.getElementById('video').currentTime - 17.95) < 0.01")
    page.keyboard.press(".")
    eventually(page, "Math.abs(document.getElementById('video').currentTime - 18.05) < 0.01")
    page.keyboard.press("]")
    assert page.evaluate("document.getElementById('video').playbackRate") == 1.5
    page.keyboard.press("k")
    eventually(page, "!document.getElementById('video').paused")
    for name in ("Hoàng Sa", "Trường Sa"):
        assert name in page.inner_text("#inset")
        assert name in page.inner_text("#map")


def test_provinces_are_named_where_several_fit_and_the_archipelagos_always(page: Page, site: Site) -> None:
    sign_in(page, "commander")
    open_player(page, site.story.stop_id)
    eventually(page, "document.querySelectorAll('#map .name-on-map.sea').length === 2")
    assert page.locator("#map .name-on-map.province").count() == 0
    for _ in range(5):
        page.click("#map .leaflet-control-zoom-out")
        page.wait_for_timeout(350)
    eventually(page, "document.querySelectorAll('#map .name-on-map.province').length > 30")
    assert page.locator("#map .name-on-map.sea").count() == 2
    assert_accessible(page)


def test_a_recording_is_attached_from_the_player(page: Page, site: Site) -> None:
    sign_in(page, "commander")
    open_player(page, site.story.stop_id)
    page.click("text=Gắn vào hồ sơ này")
    assert page.locator("#cases .chip.ok").inner_text().strip() == "✓ Đã gắn"


def test_a_report_asks_for_its_reason_and_its_sender_for_another(page: Page, site: Site) -> None:
    with site.rt.db.write() as session:
        report = petitions.start(session, site.rt.keyring)
        petitions.tell(session, site.rt.keyring, report.id, when="chiều qua", text="Tôi thấy đoàn xe")
        petitions.identify(session, site.rt.keyring, report.id, Identity("Nguyễn Văn Dân", "0900120003"))
        petitions.receive(session, site.rt.keyring, report.id)
    sign_in(page, "intake")
    page.goto(f"/submissions/{report.id}")
    assert_accessible(page)
    page.click("text=Mở tin")
    said = page.evaluate("document.querySelector('input[name=reason]').validationMessage")
    assert said == "Chọn một mục"  # the page's words, not the browser's
    page.check("input[value=verifying]")
    page.click("text=Mở tin")
    page.wait_for_selector("text=Tôi thấy đoàn xe")
    assert_accessible(page)
    assert page.locator("text=Nguyễn Văn Dân").count() == 0
    page.select_option("#identity-reason", "contact_sender")
    page.click("text=Mở danh tính")
    page.wait_for_selector("text=Nguyễn Văn Dân")


def test_slash_leads_to_the_search_box_and_a_plate_to_the_stop(page: Page, site: Site) -> None:
    sign_in(page, "commander")
    page.goto("/recordings")
    page.keyboard.press("/")
    page.keyboard.type("29A-123.45")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=29A**")
    assert page.locator("tbody tr").count() == 1
    assert site.story.stop_id in (page.get_attribute("tbody a", "href") or "")


@pytest.mark.parametrize(("where", "most_kb", "most_requests"), [("dock", 150, 25), ("player", 250, 25)])
def test_a_page_stays_within_its_budget(page: Page, site: Site, beating: Event, where, most_kb, most_requests) -> None:
    assert not beating.is_set()
    sign_in(page, "commander")
    if where == "player":
        page.goto(f"/recordings/{site.story.stop_id}")
        page.check("input[value=shift_check]")
    sent: list[int] = []

    def count(response: Response) -> None:
        if not re.search(r"/(original|board\.json)", response.url):  # the film itself, and the polling that goes on
            sizes = response.request.sizes()
            sent.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    page.context.on("response", count)
    if where == "player":
        page.click("text=Xem bản ghi")
        page.wait_for_selector("#player")
    else:
        page.goto(f"/dock/{site.story.station_id}")
    page.wait_for_load_state("load")
    page.wait_for_timeout(700)
    assert sum(sent) <= most_kb * 1000, sum(sent)
    assert len(sent) <= most_requests, len(sent)
