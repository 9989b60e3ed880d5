"""What can go wrong for a citizen, in words that say what to do next."""

from bodycam.errors import BodycamError, ConflictError, NotFoundError


class NoSuchSubmissionError(NotFoundError):
    """The one neutral answer to a wrong and an unknown code alike: it tells nothing about any submission."""

    code = "no_such_submission"
    vi = "Không mở được hồ sơ với mã này. Kiểm tra lại từng nhóm ký tự, đợi một phút rồi thử lại."
    en = "No report opens with this code. Check each group of characters, wait a minute, then try again."


class SubmissionClosedError(ConflictError):
    """The text was sent already and can't be changed."""

    code = "submission_closed"
    vi = "Nội dung đã gửi rồi, không sửa được nữa. Hãy gửi một phản ánh khác để bổ sung."
    en = "This report was sent already and can't be changed. Send another one to add to it."


class ForbiddenStepError(ConflictError):
    """A triage step that the order of states does not allow."""

    code = "submission_step"
    vi = "Không chuyển được từ trạng thái này sang trạng thái đó. Tải lại trang để xem trạng thái hiện tại."
    en = "That state does not follow this one. Reload the page to see the present state."


class NoSuchUploadError(NotFoundError):
    """No such upload, or it belongs to somebody else."""

    code = "no_such_upload"
    vi = "Không có lượt gửi tệp này. Chọn lại tệp để gửi từ đầu."
    en = "There is no such upload. Choose the file again to send it anew."


class UploadGoneError(NotFoundError):
    """The upload expired without progress, or was taken back."""

    code = "upload_gone"
    vi = "Lượt gửi tệp này đã hết hạn hoặc đã bị hủy. Chọn lại tệp để gửi từ đầu."
    en = "This upload has expired or was cancelled. Choose the file again to send it anew."


class UploadTooLargeError(BodycamError):
    """The file is larger than one upload may be; `limit` in bytes."""

    code = "upload_too_large"
    vi = "Tệp quá lớn: tối đa {limit} byte. Cắt video thành nhiều đoạn, hoặc gọi đường dây nóng để nộp trực tiếp."
    en = "The file is too large: at most {limit} bytes. Cut the video into parts, or call the hotline to hand it in."


class TooManyFilesError(BodycamError):
    """One submission takes only so many files."""

    code = "too_many_files"
    vi = "Một phản ánh nhận tối đa {limit} tệp. Hãy gửi thêm một phản ánh khác."
    en = "One report takes at most {limit} files. Send another report for the rest."


class NoRoomError(BodycamError):
    """The space set apart for uploads is taken for now; what has come is kept and the upload goes on later."""

    code = "no_room"
    vi = "Máy chủ tạm hết chỗ nhận tệp. Phần đã gửi vẫn được giữ; trang sẽ tự thử lại."
    en = "The server has no room for files at the moment. What was sent is kept; the page tries again by itself."


class UploadFragmentedError(BodycamError):
    """An upload came in so many small pieces that its space is wasted on their heads."""

    code = "upload_fragmented"
    vi = "Tệp này đã bị ngắt quá nhiều lần ({limit}). Bỏ tệp này, chọn lại và gửi từ đầu ở nơi mạng tốt hơn."
    en = "This upload was broken off too often ({limit} times). Remove it, choose the file again and send it anew."


class TooManyAtOnceError(BodycamError):
    """All places for sending are taken by others; pages keep answering meanwhile."""

    code = "too_many_at_once"
    vi = "Đang có quá nhiều người gửi cùng lúc. Phần đã gửi vẫn được giữ; trang sẽ tự thử lại."
    en = "Too many people are sending at the moment. What was sent is kept; the page tries again by itself."


class WrongOffsetError(ConflictError):
    """The client goes on at another byte than the one where the server stands."""

    code = "wrong_offset"
    vi = "Sai vị trí: máy chủ đã nhận {offset} byte. Hỏi lại vị trí (HEAD) rồi gửi tiếp từ đó."
    en = "Wrong offset: the server holds {offset} bytes. Ask for the offset (HEAD) and go on from there."


class UploadBusyError(ConflictError):
    """Another request is writing to this upload."""

    code = "upload_busy"
    vi = "Tệp này đang được gửi từ một cửa sổ khác. Đóng cửa sổ kia hoặc đợi vài giây rồi thử lại."
    en = "This file is being sent from another window. Close it, or wait a few seconds and try again."
