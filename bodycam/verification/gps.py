"""Can the positions be? Zero, swapped or flipped coordinates, the box of Vietnam, jumps, a frozen fix, weak reception.

Distances are geodesics on WGS 84. A bad position lowers trust in the place; it never hides a recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bodycam.geo.area import WITH_ISLANDS, in_vietnam
from bodycam.geo.geodesy import leg_lengths
from bodycam.recordings.models import Verdict
from bodycam.sections import VerificationSettings
from bodycam.telemetry.track import Point
from bodycam.verification.facts import RecordingFacts
from bodycam.verification.finding import Finding, Number, Row, en_duration, vi_duration, vi_number

MAX_JUMPS = 5
_NULL_DEGREES = 0.001  # about 100 m around 0, 0
_SAME_DEGREES = 1e-6  # about 10 cm: a receiver at rest still wanders more
_KMH = 3.6


@dataclass(frozen=True)
class Jump:
    """Two successive fixes too far apart: their indices, metres, and seconds between them."""

    before: Point
    after: Point
    metres: float
    seconds: float

    @property
    def kmh(self) -> float:
        """The speed it would take, in km/h; a same moment counts as a tenth of a second."""
        return self.metres / max(self.seconds, 0.1) * _KMH


def check_positions(facts: RecordingFacts, limits: VerificationSettings) -> list[Finding]:
    """Return the findings on a recording's positions; one "match" with its numbers when nothing is wrong."""
    points = _points(facts)
    found = [finding for finding in (_swapped(facts),) if finding]
    if not points:
        return found or [_nothing(facts)]
    found += [finding for finding in (_null_island(points), _flipped(points), _outside(points)) if finding]
    found += _jumps(points, limits)
    for check in (_frozen, _weak, _speed, _altitude):
        finding = check(points, limits)
        if finding:
            found.append(finding)
    return found or [_plausible(facts, points)]


def find_jumps(points: Sequence[Point], limits: VerificationSettings) -> list[Jump]:
    """Return the steps between fixes that no vehicle makes: far enough, and faster than `jump_speed_kmh`."""
    metres = leg_lengths([point.lat for point in points], [point.lon for point in points])
    jumps = []
    for (before, after), length in zip(pairwise(points), metres, strict=True):
        seconds = _seconds_between(before, after)
        if length < limits.jump_least_m or seconds is None or _is_null(before) or _is_null(after):
            continue
        jump = Jump(before, after, length, seconds)
        if jump.kmh > limits.jump_speed_kmh:
            jumps.append(jump)
    return jumps


def _points(facts: RecordingFacts) -> list[Point]:
    if facts.track is not None:
        return list(facts.track.fixed)
    if facts.location is not None:
        return [Point(facts.location.lat, facts.location.lon, alt=facts.location.alt)]
    return []


def _nothing(facts: RecordingFacts) -> Finding:
    if facts.track is not None and facts.track.points:
        vi, en = (
            "Bộ thu có chạy nhưng chưa bắt được vệ tinh trong suốt bản ghi.",
            "The receiver ran but never had a fix.",
        )
        code = "gps.no_fix"
    elif not facts.info.streams and facts.track is None:
        vi = "Chưa đọc được tệp nên chưa kiểm tra vị trí."
        en = "The file couldn't be read, so its position wasn't checked."
        code = "gps.unread"
    else:
        vi = "Tệp không có dữ liệu định vị (máy không có GPS, hoặc GPS đang tắt)."
        en = "The file has no positions (the camera has no GPS, or it was off)."
        code = "gps.none"
    return Finding(Row.GPS, code, Verdict.NOT_CHECKED, vi, en)


def _plausible(facts: RecordingFacts, points: list[Point]) -> Finding:
    fastest = max((point.speed_mps or 0.0 for point in points), default=0.0) * _KMH
    distance = facts.track.distance_m if facts.track is not None else 0.0
    numbers: dict[str, Number] = {
        "fixes": len(points),
        "distance_m": round(distance, 1),
        "fastest_kmh": round(fastest, 1),
    }
    return Finding(
        Row.GPS,
        "gps.plausible",
        Verdict.MATCH,
        f"{len(points)} vị trí hợp lý, đi {vi_number(distance / 1000, 2)} km, nhanh nhất {vi_number(fastest, 0)} km/h.",
        f"{len(points)} plausible fixes over {distance / 1000:.2f} km, at most {fastest:.0f} km/h.",
        numbers,
    )


