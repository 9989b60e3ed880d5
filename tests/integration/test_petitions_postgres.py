"""A citizen's report on PostgreSQL: the same way as on SQLite, with the locks that only a real server has."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodycam.cli.standalone import settle
from bodycam.migrations.runner import upgrade_to_head
from bodycam.petitions import secret_code, service, sign_in, uploads
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import CodeSource, FileState, SubmissionFile, SubmissionThrottle
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings

pytestmark = pytest.mark.postgres
DATA = secrets.token_bytes(2_500_000)


@pytest.fixture
def rt(tmp_path: Path, postgres_url: str) -> Iterator[Runtime]:
    upgrade_to_head(postgres_url)
    environ = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DATABASE__URL": postgres_url,
        "BODYCAM_PUBLIC__RESERVE_STEP_BYTES": "500000",
        "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0",
    }
    with open_runtime(load_settings(environ)) as opened:
        yield opened


def begun(rt: Runtime) -> tuple[str, str]:
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
        digest = hashlib.sha256(DATA).hexdigest()
        file = uploads.create(
            session, rt.keyring, rt.settings, submission.id, size=len(DATA), metadata="", sha256=digest
        )
    return submission.id, file.id


def test_uploads_at_once_are_sealed_catalogued_and_followed(rt: Runtime) -> None:
    drafts = [begun(rt) for _ in range(3)]

    def send(submission_id: str, file_id: str) -> None:
        with uploads.writing(rt.db, rt.spool, rt.settings, submission_id, file_id, 0) as writer:
            for start in range(0, len(DATA), 65_536):
                writer.write(DATA[start : start + 65_536])

    threads = [threading.Thread(target=send, args=draft) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    code = secret_code.make()
    with rt.db.write() as session:
        for submission_id, _ in drafts:
            service.receive(session, rt.keyring, submission_id)
        service.register_code(session, drafts[0][0], secret_code.keys(code), CodeSource.SERVER)
    settle(rt, [])
    with rt.db.read() as session:
        files = [session.get_one(SubmissionFile, file_id) for _, file_id in drafts]
    assert [file.state for file in files] == [FileState.SEALED] * 3
    assert all(file.recording_id for file in files)
    lookup = secret_code.keys(code).lookup_id
    signature = secret_code.sign(code, sign_in.message(lookup, "n"))
    assert sign_in.open_submission(rt.db, lookup, "n", signature) == drafts[0][0]


def test_wrong_codes_at_once_are_counted(rt: Runtime) -> None:
    def guess() -> None:
        with pytest.raises(NoSuchSubmissionError):
            sign_in.open_submission(rt.db, "ab" * 16, "n", b"x")

    threads = [threading.Thread(target=guess) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with rt.db.read() as session:
        # a first failure that loses the race against another first one may go uncounted; no guesser can rely on it
        assert 1 <= session.get_one(SubmissionThrottle, "ab").failures <= 5
