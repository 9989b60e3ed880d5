"""Making a package: what is in it, what never is, and going on after a break."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import evidence_packages as packages
import package_insider as insider
import pytest
from evidence_packages import WITNESSES
from pypdf import PdfReader
from sqlalchemy import select
from staff_story import add_rendition
from timestamp_authority import TimestampAuthority

from bodycam import custody
from bodycam.custody import timestamps
from bodycam.custody.models import CustodyEvent
from bodycam.custody.policy import Policy
from bodycam.custody.stamping import Stamper
from bodycam.packages import layout, orders
from bodycam.packages.errors import NotTheSealedFileError, PackagePlaceError
from bodycam.packages.reasons import Verdict
from bodycam.packages.verify import verify
from bodycam.recordings.models import Recording
from bodycam.recordings.renditions import rendition_of

ROOT = Path(__file__).parents[3]


def text_of(package: packages.Package) -> str:
    """Return all that can be read in a package: its JSON, and the words of its PDFs."""
    told = [path.read_text("utf-8") for path in package.path.rglob("*.json")]
    for path in package.path.rglob("*.pdf"):
        told += [page.extract_text() for page in PdfReader(path).pages]
    return "\n".join(told)


def test_a_package_with_enough_witnesses_is_valid(finished):
    verified = finished.verify()
    assert verified.reasons == ()
    assert verified.verdict is Verdict.VALID
    assert [name for name, _ in verified.witnesses] == ["w1", "w2"]


def test_the_originals_are_byte_for_byte_what_came_from_the_camera(told, finished):
    found = {
        path.parent.name: path.read_bytes() for path in (finished.path / "data/originals").rglob("*") if path.is_file()
    }
    assert found == told.originals


def test_the_report_says_what_who_when_where_and_how_to_verify(told, tmp_path):
    recording_id = told.recordings[0]
    with told.rt.db.write() as session:
        recording = session.get_one(Recording, recording_id)
        recording.lat, recording.lon, recording.place = 21.0285, 105.8542, "Phường Hoàn Kiếm, Hà Nội"
    made = told.make(told.order(recording_id), tmp_path, policy_text=told.policy())
    report = "\n".join(page.extract_text() for page in PdfReader(made.path / "data/report.pdf").pages)
    for words in (
        "MOV_0001.MP4",
        "BWC-01",
        "WGS 84: 21.028500, 105.854200",
        "Hoàn Kiếm",
        "package verify",
        "Viện kiểm sát",
    ):
        assert words in report
    assert re.search(r"X 2\s?326\s?345 m", report)  # VN-2000, the vector of Hà Nội in EPSG:5897
    digest = hashlib.sha256(told.originals[recording_id]).hexdigest()
    assert digest in report.replace("\n", "")
    minute = "\n".join(page.extract_text() for page in PdfReader(made.path / "data/bien-ban-trich-xuat.pdf").pages)
    assert "BIÊN BẢN TRÍCH XUẤT DỮ LIỆU ĐIỆN TỬ" in minute
    assert "Nguyễn Văn Thụ" not in minute  # signatures are blank


def test_a_package_tells_nothing_of_complaints_holds_looks_and_other_extractions(told, tmp_path):
    recording_id = told.recordings[1]
    other = told.make(told.order(recording_id), tmp_path, policy_text=told.policy())
    with told.rt.db.write() as session:
        for kind, more in (
            ("recording.viewed", {"actor": "intake-account", "reason_code": "complaint"}),
            ("recording.proposed", {"case_id": "another-case", "details": {"score_percent": 90, "reasons": "plate"}}),
            ("recording.attached", {"case_id": "another-case", "actor": "somebody-else"}),
        ):
            custody.record(session, kind, object_id=recording_id, **more)
    told.settle()
    made = told.make(told.order(recording_id), tmp_path, policy_text=told.policy())
    package = packages.Package(made.path, told.policy())
    said = text_of(package)
    for hidden in (
        "recording.viewed",
        "complaint",
        "intake-account",
        "another-case",
        "somebody-else",
        other.order.number,
    ):
        assert hidden not in said
    kinds = {event["event"]["kind"] for event in _events(package, recording_id)}
    assert kinds == {"recording.sealed", "recording.exported"}
    assert package.verify().verdict is Verdict.VALID


def _events(package, recording_id):
    document = insider.read(package, layout.PACKAGE)
    (recording,) = (item for item in document["recordings"] if item["id"] == recording_id)
    return [insider.read(package, path) for path in recording["events"]]


def test_a_viewing_copy_goes_in_only_when_the_order_says_so(told, tmp_path):
    recording_id = told.seal("DCIM/100/HEVC.MP4", b"an original that browsers can't play")
    add_rendition(told.rt, recording_id, "proxy", b"a copy to view", "video/mp4")
    with told.rt.db.write() as session:
        made = rendition_of(session, recording_id, "proxy")
        custody.record(
            session, "recording.rendered", object_id=recording_id, actor="system", sha256=made.sha256, size=made.size,
            details={"kind": "proxy", "object": made.object_id},
        )  # fmt: skip
    told.settle()
    without = told.make(told.order(recording_id), tmp_path, policy_text=told.policy())
    assert not (without.path / "data/copies").exists()
    whole = told.make(told.order(recording_id, renditions=True), tmp_path, policy_text=told.policy())
    copy = whole.path / f"data/copies/{recording_id}/proxy.mp4"
    assert copy.read_bytes() == b"a copy to view"
    assert whole.verified.verdict is Verdict.VALID
    package = packages.Package(whole.path, told.policy())
    copy.write_bytes(b"another")
    document = insider.read(package, layout.PACKAGE)
    document["recordings"][0]["copies"][0].update(sha256=hashlib.sha256(b"another").hexdigest(), size=7)
    insider.write(package, layout.PACKAGE, document)
    insider.relog(told, package)
    assert insider.codes(package.verify()) == {"copy_differs"}


def test_cosignatures_that_come_later_are_added_without_touching_the_data(tmp_path):
    with packages.world(tmp_path, sizes=(5_000,)) as told:
        place = tmp_path / "out"
        place.mkdir()
        order = told.order(*told.recordings)
        made = told.make(order, place, policy_text=told.policy())
        assert made.verified.verdict is Verdict.UNWITNESSED
        before = (made.path / layout.MANIFEST).read_bytes()
        told.witnesses = WITNESSES[:2]
        told.settle()
        again = told.make(order, place, policy_text=told.policy())
        assert again.verified.verdict is Verdict.VALID
        assert (again.path / layout.MANIFEST).read_bytes() == before
        with told.rt.db.read() as session:
            created = select(CustodyEvent.id).where(CustodyEvent.kind == "package.created")
            assert len(session.scalars(created).all()) == 1


def test_timestamps_travel_with_their_chain_and_are_checked_under_the_users_own_authority(told, tmp_path):
    authority = TimestampAuthority(tmp_path / "tsa")
    with authority.served() as url:
        named = timestamps.authorities([(url, authority.root)])
        Stamper(told.rt.db, told.rt.log, named, every=timedelta(0), timeout_s=10).run_once(now=True)
    told.settle()
    made = told.make(told.order(told.recordings[0]), tmp_path, policy_text=told.policy())
    package = packages.Package(made.path, told.policy())
    verified = package.verify()
    assert verified.verdict is Verdict.VALID
    assert any("not checked" in note for note in verified.notes)
    policy = tmp_path / "policy.txt"
    policy.write_text(told.policy())
    command = [sys.executable, "-m", "bodycam", "package", "verify", made.path, "--policy", policy, "--authority"]
    good = subprocess.run([*command, authority.root], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "stamped at" in good.stdout
    wrong = TimestampAuthority(tmp_path / "wrong")
    refused = subprocess.run([*command, wrong.root], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "confirmed by none" in refused.stdout
    (token,) = (made.path / "data/log/timestamps").glob("*.tsr")
    body = next((made.path / "data/log/timestamps").glob("*.checkpoint"))
    by_hand = ["openssl", "ts", "-verify", "-data", body, "-in", token, "-CAfile", authority.root]
    assert subprocess.run(by_hand, capture_output=True, check=False).returncode == 0
    body.write_bytes(body.read_bytes().replace(b"\n", b"\n1", 1))
    insider.relog(told, package)
    assert insider.codes(package.verify()) == {"timestamp_false"}


def test_other_bytes_than_were_sealed_make_no_package(told, tmp_path):
    recording_id = told.seal("DCIM/100/ROW.MP4", b"what the camera gave")
    with told.rt.db.write() as session:
        session.get_one(Recording, recording_id).sha256 = "0" * 64  # a row changed by hand
    order = told.order(recording_id)
    with pytest.raises(NotTheSealedFileError):
        told.make(order, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith((".part", ".lock"))] == []
    with told.rt.db.read() as session:
        assert orders.get_order(session, order).making == "failed"


def test_a_place_that_is_not_there_is_said(told, tmp_path):
    with pytest.raises(PackagePlaceError):
        told.make(told.order(told.recordings[0]), tmp_path / "usb-not-mounted")


def test_a_killed_making_goes_on_where_it_stopped(tmp_path):
    """Killed by SIGKILL in the middle of the second file: the first one is not copied again, the second goes on from its end."""
    place = tmp_path / "out"
    place.mkdir()
    with packages.world(tmp_path, sizes=(3 << 20, 200 << 20)) as told:
        order = told.order(*told.recordings)
        with told.rt.db.read() as session:
            number = orders.get_order(session, order).number
        policy = told.policy(0)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "BODYCAM_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "bodycam", "package", "create", "--order", number, "-o", place]
    cut = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part = until_growing(place, 20 << 20)
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert part.exists()
    left = part.stat().st_size
    assert 0 < left < 200 << 20
    (first,) = (path for path in place.rglob("data/originals/*/*") if path.suffix != ".part")
    inode = first.stat().st_ino
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    finished = place / number
    assert (finished / first.relative_to(place / f"{number}.part")).stat().st_ino == inode
    assert verify(finished, Policy.parse(policy)).verdict is Verdict.UNWITNESSED
    assert [path.name for path in place.iterdir()] == [number]


def until_growing(place: Path, size: int) -> Path:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in place.rglob("*.part"):
            if path.is_file() and path.stat().st_size > size:
                return path
        time.sleep(0.01)
    raise AssertionError("nothing was copied")
