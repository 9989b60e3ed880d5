"""`verify.html` in Chromium: the second verifier, written from docs/formats.md alone, must agree with `bodycam package verify`."""

import base64
import json
import random
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from evidence_packages import WITNESSES, made

from bodycam.custody.policy import Policy
from bodycam.packages.verify import verify

pytestmark = pytest.mark.e2e
HTML = Path(__file__).parents[2] / "bodycam/packages/verify.html"
_LOAD = """
(files) => { window.base = new Map(Object.entries(files).map(([path, text]) => [path, Uint8Array.from(atob(text), (c) => c.charCodeAt(0))])); }
"""
_VERIFY = """
async ([changes, policy]) => {
  const files = new Map(window.base);
  for (const [path, text] of Object.entries(changes))
    if (text === null) files.delete(path); else files.set(path, Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  const told = await verify([...files].map(([path, bytes]) => [path, new File([bytes], path.split("/").pop())]), policy);
  return {verdict: told.verdict, codes: (told.reasons || []).map((r) => r.code)};
}
"""


class Both:
    """One package, checked by both verifiers with the same changes made to it."""

    def __init__(self, page, package, folder):
        self.page, self.package, self.folder = page, package, folder
        self.files = {str(p.relative_to(package.path)): p.read_bytes() for p in package.path.rglob("*") if p.is_file()}
        page.goto(HTML.as_uri())
        page.evaluate(_LOAD, {path: base64.b64encode(data).decode() for path, data in self.files.items()})

    def html(self, changes, policy=None):
        sent = {path: None if data is None else base64.b64encode(data).decode() for path, data in changes.items()}
        return self.page.evaluate(_VERIFY, [sent, policy or self.package.policy])

    def python(self, changes, policy=None):
        copy = self.folder / "changed"
        shutil.copytree(self.package.path, copy)
        try:
            for path, data in changes.items():
                if data is None:
                    (copy / path).unlink()
                else:
                    (copy / path).parent.mkdir(parents=True, exist_ok=True)
                    (copy / path).write_bytes(data)
            told = verify(copy, Policy.parse(policy or self.package.policy))
        finally:
            shutil.rmtree(copy)
        return {"verdict": str(told.verdict.value), "codes": [reason.code for reason in told.reasons]}

    def agreed(self, changes, policy=None):
        ours, theirs = self.python(changes, policy), self.html(changes, policy)
        assert theirs["verdict"] == ours["verdict"], (sorted(changes), ours, theirs)
        return theirs


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "w").mkdir()
    (folder / "u").mkdir()
    return {
        "witnessed": made(folder / "w", witnesses=WITNESSES[:2], sizes=(90_000, 3_000)),
        "unwitnessed": made(folder / "u", witnesses=(), sizes=(2_000,)),
    }


