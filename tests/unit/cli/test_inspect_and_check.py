import json
from datetime import UTC, datetime
from pathlib import Path

import films
import pytest
from click.testing import CliRunner

from bodycam.cli.check import check
from bodycam.cli.inspect import inspect

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("card")
    (root / "DCIM").mkdir()
    films.make_film(root / "DCIM" / "a.mp4", frames=150, created=START, telemetry=films.ride(START, 5))
    films.make_film(root / "DCIM" / "b.mp4", created=START)
    rmc = films.nmea("GPRMC,072000.00,A,2101.71000,N,10551.25200,E,10.0,45.0,211126,,,A")
    (root / "DCIM" / "B.NMEA").write_text(rmc)
    (root / "empty.mp4").touch()
    (root / "noise.mp4").write_bytes(bytes(range(1, 256)) * 20)
    return root


def lines(output: str) -> dict[str, dict]:
    return {Path(facts["path"]).name: facts for facts in map(json.loads, output.splitlines())}


def test_a_folder_is_walked_and_one_bad_file_never_stops_the_rest(folder: Path):
    done = CliRunner().invoke(inspect, [str(folder), "--json"])
    assert done.exit_code == 0, done.output
    found = lines(done.stdout)
    assert set(found) == {"a.mp4", "b.mp4", "B.NMEA", "empty.mp4", "noise.mp4"}
    assert found["a.mp4"]["track"]["points"] == 5
    assert found["a.mp4"]["times"][-1] == {
        "source": "gpmf",
        "raw": "261121072000.000",
        "utc": "2026-11-21T07:20:00Z",
        "kind": "gps",
    }
    assert found["b.mp4"]["track"]["reader"] == "nmea"  # the sidecar beside it, by its stem
    assert len(found["b.mp4"]["sha256"]) == 64
    assert found["empty.mp4"]["problems"][0]["code"] == "empty"


def test_a_missing_file_is_named_and_fails_the_command(folder: Path):
    done = CliRunner().invoke(inspect, [str(folder / "gone.mp4"), str(folder / "DCIM" / "a.mp4"), "--json"])
    assert done.exit_code == 1
    found = lines(done.stdout)
    assert found["gone.mp4"]["problems"][0]["code"] == "not_readable"
    assert set(found["gone.mp4"]) == set(found["a.mp4"])


def test_words_for_a_person(folder: Path):
    done = CliRunner().invoke(inspect, [str(folder / "DCIM" / "a.mp4")])
    assert "Tuyến / Track" in done.stdout
    assert "21/11/2026 14:20:00 +07" in done.stdout


def test_tracks_of_a_folder_in_one_document(folder: Path):
    done = CliRunner().invoke(inspect, [str(folder), "--track", "geojson"])
    assert len(json.loads(done.stdout)["features"]) == 3


def test_check_gives_verdicts_with_reasons(folder: Path):
    done = CliRunner().invoke(check, [str(folder), "--json"])
    assert done.exit_code == 0, done.output
    found = lines(done.stdout)
    assert found["a.mp4"]["verdict"] == "match"
    assert found["b.mp4"]["verdict"] == "match"
    assert found["empty.mp4"]["verdict"] == "look_closer"
    assert {finding["row"] for finding in found["a.mp4"]["findings"]} == {
        *("integrity", "device_signature", "clock", "gps", "continuity"),
    }


def test_check_in_words(folder: Path):
    done = CliRunner().invoke(check, [str(folder / "DCIM" / "a.mp4")])
    assert "Phù hợp / Match" in done.stdout
