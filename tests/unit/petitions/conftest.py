from collections.abc import Iterator
from pathlib import Path

import pytest

from bodycam.models import Base
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    environ = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_PUBLIC__MAX_UPLOAD_BYTES": "4000000",
        "BODYCAM_PUBLIC__RESERVE_TOTAL_BYTES": "10000000",
        "BODYCAM_PUBLIC__RESERVE_STEP_BYTES": "500000",
        "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": "0",
        "BODYCAM_PUBLIC__EXPIRE_HOURS": "72",
    }
    with open_runtime(load_settings(environ)) as opened:
        Base.metadata.create_all(opened.db.engine)
        yield opened
