"""The demo's own pages: the steps in sight, the way to the other door, and the byte that is flipped and put back."""

import re
from dataclasses import replace
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from staff_story import Story

from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from bodycam.tasks import recordings, vault
from webui.apps import create_public_app, create_staff_app
from webui.staff.demo import STORIES


@pytest.fixture
def demo(rt: Runtime) -> Runtime:
    return replace(rt, settings=rt.settings.model_copy(update={"demo": True}))


@pytest.fixture
def enter(demo: Runtime):
    """Return a client that walks a story of a demo."""
    app = create_staff_app(demo)
    app.config["WTF_CSRF_ENABLED"] = False

    def walk(key: str) -> FlaskClient:
        client = app.test_client()
        assert client.post(f"/demo/{key}/enter").headers["Location"] == f"/demo/{key}"
        return client

    return walk


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.key)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_story_leads_only_to_pages_its_role_may_open(enter, story, language: str) -> None:
    client = enter(story.key)
    page = client.get(f"/demo/{story.key}?lang={language}").text
    assert (story.vi if language == "vi" else story.en) in page.replace("&#39;", "'")
    for address in set(re.findall(r'href="(/[^"]*)"', page)) - {"/"}:
        assert client.get(address).status_code in {HTTPStatus.OK, HTTPStatus.FOUND}, address


def test_the_steps_stay_in_sight_on_the_page_the_story_leads_to(enter) -> None:
    page = enter("stop").get("/recordings").text
    assert "<details open>" in page
    assert "nhấn Enter" in page


def test_nothing_of_the_demo_shows_outside_one(rt: Runtime, as_role) -> None:
    page = as_role("commander").get("/recordings").text
    assert "Bản trình diễn" not in page
    assert "/demo/" not in create_public_app(rt).test_client().get("/").text


def test_the_citizen_s_story_leads_to_the_portal_and_back(enter, demo: Runtime) -> None:
    public, staff = demo.settings.public, demo.settings.staff
    assert f'href="http://{public.host}:{public.port}/"' in enter("citizen").get("/demo/citizen").text
    page = create_public_app(demo).test_client().get("/").text
    assert f'href="http://{staff.host}:{staff.port}/demo/citizen"' in page


def test_a_flipped_byte_turns_its_recording_red_and_put_back_no_longer(enter, rt: Runtime, story: Story) -> None:
    auditor = enter("tamper")
    before = auditor.get("/demo/tamper").text
    assert "Chỉ có ở bản trình diễn" in before
    assert str(rt.vault.root / "objects") in before
    assert auditor.post("/demo/tamper/flip").status_code == HTTPStatus.FOUND
    assert "Byte này đã bị đổi" in auditor.get("/demo/tamper").text
    vault.scrub(rt, account_id="auditor")
    with rt.db.read() as session:
        changed = next(
            row.id for row in session.query(Recording) if "object_damaged" in rt.vault.verify(row.object_id).problems
        )
    assert changed == story.stop_id
    recordings.recheck(rt, changed)
    with rt.db.write() as session:  # an earlier film comes in meanwhile: the byte is put back where it was all the same
        other = session.query(Recording).filter(Recording.id != changed, Recording.kind == "video").first()
        assert other is not None
        other.shown_at = other.shown_at.replace(year=2020)
    assert "Mâu thuẫn" in auditor.get("/vault").text
    assert auditor.post("/demo/tamper/flip").status_code == HTTPStatus.FOUND
    assert auditor.get("/demo/tamper").text.count("Byte sẽ bị đổi") == 1
    vault.scrub(rt, account_id="auditor")
    assert "Mọi dữ liệu đã đọc lại đều đúng" in auditor.get("/vault").text


def test_only_the_demo_s_auditor_flips_bytes(enter, as_role, rt: Runtime) -> None:
    assert enter("stop").post("/demo/tamper/flip").status_code == HTTPStatus.FORBIDDEN
    assert as_role("auditor").post("/demo/tamper/flip").status_code == HTTPStatus.NOT_FOUND
    with rt.db.read() as session:
        assert all(rt.vault.verify(row.object_id).ok for row in session.query(Recording))


def test_the_vault_page_reloads_itself_only_while_a_check_asked_for_runs(as_role) -> None:
    auditor = as_role("auditor")
    assert auditor.post("/vault/scrub").headers["Location"] == "/vault?asked=1"
    assert 'http-equiv="refresh"' in auditor.get("/vault?asked=1").text
    assert 'http-equiv="refresh"' not in auditor.get("/vault").text
