"""The kiosk in Chromium: a card typed by its reader, keys on the screen, every page for fingers, and no tile without a heartbeat."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import kiosk_story
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, eventually
from kiosk_story import CARD, DUTY_CARD, PIN, AtStation
from playwright.sync_api import Browser, Error, Page, Response

from bodycam.fleet import docking, pairing
from bodycam.fleet.models import Station
from bodycam.people import passes, units

SCREENS = {"1366": (1366, 768), "1920": (1920, 1080), "phone": (390, 844)}
OPEN_PAGES = ["/kiosk", "/kiosk/sign-in", "/kiosk/sign-in?digits=184", "/kiosk/pin-entry?officer={officer_id}"]
OFFICER_PAGES = ["/kiosk/menu", "/kiosk/cameras", "/kiosk/broken", "/kiosk/pin", "/kiosk/release"]
DUTY_PAGES = ["/kiosk/release", "/kiosk/vouch?about={officer_id}"]


@pytest.fixture(scope="module")
def equipped(site: Site) -> AtStation:
    return kiosk_story.equip(site.rt, site.story)


@pytest.fixture
def silent(site: Site, equipped: AtStation) -> Iterator[Event]:
    """A station whose heart beats until the event is set."""
    silent = Event()

    def beat() -> None:
        while not silent.wait(0.8):
            kiosk_story.beat(site.rt, site.story)

    assert equipped
    kiosk_story.beat(site.rt, site.story)
    thread = Thread(target=beat)
    thread.start()
    yield silent
    silent.set()
    thread.join()


@pytest.fixture
def kiosk(page: Page, site: Site, silent: Event) -> Page:
    """A paired screen showing its board."""
    assert not silent.is_set()
    page.set_viewport_size({"width": 1366, "height": 768})
    pair(page, site)
    return page


def pair(page: Page, site: Site) -> None:
    with site.rt.db.write() as session:
        code = pairing.make_code(session, site.story.station_id, actor=None)
    page.goto("/kiosk/pair")
    page.fill("#code", code)
    page.click("text=Ghép →")
    page.wait_for_url("**/kiosk")


def show_card(page: Page, card: str, leads_to: str = "**/kiosk/menu") -> None:
    """Type as a card reader does: without a pause, then Enter; a busy machine may tear the keys apart, as no reader does."""
    for _ in range(3):
        page.keyboard.type(card)
        page.keyboard.press("Enter")
        try:
            return page.wait_for_url(leads_to, timeout=8_000)
        except Error:
            continue
    raise AssertionError(f"the card was not read at {page.url}")


def type_pin(page: Page, pin: str = PIN) -> None:
    for digit in pin:
        page.click(f"[data-key='{digit}']")
    page.wait_for_load_state()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == [], page.url


def small_targets(page: Page) -> list[str]:
    """Return what can be touched and is smaller than 44 px, an option's own label counted with it."""
    return page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, summary')]
            .map(one => one.closest('label') ?? one)
            .filter(one => one.checkVisibility() && !one.matches('.who a'))
            .map(one => [one.getBoundingClientRect(), one.outerHTML.slice(0, 90)])
            .filter(([box]) => box.width && (box.width < 44 || box.height < 44)).map(([box, html]) => `${box.width}x${box.height} ${html}`)"""
    )


def visit(page: Page, site: Site, addresses: list[str]) -> None:
    for address in addresses:
        for language in ("vi", "en"):
            where = address.format(**vars(site.story))
            page.goto(where + ("&" if "?" in where else "?") + f"lang={language}")
            for width, height in SCREENS.values():
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (where, width)
                assert small_targets(page) == [], (where, width)
            assert_accessible(page)
    page.goto("/kiosk?lang=vi")


def test_pages_for_everybody_are_accessible_and_made_for_fingers(kiosk: Page, site: Site) -> None:
    visit(kiosk, site, OPEN_PAGES)
    boxes = kiosk.evaluate(
        "[...document.querySelectorAll('.foot .big')].map(one => one.getBoundingClientRect().height)"
    )
    assert min(boxes) >= 64


def test_an_officers_pages_are_accessible_and_made_for_fingers(kiosk: Page, site: Site) -> None:
    show_card(kiosk, CARD)
    visit(kiosk, site, OFFICER_PAGES)


def test_a_duty_officers_pages_are_accessible_and_made_for_fingers(kiosk: Page, site: Site) -> None:
    show_card(kiosk, DUTY_CARD)
    visit(kiosk, site, DUTY_PAGES)


def test_a_card_is_read_on_any_page_and_the_countdown_leads_back_to_the_board(kiosk: Page) -> None:
    kiosk.clock.install()
    kiosk.goto("/kiosk/sign-in?then=cameras")
    show_card(kiosk, CARD, "**/kiosk/cameras")
    assert "Trần Văn Nam" in kiosk.inner_text(".who-at")
    show_card(kiosk, DUTY_CARD)  # the next one in the queue
    assert "Nguyễn Thị Hà" in kiosk.inner_text(".who-at")
    eventually(kiosk, "/^(5[5-9]|60) s$/.test(document.getElementById('countdown').innerText)")
    kiosk.clock.fast_forward(61_000)
    kiosk.wait_for_url("**/kiosk")
    kiosk.goto("/kiosk/menu")
    assert "/kiosk/sign-in" in kiosk.url


def test_what_a_reader_types_into_a_field_is_a_card_and_not_text(kiosk: Page) -> None:
    show_card(kiosk, CARD)
    kiosk.goto("/kiosk/broken")
    kiosk.click("summary")
    kiosk.focus("#note")
    show_card(kiosk, DUTY_CARD)
    assert "Nguyễn Thị Hà" in kiosk.inner_text(".who-at")


def test_a_touch_on_ones_tile_and_the_pin_open_the_menu(kiosk: Page) -> None:
    box = kiosk.locator(".slot[data-slot='1']").bounding_box()
    assert box is not None
    kiosk.mouse.click(box["x"] + 30, box["y"] + 20)  # anywhere on the tile
    kiosk.wait_for_url("**/pin-entry**")
    type_pin(kiosk, "135790")
    assert "Mã PIN không đúng hoặc chưa được cấp" in kiosk.inner_text("#problem")
    type_pin(kiosk)
    kiosk.wait_for_url("**/kiosk/menu")


def test_digits_lead_to_a_choice_when_several_numbers_end_so(kiosk: Page, site: Site) -> None:
    with site.rt.db.write() as session:
        units.create_officer(
            session, unit_id=site.story.team_id, number="199-221", name="Vũ Đức", force="traffic_police"
        )
    kiosk.click("text=Quẹt thẻ hoặc nhập mã PIN")
    for digit in "221":
        kiosk.click(f"[data-key='{digit}']")
    kiosk.click("text=Tiếp tục")
    kiosk.click(".person >> text=Vũ Đức")
    assert "199-221" in kiosk.inner_text("h2")


def test_wrong_pins_are_slowed(kiosk: Page, site: Site) -> None:
    with site.rt.db.write() as session:
        other = units.create_officer(
            session, unit_id=site.story.team_id, number="188-777", name="Đỗ Hải", force="traffic_police"
        )
    kiosk.goto(f"/kiosk/pin-entry?officer={other.id}")
    for _ in range(6):
        type_pin(kiosk, "135790")
    assert "Thử lại sau" in kiosk.inner_text("#problem")


def test_the_duty_officer_helps_with_a_forgotten_pin(kiosk: Page, site: Site) -> None:
    with site.rt.db.write() as session:
        other = units.create_officer(
            session, unit_id=site.story.team_id, number="188-666", name="Hoàng Yến", force="traffic_police"
        )
    kiosk.goto(f"/kiosk/pin-entry?officer={other.id}")
    kiosk.click("text=Quên mã PIN")
    show_card(kiosk, DUTY_CARD, "**/kiosk/vouch**")
    kiosk.click("text=Đúng, cấp mã PIN mới")
    pin = kiosk.inner_text(".secret")
    assert_accessible(kiosk)
    kiosk.click("text=Đăng nhập bằng mã mới")
    type_pin(kiosk, pin)
    kiosk.wait_for_url("**/kiosk/pin")
    for pad in ("pin", "again"):
        for digit in "135791":
            kiosk.click(f".keypad:has(#{pad}) [data-key='{digit}']")
    kiosk.click("main button.main")
    kiosk.wait_for_url("**/kiosk/menu")
    assert "Đã đổi mã PIN" in kiosk.inner_text("main")
    with site.rt.db.read() as session:
        held = passes.pass_of(session, other.id)
    assert held is not None
    assert not held.pin_is_new


def test_a_camera_is_taken_returned_and_reported_broken(kiosk: Page) -> None:
    kiosk.click(".foot >> text=Nhận / Trả máy")
    show_card(kiosk, CARD, "**/kiosk/cameras")
    kiosk.click("button:has-text('BWC-0501')")
    assert "Đồng chí đã nhận máy BWC-0501." in kiosk.inner_text("main")
    kiosk.goto("/kiosk")
    eventually(kiosk, "document.querySelector('[data-slot=\"2\"] .who').textContent.includes('Trần Văn Nam')")
    show_card(kiosk, CARD)
    kiosk.click("text=Nhận / Trả máy")
    kiosk.click("button:has-text('BWC-0501')")
    assert "Đồng chí đã trả máy BWC-0501." in kiosk.inner_text("main")
    kiosk.goto("/kiosk/broken")
    kiosk.click("label:has-text('BWC-0501')")
    kiosk.click("label:has-text('Ống kính')")
    kiosk.click("label:has-text('Từ sáng nay')")
    kiosk.click("text=Báo hỏng và lấy phiếu")
    kiosk.wait_for_url("**/kiosk/broken/BH-**")
    assert re.search(r"BH-\d{8}-\d{3}", kiosk.inner_text(".number"))
    assert kiosk.locator("[data-print]").is_visible()
    assert_accessible(kiosk)
    kiosk.goto("/kiosk/cameras")
    assert "đang báo hỏng" in kiosk.inner_text(".line.off:has-text('BWC-0501')")


def test_an_ordinary_officer_may_not_order_a_pull_and_the_duty_officer_may(kiosk: Page, site: Site) -> None:
    kiosk.click("text=Rút theo lệnh")
    show_card(kiosk, CARD, "**/kiosk/release")
    assert "Chỉ chỉ huy trực ban" in kiosk.inner_text("main")
    show_card(kiosk, DUTY_CARD, "**/kiosk/release")
    kiosk.click("label:has-text('Khe 3')")
    kiosk.click("label:has-text('Máy treo')")
    kiosk.click("text=Ra lệnh rút")
    kiosk.wait_for_selector("text=Đã ra lệnh")
    with site.rt.db.read() as session:
        station = session.get_one(Station, site.story.station_id)
        assert station.token_hash
    with site.rt.db.write() as session:
        taken = [(row.command, row.slot) for row in docking.take_commands(session, site.story.station_id)]
    assert ("release", 3) in taken


@pytest.mark.parametrize("where", ["/kiosk", "/kiosk/sign-in", "/kiosk/cameras", "/kiosk/release"])
def test_every_page_gives_way_when_the_station_falls_silent(kiosk: Page, site: Site, silent: Event, where: str) -> None:
    show_card(kiosk, DUTY_CARD)
    kiosk.goto(where)
    eventually(kiosk, "document.getElementById('down').hidden")
    silent.set()
    eventually(kiosk, "document.querySelector('[data-beat]').hidden && !document.getElementById('down').hidden", 15)
    assert "KHÔNG RÚT MÁY" in kiosk.inner_text("#down")
    assert kiosk.locator(".slot:visible, .line:visible, .picks:visible").count() == 0
    assert_accessible(kiosk)
    kiosk_story.beat(site.rt, site.story)
    eventually(kiosk, "!document.querySelector('[data-beat]').hidden", 5)


def test_the_board_says_nothing_when_the_server_is_gone(kiosk: Page) -> None:
    eventually(kiosk, "document.querySelectorAll('.slot.done').length > 0")
    kiosk.context.set_offline(True)
    eventually(kiosk, "document.getElementById('grid').hidden", 15)
    kiosk.context.set_offline(False)


@pytest.mark.parametrize("slots", [1, 3, 8, 12, 24])
def test_any_number_of_slots_fits_the_screen_and_is_read_at_two_metres(kiosk: Page, site: Site, silent, slots) -> None:
    silent.set()
    with _many(site, slots):
        for width, height in ((1366, 768), (1920, 1080)):
            kiosk.set_viewport_size({"width": width, "height": height})
            kiosk.goto("/kiosk")
            eventually(
                kiosk,
                f"document.querySelectorAll('.slot').length === {slots} && document.getElementById('down').hidden",
            )
            eventually(kiosk, "document.getElementById('pages').dataset.names !== undefined", 15)
            kiosk.evaluate("document.querySelectorAll('.hand').forEach(one => one.remove())")  # a demo's alone
            seen = kiosk.evaluate(_MEASURE)
            assert seen["down"] or seen["height"] <= height, (slots, width, seen)
            assert seen["spilt"] == 0, (slots, width, seen)
            assert seen["least"] >= 21, (slots, width, seen)


_MEASURE = """() => {
    const shown = (what) => [...document.querySelectorAll(what)].filter(one => one.checkVisibility());
    return {
        down: !document.getElementById('down').hidden,
        height: document.documentElement.scrollHeight,
        spilt: shown('.in').filter(one => one.scrollHeight > one.clientHeight + 1).length,
        least: Math.min(99, ...shown('.who, .left').map(one => parseFloat(getComputedStyle(one).fontSize))),
    };
}"""


@contextmanager
def _many(site: Site, slots: int) -> Iterator[None]:
    """Let the station beat with so many slots, in every state and with a long name, until the block ends."""
    states = ("uploading", "verifying", "done", "empty", "error", "waiting_receipt", "lost", "released")
    who = {
        "officer": "Nguyễn Thị Hoàng Phương Thảo",
        "number": "184-2661",
        "camera": "BWC-9999",
        "eta_s": 250,
        "message_vi": "không đọc được tệp, " * 9,
    }
    named = [{"slot": n + 1, "state": states[n % 8], "files_done": 8, "files_total": 12, **who} for n in range(slots)]
    over = Event()

    def put(count: int) -> None:
        with site.rt.db.write() as session:
            session.get_one(Station, site.story.station_id).slots = count
            docking.put_board(session, site.story.station_id, {"slots": named})

    def beat() -> None:
        while not over.wait(1):
            put(slots)

    put(slots)
    thread = Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        put(8)


def test_the_sound_is_off_until_somebody_turns_it_on_and_stays_as_chosen(kiosk: Page) -> None:
    assert kiosk.inner_text("#sound") == "Chuông: tắt"
    kiosk.click("#sound")
    assert kiosk.get_attribute("#sound", "aria-pressed") == "true"
    kiosk.reload()
    assert kiosk.inner_text("#sound") == "Chuông: bật"


def test_without_scripts_the_kiosk_still_works_and_reloads_itself(browser: Browser, site: Site, silent: Event) -> None:
    assert not silent.is_set()
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    pair(page, site)
    assert '<meta http-equiv="refresh" content="2">' in page.content()
    page.goto(f"/kiosk/pin-entry?officer={site.story.officer_id}")
    page.fill("#pin", PIN)
    page.click("text=Vào")
    page.wait_for_url("**/kiosk/menu")
    page.goto("/kiosk/cameras")
    assert "BWC-0412" in page.inner_text("main")
    context.close()


def test_the_kiosk_stays_within_its_budget(kiosk: Page) -> None:
    sent: list[int] = []

    def count(response: Response) -> None:
        if "board.json" not in response.url:
            sizes = response.request.sizes()
            sent.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    kiosk.context.on("response", count)
    client = kiosk.context.new_cdp_session(kiosk)
    client.send("Network.clearBrowserCache")
    kiosk.goto("/kiosk")
    kiosk.wait_for_load_state("load")
    kiosk.wait_for_timeout(500)
    assert sum(sent) <= 150_000, sum(sent)
    assert len(sent) <= 25, len(sent)
