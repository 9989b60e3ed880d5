"""The mode switch of a profile: what to send to a camera so that it shows its card as a drive.

The vendors' passwords are factory-set and checked on the host, so none is needed here and nothing relies on them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema, model_validator
from pydantic_core import core_schema

from dock_service.profiles.patterns import refuse

_ID = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4}|\*)")
_SCSI_LENGTHS = frozenset({6, 10, 12, 16})


@dataclass(frozen=True)
class UsbIdentifier:
    """A vendor id and a product id; `product_id` None stands for every product of the vendor."""

    vendor_id: int
    product_id: int | None

    def fits(self, vendor_id: int, product_id: int) -> bool:
        """Tell whether a device's ids are meant."""
        return self.vendor_id == vendor_id and self.product_id in {None, product_id}

    def __str__(self) -> str:
        return f"{self.vendor_id:04x}:" + ("*" if self.product_id is None else f"{self.product_id:04x}")


def _usb_id(text: object) -> UsbIdentifier:
    if isinstance(text, UsbIdentifier):
        return text
    found = _ID.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        refuse('is no USB id: "1209:0412" or "1209:*"', 'không phải mã USB: "1209:0412" hoặc "1209:*"')
    product = found.group(2)
    return UsbIdentifier(int(found.group(1), 16), None if product == "*" else int(product, 16))


def _hex(text: object) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return bytes.fromhex(text) if isinstance(text, str) else refuse("must be hexadecimal", "phải là số hex")
    except ValueError:
        refuse('is not hexadecimal, as in "fb 82 00"', 'không phải số hex, ví dụ "fb 82 00"')


_PLAIN = GetPydanticSchema(lambda _source, _handler: core_schema.any_schema())
UsbId = Annotated[UsbIdentifier, _PLAIN, BeforeValidator(_usb_id)]
HexBytes = Annotated[bytes, BeforeValidator(_hex), Field(max_length=512)]


class Step(BaseModel):
    """One thing to send: a USB control transfer, or a SCSI command through the device's drive.

    `reads` bytes are asked for and may say anything; `data` is sent with it. Only one of the two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_type: int | None = Field(default=None, ge=0, le=0xFF)
    request: int | None = Field(default=None, ge=0, le=0xFF)
    value: int = Field(default=0, ge=0, le=0xFFFF)
    index: int = Field(default=0, ge=0, le=0xFFFF)
    command: HexBytes | None = None  # SCSI: 6, 10, 12 or 16 bytes
    data: HexBytes = b""
    reads: int = Field(default=0, ge=0, le=512)


class ModeSwitch(BaseModel):
    """How a camera is made to show its card: steps in order; afterwards it comes back on the same port as `becomes`.

    Without `becomes` it keeps its ids, and the switch is sent when its drive shows no medium.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["control", "scsi"]
    steps: tuple[Step, ...] = Field(min_length=1, max_length=8)
    becomes: UsbId | None = None
    wait_s: float = Field(default=10.0, gt=0, le=60)  # for the camera to leave the bus
    back_s: float = Field(default=30.0, gt=0, le=600)  # for it to be back; then somebody is called

    @model_validator(mode="after")
    def _steps_are_of_the_kind(self) -> Self:
        for number, step in enumerate(self.steps, 1):
            _check(self.kind, number, step)
        return self

    def is_done(self, vendor_id: int, product_id: int) -> bool:
        """Tell whether a device is what the switch makes of it; never without `becomes`."""
        return self.becomes is not None and self.becomes.fits(vendor_id, product_id)


def _check(kind: str, number: int, step: Step) -> None:
    if step.data and step.reads:
        refuse(f"step {number}: data and reads exclude each other", f"bước {number}: chỉ dùng một trong data, reads")
    if kind == "scsi":
        _check_scsi(number, step)
    elif step.request_type is None or step.request is None or step.command is not None:
        refuse(
            f"step {number}: a control transfer has request_type and request, no command",
            f"bước {number}: lệnh control cần request_type và request, không có command",
        )
    elif bool(step.reads) != bool(step.request_type & 0x80):
        refuse(
            f"step {number}: reads goes with a request_type of 0x80 and above",
            f"bước {number}: reads đi với request_type từ 0x80 trở lên",
        )


def _check_scsi(number: int, step: Step) -> None:
    if step.request_type is not None or step.request is not None or step.command is None:
        refuse(
            f"step {number}: a SCSI step has a command, no request",
            f"bước {number}: lệnh scsi cần command, không có request",
        )
    if len(step.command) not in _SCSI_LENGTHS:
        refuse(
            f"step {number}: a SCSI command has 6, 10, 12 or 16 bytes, not {len(step.command)}",
            f"bước {number}: lệnh SCSI dài 6, 10, 12 hoặc 16 byte, không phải {len(step.command)}",
        )
    first = step.command[0]
    if first in _WRITING:
        refuse(
            f"step {number}: command {first:#04x} writes to or formats the card",
            f"bước {number}: lệnh {first:#04x} ghi hoặc định dạng thẻ nhớ",
        )


_WRITING: Sequence[int] = (
    0x04,
    0x0A,
    0x15,
    0x2A,
    0x2E,
    0x3B,
    0x3F,
    0x41,
    0x42,
    0x48,
    0x55,
    0x5F,
    0x7F,
    0x83,
    0x89,
    0x8A,
    0x8E,
    0x93,
    0xAA,
    0xAE,
)  # fmt: skip  SBC and SPC: FORMAT UNIT, MODE SELECT, WRITE of every length, UNMAP, SANITIZE, …: nothing on a camera is ever written
