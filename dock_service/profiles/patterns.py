"""Name patterns out of a profile: regular expressions that can't be made to run for ever.

A regular expression tries one way after the other, so a careless one can take hours over a name of thirty letters that a
hostile card carries. Here the ways are counted before a pattern is let in: no group is repeated, and the choices of all
repeats and alternatives multiplied stay under a bound.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from pydantic_core import PydanticCustomError

LONGEST_PATTERN = 500
LONGEST_NAME = 255  # characters of a path that are looked at; longer ones match nothing
MOST_WAYS = 500_000
GROUPS = frozenset({"camera", "officer", "start", "event", "sequence", "chapter", "encrypted"})
"""What a name may say, as groups of its pattern; `event` and `encrypted` say it by being there."""

_REPEAT = re.compile(r"\*|\+|\?|\{(\d+)(,?)(\d*)\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?:|\?P<(\w+)>)?(?!\?)")


def compile_pattern(text: object) -> re.Pattern[str]:
    """Compile a pattern of a profile; raises PydanticCustomError saying in both languages what is wrong with it."""
    if isinstance(text, re.Pattern):
        return text
    if not isinstance(text, str) or not text:
        refuse("must be a text", "phải là một chuỗi ký tự")
    if len(text) > LONGEST_PATTERN:
        refuse(f"is longer than {LONGEST_PATTERN} characters", f"dài quá {LONGEST_PATTERN} ký tự")
    try:
        pattern = re.compile(text, re.ASCII | re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        refuse(f"is no regular expression: {error}", f"không phải biểu thức chính quy: {error}")
    ways = _ways(text)
    if ways > MOST_WAYS:
        refuse(
            f"leaves too many ways to try ({ways:,}; at most {MOST_WAYS:,}): say how long each part is, as in [^_]{{1,20}}",
            f"có quá nhiều cách khớp ({ways:,}; tối đa {MOST_WAYS:,}): ghi rõ độ dài từng phần, ví dụ [^_]{{1,20}}",
        )
    _check_groups(pattern)
    return pattern


def refuse(en: str, vi: str) -> NoReturn:
    """Refuse a value with a reason in both languages."""
    raise PydanticCustomError("profile", "{en}", {"en": en, "vi": vi})


def _check_groups(pattern: re.Pattern[str]) -> None:
    named = set(pattern.groupindex)
    if unknown := sorted(named - GROUPS):
        known = ", ".join(sorted(GROUPS))
        refuse(f"no such group: {unknown[0]} (there are {known})", f"không có nhóm {unknown[0]} (có: {known})")
    if not named & {"start", "sequence"}:
        refuse(
            "needs a group (?P<start>…) or (?P<sequence>…)",
            "cần có nhóm (?P<start>…) hoặc (?P<sequence>…)",
        )
    if pattern.groups > len(named):
        refuse("unnamed groups are written (?:…)", "nhóm không tên phải viết (?:…)")
    if "chapter" in named and "sequence" not in named:
        refuse("a chapter needs a sequence", "có nhóm chapter thì phải có nhóm sequence")


@dataclass
class _Count:
    """How many ways a pattern leaves so far, and whether the part before can't be repeated."""

    ways: int = 1
    is_after_group: bool = False
    at: int = 0


def _ways(text: str) -> int:
    """Return at most how many ways the pattern can try on the longest name."""
    count = _Count()
    while count.at < len(text):
        _step(text, count)
    return count.ways


def _step(text: str, count: _Count) -> None:
    rest = text[count.at :]
    if repeat := _REPEAT.match(rest):
        _repeat(repeat, rest, count)
    elif rest[0] == "(":
        group = _GROUP.match(rest)
        if group is None:
            refuse("only (?:…) and (?P<name>…) are allowed", "chỉ được dùng (?:…) và (?P<tên>…)")
        count.at += group.end()
        count.is_after_group = False
    elif rest[0] == "[":
        inside = _CLASS.match(rest)
        count.at += inside.end() if inside else 1
        count.is_after_group = False
    elif rest[0] == "\\":
        if rest[1:2].isdigit():
            refuse("back references are not allowed", "không dùng tham chiếu ngược")
        count.at += 2
        count.is_after_group = False
    else:
        count.ways *= 2 if rest[0] == "|" else 1
        count.is_after_group = rest[0] == ")"
        count.at += 1


def _repeat(repeat: re.Match[str], rest: str, count: _Count) -> None:
    least, comma, most = repeat.groups()
    if least is None:
        span = 2 if rest[0] == "?" else LONGEST_NAME
    else:
        span = (int(most) - int(least) + 1 if most else LONGEST_NAME) if comma else 1
    if count.is_after_group and rest[0] != "?":
        refuse("a group (…) may only be followed by ?", "sau nhóm (…) chỉ được dùng dấu ?")
    count.ways *= max(1, min(span, LONGEST_NAME))
    count.at += repeat.end()
    while rest[repeat.end() : repeat.end() + 1] in {"?", "+"}:  # lazy or possessive: no more ways than greedy
        count.at += 1
        break
