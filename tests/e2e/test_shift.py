"""The end of a shift at the kiosk in Chromium: how long it takes a finger, and what it looks like to everybody."""

import io
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site, sign_in
from playwright.sync_api import Locator, Page, Response
from pypdf import PdfReader
from sqlalchemy import select

from bodycam import clock
from bodycam.cases.models import RecordingMinute
from bodycam.coverage.models import ShiftEnd
from bodycam.db import new_id
from bodycam.fleet import docking, pairing
from bodycam.fleet import service as fleet
from bodycam.people import passes, units
from tests.unit.coverage.world import World, filmed

PIN = "246810"
TAP_S = 0.8  # of a person who knows the screen, from one key to the next
LONGEST_S = 60  # a shift, as the product promises
FINGER_PX = 44
KIOSK = {"width": 1366, "height": 768}


@dataclass
class Shift:
    """An officer of his own, so that no other test's list changes, and the station whose kiosk he stands at."""

    world: World
    code: str
    taps: int = 0
    served_ms: list[float] = field(default_factory=list)


@pytest.fixture
def shift(site: Site) -> Iterator[Shift]:
    """Twelve stops of one officer, two of them in three files each; his camera is still uploading in slot 3."""
    name = new_id()[-6:]
    with site.rt.db.write() as session:
        officer = units.create_officer(
            session, unit_id=site.story.team_id, number=f"{int(name, 16) % 900 + 100}-{int(name, 16) % 9000 + 1000}",
            name="Phạm Thị Ngọc Ánh", force="traffic_police",
        )  # fmt: skip
        camera = fleet.register_camera(session, serial=f"S{name}", label=f"BWC-{name}", unit_id=site.story.team_id)
        fleet.issue_camera(session, camera.id, officer.id, starts_at=clock.now() - timedelta(days=1))
        station = docking.ensure_station(session, name=f"Trạm {name}", slots=8, unit_id=site.story.team_id)
        world = World(site.story.team_id, officer.id, camera.id, station.id)
        start = clock.now() - timedelta(hours=8)
        for n in range(12):
            for part in range(3 if n in {2, 7} else 1):
                at = start + timedelta(minutes=30 * n + 5 * part)
                filmed(session, world, at, leaf=False, receipt=n < 11, event_flag=n == 4, size=450_000_000)
        passes.change_pin(session, officer.id, PIN, settings=site.rt.settings.sign_in)
        code = pairing.make_code(session, station.id, actor=None)
    silent = Event()

    def beat() -> None:
        slot = {"slot": 3, "state": "uploading", "camera": f"BWC-{name}", "files_done": 14, "files_total": 18}
        while True:
            with site.rt.db.write() as session:
                docking.put_board(session, station.id, {"slots": [slot]})
            if silent.wait(0.8):
                return

    thread = Thread(target=beat)
    thread.start()
    yield Shift(world, code)
    silent.set()
    thread.join()


def _pair(page: Page, shift: Shift) -> None:
    page.set_viewport_size(KIOSK)
    page.goto("/kiosk/pair")
    page.fill("input[name=code]", shift.code)
    page.press("input[name=code]", "Enter")
    page.wait_for_url("**/kiosk")


def _enter(page: Page, shift: Shift) -> None:
    page.goto(f"/kiosk/pin-entry?officer={shift.world.officer}&then=shift")
    for digit in PIN:
        page.click(f"[data-key='{digit}']")
    page.wait_for_url("**/kiosk/shift")


def _accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


def _fingers(page: Page) -> None:
    """Fail on anything to press that is smaller than a finger; a line's checkbox is pressed by its whole label."""
    small = page.evaluate(
        """(least) => [...document.querySelectorAll('a,button,label:has(input),input[type=text]')]
          .filter((e) => e.offsetParent && !e.closest('.skip'))
          .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
          .filter(([, box]) => box.height < least || box.width < least).map(([html]) => html)""",
        FINGER_PX,
    )
    assert small == []


