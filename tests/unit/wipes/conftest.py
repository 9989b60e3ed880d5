import pytest
import wipe_story

from bodycam.cli.standalone import standalone
from bodycam.settings import load_settings


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def unit(rt):
    return wipe_story.tell(rt)
