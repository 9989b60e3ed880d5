"""PTP containers and the primitive values inside datasets (ISO 15740, 5; USB still image class 1.0, 7).

Little-endian. Every length comes from the camera and is checked against what is there before anything is read or
allocated: a broken container raises `ProtocolError` and nothing else.
"""

import struct
from dataclasses import dataclass

from dock_service.errors import ProtocolError
from dock_service.ptp.codes import ContainerType

HEADER = struct.Struct("<IHHI")
MAX_PARAMETERS = 5
MAX_ARRAY = 1_000_000  # handles of one folder; a body camera's card holds some thousands


@dataclass(frozen=True)
class Header:
    """The 12 bytes that begin every container; `length` counts them in."""

    length: int
    type: ContainerType
    code: int
    transaction: int


def pack_command(code: int, transaction: int, parameters: tuple[int, ...]) -> bytes:
    """Return a command container with up to five 32-bit parameters."""
    return pack(ContainerType.COMMAND, code, transaction, struct.pack(f"<{len(parameters)}I", *parameters))


def pack(kind: ContainerType, code: int, transaction: int, payload: bytes = b"") -> bytes:
    """Return a whole container."""
    return HEADER.pack(HEADER.size + len(payload), kind, code, transaction) + payload


def parse_header(data: bytes | bytearray | memoryview) -> Header:
    """Read the header; raises ProtocolError when it is short, of an unknown type or shorter than itself."""
    if len(data) < HEADER.size:
        raise ProtocolError(detail=f"container header of {len(data)} bytes")
    length, kind, code, transaction = HEADER.unpack_from(data)
    if length < HEADER.size:
        raise ProtocolError(detail=f"container length {length}")
    try:
        return Header(length, ContainerType(kind), code, transaction)
    except ValueError:
        raise ProtocolError(detail=f"container type {kind}") from None


def parse_parameters(payload: bytes | bytearray | memoryview) -> tuple[int, ...]:
    """Read a response's parameters: 0 to 5 numbers of 32 bits."""
    count, rest = divmod(len(payload), 4)
    if rest or count > MAX_PARAMETERS:
        raise ProtocolError(detail=f"response parameters of {len(payload)} bytes")
    return struct.unpack(f"<{count}I", payload)


class Fields:
    """Reads a dataset field by field, never past its end."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Start at the first byte of `data`."""
        self._data = memoryview(data)
        self._at = 0

    def _take(self, length: int) -> memoryview:
        end = self._at + length
        if end > len(self._data):
            raise ProtocolError(detail=f"dataset ends at {len(self._data)}, wanted {end}")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def u8(self) -> int:
        """Return the next unsigned byte."""
        return self._take(1)[0]

    def u16(self) -> int:
        """Return the next 16-bit number."""
        return int.from_bytes(self._take(2), "little")

    def u32(self) -> int:
        """Return the next 32-bit number."""
        return int.from_bytes(self._take(4), "little")

    def u64(self) -> int:
        """Return the next 64-bit number."""
        return int.from_bytes(self._take(8), "little")

    def text(self) -> str:
        """Return the next PTP string: a count of UTF-16 units with the closing NUL, then the units.

        Unpaired surrogates become U+FFFD; what follows a NUL inside is dropped.
        """
        units = self.u8()
        raw = bytes(self._take(2 * units))
        return raw.decode("utf-16-le", "replace").split("\0", 1)[0]

    def u16s(self) -> tuple[int, ...]:
        """Return the next array of 16-bit numbers."""
        return self._array("H", 2)

    def u32s(self) -> tuple[int, ...]:
        """Return the next array of 32-bit numbers."""
        return self._array("I", 4)

    def _array(self, kind: str, width: int) -> tuple[int, ...]:
        count = self.u32()
        if count > MAX_ARRAY:
            raise ProtocolError(detail=f"array of {count} elements")
        return struct.unpack(f"<{count}{kind}", self._take(count * width))


def pack_text(text: str) -> bytes:
    """Return a PTP string: at most 254 UTF-16 units and the closing NUL; the empty string is one zero byte."""
    if not text:
        return b"\0"
    units = text.encode("utf-16-le")[: 254 * 2]
    return bytes([len(units) // 2 + 1]) + units + b"\0\0"