def test_a_shift_of_twelve_stops_is_ended_within_a_minute(page: Page, site: Site, shift: Shift) -> None:
    """From the board to the slip: three minutes, nine times none. The seconds are printed; keys and answers are what is bounded."""
    _pair(page, shift)

    def served(response: Response) -> None:
        if response.request.is_navigation_request():
            shift.served_ms.append(response.request.timing["responseEnd"])

    def tap(target: Locator, *, leads: bool = False) -> None:
        page.wait_for_timeout(TAP_S * 1000)
        shift.taps += 1
        if leads:
            with page.expect_navigation(wait_until="load"):
                target.click()
        else:
            target.click()

    def press(digits: str) -> None:
        for digit in digits:
            tap(page.locator(f"[data-key='{digit}']"))

    page.on("requestfinished", lambda request: served(answer) if (answer := request.response()) else None)
    began = clock.monotonic()
    tap(page.locator(".foot a", has_text="Kết thúc ca"), leads=True)
    with site.rt.db.read() as session:
        number = session.get_one(units.Officer, shift.world.officer).number
    press(number[-4:])
    tap(page.locator("button", has_text="Tiếp tục"), leads=True)
    press(PIN)
    page.wait_for_url("**/kiosk/shift")
    stops = page.locator(".stop")
    assert stops.count() == 12
    tap(stops.nth(0).locator("button[value^=number]"), leads=True)
    press("0231")
    tap(page.locator("#ok"), leads=True)
    for n in (4, 9):
        tap(stops.nth(n).locator("button[value^=number]"), leads=True)
        tap(page.locator("button[name=whole]").first, leads=True)
    tap(page.locator("#rest"), leads=True)
    assert page.locator(".stop :checked").count() == 9
    tap(page.locator("button[name=choice][value=none]"), leads=True)
    tap(page.locator("button", has_text="Kết thúc ca"), leads=True)
    took = clock.monotonic() - began
    assert "Đã kết thúc ca" in page.inner_text("main")
    assert "Để máy trong khe, đồng chí có thể ra về" in page.inner_text("main")
    with site.rt.db.read() as session:
        rows = session.scalars(select(RecordingMinute).where(RecordingMinute.officer_id == shift.world.officer)).all()
        numbers = sorted({row.number for row in rows if row.number})
    assert len(rows) == 16
    assert numbers == ["0231/BB-VPHC", "0232/BB-VPHC", "0233/BB-VPHC"]
    answers = statistics.median(shift.served_ms)
    print(f"end of shift: {shift.taps} taps, {took:.1f} s in all, answers median {answers:.0f} ms")  # noqa: T201  the figure asked for
    assert shift.taps <= 30
    assert shift.taps * TAP_S + len(shift.served_ms) * answers / 1000 <= LONGEST_S


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_the_way_is_accessible_for_fingers_and_fits_a_phone(page, shift, language) -> None:
    _pair(page, shift)
    _enter(page, shift)

    def look() -> None:
        page.set_viewport_size(KIOSK)
        _accessible(page)
        _fingers(page)
        page.set_viewport_size({"width": 390, "height": 844})
        _accessible(page)
        _fingers(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size(KIOSK)

    page.goto(f"/kiosk/shift?lang={language}")
    look()
    page.locator(".stop").nth(0).locator("button[value^=none]").click()
    page.wait_for_url("**/kiosk/shift#**")
    page.click(".stop a >> nth=0")  # one stop file by file
    page.wait_for_url("**apart**")
    assert page.locator(".stop").count() == 14
    look()
    page.locator(".stop").nth(1).locator("button[value^=number]").click()
    page.wait_for_url("**/answer")
    look()
    page.click("#ok")  # an empty number is refused by the page itself
    assert page.locator("#digits:invalid").count() == 1
    page.click("footer a")
    page.wait_for_url("**/kiosk/shift**")
    page.click(".finish button")
    page.wait_for_selector("button[name=later]")
    look()
    page.click("button[name=later]")
    page.wait_for_url("**/kiosk/slips/**")
    look()
    page.goto("/kiosk/slips")
    look()
    page.goto("/kiosk/shift")
    assert page.locator(".stop").count() == 11  # eleven stops put off; the answered one is gone
    look()


def test_the_text_at_400_percent_can_be_read_and_pressed(page: Page, shift: Shift) -> None:
    _pair(page, shift)
    _enter(page, shift)
    page.set_viewport_size({"width": 342, "height": 192})  # 1366 by 768 at 400 %
    page.goto("/kiosk/shift")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".stop").nth(3).locator("button[value^=none]").click()
    page.wait_for_url("**/kiosk/shift#**")
    assert page.locator(".stop").nth(3).locator(".answered").count() == 1


def test_without_a_script_every_step_works_too(browser, site: Site, shift: Shift) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False, viewport=KIOSK)
    page = context.new_page()
    _pair(page, shift)
    page.goto(f"/kiosk/pin-entry?officer={shift.world.officer}&then=shift")
    page.fill("input[name=pin]", PIN)
    page.click("form[action$=enter] button.main")
    page.wait_for_url("**/kiosk/shift")
    page.locator(".stop").nth(0).locator("button[value^=number]").click()
    page.fill("#digits", "77")
    page.click("#ok")
    page.locator(".stop").nth(1).locator("input[type=checkbox]").check()
    page.click("button[name=choice][value=none]")
    page.click(".finish button")
    page.click("button[name=later]")
    assert "77/BB-VPHC" in page.inner_text("article")
    context.close()


def test_supervisors_find_the_slip_and_what_is_missing(page: Page, site: Site, shift: Shift) -> None:
    _pair(page, shift)
    _enter(page, shift)
    page.click(".finish button")
    page.click("button[name=later]")
    page.wait_for_url("**/kiosk/slips/**")
    with site.rt.db.read() as session:
        slip = session.scalars(select(ShiftEnd).where(ShiftEnd.officer_id == shift.world.officer)).one()
    sign_in(page, "commander")
    for language in ("vi", "en"):
        for address in ("/owed", "/slips", f"/slips/{slip.id}"):
            page.set_viewport_size({"width": 1440, "height": 900})
            page.goto(f"{address}?lang={language}")
            _accessible(page)
            page.set_viewport_size({"width": 390, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            _accessible(page)
    paper = page.request.get(f"/slips/{slip.id}.pdf").body()
    assert slip.slip in "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages)
