"""The whole way once, as a newcomer walks it: `bodycam up --demo`, docks, the stop at 14:20, a case, a citizen's video, Ctrl-C."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import RECORDINGS, Installation, until
from playwright.sync_api import Browser, BrowserContext, Page, Request

from bodycam.custody.note import Verifier
from bodycam.custody.receipts import verify_receipt

pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("whole_way")]  # one demo serves all


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("demo"))
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.fixture
def page(browser: Browser, demo: Installation) -> Iterator[Page]:
    """A fresh profile on the staff app; requests to anything but the two apps fail the test."""
    own = (f"http://127.0.0.1:{demo.staff}/", f"http://127.0.0.1:{demo.public}/", "data:", "blob:")
    foreign: list[str] = []
    context: BrowserContext = browser.new_context(
        base_url=f"http://127.0.0.1:{demo.staff}", viewport={"width": 1440, "height": 900}, locale="vi-VN"
    )

    def note(request: Request) -> None:
        if not request.url.startswith(own):
            foreign.append(request.url)

    context.on("request", note)
    yield context.new_page()
    context.close()
    assert foreign == []


def _enter(page: Page, story: str) -> None:
    """Sign in by one click, as the demo offers."""
    page.goto("/sign-in")
    page.locator(f"form[action='/demo/{story}/enter'] button").click()
    page.wait_for_load_state()


def _poll(page: Page, expression: str, seconds: float = 30) -> None:
    for _ in range(int(seconds * 10)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {expression}")


def test_the_tiles_fill_and_turn_green_and_the_pulled_camera_resumes(page: Page, demo: Installation) -> None:
    _enter(page, "dock")
    page.goto("/dock")
    _poll(
        page,
        "document.querySelectorAll('.slot.lost').length == 1 || document.querySelectorAll('.slot.done').length == 4",
        60,
    )
    _poll(page, "document.querySelectorAll('.slot.done').length == 4", 90)
    assert page.locator(".slot.done").first.inner_text().count("Được phép rút máy") == 1
    until(demo.settled, "all recordings to be read")
    resumed = demo.rows("SELECT body FROM custody_event WHERE kind = 'offload.resumed'")
    offsets = [json.loads(str(body[0]))["details"].get("offset", 0) for body in resumed]
    assert any(offset > 0 for offset in offsets), "the pulled camera began anew instead of going on at the byte"


def test_the_stop_is_found_by_its_plate_and_watched_beside_the_map(page: Page, demo: Installation) -> None:
    until(demo.settled, "all recordings to be read")
    _enter(page, "stop")
    page.locator("input[type=search], input[name=q]").first.fill("29A-123.45")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    page.locator("main a:has-text('14:20:00')").first.click()
    page.wait_for_load_state()
    assert page.locator("video").count() == 0, "no frame before a reason"
    page.locator("input[name=reason]").first.check()
    page.get_by_role("button", name="Xem bản ghi").click()
    page.wait_for_selector("video")
    page.evaluate("document.querySelector('video').play()")
    _poll(page, "document.querySelector('video').currentTime > 1")
    assert page.locator(".leaflet-container").count() >= 1
    viewed = demo.rows("SELECT body FROM custody_event WHERE kind = 'recording.viewed'")
    assert json.loads(str(viewed[0][0]))["reason"]


def test_each_case_has_its_recordings_proposed_with_reasons(page: Page, demo: Installation) -> None:
    until(demo.settled, "all recordings to be read")
    proposed = demo.rows(
        "SELECT DISTINCT c.kind FROM case_recording r JOIN case_file c ON c.id = r.case_id WHERE r.state = 'proposed'"
    )
    kinds = {"traffic_stop", "tax_check", "customs_inspection", "field_inspection"}
    assert {str(row[0]) for row in proposed} == kinds
    _enter(page, "cases")
    page.goto("/cases")
    page.get_by_role("link", name="105432109870").first.click()
    page.wait_for_load_state()
    assert "cùng cán bộ" in page.locator("main").inner_text()
    page.get_by_role("button", name="Gắn vào hồ sơ").first.click()
    page.wait_for_load_state()
    assert demo.rows("SELECT 1 FROM case_recording WHERE state = 'attached'")


def test_the_clock_7_hours_off_and_the_jump_of_40_km_are_said(demo: Installation) -> None:
    until(demo.settled, "all recordings to be read")
    said = " ".join(str(row[0]) for row in demo.rows("SELECT vi FROM verification_finding"))
    assert "khoảng 7 giờ tròn" in said
    assert "chưa phải bằng chứng chỉnh giờ" in said
    jumps = demo.rows(
        "SELECT r.name FROM verification_finding f JOIN recording r ON r.id = f.recording_id"
        " WHERE f.result = 'contradiction' AND f.row = 'gps'"
    )
    assert ["BWC-0460" in str(row[0]) for row in jumps] == [True]


def test_a_citizen_sends_a_video_and_holds_a_receipt_that_proves_it(
    page: Page, demo: Installation, tmp_path: Path
) -> None:
    video = next((demo.data / "cameras" / "BWC-0412").glob("card/**/*.mp4"))
    sent = tmp_path / "VID_20261109_1421.mp4"
    sent.write_bytes(video.read_bytes() + b"\0" * 8)
    page.goto(f"http://127.0.0.1:{demo.public}/")
    page.get_by_role("button", name="Bắt đầu phản ánh").click()
    page.get_by_label("Ngày, giờ").fill("14:20 ngày 09/11/2026")
    page.get_by_role("button", name="Tiếp tục").first.click()
    page.get_by_label("Đường, số km").fill("QL1A, Km 182")
    page.get_by_role("button", name="Tiếp tục").first.click()
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(sent)
    page.get_by_text(sent.name).wait_for()
    on = re.compile(
        "^Tiếp tục( điền, video vẫn gửi)?$"
    )  # shorter once the video is all there, which here takes a moment
    page.get_by_role("button", name=on).last.click()
    page.get_by_label("Ai làm gì").fill("Tổ công tác dừng xe nhưng không lập biên bản.")
    page.get_by_role("button", name="Tiếp tục").first.click()
    page.get_by_role("heading", name="Bạn muốn ẩn danh").wait_for()
    page.get_by_role("button", name="Tiếp tục").first.click()
    page.get_by_label("Tôi cam kết").check()
    page.get_by_role("button", name="Gửi phản ánh").click()
    page.get_by_role("heading", name="Mã tra cứu bí mật").wait_for()
    until(lambda: demo.rows("SELECT 1 FROM submission_file WHERE state = 'sealed'") != [], "the video to be sealed")
    until(lambda: len(_receipts(demo)) >= 2, "both receipts")
    verifier = Verifier.parse((demo.data / "log" / "log.vkey").read_text().strip())
    for body in _receipts(demo):
        assert len(body.encode()) <= 4096
        verify_receipt(body, verifier)
    until(lambda: demo.rows("SELECT 1 FROM recording WHERE origin = 'citizen'") != [], "intake to take it over")
    _enter(page, "stop")
    assert "VID_20261109_1421" not in page.goto("/recordings").text(), (
        "a commander never learns that someone complained"
    )  # type: ignore[union-attr]


def _receipts(demo: Installation) -> list[str]:
    rows = demo.rows(
        "SELECT c.body FROM custody_receipt c JOIN custody_event e ON e.id = c.event_id WHERE e.kind LIKE 'submission.%'"
    )
    return [str(row[0]) for row in rows]


def test_a_flipped_byte_turns_its_recording_red_and_put_back_no_longer(page: Page, demo: Installation) -> None:
    until(demo.settled, "all recordings to be read")
    _enter(page, "tamper")
    page.get_by_role("button", name="Sửa một byte").click()
    page.get_by_role("heading", name="Byte này đã bị đổi").wait_for()
    page.get_by_role("button", name="Kiểm tra lại kho").click()
    page.get_by_text("Đã kiểm tra xong").wait_for(timeout=60_000)
    assert "Mâu thuẫn" in page.locator("section[aria-labelledby=damaged]").inner_text()
    page.goto("/demo/tamper")
    page.get_by_role("button", name="Trả lại byte").click()
    page.get_by_role("heading", name="Byte sẽ bị đổi").wait_for()
    page.get_by_role("button", name="Kiểm tra lại kho").click()
    page.get_by_text("Mọi dữ liệu đã đọc lại đều đúng").wait_for(timeout=60_000)
    until(demo.settled, "the recording to be checked anew")
    broken = "SELECT 1 FROM verification_finding WHERE row = 'integrity' AND result = 'contradiction'"
    until(lambda: demo.rows(broken) == [], "the recording to be whole again")


def test_a_card_that_fills_is_wiped_only_once_its_minute_is_signed(page: Page, demo: Installation) -> None:
    card = demo.data / "cameras" / "BWC-0412" / "card"

    def films() -> int:
        return len(list(card.rglob("*.mp4")))

    assert demo.rows("SELECT cause, state FROM wipe_order") == [("card_filling", "raised")]
    assert films() == 3
    _enter(page, "wipe")
    page.goto("/wipes")
    page.locator("tbody a").first.click()
    page.click("text=Duyệt 3 tệp")
    with page.expect_download() as paper:
        page.get_by_role("link", name="PDF", exact=True).click()
    assert films() == 3
    unsigned = paper.value.path().read_bytes()
    scan = {"name": "bien-ban-da-ky.pdf", "mimeType": "application/pdf", "buffer": unsigned + b"\n% signed"}
    page.set_input_files("#scan", scan)
    page.check("input[name=is_signed]")
    page.click("text=Gắn bản ký và cho phép xóa")
    until(lambda: demo.rows("SELECT state FROM wipe_order") == [("done",)], "the camera to be wiped")
    assert films() == 0
    page.reload()
    assert "Đã xóa 3 tệp, giữ lại 0" in page.inner_text("main")


def test_stopping_and_starting_again_changes_nothing(demo: Installation) -> None:
    until(demo.settled, "all recordings to be read")
    before = [demo.count(table) for table in ("recording", "case_file", "officer", "account", "camera", "station")]
    assert demo.stop() == 0
    assert demo.children() == []
    demo.start()
    until(lambda: demo.slots().count("done") == 4, "the docks to be as they were")
    after = [demo.count(table) for table in ("recording", "case_file", "officer", "account", "camera", "station")]
    assert after == before
    assert demo.count("recording") >= RECORDINGS