@pytest.fixture
def page(browser):
    """A page of a context of its own: this file is opened from the disk, which others must not."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


@pytest.fixture
def both(page, packages, tmp_path):
    return Both(page, packages["witnessed"], tmp_path)


def test_an_untouched_package_is_valid(both):
    assert both.agreed({}) == {"verdict": "valid", "codes": []}


def test_an_untouched_package_without_witnesses_is_unwitnessed(page, packages, tmp_path):
    both = Both(page, packages["unwitnessed"], tmp_path)
    assert both.agreed({})["verdict"] == "valid-unwitnessed"


def test_another_log_or_a_higher_quorum_is_judged_alike(both, packages):
    assert both.agreed({}, packages["unwitnessed"].policy)["codes"][0] == "log_unknown"
    asks_three = both.package.policy.replace("group all-three 2", "group all-three 3")
    assert both.agreed({}, asks_three)["verdict"] == "valid-unwitnessed"
    assert both.html({}, "nonsense\n")["verdict"] == "error"


def test_every_flipped_bit_is_found_by_both(both):
    chance = random.Random(7)
    for path, data in sorted(both.files.items()):
        for _ in range(3):
            at = chance.randrange(len(data))
            flipped = bytearray(data)
            flipped[at] ^= 1 << chance.randrange(8)
            assert both.agreed({path: bytes(flipped)})["verdict"] in {"tampered", "incomplete", "valid-unwitnessed"}


def test_a_missing_file_an_extra_one_a_twin_and_a_bad_name_are_judged_alike(both):
    for path in both.files:
        both.agreed({path: None})
    original = next(path for path in both.files if path.startswith("data/originals/"))
    for extra in ("data/extra.txt", "extra.txt", original.lower() + "x", "data/.hidden", "data/con.txt", "data/é.txt"):
        assert both.agreed({extra: b"x"})["verdict"] == "tampered"
    folder, _, name = original.rpartition("/")
    assert both.agreed({f"{folder}/{name.swapcase()}": both.files[original]})["verdict"] == "tampered"
    assert both.agreed({"data/Thumbs.db": b"x"})["verdict"] == "valid"


def rebuilt(files):
    """Write manifest and tag manifest anew over changed files, as an insider would."""
    import hashlib

    lines = {path: hashlib.sha256(data).hexdigest() for path, data in files.items() if path.startswith("data/")}
    files["manifest-sha256.txt"] = "".join(f"{lines[path]}  {path}\n" for path in sorted(lines)).encode()
    tags = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "proof/package.json")
    files["tagmanifest-sha256.txt"] = "".join(
        f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in tags
    ).encode()
    return files


def test_documents_rewritten_by_an_insider_with_all_hashes_are_judged_alike(both):
    def change(path, edit):
        files = dict(both.files)
        told = json.loads(files[path])
        edit(told)
        text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        files = rebuilt(files | {path: text.encode()})
        changed = {name: data for name, data in files.items() if data != both.files[name]}
        return both.agreed(changed)

    assert change("data/order.json", lambda o: o.update(purpose="khác"))["verdict"] == "tampered"
    assert "order_differs" in change("data/order.json", lambda o: o.update(number="TX-1"))["codes"]
    assert (
        "order_expired"
        in change("data/order.json", lambda o: o.update(expires_at="2000-01-01T00:00:00.000000Z"))["codes"]
    )
    assert (
        "order_self_approved" in change("data/order.json", lambda o: o.update(approved_by=o["requested_by"]))["codes"]
    )

    def swap(told):
        a, b = told["recordings"][:2]
        a["sealed"], b["sealed"] = b["sealed"], a["sealed"]

    def swap_files(told):
        a, b = told["recordings"][:2]
        a["original"], b["original"] = b["original"], a["original"]

    for edit in (
        swap,
        swap_files,
        lambda p: p["recordings"].pop(),
        lambda p: p["recordings"].append(p["recordings"][0]),
    ):
        assert change("data/package.json", edit)["verdict"] == "tampered"  # the manifest is not the one in the log
    for path in sorted(both.files):
        if path.startswith("data/events/") and path.endswith(".json"):
            assert change(path, lambda e: e.update(index=e["index"] + 1))["verdict"] == "tampered"


def test_both_ways_of_ed25519_and_sha512_agree_with_the_browser(page):
    page.goto(HTML.as_uri())
    told = page.evaluate("""
    async () => {
      const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]), wrong = [];
      const key = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
      for (let n = 0; n < 20; n++) {
        const message = crypto.getRandomValues(new Uint8Array(n * 13)), signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, message));
        if (!ed25519Slow(key, message, signature)) wrong.push("good " + n);
        signature[n * 3] ^= 1 << (n % 8);
        if (ed25519Slow(key, message, signature)) wrong.push("false " + n);
        const native = async (name, data) => hexOf(new Uint8Array(await crypto.subtle.digest(name, data)));
        if (await native("SHA-512", message) !== hexOf(sha512(message))) wrong.push("sha512 " + n);
        if (await native("SHA-256", message) !== hexOf(sha256(message))) wrong.push("sha256 " + n);
      }
      return wrong;
    }""")
    assert told == []


def test_a_person_picks_policy_and_folder_and_reads_the_verdict(page, packages, tmp_path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    policy = tmp_path / "policy"
    policy.write_text(packages["witnessed"].policy)
    page.goto(HTML.as_uri())
    assert page.is_disabled("#go")
    page.set_input_files("#policy", policy)
    page.set_input_files("#folder", packages["witnessed"].path)
    page.click("#go")
    page.wait_for_selector("#verdict.valid")
    assert page.inner_text("#verdict") == "✔ Hợp lệ"
    page.click("#language")
    assert page.inner_text("#verdict") == "✔ Valid"
    assert "2 files" not in page.inner_text("#facts")
    assert page.inner_text("#facts").count("Independent witness") == 2
    assert all(url.startswith(("file:", "blob:")) for url in asked)
    assert Axe().run(page).violations_count == 0
