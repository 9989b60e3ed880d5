"""Attacks on a package, each by its name, and what the verifier says of it."""

import os
import random
import shutil
import time
import unicodedata
import zipfile
from datetime import timedelta

import evidence_packages as packages
import package_insider as insider
import pytest
from evidence_packages import WITNESSES
from package_insider import codes

from bodycam import clock
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.keys import open_key
from bodycam.custody.policy import Policy
from bodycam.packages import create as creating
from bodycam.packages import layout, orders
from bodycam.packages.errors import NotAPackageFolderError, OrderExpiredError, OwnOrderError
from bodycam.packages.reasons import Verdict
from bodycam.packages.verify import verify


def originals(package):
    return sorted(path for path in (package.path / "data/originals").rglob("*") if path.is_file())


def some_event(package):
    return min((package.path / "data/events").rglob("*.json"))


def test_an_extra_file_is_found(package):
    (package.path / "data/originals/extra.mp4").write_bytes(b"x")
    verified = package.verify()
    assert (verified.verdict, codes(verified)) == (Verdict.TAMPERED, {"file_extra"})


def test_an_extra_file_beside_the_data_is_found(package):
    (package.path / "read-me-first.html").write_bytes(b"x")
    assert codes(package.verify()) == {"file_extra"}


def test_what_a_desktop_leaves_in_an_opened_folder_is_no_alarm(package):
    (package.path / "data/.DS_Store").write_bytes(b"x")
    (package.path / "Thumbs.db").write_bytes(b"x")
    (package.path / "data/empty").mkdir()
    verified = package.verify()
    assert verified.verdict is Verdict.VALID
    assert len(verified.notes) == 2


@pytest.mark.parametrize("which", ["data/originals", "data/events", "data/receipts", "data/log", "data/package.json"])
def test_a_missing_file_makes_it_incomplete(package, which):
    path = package.path / which
    victim = path if path.is_file() else next(found for found in sorted(path.rglob("*")) if found.is_file())
    victim.unlink()
    verified = package.verify()
    assert verified.verdict is Verdict.INCOMPLETE
    assert "file_missing" in codes(verified)


@pytest.mark.parametrize("tag", layout.TAG_FILES)
def test_a_missing_tag_file_makes_it_incomplete(package, tag):
    (package.path / tag).unlink()
    verified = package.verify()
    assert verified.verdict is Verdict.INCOMPLETE
    assert "file_missing" in codes(verified)


def test_a_renamed_file_is_found(package):
    victim = originals(package)[0]
    victim.rename(victim.with_name("renamed.mp4"))
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert codes(verified) == {"file_missing", "file_extra"}


def test_a_symlinked_file_is_found_though_its_bytes_are_right(package, tmp_path):
    victim = originals(package)[0]
    aside = tmp_path / "aside"
    victim.rename(aside)
    victim.symlink_to(aside)
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert "file_special" in codes(verified)


def test_a_symlinked_folder_and_a_pipe_are_not_followed(package):
    (package.path / "data/loop").symlink_to(package.path)
    os.mkfifo(package.path / "data/pipe")
    assert codes(package.verify()) == {"file_special"}


@pytest.mark.parametrize(
    "path", ["data/../../secret", "../secret", "/etc/passwd", "data//x", "data/./x", "data\\x", "data/~"]
)
def test_a_path_that_climbs_out_is_never_opened(package, path):
    manifest = package.path / layout.MANIFEST
    manifest.write_text(f"{'0' * 64}  {path}\n" + manifest.read_text())
    insider.retag(package)
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert "path_forbidden" in codes(verified)


def test_two_names_that_differ_in_case_only_are_found(package):
    victim = originals(package)[0]
    shutil.copy(victim, victim.with_name(victim.name.lower().replace("mov", "Mov")))
    assert "path_twin" in codes(package.verify())


