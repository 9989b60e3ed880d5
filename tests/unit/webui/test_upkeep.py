"""Devices, system log, vault and citizens' reports: who sees them, and what they say."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.docking import finish_visit, set_visit_clock, start_visit
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import register_unknown_camera
from bodycam.jobs import service as jobs
from bodycam.people.models import Force
from bodycam.people.units import create_unit
from bodycam.petitions import content
from bodycam.petitions import service as petitions
from bodycam.petitions.content import Identity
from bodycam.petitions.models import FileState, Submission, SubmissionFile
from bodycam.recordings.models import Recording
from bodycam.recordings.on_camera import Seen, note_seen
from bodycam.runtime import Runtime
from bodycam.tasks import vault


@pytest.fixture
def report_id(rt: Runtime) -> str:
    with rt.db.write() as session:
        row = petitions.start(session, rt.keyring)
        petitions.tell(
            session, rt.keyring, row.id, when="chiều qua", where="Quốc lộ 1A", text="Tôi thấy <b>đoàn xe</b>"
        )
        petitions.identify(session, rt.keyring, row.id, Identity("Nguyễn Văn Dân", "0900120003"))
        petitions.receive(session, rt.keyring, row.id)
        return row.id


def test_the_camera_that_did_not_come_back_is_on_top_with_its_holder(as_role) -> None:
    page = as_role("monitor").get("/devices").text
    assert page.index("BWC-0477") < page.index("BWC-0412")
    assert "Trần Văn Nam" in page
    assert "chưa về trạm" in page


def test_an_unknown_camera_and_files_still_on_one_are_told_to_its_unit_alone(
    rt: Runtime, as_role, story: Story
) -> None:
    with rt.db.write() as session:
        stranger = register_unknown_camera(session, serial="STRANGE-9", unit_id=story.team_id)
        visit = start_visit(session, camera_id=stranger.id, serial="STRANGE-9", station_id=story.station_id, slot=1)
        seen = [Seen("a.mp4", 2_000_000, "20260921T200000")]
        note_seen(session, camera_id=stranger.id, visit_id=visit.id, files=seen, offset_s=None)
        finish_visit(session, visit.id, state=VisitState.RELEASED, files=0, size=0)
    page = as_role("commander").get("/devices").text
    assert "Máy lạ đã cắm trạm" in page
    assert "Còn tệp chưa lấy" in page
    assert page.index("STRANGE-9") < page.index("<table")
    assert "rút theo lệnh" in as_role("commander").get(f"/devices/{stranger.id}").text
    with rt.db.write() as session:
        elsewhere = create_unit(session, code="XA", name="Đơn vị xa", force=Force.CUSTOMS)
        register_unknown_camera(session, serial="FAR-1", unit_id=elsewhere.id)
    assert "FAR-1" not in as_role("commander").get("/devices").text


def test_what_a_visit_noted_stands_beside_it_in_the_pages_language(rt: Runtime, as_role, story: Story) -> None:
    note = {"path": "", "code": "files_missing", "message": "Missing <0003>", "vi": "Thiếu số <0003>"}
    old = {"path": "", "code": "empty_file", "message": "The file is empty"}
    with rt.db.write() as session:
        visit = start_visit(session, camera_id=story.camera_id, serial="SN0412", station_id=story.station_id, slot=1)
        finish_visit(session, visit.id, state=VisitState.DONE, files=0, size=0, problems=[note, old])
    page = as_role("commander").get(f"/devices/{story.camera_id}").text
    assert "2 ghi chú" in page
    assert "Thiếu số &lt;0003&gt;" in page
    assert "The file is empty" in page


def test_an_offset_measured_by_a_dock_without_reference_is_shown_and_not_judged(
    rt: Runtime, as_role, story: Story
) -> None:
    for reference, is_judged in (("chrony", True), ("unknown", False)):
        with rt.db.write() as session:
            visit = start_visit(session, camera_id=story.camera_id, serial="SN0412", slot=3)
            now = clock.now()
            set_visit_clock(
                session, visit.id, raw="x", camera_time=now, dock_time=now, offset_s=1.8, reference=reference
            )
            finish_visit(session, visit.id, state=VisitState.DONE, files=0, size=0)
        page = as_role("monitor").get("/devices").text
        assert ("✓ nhanh 1,8 s" in page, "trạm không có giờ chuẩn" in page) == (is_judged, not is_judged)


def test_a_zero_state_says_when_it_was_checked(as_role) -> None:
    moment = clock.now() - timedelta(days=300)
    clock.set_now(lambda: moment)
    page = as_role("monitor").get("/devices").text
    assert "Không có máy nào quá hạn về trạm. Kiểm tra lúc" in page


def test_a_camera_shows_its_story(as_role, story: Story) -> None:
    assert "Đăng ký máy" in as_role("commander").get(f"/devices/{story.camera_id}").text
    missing = "00000000-0000-7000-8000-000000000000"
    assert as_role("commander").get(f"/devices/{missing}").status_code == HTTPStatus.NOT_FOUND


def test_the_log_page_shows_its_length_and_hands_out_the_signed_head(rt: Runtime, as_role) -> None:
    auditor = as_role("auditor")
    assert "Chưa có mốc nào" in auditor.get("/log").text
    Sequencer(rt.db, rt.log).run_once()
    assert "Tải mốc đã ký" in auditor.get("/log").text
    assert auditor.get("/log/checkpoint").text.startswith(rt.settings.log.origin)


def test_a_flipped_byte_turns_red(rt: Runtime, as_role, story: Story) -> None:
    auditor = as_role("auditor")
    assert auditor.post("/vault/scrub").status_code == HTTPStatus.FOUND
    with rt.db.read() as session:
        row = session.get_one(Recording, story.stop_id)
        due = jobs.due(session)
    assert due
    path = rt.vault.root / "objects" / row.object_id[:2] / row.object_id
    sealed = bytearray(path.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(sealed)
    vault.scrub(rt, account_id="auditor")
    page = auditor.get("/vault").text
    assert f"/recordings/{story.stop_id}" in page
    assert "dữ liệu đã bị thay đổi hoặc bị cắt" in page
    assert story.stop_id not in as_role("administrator").get("/vault").text


def viewings(rt: Runtime, report_id: str) -> list[str]:
    with rt.db.read() as session:
        query = select(CustodyEvent.body).where(CustodyEvent.object_id == report_id).order_by(CustodyEvent.id)
        return list(session.scalars(query.where(CustodyEvent.kind == "submission.viewed")))


def test_a_report_is_opened_only_after_a_reason_is_in_the_log(rt: Runtime, as_role, report_id: str) -> None:
    client, address = as_role("intake"), f"/submissions/{report_id}"
    assert report_id in client.get("/submissions").text
    page = client.get(address).text
    assert "Lý do xem" in page
    assert "Tôi thấy" not in page
    assert viewings(rt, report_id) == []
    for given in ({}, {"reason": "curious"}, {"reason": "other", "words": " "}):
        assert client.post(f"{address}/view", data=given).status_code == HTTPStatus.BAD_REQUEST
    assert client.post(f"{address}/view", data={"reason": "intake"}).status_code == HTTPStatus.FOUND
    page = client.get(address).text
    assert "Tôi thấy &lt;b&gt;đoàn xe&lt;/b&gt;" in page
    assert "Nguyễn Văn Dân" not in page
    assert "Lý do xem: Tiếp nhận, phân loại" in page
    assert ['"reason":"intake"' in body for body in viewings(rt, report_id)] == [True]
    assert "Tôi thấy" not in as_role("auditor").get(address).text  # a reason is one person's, of one sign-in


def test_who_reports_is_shown_once_for_a_reason_of_its_own(rt: Runtime, as_role, report_id: str) -> None:
    client, address = as_role("intake"), f"/submissions/{report_id}"
    given = {"reason": "contact_sender"}
    assert client.post(f"{address}/identity", data=given).status_code == HTTPStatus.FORBIDDEN  # not even opened
    client.post(f"{address}/view", data={"reason": "intake"})
    assert client.post(f"{address}/identity").status_code == HTTPStatus.BAD_REQUEST
    assert "Nguyễn Văn Dân" in client.post(f"{address}/identity", data=given).text
    assert "Nguyễn Văn Dân" not in client.get(address).text
    last = viewings(rt, report_id)[-1]
    assert '"reason":"contact_sender"' in last
    assert '"part":"identity"' in last


def test_a_citizen_s_file_is_sent_only_after_an_event_and_leaves_one_of_its_own(
    rt: Runtime, as_role, report_id
) -> None:
    with rt.spool.open("citizen-file") as writer:
        writer.write(b"what a citizen filmed")
        sealed = rt.vault.seal(writer.finish(), {})
    with rt.db.write() as session:
        key = session.get_one(Submission, report_id).wrapped_key
        told = content.lock(rt.keyring, key, report_id, "metadata", "")
        file = SubmissionFile(id="film", submission_id=report_id, metadata_sealed=told, size=sealed.size)
        file.state, file.sha256, file.object_id = FileState.SEALED, sealed.sha256, sealed.object_id
        file.created_at = file.expires_at = clock.now()
        session.add(file)
    client, address = as_role("intake"), f"/submissions/{report_id}/files/film"
    assert client.get(address).status_code == HTTPStatus.FORBIDDEN
    client.get(f"/submissions/{report_id}")
    assert client.get(address).status_code == HTTPStatus.FORBIDDEN  # the page that asks for the reason opens nothing
    client.post(f"/submissions/{report_id}/view", data={"reason": "verifying"})
    for _ in range(3):  # a player asks for many ranges: one look, one event
        assert client.get(address).data == b"what a citizen filmed"
    bodies = viewings(rt, report_id)
    assert ['"file":"film"' in body for body in bodies] == [False, True]
    assert all('"reason":"verifying"' in body for body in bodies)


def test_intake_sorts_and_an_auditor_only_reads(as_role, report_id: str) -> None:
    address = f"/submissions/{report_id}"
    assert as_role("auditor").post(f"{address}/triage", data={"state": "sorting"}).status_code == HTTPStatus.FORBIDDEN
    assert as_role("auditor").post(f"{address}/identity").status_code == HTTPStatus.FORBIDDEN
    assert "Bước tiếp theo" not in as_role("auditor").get(address).text
    client = as_role("intake")
    client.post(f"{address}/view", data={"reason": "intake"})
    answer = client.post(f"{address}/triage", data={"state": "sorting", "track": "reflection"})
    assert answer.status_code == HTTPStatus.FOUND
    assert "Đang phân loại" in client.get(address).text
    assert client.post(f"{address}/triage", data={"state": "received"}).status_code == HTTPStatus.BAD_REQUEST
    assert client.post(f"{address}/triage", data={"state": "burnt"}).status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "role", ["officer", "commander", "head", "plan_approver", "monitor", "case_officer", "administrator"]
)
def test_nobody_else_learns_that_somebody_complained(as_role, report_id: str, role: str) -> None:
    client = as_role(role)
    for address in ("/submissions", f"/submissions/{report_id}"):
        assert client.get(address).status_code == HTTPStatus.FORBIDDEN
    assert "Tin người dân" not in client.get("/nowhere").text