def _swapped(facts: RecordingFacts) -> Finding | None:
    """Latitude and longitude exchanged: refused by the reader as out of range, so only a sample is left."""
    sample = facts.track.rejected_sample if facts.track is not None else None
    if sample is None or not in_vietnam(sample[1], sample[0]):
        return None
    return Finding(
        Row.GPS,
        "gps.swapped",
        Verdict.LOOK_CLOSER,
        f"Có thể máy ghi đảo vĩ độ và kinh độ ({sample[0]:.4f}, {sample[1]:.4f}); các điểm này không được dùng.",
        f"The camera may have exchanged latitude and longitude ({sample[0]:.4f}, {sample[1]:.4f}); these fixes aren't used.",
        {"lat": sample[0], "lon": sample[1]},
    )


def _null_island(points: list[Point]) -> Finding | None:
    count = sum(1 for point in points if _is_null(point))
    if not count:
        return None
    first = next(point for point in points if _is_null(point))
    return Finding(
        Row.GPS,
        "gps.null_island",
        Verdict.LOOK_CLOSER,
        f"{count} vị trí là 0, 0: thường do bộ thu chưa bắt được vệ tinh mà vẫn ghi.",
        f"{count} fixes are at 0, 0: usually a receiver that writes before it has a fix.",
        {"count": count},
        _span(first, first),
    )


def _flipped(points: list[Point]) -> Finding | None:
    for point in points:
        if not in_vietnam(point.lat, point.lon) and in_vietnam(abs(point.lat), abs(point.lon)):
            return Finding(
                Row.GPS,
                "gps.sign_flipped",
                Verdict.LOOK_CLOSER,
                f"Có thể máy ghi sai dấu vĩ độ hoặc kinh độ: {point.lat:.4f}, {point.lon:.4f} đối xứng với một điểm ở Việt Nam.",
                f"The camera may have a sign wrong: {point.lat:.4f}, {point.lon:.4f} mirrors a point in Vietnam.",
                {"lat": point.lat, "lon": point.lon},
                _span(point, point),
            )
    return None


def _outside(points: list[Point]) -> Finding | None:
    outside = [
        point
        for point in points
        if not in_vietnam(point.lat, point.lon)
        and not _is_null(point)
        and not in_vietnam(abs(point.lat), abs(point.lon))
    ]
    if not outside:
        return None
    first = outside[0]
    box = f"{WITH_ISLANDS.south:g}-{WITH_ISLANDS.north:g} N, {WITH_ISLANDS.west:g}-{WITH_ISLANDS.east:g} E"
    return Finding(
        Row.GPS,
        "gps.outside_area",
        Verdict.LOOK_CLOSER,
        f"{len(outside)} trong {len(points)} vị trí nằm ngoài khung Việt Nam ({box}), đầu tiên {first.lat:.4f}, {first.lon:.4f}. "
        "Có thể do nhiễu khi vừa bật máy, hoặc bản ghi từ nơi khác.",
        f"{len(outside)} of {len(points)} fixes lie outside the box of Vietnam ({box}), the first at {first.lat:.4f}, "
        f"{first.lon:.4f}. It may be noise after a cold start, or a recording from elsewhere.",
        {"outside": len(outside), "fixes": len(points), "lat": first.lat, "lon": first.lon},
        _span(first, outside[-1]),
    )


def _jumps(points: list[Point], limits: VerificationSettings) -> list[Finding]:
    return [_jump(jump, limits) for jump in find_jumps(points, limits)[:MAX_JUMPS]]


def _jump(jump: Jump, limits: VerificationSettings) -> Finding:
    is_contradiction = jump.metres >= limits.jump_contradiction_m and jump.kmh > limits.jump_contradiction_kmh
    kilometres = jump.metres / 1000
    return Finding(
        Row.GPS,
        "gps.jump",
        Verdict.CONTRADICTION if is_contradiction else Verdict.LOOK_CLOSER,
        f"Vị trí nhảy {vi_number(kilometres)} km trong {vi_number(jump.seconds, 0 if jump.seconds >= 1 else 1)} s "
        f"(tương đương {vi_number(jump.kmh, 0)} km/h). Có thể do mất sóng, tín hiệu dội hoặc bị gây nhiễu; "
        "chưa phải bằng chứng sửa dữ liệu, cần đối chiếu với hình ảnh.",
        f"The position jumps {kilometres:.1f} km in {jump.seconds:.{0 if jump.seconds >= 1 else 1}f} s "
        f"({jump.kmh:,.0f} km/h). It may be lost, reflected or jammed signals; "
        "it is no proof that data were changed: compare with the picture.",
        {
            "metres": round(jump.metres, 1),
            "seconds": round(jump.seconds, 3),
            "kmh": round(jump.kmh, 1),
            "from": f"{jump.before.lat:.6f}, {jump.before.lon:.6f}",
            "to": f"{jump.after.lat:.6f}, {jump.after.lon:.6f}",
        },
        _span(jump.before, jump.after),
    )