def test_twins_in_the_manifest_itself_are_found(package):
    manifest = package.path / layout.MANIFEST
    lines = sorted([*manifest.read_text().splitlines(), f"{'0' * 64}  data/ORDER.json"], key=lambda line: line[66:])
    manifest.write_text("\n".join(lines) + "\n")
    insider.retag(package)
    assert "path_twin" in codes(package.verify())


def test_names_that_differ_in_unicode_form_only_are_forbidden(package):
    for form in ("NFC", "NFD"):
        (package.path / "data" / unicodedata.normalize(form, "Báo cáo.pdf")).write_bytes(b"x")
    assert codes(package.verify()) == {"path_forbidden"}


def test_a_name_that_is_no_text_is_forbidden(package):
    with open(os.fsencode(package.path / "data") + b"/\xff\xfe", "wb") as file:  # noqa: PTH123  bytes that are no text
        file.write(b"x")
    assert codes(package.verify()) == {"path_forbidden"}


def test_a_zip_bomb_is_refused_unopened(package, tmp_path):
    bomb = tmp_path / "package.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/originals/x.mp4", b"\0" * (64 << 20))
    with pytest.raises(NotAPackageFolderError):
        verify(bomb, Policy.parse(package.policy))
    shutil.copy(bomb, package.path / "data/bomb.zip")
    assert codes(package.verify()) == {"file_extra"}


@pytest.mark.parametrize("path", [layout.MANIFEST, layout.TAG_MANIFEST, layout.PROOF, layout.BAG_INFO])
def test_a_10_gb_manifest_is_not_read(package, path):
    with (package.path / path).open("ab") as file:
        file.truncate(10 << 30)
    before = time.monotonic()
    verified = package.verify()
    assert time.monotonic() - before < 5
    assert verified.verdict is Verdict.TAMPERED
    assert "limit_exceeded" in codes(verified)


def test_swapped_recordings_are_found(package):
    one, two = originals(package)
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    assert codes(package.verify()) == {"file_changed"}


def test_swapped_recordings_are_found_though_an_insider_logged_the_new_manifest(package, told):
    one, two = originals(package)
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    insider.relog(told, package)
    verified = package.verify()
    assert (verified.verdict, codes(verified)) == (Verdict.TAMPERED, {"original_differs"})


