"""The parsers of what a camera sends: any bytes give a value or a ProtocolError, and nothing else."""

import contextlib
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.clock import VIETNAM
from bodycam.errors import BodycamError
from dock_service.errors import CameraGoneError, ProtocolError
from dock_service.ptp import containers, datasets
from dock_service.ptp.codes import ContainerType, Operation
from dock_service.ptp.link import Link, LinkTimeoutError
from dock_service.ptp.session import Session

PARSERS = [
    containers.parse_header,
    containers.parse_parameters,
    datasets.parse_device_info,
    datasets.parse_storage_info,
    datasets.parse_object_info,
    datasets.parse_handles,
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused(parse, data):
    with contextlib.suppress(ProtocolError):
        parse(data)


@given(text=st.text(max_size=120).filter(lambda text: "\0" not in text))
def test_a_string_comes_back_as_it_went(text):
    packed = containers.pack_text(text)
    assert containers.Fields(packed).text() == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.lists(st.integers(0, 0xFFFFFFFF), max_size=5))
def test_a_command_comes_back_as_it_went(code, transaction, parameters):
    packed = containers.pack_command(code, transaction, tuple(parameters))
    header = containers.parse_header(packed)
    assert (header.length, header.type, header.code) == (len(packed), ContainerType.COMMAND, code)
    assert containers.parse_parameters(packed[12:]) == tuple(parameters)


def test_an_array_longer_than_its_dataset_is_refused_before_anything_is_allocated():
    with pytest.raises(ProtocolError):
        datasets.parse_handles(struct.pack("<I", 0xFFFFFFFF))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("20261121T142000", datetime(2026, 11, 21, 7, 20, tzinfo=UTC)),
        ("20261121T142000.5", datetime(2026, 11, 21, 7, 20, 0, 500_000, tzinfo=UTC)),
        ("20261121T142000Z", datetime(2026, 11, 21, 14, 20, tzinfo=UTC)),
        ("20261121T142000+0930", datetime(2026, 11, 21, 4, 50, tzinfo=UTC)),
        ("20261321T142000", None),
        ("20260230T000000", None),
        ("00010101T000000+0700", None),
        ("", None),
        ("yesterday", None),
        ("20261121T142000+9900", None),
    ],
)
def test_dates_are_read_with_their_zone_and_impossible_ones_are_none(raw, expected):
    assert datasets.parse_date_time(raw, VIETNAM) == expected


@given(st.text(max_size=30))
def test_any_date_text_is_read_or_none(raw):
    datasets.parse_date_time(raw, VIETNAM)


class Wire(Link):
    """A link that answers with whatever transfers it was given, then with silence."""

    def __init__(self, transfers):
        self.name, self.packet, self.transfers = "wire", 512, list(transfers)

    def write(self, data):
        pass

    def read(self, size, timeout_ms=None):  # noqa: ARG002  Link's shape
        if not self.transfers:
            raise LinkTimeoutError
        room = -(-size // 512) * 512
        head, rest = self.transfers[0][:room], self.transfers[0][room:]
        if rest:
            self.transfers[0] = rest
        else:
            self.transfers.pop(0)
        return memoryview(head)

    def cancel(self, transaction):
        pass

    def clear(self):
        pass

    def is_ready(self):
        return True

    def reset(self):
        raise CameraGoneError(camera="wire")


transfers = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda length, kind, code, number, body: struct.pack("<IHHI", length, kind, code, number) + body,
            st.integers(0, 2000) | st.integers(0, 0xFFFFFFFF),
            st.integers(0, 5),
            st.sampled_from([0x1001, 0x2001, 0x2019, 0x2003, 0x201E, 0]),
            st.integers(0, 3),
            st.binary(max_size=1100),
        ),
    ),
    max_size=12,
)


@pytest.mark.usefixtures("no_pauses")
@given(wire=transfers)
def test_a_hostile_camera_ends_in_a_named_error_or_an_answer(wire):
    session = Session(Wire(wire))
    with contextlib.suppress(BodycamError):
        assert len(session.fetch(Operation.GET_DEVICE_INFO, limit=1000)) <= 1000
    session = Session(Wire(wire))
    with contextlib.suppress(BodycamError):
        assert sum(len(piece) for piece in session.stream(Operation.GET_OBJECT, 1)) < 20_000


@pytest.fixture(scope="module")
def no_pauses():
    patch = pytest.MonkeyPatch()
    patch.setattr("dock_service.ptp.session.time.sleep", lambda _: None)
    yield
    patch.undo()
