"""A citizen's way in Chromium: a phone on a weak network, with and without JavaScript."""

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import portal as portals
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize
from sqlalchemy import select

from bodycam.petitions import secret_code
from bodycam.petitions.models import CodeSource, FileState, Submission, SubmissionFile

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
WORDS = "Tổ công tác dừng xe nhưng không lập biên bản, yêu cầu nộp tiền tại chỗ."
SHOTS = os.environ.get("E2E_SHOTS")  # a folder: every page is drawn there, for people to look at
SLOW = 400_000  # bytes a second

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[portals.Portal]:
    with portals.serving(tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, portal: portals.Portal) -> Iterator[Visit]:
    """Open the portal in a fresh browser; at the end no request may have gone to another host, and no error been logged."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    errors: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((portal.url, "data:", "blob:")):
            foreign.append(request.url)

    def begin(*, through: Browser | None = None, size: dict[str, int] | None = None, language: str = "vi") -> Page:
        view: ViewportSize = {"width": (size or PHONE)["width"], "height": (size or PHONE)["height"]}
        context = (through or browser).new_context(base_url=portal.url, viewport=view, locale="vi-VN")
        contexts.append(context)
        context.on("request", note)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"/?lang={language}")
        return page

    yield begin
    for context in contexts:
        context.close()
    assert foreign == []
    assert errors == []


@pytest.fixture
def plain_browser(browser: Browser) -> Iterator[Browser]:
    """A Chromium with scripts off at its heart: only so does it show what stands in <noscript>."""
    kind = browser.browser_type
    flags = ["--no-sandbox", "--disable-gpu", "--blink-settings=scriptEnabled=false"]
    plain = kind.launch(executable_path=os.environ.get("BODYCAM_CHROMIUM", "/usr/bin/chromium"), args=flags)
    yield plain
    plain.close()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "VID_20261109_1421.mp4"
    path.write_bytes(secrets.token_bytes(4_000_000 + secrets.randbelow(9_000)))  # found by its size in the database
    return path


@pytest.mark.parametrize(("language", "words"), [("vi", "Cần điền ô này"), ("en", "Fill this in")])
def test_an_empty_answer_is_named_in_the_page_s_language(visit: Visit, language: str, words: str) -> None:
    page = visit(language=language)
    page.click("main form button")
    page.wait_for_selector("#when")
    page.locator("main button").first.click()
    assert page.evaluate("document.getElementById('when').validationMessage") == words


def slow(page: Page, upload: int = SLOW) -> None:
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": upload},
    )


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def to_files(page: Page) -> None:
    button(page, "Bắt đầu phản ánh")
    page.get_by_label("Ngày, giờ").fill("14:20 ngày 09/11/2026")
    button(page, "Tiếp tục")
    page.get_by_label("Đường, số km").fill("QL1A, Km 182, Thanh Trì, Hà Nội")
    page.get_by_label("Biển số xe").fill("29A-123.45")
    button(page, "Tiếp tục")
    page.get_by_role("heading", name="Gửi video hoặc ảnh").wait_for()


def to_review(page: Page) -> None:
    page.get_by_label("Ai làm gì").fill(WORDS)
    button(page, "Tiếp tục")
    page.get_by_role("heading", name="Bạn muốn ẩn danh").wait_for()
    button(page, "Tiếp tục")
    page.get_by_role("heading", name="Xem lại và cam kết").wait_for()


def send(page: Page) -> None:
    page.get_by_label("Tôi cam kết").check()
    button(page, "Gửi phản ánh")
    page.get_by_role("heading", name="Mã tra cứu bí mật").wait_for()


def shown_code(page: Page) -> str:
    page.locator(".code span").last.wait_for()
    return "".join(page.locator(".code span").all_inner_texts())


def until(page: Page, what: Callable[[], bool], seconds: float = 20) -> None:
    """Wait on the page's own loop, so that its events come in meanwhile."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        page.wait_for_timeout(50)


def stored(portal: portals.Portal, video: Path) -> SubmissionFile | None:
    with portal.rt.db.read() as session:
        return session.scalar(select(SubmissionFile).where(SubmissionFile.size == video.stat().st_size))


def offset_of(portal: portals.Portal, video: Path) -> int:
    file = stored(portal, video)
    return file.offset if file else 0