def test_a_manifest_recomputed_by_an_insider_is_not_the_one_in_the_log(package):
    victim = originals(package)[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    insider.recompute(package)
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert {"manifest_changed", "original_differs"} <= codes(verified)


def test_an_insider_who_drops_the_proof_still_does_not_hide_a_change(package):
    victim = originals(package)[0]
    victim.write_bytes(b"another")
    insider.recompute(package)
    (package.path / layout.PROOF).unlink()
    assert package.verify().verdict is Verdict.TAMPERED


def test_a_proof_of_another_event_is_found(package, told):
    one, two = sorted((package.path / "data/events/order").glob("*.tlog-proof"))
    shutil.copy(two, one)
    insider.relog(told, package)
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert "event_false" in codes(verified)


def test_the_event_of_another_recording_is_found(package, told):
    document = insider.read(package, layout.PACKAGE)
    first, second = document["recordings"]
    first["sealed"], second["sealed"] = second["sealed"], first["sealed"]
    insider.write(package, layout.PACKAGE, document)
    insider.relog(told, package)
    assert "event_of_another" in codes(package.verify())


def test_the_same_recording_twice_in_place_of_another_is_found(package, told):
    document = insider.read(package, layout.PACKAGE)
    document["recordings"][1] = document["recordings"][0]
    insider.write(package, layout.PACKAGE, document)
    insider.relog(told, package)
    assert codes(package.verify()) == {"recording_twice", "recording_missing"}


def test_an_event_rewritten_by_an_insider_is_found(package, told):
    path = some_event(package).relative_to(package.path).as_posix()
    document = insider.read(package, path)
    document["event"]["time"] = "2020-01-01T00:00:00.000000Z"
    insider.write(package, path, document)
    insider.relog(told, package)
    assert "event_false" in codes(package.verify())


def test_an_opening_of_another_file_is_found(package, told):
    document = insider.read(package, layout.PACKAGE)
    path = document["recordings"][0]["sealed"]
    event = insider.read(package, path)
    event["openings"]["content"]["sha256"] = "0" * 64
    insider.write(package, path, event)
    insider.relog(told, package)
    assert "event_false" in codes(package.verify())


def test_a_destroyed_opening_makes_it_incomplete(package, told):
    path = insider.read(package, layout.PACKAGE)["recordings"][0]["sealed"]
    insider.change(package, path, openings={})
    insider.relog(told, package)
    verified = package.verify()
    assert (verified.verdict, codes(verified)) == (Verdict.INCOMPLETE, {"opening_missing"})


def test_a_receipt_of_another_recording_is_found(package, told):
    document = insider.read(package, layout.PACKAGE)
    first, second = document["recordings"]
    first["receipt"], second["receipt"] = second["receipt"], first["receipt"]
    insider.write(package, layout.PACKAGE, document)
    insider.relog(told, package)
    assert codes(package.verify()) == {"receipt_false"}


def test_a_recording_that_nobody_ordered_is_found(told, finished, tmp_path):
    """The insider makes a package of two recordings on an order of one."""
    one, two = told.recordings[:2]
    made = told.make(told.order(one), tmp_path, policy_text=told.policy())
    package = packages.Package(made.path, told.policy())
    document = insider.read(package, layout.PACKAGE)
    other = next(item for item in insider.read(finished, layout.PACKAGE)["recordings"] if item["id"] == two)
    document["recordings"].append({**other, "receipt": None})
    insider.write(package, layout.PACKAGE, document)
    insider.relog(told, package)
    assert "recording_not_ordered" in codes(package.verify())


def test_an_order_changed_after_its_approval_is_found(package, told):
    insider.change(package, layout.ORDER, recipient="Báo chí")
    insider.relog(told, package)
    assert codes(package.verify()) == {"order_differs"}


def test_an_expired_order_makes_no_package(told, tmp_path):
    order = told.order(told.recordings[0], days=1)
    moment = clock.now()
    clock.set_now(lambda: moment + timedelta(days=2))
    try:
        with pytest.raises(OrderExpiredError):
            told.make(order, tmp_path)
    finally:
        clock.set_now(None)
    assert list(tmp_path.iterdir()) == []


def test_a_package_an_insider_made_on_an_expired_order_is_found(told, tmp_path, monkeypatch):
    order = told.order(told.recordings[0], days=1)
    moment = clock.now()
    monkeypatch.setattr(orders, "check_unexpired", lambda _: None)
    monkeypatch.setattr(creating, "check_unexpired", lambda _: None)
    monkeypatch.setattr(creating, "PackageNotSoundError", _Ignored)
    clock.set_now(lambda: moment + timedelta(days=2))
    try:
        with pytest.raises(_Ignored):
            told.make(order, tmp_path)
    finally:
        clock.set_now(None)
    verified = verify(next(tmp_path.iterdir()), Policy.parse(told.policy()))
    assert (verified.verdict, codes(verified)) == (Verdict.INCOMPLETE, {"order_expired"})


class _Ignored(Exception):  # noqa: N818  stands in for a refusal
    def __init__(self, **_):
        super().__init__()


def test_nobody_approves_his_own_order(told):
    wanted = orders.Request("m", "n", renditions=False, days=1, recording_ids=(told.recordings[0],))
    with told.rt.db.write() as session:
        order = orders.request(session, wanted, actor=told.requester)
    with told.rt.db.write() as session, pytest.raises(OwnOrderError):
        orders.approve(session, order.id, actor=told.requester, seen=order.list_sha256)


def test_an_order_that_its_requester_approved_past_the_service_is_found(told, tmp_path, monkeypatch):
    approver = told.approver
    monkeypatch.setattr(orders, "OwnOrderError", _Ignored)
    wanted = orders.Request("m", "n", renditions=False, days=1, recording_ids=(told.recordings[0],))
    with told.rt.db.write() as session:
        order = orders.request(session, wanted, actor=approver)
        order.requested_by = told.requester  # the row lies for a moment, the log does not
    with told.rt.db.write() as session:
        orders.approve(session, order.id, actor=approver, seen=order.list_sha256)
    with told.rt.db.write() as session:
        orders.get_order(session, order.id).requested_by = approver
    monkeypatch.setattr(creating, "PackageNotSoundError", _Ignored)
    with pytest.raises(_Ignored):
        told.make(order.id, tmp_path)
    verified = verify(next(path for path in tmp_path.iterdir() if path.is_dir()), Policy.parse(told.policy()))
    assert (verified.verdict, codes(verified)) == (Verdict.INCOMPLETE, {"order_self_approved"})


def test_the_wrong_policy_never_says_valid(package, tmp_path):
    with packages.world(tmp_path / "other", sizes=(10,)) as other:
        other_policy = other.policy()
    verified = package.verify(other_policy)
    assert verified.verdict is Verdict.TAMPERED
    assert "log_unknown" in codes(verified)


def test_a_package_without_witnesses_says_so(tmp_path):
    package = packages.made(tmp_path, witnesses=())
    verified = package.verify()
    assert (verified.verdict, codes(verified)) == (Verdict.UNWITNESSED, {"unwitnessed"})


def test_too_few_witnesses_say_so(tmp_path):
    package = packages.made(tmp_path, witnesses=WITNESSES[2:])
    assert package.verify().verdict is Verdict.UNWITNESSED
    one_is_enough = package.policy.replace("group all-three 2", "group all-three 1")
    assert package.verify(one_is_enough).verdict is Verdict.VALID


def test_a_policy_that_asks_for_nobody_is_not_witnessed(package, told):
    assert package.verify(told.policy(0)).verdict is Verdict.UNWITNESSED


def test_a_false_line_of_a_known_witness_spoils_the_head(package):
    document = insider.read(package, layout.PROOF)
    line = next(number for number, text in enumerate(document["proof"]) if "witness1" in text)
    start, _, signature = document["proof"][line].rpartition(" ")
    changed = signature[:40] + ("A" if signature[40] != "A" else "B") + signature[41:]
    document["proof"][line] = f"{start} {changed}"
    insider.write(package, layout.PROOF, document)
    insider.retag(package)
    verified = package.verify()
    assert (verified.verdict, codes(verified)) == (Verdict.TAMPERED, {"checkpoint_false"})


def test_a_forked_log_is_found(package, told, tmp_path):
    """Whoever holds the log's key shows the court a second log: the witnessed head doesn't continue it."""
    fork = shutil.copytree(told.rt.settings.data_dir, tmp_path / "fork")
    head = layout.CHECKPOINT
    own = (package.path / head).read_text("utf-8")
    size = int(own.split("\n")[1])
    signer = open_key(fork / "keys", told.rt.log.origin, create=False)
    (package.path / head).write_text(Checkpoint.sign(signer, size, b"\7" * 32).note, "utf-8")
    insider.relog(told, package)
    verified = package.verify()
    assert verified.verdict is Verdict.TAMPERED
    assert "log_forked" in codes(verified)


def test_one_flipped_bit_anywhere_is_found(package):
    """The sample of every run; the ten thousand are in tests/faults."""
    files = sorted(path for path in package.path.rglob("*") if path.is_file())
    chosen = random.Random(20261122)
    for number in range(250):
        path = files[number % len(files)]
        good = path.read_bytes()
        bit = chosen.randrange(len(good) * 8)
        spoilt = bytearray(good)
        spoilt[bit // 8] ^= 1 << bit % 8
        path.write_bytes(spoilt)
        assert package.verify().verdict is Verdict.TAMPERED, f"bit {bit} of {path}"
        path.write_bytes(good)
    assert package.verify().verdict is Verdict.VALID
