import re
import unicodedata
from pathlib import Path

import package_insider as insider
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bodycam.custody.canonical import canonical
from bodycam.packages import layout
from bodycam.packages.documents import DocumentError, OrderDocument, PackageDocument, read_as, read_document
from bodycam.packages.layout import ManifestError, is_path, parse_manifest, render_manifest, safe_name
from bodycam.packages.reasons import REASONS

FORMATS = Path(__file__).parents[3] / "docs" / "formats.md"


def test_the_reasons_are_those_of_the_document():
    rows = re.findall(r"^\| `(\w+)` \| ([TIW]) \| (.+?) \| (.+?) \|$", FORMATS.read_text("utf-8"), re.MULTILINE)
    assert {code: (weight.value, vi, en) for code, (weight, vi, en) in REASONS.items()} == {
        code: (weight, vi, en) for code, weight, vi, en in rows
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}\n', '{"b":1,"a":1}\n', '{"a": 1}\n', '{"a":1}', '{"a":1}\n\n', '\ufeff{"a":1}\n', "[]\n", "1\n",
        '{"a":1.0}\n', '{"a":-0}\n', '{"a":9007199254740992}\n', '{"a":1e400}\n', '{"a":"\\ud800"}\n', '{"a":"\\u0041"}\n',
        '{"a":NaN}\n', "", '{"a":' * 33 + "1" + "}" * 33 + "\n", '{"a":"' + '\\"' * 9 + "\n",
    ],
)  # fmt: skip
def test_a_document_has_one_text_only(text):
    with pytest.raises(DocumentError):
        read_document(text.encode())


def test_a_document_as_deep_as_the_limit_is_read():
    text = '{"a":' * 32 + "1" + "}" * 32 + "\n"
    assert canonical(read_document(text.encode())) + "\n" == text


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_refused(data):
    try:
        value = read_document(data)
    except DocumentError:
        return
    assert canonical(value).encode() + b"\n" == data


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=9) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["id", "schema", "recordings", "log", "original", "list", "x"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
)
def test_any_value_is_the_document_asked_for_or_refused(value):
    for model in (PackageDocument, OrderDocument):
        try:
            read_as(model, (canonical({"schema": "bodycam/package/1", "x": value}) + "\n").encode())
        except (DocumentError, ValueError):
            continue
        raise AssertionError("such a document is not one")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    path=st.sampled_from([layout.PACKAGE, layout.ORDER, layout.PROOF, layout.CHECKPOINT]),
    at=st.integers(0, 10**6),
    piece=st.binary(max_size=40),
)
def test_whatever_stands_in_the_documents_the_verifier_ends_with_a_verdict(package, path, at, piece):
    """Manifests are recomputed, so that the parsers behind the hashes see it too."""
    target = package.path / path
    good = target.read_bytes()
    spot = at % len(good)
    target.write_bytes(good[:spot] + piece + good[spot + len(piece) :])
    try:
        insider.recompute(package)
        verified = package.verify()
        assert target.read_bytes() == good or verified.verdict.exit_code == 5
    finally:
        target.write_bytes(good)


@given(st.text(max_size=200))
@example("CON.mp4")
@example("..")
@example("Thumbs.db")
@example("a/b\\Báo cáo số 1.MP4")
@example("đ" * 300)
def test_any_name_becomes_an_allowed_one(name):
    safe = safe_name(name)
    assert is_path(f"data/originals/0193b2c4-7d1e-7c3a-9a55-0f6f3a1b2c3d/{safe}")
    assert safe not in layout.IGNORED


def test_a_vietnamese_name_stays_readable():
    assert safe_name("DCIM/100/Bản ghi số 2.mp4") == "Ban_ghi_so_2.mp4"
    assert safe_name(unicodedata.normalize("NFD", "Đường.MP4")) == "Duong.MP4"


@given(st.binary(max_size=200) | st.text("0123456789abcdef /.\ndat", max_size=200).map(str.encode))
def test_any_bytes_are_a_manifest_or_refused(data):
    try:
        found = parse_manifest(data, prefix="data/")
    except ManifestError:
        return
    assert render_manifest(found) == data
