"""The JSON documents of a package: one value, one text (RFC 8785 and a newline), and the fields each must have.

A text in another form is malformed, so a name given twice, or two readers that understand one text differently, can't be.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.packages.layout import MAX_EVENTS, MAX_RECORDINGS

_MAX_DEPTH = 32
_MAX_NUMBER = 2**53 - 1
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)  # a string, cut ones too, or a bracket

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,36}$")]
Time = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$")]
Whole = Annotated[int, Field(ge=0, le=_MAX_NUMBER)]


class DocumentError(ValueError):
    """A document is not in its form."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class File(_Document):
    """An original; the size in bytes."""

    path: str
    sha256: Hex
    size: Whole


class Copy(_Document):
    """Something made from an original; `event` is the path of the event file of its making."""

    path: str
    kind: str
    sha256: Hex
    size: Whole
    event: str


class Packed(_Document):
    """A recording of a package; all but the id and the name are paths."""

    id: Id
    name: str
    original: File
    sealed: str
    events: Annotated[list[str], Field(max_length=MAX_EVENTS)]
    copies: list[Copy]
    receipt: str | None
    findings: str | None


class Token(_Document):
    """A timestamp token of an authority."""

    authority: str
    path: str
    chain: str | None


class Stamped(_Document):
    """A checkpoint that was stamped, and how the package's own continues it."""

    checkpoint: str
    consistency: Annotated[list[str], Field(max_length=64)]
    tokens: list[Token]


class LogName(_Document):
    """Whose log the package says it is."""

    origin: str
    key: str


class PackageDocument(_Document):
    """`data/package.json`."""

    schema_: Literal["bodycam/package/1"] = Field(alias="schema")
    id: Id
    order: Id
    number: str
    made_at: Time
    maker: str
    log: LogName
    recordings: Annotated[list[Packed], Field(min_length=1, max_length=MAX_RECORDINGS)]
    order_events: list[str]
    timestamps: list[Stamped]
    documents: list[str]


class Person(_Document):
    """Somebody of the maker: the account's id, and the name for people."""

    id: Id
    name: str


class CaseName(_Document):
    """A case by id and number."""

    id: Id
    number: str


class OrderDocument(_Document):
    """`data/order.json`."""

    schema_: Literal["bodycam/extraction-order/1"] = Field(alias="schema")
    id: Id
    number: str
    purpose: str
    recipient: str
    case: CaseName | None
    requested_by: Person
    approved_by: Person
    requested_at: Time
    approved_at: Time
    expires_at: Time
    renditions: bool
    recordings: Annotated[list[Id], Field(min_length=1, max_length=MAX_RECORDINGS)]
    list_: Hex = Field(alias="list")


class EventDocument(_Document):
    """One event of the log with what opens its commitments."""

    schema_: Literal["bodycam/package-event/1"] = Field(alias="schema")
    index: Whole
    event: dict[str, Any]
    openings: dict[str, dict[str, Any]]


class ProofDocument(_Document):
    """`proof/package.json`."""

    schema_: Literal["bodycam/package-proof/1"] = Field(alias="schema")
    event: dict[str, Any]
    proof: list[str]
    consistency: Annotated[list[str], Field(max_length=64)]


class ContentOpening(_Document):
    """What opens the commitment to a file's content."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    sha256: Hex
    size: Whole


class ValueOpening(_Document):
    """What opens the commitment to a private value."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    value: str


Model = TypeVar("Model", bound=BaseModel)


def write_document(value: Mapping[str, JSON]) -> bytes:
    """Return the one text of a document."""
    return f"{canonical(value)}\n".encode()


def read_document(data: bytes) -> dict[str, Any]:
    """Return the object of a document in its one form.

    Raises:
        DocumentError: it isn't in it.
    """
    _check_depth(data)
    try:
        text = data.decode()
        value = parse(text)
        if not isinstance(value, dict) or f"{canonical(value)}\n" != text:
            raise DocumentError("not one object in its RFC 8785 text")
        _check_numbers(value)
    except (ValueError, TypeError) as error:
        raise DocumentError(str(error)) from None
    return value


def read_as(model: type[Model], data: bytes) -> Model:
    """Return a document with the fields it must have.

    Raises:
        DocumentError: another form, a field that is missing, or of another type.
    """
    return as_model(model, read_document(data))


def as_model(model: type[Model], value: object) -> Model:
    """Return a value that was read with the fields it must have; raises DocumentError."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise DocumentError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def _check_depth(data: bytes) -> None:
    """Refuse what is nested too deep, before a parser that recurses sees it."""
    depth = 0
    for token in _TOKEN.finditer(data):
        if token[0] in b"[{":
            depth += 1
        elif token[0] in b"]}":
            depth -= 1
        if depth > _MAX_DEPTH:
            raise DocumentError("nested too deep")


def _check_numbers(value: object) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _check_numbers(item)
    elif isinstance(value, list):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, int | float) and abs(value) > _MAX_NUMBER:
        raise DocumentError("a number beyond 2^53 - 1")
