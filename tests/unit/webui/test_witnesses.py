"""What the pages tell of the witnesses: to an auditor how each stands, with a recording and a citizen's receipt whether they signed."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import update
from staff_story import Story
from witness_world import made, policy_of, served

from bodycam import clock
from bodycam.custody.gathering import Gatherer
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.runtime import Runtime


@pytest.fixture
def watched(rt: Runtime, tmp_path, monkeypatch):
    """Two witnesses, one of them without an address, and the policy in the settings; yields (policy, round)."""
    Sequencer(rt.db, rt.log).run_once()
    with ExitStack() as stack:
        witnesses = [made(tmp_path / f"w{n}", n, logs=[str(rt.log.verifier)]) for n in (1, 2)]
        url = stack.enter_context(served(witnesses[0]))
        policy = policy_of(rt.log.verifier, [(witnesses[0].vkey, url), (witnesses[1].vkey, "")], least=1)
        path = tmp_path / "policy"
        path.write_text(
            f"log {rt.log.verifier}\nwitness vien-kiem-sat {witnesses[0].vkey} {url}\nwitness toa-an {witnesses[1].vkey}\n"
            "group q 1 vien-kiem-sat toa-an\nquorum q\n"
        )
        monkeypatch.setattr(type(rt.settings.log), "policy_file", property(lambda _: path))
        asking = Gatherer(rt.db, rt.log, policy, timeout_s=3, late=timedelta(minutes=15))
        yield path, asking


def test_without_a_policy_the_page_says_who_alone_vouches(as_role) -> None:
    assert "Nhật ký chưa có bên xác nhận" in as_role("auditor").get("/log").text


def test_the_log_page_shows_each_witness_and_the_quorum(rt: Runtime, as_role, watched) -> None:
    page = as_role("auditor").get("/log").text
    assert "1 trong 2" in page
    assert page.count("Chưa ký lần nào") == 2
    watched[1].round(rt.log.checkpoint())
    page = as_role("auditor").get("/log").text
    assert "✓ Đang xác nhận" in page
    assert "vien-kiem-sat" in page
    assert "Quá lâu chưa đủ bên xác nhận" not in page


@pytest.mark.usefixtures("watched")
def test_a_late_quorum_is_an_alarm_on_the_page(rt: Runtime, as_role) -> None:
    start = clock.now()
    with rt.db.write() as session:
        session.execute(update(CustodyEvent).values(created_at=start - timedelta(hours=1)))
    assert "Quá lâu chưa đủ bên xác nhận" in as_role("auditor").get("/log").text


def test_a_broken_policy_is_told_and_breaks_no_page(as_role, watched) -> None:
    watched[0].write_text("quorum nobody\n")
    answer = as_role("auditor").get("/log")
    assert answer.status_code == 200
    assert "Tệp chính sách xác nhận sai ở dòng" in answer.text


def test_a_recording_shows_whether_its_receipt_is_witnessed_and_its_qr_code(
    rt: Runtime, as_role, story: Story, watched
) -> None:
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    path = f"/recordings/{story.stop_id}"
    page = client.get(path).text
    assert "chưa có bên xác nhận độc lập ký" in page
    assert '<div class="qr"><svg' in page
    watched[1].round(rt.log.checkpoint())
    assert "✓ bên xác nhận độc lập đã ký" in client.get(path).text
    assert client.get(f"{path}/receipt").text.count("— w1.example/w") == 1
    with rt.db.read() as session:
        assert session.query(Receipt).filter(Receipt.witnessed_at.is_(None)).count() == 0