def _frozen(points: list[Point], limits: VerificationSettings) -> Finding | None:
    """The same coordinates for long while the receiver claims to move."""
    start = 0
    for index in range(1, len(points) + 1):
        if index < len(points) and _is_same(points[start], points[index]):
            continue
        run = points[start:index]
        start = index
        seconds = _seconds_between(run[0], run[-1]) or 0.0
        moving = sum(1 for point in run if (point.speed_mps or 0.0) > limits.frozen_speed_mps)
        if seconds >= limits.frozen_s and moving * 2 > len(run):
            return Finding(
                Row.GPS,
                "gps.frozen",
                Verdict.LOOK_CLOSER,
                f"Vị trí đứng yên {vi_duration(seconds)} trong khi tốc độ ghi được vẫn trên {vi_number(limits.frozen_speed_mps)} m/s. "
                "Có thể do mất sóng trong hầm hoặc trong nhà.",
                f"The position stood still for {en_duration(seconds)} while the recorded speed stayed above "
                f"{limits.frozen_speed_mps:.1f} m/s. It may be lost reception in a tunnel or indoors.",
                {"seconds": round(seconds, 1), "fixes": len(run)},
                _span(run[0], run[-1]),
            )
    return None


def _weak(points: list[Point], limits: VerificationSettings) -> Finding | None:
    told = [point for point in points if point.satellites is not None or point.dop is not None]
    weak = [
        point
        for point in told
        if (point.satellites is not None and point.satellites < limits.least_satellites)
        or (point.dop is not None and point.dop > limits.most_dop)
    ]
    if not told or len(weak) < limits.weak_share * len(told):
        return None
    return Finding(
        Row.GPS,
        "gps.weak",
        Verdict.NOTE,
        f"Sóng yếu ở {len(weak)} trong {len(told)} vị trí (dưới {limits.least_satellites} vệ tinh hoặc DOP trên "
        f"{vi_number(limits.most_dop, 0)}): vị trí có thể lệch nhiều chục mét.",
        f"Weak reception at {len(weak)} of {len(told)} fixes (fewer than {limits.least_satellites} satellites or DOP above "
        f"{limits.most_dop:g}): positions may be tens of metres off.",
        {"weak": len(weak), "told": len(told)},
    )


def _speed(points: list[Point], limits: VerificationSettings) -> Finding | None:
    fastest = max(points, key=lambda point: point.speed_mps or 0.0)
    kmh = (fastest.speed_mps or 0.0) * _KMH
    if kmh <= limits.vehicle_speed_kmh:
        return None
    return Finding(
        Row.GPS,
        "gps.speed",
        Verdict.NOTE,
        f"Bộ thu ghi tốc độ {vi_number(kmh, 0)} km/h, trên mức {vi_number(limits.vehicle_speed_kmh, 0)} km/h của xe công vụ; "
        "có thể do nhiễu.",
        f"The receiver recorded {kmh:.0f} km/h, above the {limits.vehicle_speed_kmh:.0f} km/h of a duty vehicle; it may be noise.",
        {"kmh": round(kmh, 1)},
        _span(fastest, fastest),
    )


def _altitude(points: list[Point], limits: VerificationSettings) -> Finding | None:
    for point in points:
        if point.alt is not None and not limits.lowest_m <= point.alt <= limits.highest_m:
            return Finding(
                Row.GPS,
                "gps.altitude",
                Verdict.NOTE,
                f"Độ cao {vi_number(point.alt, 0)} m nằm ngoài khoảng có ở Việt Nam; có thể do sóng yếu.",
                f"A height of {point.alt:.0f} m isn't found in Vietnam; it may be weak reception.",
                {"alt_m": round(point.alt, 1)},
                _span(point, point),
            )
    return None


def _is_null(point: Point) -> bool:
    return abs(point.lat) < _NULL_DEGREES and abs(point.lon) < _NULL_DEGREES


def _is_same(first: Point, second: Point) -> bool:
    return abs(first.lat - second.lat) <= _SAME_DEGREES and abs(first.lon - second.lon) <= _SAME_DEGREES


def _seconds_between(before: Point, after: Point) -> float | None:
    if before.time is not None and after.time is not None:
        return abs((after.time - before.time).total_seconds())
    if before.offset_s is not None and after.offset_s is not None:
        return abs(after.offset_s - before.offset_s)
    return None


def _span(first: Point, last: Point) -> tuple[float, float] | None:
    if first.offset_s is None or last.offset_s is None:
        return None
    return first.offset_s, last.offset_s
