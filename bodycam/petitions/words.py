"""What a citizen and intake call the states and tracks of a report."""

from bodycam.petitions.models import SubmissionState, Track

STATE_WORDS: dict[SubmissionState, tuple[str, str]] = {
    SubmissionState.RECEIVED: ("Đã tiếp nhận", "Received"),
    SubmissionState.SORTING: ("Đang phân loại", "Being sorted"),
    SubmissionState.VERIFYING: ("Đang xác minh", "Being verified"),
    SubmissionState.FORWARDED: ("Chuyển cơ quan có thẩm quyền", "Passed to the competent body"),
    SubmissionState.ANSWERED: ("Đã trả lời", "Answered"),
    SubmissionState.DECLINED: ("Không thụ lý", "Not taken up"),
}
TRACK_WORDS: dict[Track, tuple[str, str]] = {
    Track.VIOLATION_DATA: ("Dữ liệu phát hiện vi phạm hành chính", "Data on an administrative violation"),
    Track.DENUNCIATION: ("Tố cáo", "Denunciation"),
    Track.COMPLAINT: ("Khiếu nại", "Complaint"),
    Track.REFLECTION: ("Phản ánh, kiến nghị", "Reflection, proposal"),
}
