"""How fast `verify.html` streams a large original in Chromium, against sha256sum and Python's hashlib in the same run.

A sparse file of GIB (10) GiB is picked like a person would pick the folder and hashed by the page's own workers; the tab's memory is
printed too, since a browser that held the file would not do. Needs Chromium and no disk to speak of; about a minute and a half.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

HTML = Path(__file__).parents[1] / "bodycam/packages/verify.html"
CHROMIUM = os.environ.get("BODYCAM_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
_HASH = """async () => {
  let done = 0;
  const found = await hashAll(files, (more) => { done += more; }, () => false);
  return [[...found.values()], done, performance.memory.usedJSHeapSize];
}"""


def main() -> None:
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 10) << 30
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "package" / "film.mp4"
        file.parent.mkdir()
        with file.open("wb") as stream:
            stream.truncate(size)
            stream.write(os.urandom(1 << 20))
        started = time.perf_counter()
        with file.open("rb") as stream:
            due = hashlib.file_digest(stream, "sha256").hexdigest()
        python = time.perf_counter() - started
        started = time.perf_counter()
        subprocess.run(["sha256sum", file], check=True, stdout=subprocess.DEVNULL)
        coreutils = time.perf_counter() - started
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page()
            page.goto(HTML.as_uri())
            page.set_input_files("#folder", file.parent)
            started = time.perf_counter()
            [digest], done, heap = page.evaluate(_HASH)
            took = time.perf_counter() - started
            browser.close()
    assert (digest, done) == (due, size), "the page hashed something else"
    print(f"{size >> 30} GiB, one file; load of the machine {os.getloadavg()[0]:.1f}")
    for name, seconds in (("verify.html in Chromium", took), ("sha256sum", coreutils), ("Python's hashlib", python)):
        print(f"| {name} | {seconds:.1f} s | {size / seconds / 1e6:.0f} MB/s | {seconds / took:.2f} |")
    print(f"JavaScript heap of the page: {heap / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
