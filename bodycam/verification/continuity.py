"""Is the recording whole: no gaps in its time stamps, as long as it says, picture and sound of one length?"""

from bodycam.media.info import MediaKind
from bodycam.recordings.models import Verdict
from bodycam.sections import VerificationSettings
from bodycam.verification.facts import RecordingFacts
from bodycam.verification.finding import Finding, Number, Row, en_duration, vi_duration

MAX_GAPS = 5
_BROKEN = ("empty", "no_moov", "truncated", "damaged", "no_streams", "unknown_format")


def check_continuity(facts: RecordingFacts, limits: VerificationSettings) -> list[Finding]:
    """Return the findings on a film's or a sound's continuity; one "match" when nothing is wrong."""
    broken = [problem for problem in facts.info.problems if problem.code in _BROKEN]
    if facts.is_encrypted and not facts.info.streams:
        return [_encrypted()]
    if broken:
        return [
            Finding(Row.CONTINUITY, f"continuity.{problem.code}", Verdict.LOOK_CLOSER, problem.vi, problem.en)
            for problem in broken
        ]
    if facts.info.kind not in {MediaKind.VIDEO, MediaKind.AUDIO}:
        vi, en = "Không phải bản ghi có thời lượng.", "Not a recording that lasts."
        return [Finding(Row.CONTINUITY, "continuity.none", Verdict.NOT_APPLICABLE, vi, en)]
    if facts.continuity is None:
        vi, en = "Không đọc được mốc thời gian của các khung hình.", "The frames' time stamps can't be read."
        return [Finding(Row.CONTINUITY, "continuity.unread", Verdict.NOT_CHECKED, vi, en)]
    found = _gaps(facts) + _lengths(facts, limits)
    return found or [_whole(facts)]


def _encrypted() -> Finding:
    return Finding(
        Row.CONTINUITY,
        "continuity.encrypted",
        Verdict.NOTE,
        "Máy ghi hình đã mã hóa tệp này. Dữ liệu được khóa nguyên trạng; muốn xem cần phần mềm và khóa của hãng.",
        "The camera encrypted this file. It is kept as it is; to look at it takes the maker's program and key.",
    )


def _whole(facts: RecordingFacts) -> Finding:
    assert facts.continuity is not None
    stamps, span = facts.continuity.stamps, facts.continuity.span_s
    return Finding(
        Row.CONTINUITY,
        "continuity.whole",
        Verdict.MATCH,
        f"{stamps} mốc thời gian liên tục trong {vi_duration(span)}.",
        f"{stamps} time stamps without a gap over {en_duration(span)}.",
        {"stamps": stamps, "span_s": span},
    )


def _gaps(facts: RecordingFacts) -> list[Finding]:
    assert facts.continuity is not None
    found = []
    for start, end in facts.continuity.gaps[:MAX_GAPS]:
        numbers: dict[str, Number] = {"start_s": start, "end_s": end, "gaps": len(facts.continuity.gaps)}
        found.append(
            Finding(
                Row.CONTINUITY,
                "continuity.gap",
                Verdict.LOOK_CLOSER,
                f"Hình ngắt {vi_duration(end - start)}, từ giây {start:.1f} đến giây {end:.1f}. "
                "Có thể do thẻ nhớ chậm hoặc máy tạm dừng; chưa phải bằng chứng cắt ghép.",
                f"The picture stops for {en_duration(end - start)}, from second {start:.1f} to {end:.1f}. "
                "It may be a slow card or a pause; it is no proof of cutting.",
                numbers,
                (start, end),
            ),
        )
    return found


def _lengths(facts: RecordingFacts, limits: VerificationSettings) -> list[Finding]:
    assert facts.continuity is not None
    found = []
    video, audio = facts.continuity.video_s, facts.continuity.audio_s
    if video is not None and audio is not None and abs(video - audio) > limits.length_slack_s:
        found.append(
            Finding(
                Row.CONTINUITY,
                "continuity.sound_length",
                Verdict.NOTE,
                f"Hình dài {vi_duration(video)}, tiếng dài {vi_duration(audio)}. Có thể do máy ghi trước không kèm tiếng.",
                f"The picture lasts {en_duration(video)}, the sound {en_duration(audio)}. Pre-recording often has no sound.",
                {"video_s": video, "audio_s": audio},
            ),
        )
    declared, span = facts.info.duration_s, facts.continuity.span_s
    if (
        declared is not None
        and abs(declared - span) > max(limits.length_slack_s, limits.length_share * declared)
        and not found
    ):
        found.append(
            Finding(
                Row.CONTINUITY,
                "continuity.declared_length",
                Verdict.NOTE,
                f"Tệp ghi là dài {vi_duration(declared)} nhưng các khung hình trải trong {vi_duration(span)}.",
                f"The file says it lasts {en_duration(declared)}, its frames span {en_duration(span)}.",
                {"declared_s": declared, "span_s": span},
            ),
        )
    return found
