"""The log's own page, and a recording's life as people read it."""

from datetime import timedelta
from http import HTTPStatus

from staff_story import Story

from bodycam import clock
from bodycam.custody import history, record_now
from bodycam.custody.inventory import Held, take
from bodycam.custody.proof import parse_proof
from bodycam.custody.sequencer import Sequencer
from bodycam.runtime import Runtime


def test_each_event_of_a_recording_s_life_is_proven_by_a_file_to_take_away(rt: Runtime, as_role, story: Story) -> None:
    Sequencer(rt.db, rt.log).run_once()
    client = as_role("commander")
    address = f"/recordings/{story.stop_id}/access-log"
    page = client.get(address).text
    with rt.db.read() as session:
        events = history(session, story.stop_id)
    for event in events:
        answer = client.get(f"{address}/{event.id}/proof")
        assert answer.status_code == HTTPStatus.OK
        assert parse_proof(answer.text).index == event.log_index
        parse_proof(answer.text).check(event.body.encode(), rt.log.verifier)
        assert f"{address}/{event.id}/proof" in page
    assert "SHA-256" in page


def test_the_life_says_who_by_number_and_role(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "case_work"})
    page = client.get(f"/recordings/{story.stop_id}/access-log").text
    assert "Chỉ huy)" in page
    assert "Commander)" in client.get(f"/recordings/{story.stop_id}/access-log?lang=en").text
    assert "đang chờ ghi vào nhật ký" in page
    Sequencer(rt.db, rt.log).run_once()
    assert "đang chờ ghi vào nhật ký" not in client.get(f"/recordings/{story.stop_id}/access-log?lang=vi").text


def test_a_proof_tells_a_commander_of_no_complaint(rt: Runtime, as_role, story: Story) -> None:
    address = f"/recordings/{story.stop_id}"
    as_role("monitor").post(f"{address}/view", data={"reason": "complaint"})
    as_role("head").post(f"{address}/view", data={"reason": "case_work"})
    as_role("auditor").post(f"{address}/view", data={"reason": "complaint"})
    Sequencer(rt.db, rt.log).run_once()
    with rt.db.read() as session:
        views = [event for event in history(session, story.stop_id) if event.kind == "recording.viewed"][-3:]
    commander, auditor = as_role("commander"), as_role("auditor")
    for event in views[
        :2
    ]:  # the leaf holds the reason's code: whatever it is, of others' looks he gets the proof alone
        text = commander.get(f"{address}/access-log/{event.id}/proof").text
        assert "\nextra " not in text
        parse_proof(text).check(event.body.encode(), rt.log.verifier)
        assert "\nextra " in auditor.get(f"{address}/access-log/{event.id}/proof").text
    hidden = commander.get(f"{address}/access-log/{views[2].id}/proof")
    assert hidden.status_code == HTTPStatus.NOT_FOUND, "that an auditor looked is not his to know"


def test_a_proof_of_another_thing_s_event_is_not_there(rt: Runtime, as_role, story: Story) -> None:
    other = record_now(rt.db, "case.viewed", object_id=story.case_id, actor="somebody")
    Sequencer(rt.db, rt.log).run_once()
    answer = as_role("auditor").get(f"/recordings/{story.stop_id}/access-log/{other}/proof")
    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_auditor_and_administrator_see_head_ticks_and_the_last_inventory(rt: Runtime, as_role) -> None:
    record_now(rt.db, "log.tick", object_id="log")
    take(rt.db, rt.log, [Held("a" * 64, ("main", "second"), None)])
    Sequencer(rt.db, rt.log).run_once()
    for role in ("auditor", "administrator"):
        page = as_role(role).get("/log").text
        assert "Nhịp gần nhất" in page
        assert "1 tệp, 2 bản" in page
        assert 'role="alert"' not in page


def test_a_frozen_log_a_stopped_sequencer_and_a_vanished_object_raise_alarms(rt: Runtime, as_role) -> None:
    take(rt.db, rt.log, [Held("a" * 64, ("main",), None), Held("b" * 64, ("main",), None)])
    Sequencer(rt.db, rt.log).run_once()
    take(rt.db, rt.log, [Held("a" * 64, ("main",), None)])
    moment = clock.now() + timedelta(hours=4)
    clock.set_now(lambda: moment)
    auditor = as_role("auditor")
    page = auditor.get("/log").text
    assert "Nhật ký đứng yên" in page
    assert "bộ ghi nhật ký có thể đã dừng" in page
    assert "quá 3 giờ" in page
    assert "b" * 64 in page
    assert "stands still" in auditor.get("/log?lang=en").text