def state_of(portal: portals.Portal, video: Path) -> str:
    file = stored(portal, video)
    return file.state if file else ""


def test_a_file_chosen_a_moment_ago_is_not_lost_by_going_on_at_once(
    visit: Visit, portal: portals.Portal, video: Path
) -> None:
    page = visit()
    to_files(page)
    page.evaluate(  # a phone takes seconds for the fingerprint of a long video
        """() => { const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (file) { setTimeout(() => post.call(this, file), 2500); }; }"""
    )
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    page.get_by_role("button", name="Tiếp tục điền, video vẫn gửi").click()
    page.get_by_label("Ai làm gì").wait_for()
    assert stored(portal, video) is None
    until(page, lambda: state_of(portal, video) == FileState.COMPLETE)


def test_a_video_survives_a_reload_in_the_middle_and_ends_with_code_receipt_and_status(
    visit: Visit, portal: portals.Portal, video: Path
) -> None:
    page = visit()
    to_files(page)
    slow(page)
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    page.get_by_text(re.compile("MB trên 4,0 MB")).wait_for()
    until(page, lambda: offset_of(portal, video) > 1_000_000)
    page.reload()
    page.get_by_text("chọn lại đúng tệp này để gửi tiếp").wait_for()
    offsets: list[int] = []
    page.on("request", lambda r: offsets.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None)
    slow(page)
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    until(page, lambda: bool(offsets))
    assert offsets[0] > 1_000_000

    button(page, "Tiếp tục điền, video vẫn gửi")
    page.get_by_role("heading", name="Bạn đã chứng kiến điều gì?").wait_for()
    to_review(page)
    send(page)
    assert len(offsets) == 1, "the upload went on while the steps changed"
    code = shown_code(page)
    keys = secret_code.keys(code)
    with portal.rt.db.read() as session:
        kept = session.scalars(select(Submission).where(Submission.lookup_id == keys.lookup_id)).one()
    assert (kept.sign_in_public, kept.reply_public) == (keys.sign_in_public, keys.reply_public)
    assert kept.code_source == CodeSource.BROWSER

    page.get_by_label("Gõ lại nhóm cuối").fill("AAA")
    button(page, "Tôi đã giữ mã")
    page.get_by_text("Không khớp với nhóm cuối").wait_for()
    page.get_by_label("Gõ lại nhóm cuối").fill(code[-3:].lower())
    button(page, "Tôi đã giữ mã")
    page.get_by_role("heading", name="Biên nhận – dùng để chứng minh đã gửi").wait_for()
    page.get_by_text("video đang gửi").wait_for()
    until(page, lambda: state_of(portal, video) == FileState.COMPLETE)
    portal.settle()
    page.get_by_text("Đã lưu, khóa chống sửa").first.wait_for()
    page.locator(".qr svg").nth(1).wait_for()
    sealed = stored(portal, video)
    assert sealed is not None
    assert sealed.object_id is not None
    assert b"".join(portal.rt.vault.open(sealed.object_id).chunks()) == video.read_bytes()

    other = visit()
    other.goto("/tra-cuu")
    sent: list[str] = []
    other.on("request", lambda r: sent.append(r.post_data or ""))
    other.get_by_label("Mã tra cứu bí mật").fill(" ".join(secret_code.groups(code)).lower())
    button(other, "Mở hồ sơ")
    other.get_by_role("heading", name="Tình trạng hồ sơ").wait_for()
    assert not any(code in body.replace("+", "").upper() for body in sent), "the code itself stayed in the browser"


def test_a_lost_network_costs_a_mebibyte_and_three_seconds_at_most(
    visit: Visit, portal: portals.Portal, video: Path
) -> None:
    page = visit()
    to_files(page)
    slow(page)
    patches: list[tuple[float, int]] = []
    page.on(
        "request",
        lambda r: patches.append((time.monotonic(), int(r.headers["upload-offset"]))) if r.method == "PATCH" else None,
    )
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    until(page, lambda: offset_of(portal, video) > 1_000_000)
    page.context.set_offline(True)
    page.get_by_text("Mất kết nối").wait_for()
    page.wait_for_timeout(2500)
    reached = page.get_by_role("progressbar").first.evaluate("bar => bar.value")
    before = len(patches)
    page.context.set_offline(False)
    back = time.monotonic()
    until(page, lambda: len(patches) > before)
    at, offset = patches[before]
    assert at - back < 3
    assert reached - offset <= 1 << 20
    until(page, lambda: state_of(portal, video) == FileState.COMPLETE)


