"""A real server over the staff story, and a Chromium that may talk to it alone."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import staff_story
from browser import Site
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from bodycam.models import Base
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("BODYCAM_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    for _ in range(150):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  our own server
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the staff application over a fresh installation with the story in it, one for each file of tests."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    environment = {
        "BODYCAM_DATA_DIR": str(folder / "data"),
        "BODYCAM_STAFF__PORT": str(port),
        "BODYCAM_PUBLIC__PORT": str(free_port()),
        "BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8",
        "BODYCAM_DOCK__BUS": f"sim:{folder / 'bus'}",
        "BODYCAM_DEMO": "true",
    }
    with open_runtime(load_settings(environment)) as rt:
        Base.metadata.create_all(rt.db.engine)
        story = staff_story.tell(rt)
        command = [sys.executable, "-m", "webui.serve", "staff"]
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/sign-in", process)
            yield Site(f"http://127.0.0.1:{port}", rt, story)
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium from the system."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install it, or name it in BODYCAM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def foreign() -> list[str]:
    """Requests to other hosts; must stay empty."""
    return []


@pytest.fixture
def context(browser: Browser, site: Site, foreign: list[str]) -> Iterator[BrowserContext]:
    """A fresh profile that notes every request to another host and every error on a page."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1440, "height": 900}, locale="vi-VN")

    def note(request: Request) -> None:
        if not request.url.startswith((site.url, "data:", "blob:")):
            foreign.append(request.url)

    context.on("request", note)
    yield context
    context.close()
    assert foreign == []


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test on any script error or policy violation."""
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield page
    expected = ("401", "403", "404", "429", "ERR_")
    assert [line for line in problems if not any(mark in line for mark in expected)] == []
