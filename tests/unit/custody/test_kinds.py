"""The table of kinds: documented whole, and nothing personal in the open in any call that records an event."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bodycam.custody.details import DETAILS, PRIVATE, WORDS, problems_of
from bodycam.custody.kinds import KINDS

ROOT = Path(__file__).parents[3]
PERSONAL = {
    "address", "answer", "card", "email", "file_name", "full_name", "name", "note", "path", "phone", "pin", "plate", "remark",
    "resolution", "serial", "text", "title", "username", "words",
}  # fmt: skip


def calls():
    """Yield (place, call) of every call named record or record_now outside of the tests."""
    for folder in ("bodycam", "dock_service", "webui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in {"record", "record_now", "_record", "_event"}:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_listed_kind_exists_and_every_name_is_explained():
    assert DETAILS.keys() | PRIVATE.keys() <= KINDS.keys()
    names = {name for table in (DETAILS, PRIVATE) for listed in table.values() for name in listed.split()}
    assert names == WORDS.keys()


def test_no_kind_lists_a_personal_value_among_its_details():
    listed = {kind: PERSONAL & set(names.split()) for kind, names in DETAILS.items()}
    assert {kind: names for kind, names in listed.items() if names} == {}


def test_no_call_puts_a_personal_value_into_details():
    found = []
    for place, call in calls():
        names = [keyword.arg for keyword in call.keywords]
        for keyword in call.keywords:
            if keyword.arg == "details" and isinstance(keyword.value, ast.Dict):
                names = [key.value for key in keyword.value.keys if isinstance(key, ast.Constant)]
                found += [f"{place}: {name}" for name in names if name in PERSONAL]
            if keyword.arg == "device" and "serial" in ast.unparse(keyword.value):
                found.append(f"{place}: a device is its id, its serial a private value")
    assert found == []


def test_there_are_calls_to_look_at():
    assert len(list(calls())) > 80


@pytest.mark.parametrize(
    ("details", "private", "problems"),
    [
        ({"visit": "0193b2c4", "slot": 3}, {"serial"}, 0),
        ({"visit": "Nguyễn Văn Đức"}, set(), 1),
        ({"visit": "a word or two"}, set(), 1),
        ({"visit": ["ok", {"deep": "Đức"}]}, set(), 1),
        ({"serial": "X1"}, set(), 1),
        (None, {"phone"}, 1),
    ],
)
def test_an_unlisted_name_and_words_in_the_open_are_problems(details, private, problems):
    assert len(problems_of("camera.docked", details, private)) == problems


def test_the_page_of_kinds_is_as_the_code_has_it():
    ended = subprocess.run(
        [sys.executable, "scripts/events.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
