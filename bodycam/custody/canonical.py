"""Canonical JSON (RFC 8785): one value, one text, so that whoever holds the value can compute its hash again.

Numbers are I-JSON (RFC 7493): integers within ±(2^53 − 1) and finite doubles; anything else is refused, never rounded.
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

_MAX_INT = 2**53 - 1


def canonical(value: JSON) -> str:  # noqa: PLR0911  one return per JSON type
    """Return the RFC 8785 text of a value.

    Raises:
        ValueError: a number outside I-JSON, or text that isn't Unicode (a lone surrogate).
        TypeError: a value that JSON doesn't have.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if abs(value) > _MAX_INT:
                raise ValueError(f"{value} is outside I-JSON (±(2^53 − 1)); write it as text")
            return str(int(value))
        case float():
            return _number(value)
        case str():
            return _string(value)
        case Mapping():
            return "{" + ",".join(f"{_string(key)}:{canonical(value[key])}" for key in _sorted(value)) + "}"
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return "[" + ",".join(canonical(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def parse(text: str) -> JSON:
    """Return the value of a JSON text; refuses a name given twice and NaN, which `json` would let pass.

    Raises:
        ValueError: the text isn't such JSON.
    """
    try:
        value: JSON = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _sorted(value: Mapping[str, JSON]) -> list[str]:
    # RFC 8785, 3.2.3: names are ordered by UTF-16 code units, not by code points
    return sorted(value, key=_utf16)


def _utf16(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"a name must be text, not {type(name).__name__}")
    return name.encode("utf-16-be", "surrogatepass")


def _string(text: str) -> str:
    text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    # RFC 8785, 3.2.2.3: as ECMAScript's Number::toString. Python's repr has the same shortest digits, other exponents.
    if not math.isfinite(value):
        raise ValueError("NaN and infinity have no canonical JSON")
    if value == 0:
        return "0"
    sign, digit_tuple, shift = Decimal(repr(abs(value))).as_tuple()
    raw = "".join(map(str, digit_tuple))
    digits = raw.rstrip("0")
    point = len(raw) + int(shift)  # the decimal point stands after this many digits
    count = len(digits)
    minus = "-" if value < 0 or sign else ""
    if count <= point <= 21:  # noqa: PLR2004  the limits of ECMA-262, 6.1.6.1.20
        return minus + digits + "0" * (point - count)
    if 0 < point <= 21:  # noqa: PLR2004
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004
        return f"{minus}0.{'0' * -point}{digits}"
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{minus}{mantissa}e{point - 1:+d}"


def _integer(text: str) -> int | float:
    value = float(text)
    return int(text) if abs(value) <= _MAX_INT else value  # beyond it a reader of I-JSON has a double


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice")
    return value


def _refuse(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")