def test_sending_can_be_paused_and_a_file_taken_back(visit: Visit, portal: portals.Portal, video: Path) -> None:
    page = visit()
    to_files(page)
    slow(page)
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    page.get_by_text(re.compile("MB trên 4,0 MB")).wait_for()
    button(page, "Tạm dừng")
    page.get_by_text("Đã tạm dừng").wait_for()
    button(page, "Tiếp tục gửi")
    button(page, "Bỏ tệp này")
    until(page, lambda: page.locator(".file").count() == 0)
    until(page, lambda: state_of(portal, video) == FileState.REMOVED)


def test_without_javascript_everything_works_and_says_that_it_is_weaker(
    visit: Visit, plain_browser: Browser, portal: portals.Portal, video: Path
) -> None:
    page = visit(through=plain_browser)
    page.locator("noscript .note").wait_for()  # Playwright's search by text leaves <noscript> out
    to_files(page)
    assert "cách gửi này kém hơn" in page.locator("noscript .note").inner_text()
    page.locator("#plain").set_input_files(video)
    page.locator("noscript button").click()
    to_review(page)
    send(page)
    button(page, "Để máy chủ tạo mã")
    page.get_by_text("kém an toàn hơn mã do máy của bạn tạo").wait_for()
    code = shown_code(page)
    page.get_by_label("Gõ lại nhóm cuối").fill(code[-3:])
    button(page, "Tôi đã giữ mã")
    portal.settle()
    page.reload()
    assert page.locator(".qr svg").count() == 2
    page.goto("/tra-cuu")
    page.get_by_label("Mã tra cứu bí mật").fill(code)
    button(page, "Mở hồ sơ")
    page.get_by_role("heading", name="Tình trạng hồ sơ").wait_for()


def test_quick_exit_in_the_middle_of_sending_asks_nothing_and_leaves_no_way_back(visit: Visit, video: Path) -> None:
    page = visit()
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    to_files(page)
    slow(page)
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    page.get_by_text(re.compile("MB trên 4,0 MB")).wait_for()
    page.get_by_role("link", name="Thoát nhanh").click()
    page.wait_for_url("**/thoat")
    assert page.inner_text("body") == ""
    assert asked == []
    page.go_back()
    assert "QL1A" not in page.content()


PAGES = ("/", "/gui/khi-nao", "/gui/o-dau", "/gui/tep", "/gui/noi-dung", "/gui/danh-tinh", "/gui/xem-lai", "/tra-cuu")
AFTER = ("/ma", "/bien-nhan", "/ho-so")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_is_free_of_axe_violations_and_fits_the_screen(
    visit: Visit, portal: portals.Portal, video: Path, size: dict[str, int], language: str
) -> None:
    page = visit(size=size)
    to_files(page)
    page.get_by_label("Chọn video hoặc ảnh").set_input_files(video)
    until(page, lambda: state_of(portal, video) == FileState.COMPLETE)
    button(page, "Tiếp tục")
    to_review(page)
    for path in PAGES:
        look(page, path, language, size)
    page.goto("/gui/xem-lai?lang=vi")
    send(page)
    shown_code(page)
    look(page, "/ma", language, size)
    portal.settle()
    for path in AFTER[1:]:
        look(page, path, language, size)


def look(page: Page, path: str, language: str, size: dict[str, int]) -> None:
    page.goto(f"{path}?lang={language}")
    page.wait_for_load_state("networkidle")
    if SHOTS:
        name = f"{path.strip('/').replace('/', '-') or 'start'}-{language}-{size['width']}.png"
        page.screenshot(path=Path(SHOTS) / name, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{path} is wider than the screen"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_no_page_weighs_more_than_40_kb_or_asks_more_than_6_times(visit: Visit) -> None:
    page = visit()
    to_files(page)
    for path in (*PAGES[:6], "/tra-cuu"):
        cdp = page.context.new_cdp_session(page)
        cdp.send("Network.enable")
        cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
        weights: list[float] = []
        cdp.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))  # noqa: B023
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert sum(weights) <= 40_000, path
        assert len(weights) <= 6, path
        cdp.detach()
