"""Was the camera's clock right? Against the dock, against satellite time, and against dates that can't be.

A wrong clock is a legal defect, and most often a flat battery or a zone setting: each reason says so and accuses nobody.
Signatures: whole hours (7 h: local time written as UTC or the reverse), 17-19 s (GPS time written as UTC; GPS - UTC is 18 s
since 31/12/2016), 7,168 days (1,024 weeks: an old receiver's rollover). Sources: docs/verification.md.
"""

from datetime import date, datetime, timedelta

from bodycam.clock import local
from bodycam.recordings.models import Verdict
from bodycam.recordings.timing import RESET_DAYS
from bodycam.sections import VerificationSettings
from bodycam.verification.facts import RecordingFacts
from bodycam.verification.finding import Finding, Number, Row, en_duration, vi_duration

VI_END = "Có thể do pin hoặc cài đặt; chưa phải bằng chứng chỉnh giờ."
EN_END = "It may be the battery or a setting; it is no proof that the clock was changed."
ROLLOVER = timedelta(days=7168)
_HOUR = 3600
_SAME_S = 0.05  # below a tenth there is nothing to say
_LOCAL_HOURS = 7
_MOST_HOURS = 14  # zones reach from -12 to +14
_ROLLOVER_SLACK = timedelta(days=2)


def dock_offset(facts: RecordingFacts, limits: VerificationSettings) -> Finding:
    """Judge the offset that the dock measured before it set the clock: green, amber and red of the dock rule."""
    code = "clock.dock"
    if facts.clock is None:
        return Finding(
            Row.CLOCK,
            code,
            Verdict.NOT_CHECKED,
            "Chưa có trạm nào đo đồng hồ của máy này cho bản ghi này.",
            "No dock measured this camera's clock for this recording.",
        )
    if not facts.clock.is_reference_valid:
        return Finding(
            Row.CLOCK,
            code,
            Verdict.NOT_CHECKED,
            "Đồng hồ của trạm chưa được xác nhận đúng nên không dùng để so.",
            "The dock's own clock wasn't known to be right, so it isn't used to compare.",
            {"offset_s": facts.clock.offset_s},
        )
    offset = facts.clock.offset_s
    numbers: dict[str, Number] = {"offset_s": round(offset, 3)}
    vi_way, en_way = ("nhanh", "fast") if offset > 0 else ("chậm", "slow")
    vi = f"Đồng hồ máy {vi_way} {vi_duration(offset)} so với trạm lúc cắm"
    en = f"At docking the camera's clock was {en_duration(offset)} {en_way} of the dock's"
    if abs(offset) <= limits.clock_match_s:
        return Finding(Row.CLOCK, code, Verdict.MATCH, f"{vi}.", f"{en}.", numbers)
    if abs(offset) <= limits.clock_note_s:
        vi += "; giờ hiển thị đã hiệu chỉnh, giờ gốc được giữ"
        en += "; the time shown is corrected, the original is kept"
        return Finding(Row.CLOCK, code, Verdict.NOTE, f"{vi}. {VI_END}", f"{en}. {EN_END}", numbers)
    vi_hint, en_hint = _hours_hint(offset, limits)
    return Finding(
        Row.CLOCK, code, Verdict.LOOK_CLOSER, f"{vi}{vi_hint}. {VI_END}", f"{en}{en_hint}. {EN_END}", numbers
    )


def file_against_gps(facts: RecordingFacts, limits: VerificationSettings) -> Finding:
    """Compare the time the camera wrote into the file with satellite time at the start, or at the end, of the recording."""
    code = "clock.gps"
    device, start = facts.device_time, facts.gps_start
    if device is None or device.utc is None or start is None:
        return Finding(
            Row.CLOCK,
            code,
            Verdict.NOT_CHECKED,
            "Không có đủ giờ trong tệp và giờ vệ tinh để so với nhau.",
            "There aren't both a time in the file and satellite time to compare.",
        )
    length = facts.info.duration_s or 0.0
    from_start = (device.utc - start).total_seconds()
    apart = _telling(from_start, from_start - length, limits)
    numbers: dict[str, Number] = {
        "apart_s": round(apart, 3),
        "file_time": device.utc.isoformat(),
        "gps_time": start.isoformat(),
        "source": device.source,
    }
    result, vi, en = _judge(apart, 0 <= from_start <= length, limits)
    ending = ("", "") if result is Verdict.MATCH else (f" {VI_END}", f" {EN_END}")
    return Finding(Row.CLOCK, code, result, vi + ending[0], en + ending[1], numbers)


