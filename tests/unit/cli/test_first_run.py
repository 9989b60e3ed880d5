"""What the first `bodycam up` refuses."""

from pathlib import Path

import pytest

from bodycam.cli.first_run import NotADemoError, prepare, refuse_real_data
from bodycam.models import Base
from bodycam.people.accounts import create_account
from bodycam.runtime import Runtime, open_runtime
from bodycam.sections import Settings
from bodycam.settings import load_settings


def _settings(data: Path, **more: str) -> Settings:
    cheap = {"BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8", "BODYCAM_SIGN_IN__ARGON2_TIME_COST": "1"}
    return load_settings({"BODYCAM_DATA_DIR": str(data), **cheap, **more})


def _account(rt: Runtime, username: str) -> None:
    with rt.db.write() as session:
        create_account(
            session, username=username, display_name="X", password="mat-khau-thu-1", settings=rt.settings.sign_in
        )


def test_one_click_sign_ins_never_open_an_installation_in_earnest_use(tmp_path: Path) -> None:
    with open_runtime(_settings(tmp_path)) as rt:
        Base.metadata.create_all(rt.db.engine)
    assert prepare(_settings(tmp_path))
    with open_runtime(_settings(tmp_path)) as rt:
        refuse_real_data(rt)  # nothing but the first account yet: a demo that was killed at its beginning
        _account(rt, "lan")
    demo = {"BODYCAM_DEMO": "true", "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'cameras'}"}
    with pytest.raises(NotADemoError):
        prepare(_settings(tmp_path, **demo))
    with open_runtime(_settings(tmp_path)) as rt:
        _account(rt, "demo-auditor")
        refuse_real_data(rt)  # a demo that somebody made accounts in goes on
