"""What may go wrong with terms, holds, disposal and negatives."""

from bodycam.errors import BodycamError


class ScheduleError(BodycamError):
    """A schedule breaks a rule; names the file (or "the proposal"), the key and the reason."""

    code = "retention_schedule"
    vi = "Thời hạn lưu trữ sai: {file}, {key}: {reason}."
    en = "Bad retention schedule: {file}, {key}: {reason}."
    exit_code = 2


class ScheduleTamperedError(BodycamError):
    """The schedule in force isn't the one that the log knows; nothing is disposed of until somebody looked into it."""

    code = "retention_tampered"
    vi = "Thời hạn lưu trữ trong cơ sở dữ liệu không khớp nhật ký ({reason}). Dừng mọi việc hủy; báo kiểm toán."
    en = "The schedule in the database does not fit the log ({reason}). All disposal stops; tell the auditor."


class SecondPersonError(BodycamError):
    """Who proposed may not agree, nor may another account of the same person."""

    code = "second_person"
    vi = "Chờ người thứ hai phê duyệt: người đề nghị không tự phê duyệt, kể cả bằng tài khoản khác của mình."
    en = "A second person must agree: whoever proposed does not, not by another account of his either."


class ApproverTwiceError(BodycamError):
    """The same person approves a batch twice, by one account or by two."""

    code = "approver_twice"
    vi = "Người này đã duyệt đợt {number}. Lần duyệt thứ hai phải là người khác, ở đơn vị khác."
    en = "This person approved batch {number} already. The second approval is another person's, of another unit."


class SameUnitError(BodycamError):
    """Both approvers are of one unit."""

    code = "same_unit"
    vi = "Đợt {number} cần hai người duyệt ở hai đơn vị khác nhau; người thứ nhất cùng đơn vị với tài khoản này."
    en = "Batch {number} needs two approvers from two units; the first one is of this account's unit."


class BatchStateError(BodycamError):
    """A step that the batch's state doesn't allow."""

    code = "disposition_state"
    vi = "Đợt {number} đang ở trạng thái “{state_vi}”, không làm được bước này. Tải lại trang."
    en = "Batch {number} is “{state_en}”: this step can't be done. Reload the page."


class BatchChangedError(BodycamError):
    """The list isn't the one that was shown."""

    code = "disposition_changed"
    vi = "Danh sách của đợt {number} không phải bản đã xem. Tải lại trang, xem lại rồi duyệt."
    en = "The list of batch {number} is not the one that was shown. Reload, read it again, then approve."


class AuthorityError(BodycamError):
    """The log doesn't bear out what the rows say of a batch; nothing of it is destroyed."""

    code = "disposition_authority"
    vi = "Không hủy đợt {number}: {reason_vi}."
    en = "Batch {number} is not carried out: {reason_en}."


class ClockDoubtfulError(BodycamError):
    """The server's clock jumped, and no person has confirmed it since: no term is counted as over."""

    code = "clock_doubtful"
    vi = "Đồng hồ máy chủ đã nhảy ({reason}). Không tính hạn, không hủy gì cho đến khi một người xác nhận giờ đúng."
    en = "The server's clock jumped ({reason}). No term counts as over, nothing is destroyed, until a person confirms it."


class HoldError(BodycamError):
    """A hold can't be placed or released like this; says what to do."""

    code = "hold"
    vi = "{reason_vi}."
    en = "{reason_en}."


class HoldTamperedError(BodycamError):
    """A hold's row is missing or isn't what the log says; nothing is disposed of until somebody looked into it."""

    code = "hold_tampered"
    vi = "Một lệnh tạm dừng xóa trong cơ sở dữ liệu không khớp nhật ký ({hold}). Dừng mọi việc hủy; báo kiểm toán."
    en = "A hold in the database does not fit the log ({hold}). All disposal stops; tell the auditor."


class FootageFoundError(BodycamError):
    """There is footage: a negative can't be signed."""

    code = "footage_found"
    vi = "Có {count} bản ghi khớp, nên không lập được xác nhận không có bản ghi. Xem danh sách bản ghi."
    en = "There are {count} matching recordings, so no negative can be signed. See the list of recordings."
