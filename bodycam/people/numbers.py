"""What an officer's number is called and how it is written, by force.

Labels and patterns are settings (`[labels]`, `[number_patterns]`): only the police number has a known shape, 123-456, and
even that rests on practice, not on a text. A number is never a key; two spellings of one number compare equal by
`compact_number`.
"""

import re
from collections.abc import Mapping

from bodycam.db import nfc
from bodycam.errors import InvalidInputError
from bodycam.people.models import Force

FORCE_NAMES: dict[Force, tuple[str, str]] = {
    Force.TRAFFIC_POLICE: ("Cảnh sát giao thông", "Traffic police"),
    Force.CUSTOMS: ("Hải quan", "Customs"),
    Force.TAX: ("Thuế", "Tax"),
    Force.MARKET: ("Quản lý thị trường", "Market management"),
    Force.INSPECTORATE: ("Thanh tra", "Inspectorate"),
    Force.OTHER: ("Khác", "Other"),
}
_NUMBER_ENGLISH: dict[Force, str] = {
    Force.TRAFFIC_POLICE: "Police service number",
    Force.CUSTOMS: "Customs officer number",
}
_TEAM: dict[Force, tuple[str, str]] = {
    Force.TRAFFIC_POLICE: ("Tổ công tác", "Patrol team"),
    Force.OTHER: ("Tổ", "Team"),
}
MAX_NUMBER = 40


def number_label(labels: Mapping[str, str], force: str, language: str) -> str:
    """Return what the number is called: the Vietnamese label from settings, or its English."""
    if language != "vi":
        return _NUMBER_ENGLISH.get(Force(force), "Official card number")
    return labels.get(force) or "Số thẻ"


def team_label(force: str, language: str) -> str:
    """Return what a team is called in this force: a patrol team, or the team of an inspection."""
    vi, en = _TEAM.get(Force(force), ("Đoàn kiểm tra", "Inspection team"))
    return vi if language == "vi" else en


def check_number(patterns: Mapping[str, re.Pattern[str]], force: str, text: str) -> str:
    """Return the number as it is stored; raises `InvalidInputError` when the force's pattern refuses it."""
    number = nfc(text).strip()
    pattern = patterns.get(force)
    if not number or len(number) > MAX_NUMBER or (pattern is not None and not pattern.search(number)):
        shape = pattern.pattern if pattern is not None else f"1-{MAX_NUMBER}"
        raise InvalidInputError(
            field="number",
            reason=f"“{text[:MAX_NUMBER]}” isn't a number of this force (pattern {shape}); correct it in the file",
            reason_vi=f"“{text[:MAX_NUMBER]}” không đúng dạng số của lực lượng này (mẫu {shape}); sửa lại trong tệp",
        )
    return number


def compact_number(text: str) -> str:
    """Return the number without spaces, dots and dashes, upper case: "123-456" and "123456" are one."""
    return re.sub(r"[\s.\-–]+", "", nfc(text)).upper()
