"""The key that signs the log belongs to the sequencer's process alone: the web processes never open it."""

from http import HTTPStatus
from pathlib import Path

import pytest
from staff_story import PASSWORD, Story

from bodycam.custody import receipt_for, record_now
from bodycam.custody.keys import KEY_FILE
from bodycam.custody.receipts import verify_receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime, open_runtime
from webui.apps import create_public_app, create_staff_app

PAGES = ("/", "/log", "/log/checkpoint", "/vault", "/dock", "/recordings", "/cases")


@pytest.fixture
def unreadable(rt: Runtime) -> Path:
    """A folder in the key's place: whoever opens it fails, even root."""
    Sequencer(rt.db, rt.log).run_once()
    path = rt.settings.keys.dir / KEY_FILE
    path.rename(path.with_name("aside"))
    path.mkdir()
    return path


def test_staff_and_public_app_run_with_the_signing_key_unreadable(rt: Runtime, story: Story, unreadable: Path) -> None:
    with open_runtime(rt.settings) as web:
        client = create_staff_app(web).test_client()
        client.application.config["WTF_CSRF_ENABLED"] = False
        for role in ("auditor", "commander"):
            client.post("/sign-in", data={"username": role, "password": PASSWORD})
            answers = {page: client.get(page).status_code for page in PAGES}
            assert set(answers.values()) <= {HTTPStatus.OK, HTTPStatus.FOUND, HTTPStatus.FORBIDDEN}, answers
            assert client.get(f"/recordings/{story.stop_id}/access-log").status_code == HTTPStatus.OK
        with web.db.read() as session:
            sealed = session.get_one(Recording, story.stop_id).sealed_event_id
            receipt = receipt_for(session, sealed)
        assert receipt is not None
        assert verify_receipt(receipt.body, web.log.verifier).event["object"] == story.stop_id
        assert create_public_app(web).test_client().get("/").status_code == HTTPStatus.OK
        with pytest.raises(IsADirectoryError):  # only signing needs it
            record_now(web.db, "log.tick", object_id="log")
            Sequencer(web.db, web.log).run_once()
    assert unreadable.is_dir()