def impossible_dates(facts: RecordingFacts, limits: VerificationSettings) -> list[Finding]:
    """Name a file time that is a camera's reset date, and any time in the future."""
    found = []
    device = facts.device_time
    if device is not None and device.utc is not None and _days(device.utc) & RESET_DAYS:
        day = local(device.utc).strftime("%d/%m/%Y")
        vi = f"Giờ trong tệp là {day}, ngày mà đồng hồ tự về khi mất nguồn; giờ thật của bản ghi chưa rõ. {VI_END}"
        en = f"The file's time is {day}, where clocks go when they lose power; the true time isn't known. {EN_END}"
        found.append(Finding(Row.CLOCK, "clock.reset", Verdict.LOOK_CLOSER, vi, en, {"file_time": device.raw}))
    latest = facts.at + timedelta(seconds=limits.future_s)
    times = [("file", device.utc if device else None), ("gps", facts.gps_start)]
    for source, moment in times:
        if moment is not None and moment > latest:
            shown = local(moment).strftime("%d/%m/%Y %H:%M")
            vi_source, en_source = (
                ("Giờ trong tệp", "The file's time") if source == "file" else ("Giờ vệ tinh", "Satellite time")
            )
            vi = f"{vi_source} ({shown}) ở sau thời điểm kiểm tra. {VI_END}"
            en = f"{en_source} ({shown}) lies after the moment of checking. {EN_END}"
            numbers: dict[str, Number] = {"time": moment.isoformat(), "checked_at": facts.at.isoformat()}
            found.append(Finding(Row.CLOCK, f"clock.future_{source}", Verdict.LOOK_CLOSER, vi, en, numbers))
    return found


def _telling(from_start: float, from_end: float, limits: VerificationSettings) -> float:
    """Return the difference that explains itself: cameras write the time of the start, phones often that of the end."""
    both = (from_start, from_end)
    near = [apart for apart in both if abs(apart) <= limits.clock_note_s]
    signed = [apart for apart in both if _is_leap(apart, limits) or _hours_hint(apart, limits)[0]]
    return (*sorted(near, key=abs), *signed, from_start)[0]


def _is_leap(seconds: float, limits: VerificationSettings) -> bool:
    return limits.gps_leap_low_s <= abs(seconds) <= limits.gps_leap_high_s


def _judge(apart: float, is_inside: bool, limits: VerificationSettings) -> tuple[Verdict, str, str]:
    """Return the result and its reason for a difference in seconds, file minus satellite."""
    if abs(apart) < _SAME_S:
        return Verdict.MATCH, "Giờ trong tệp trùng giờ vệ tinh.", "The file's time is the satellites' time."
    vi_way, en_way = ("nhanh", "ahead of") if apart > 0 else ("chậm", "behind")
    vi = f"Giờ trong tệp {vi_way} {vi_duration(apart)} so với giờ vệ tinh"
    en = f"The file's time is {en_duration(apart)} {en_way} satellite time"
    if abs(apart) <= limits.clock_match_s:
        return Verdict.MATCH, f"{vi}: hai nguồn độc lập khớp nhau.", f"{en}: two independent sources agree."
    if _is_leap(apart, limits):
        vi += ", đúng bằng độ lệch giữa giờ GPS và UTC (18 giây): có thể máy ghi giờ GPS như UTC"
        en += ", just what GPS time and UTC differ by (18 s): the camera may write GPS time as UTC"
        return Verdict.NOTE, f"{vi}.", f"{en}."
    if abs(apart) <= limits.clock_note_s or is_inside:
        return Verdict.NOTE, f"{vi}.", f"{en}."
    vi_hint, en_hint = _hours_hint(apart, limits)
    if not vi_hint:
        vi_hint, en_hint = _rollover_hint(apart)
    return Verdict.LOOK_CLOSER, f"{vi}{vi_hint}.", f"{en}{en_hint}."


def _hours_hint(seconds: float, limits: VerificationSettings) -> tuple[str, str]:
    hours = round(seconds / _HOUR)
    if not 1 <= abs(hours) <= _MOST_HOURS or abs(seconds - hours * _HOUR) > limits.zone_slack_s:
        return "", ""
    if abs(hours) == _LOCAL_HOURS:
        return (
            ", khoảng 7 giờ tròn: có thể máy ghi giờ Việt Nam (UTC+7) như giờ UTC hoặc ngược lại (đặt sai múi giờ)",
            ", about 7 whole hours: the camera may write Vietnam's time (UTC+7) as UTC or the reverse (a zone setting)",
        )
    return (
        f", khoảng {abs(hours)} giờ tròn: có thể do đặt sai múi giờ",
        f", about {abs(hours)} whole hours: it may be a zone setting",
    )


def _rollover_hint(seconds: float) -> tuple[str, str]:
    apart = abs(timedelta(seconds=seconds))
    turns = round(apart / ROLLOVER)
    if turns < 1 or abs(apart - turns * ROLLOVER) > _ROLLOVER_SLACK:
        return "", ""
    return (
        f", gần bằng {turns} vòng đếm tuần của GPS (7.168 ngày): có thể do bộ thu đời cũ",
        f", about {turns} turn(s) of the GPS week counter (7,168 days): it may be an old receiver",
    )


def _days(moment: datetime) -> set[date]:
    """Return the days a time may mean, in UTC and in Vietnam: a camera's clock starts again in a zone of its own."""
    return {moment.date(), local(moment).date()}
