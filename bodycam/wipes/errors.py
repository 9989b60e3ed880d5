"""What an order to wipe refuses, each with what to do."""

from bodycam.errors import BodycamError


class WipeStateError(BodycamError):
    """The order isn't in the state that this step starts from."""

    code = "wipe_state"
    vi = "Lệnh {number} không ở bước này nữa ({state_vi}). Tải lại trang để xem lệnh đang chờ gì."
    en = "The order {number} is no longer at this step ({state_en}). Reload the page to see what it waits for."


class OwnOrderError(BodycamError):
    """Whoever raised an order, or added to it, doesn't approve it."""

    code = "wipe_own_order"
    vi = "Đồng chí đã lập hoặc thêm tệp vào lệnh {number}; người khác có quyền duyệt kế hoạch phải duyệt."
    en = "You raised the order {number} or added to it; another plan approver must decide."


class NothingToWipeError(BodycamError):
    """No file of these cameras may be listed."""

    code = "wipe_nothing"
    vi = "Không có tệp nào được lập lệnh xóa: tệp phải còn trên máy, đã lưu vào kho, có biên nhận và chưa nằm trong lệnh khác."
    en = "No file may be listed: it must still be on the camera, be sealed with its receipt, and be in no other open order."


class ListChangedError(BodycamError):
    """The list isn't the one that the approver read."""

    code = "wipe_list_changed"
    vi = "Danh sách của lệnh {number} vừa thay đổi. Xem lại danh sách rồi mới duyệt."
    en = "The list of the order {number} has just changed. Read it again before you approve."


class SignedCopyError(BodycamError):
    """What was attached can't be a scan of the signed minute."""

    code = "wipe_signed_copy"
    vi = "Bản ký chưa dùng được: {reason_vi}. Chọn tệp PDF hoặc ảnh JPEG quét biên bản đã ký."
    en = "That is no signed copy: {reason}. Choose a PDF or JPEG scan of the signed minute."


class MinuteWordsError(BodycamError):
    """The configured words of the minute are wrong."""

    code = "wipe_minute_words"
    vi = "{file}: mục {key} sai ({reason}). Sửa tệp cấu hình rồi in lại."
    en = "{file}: {key} is wrong ({reason}). Mend the configuration, then print again."
