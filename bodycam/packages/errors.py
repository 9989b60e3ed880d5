"""What extraction refuses, each with what to do."""

from bodycam.errors import BodycamError


class NotAPackageFolderError(BodycamError):
    """The path to verify is no folder."""

    code = "package_no_folder"
    vi = "{path} không phải thư mục. Nếu là tệp nén (.zip), giải nén ra một thư mục trống rồi kiểm tra thư mục đó."
    en = "{path} is no folder. If it is an archive (.zip), unpack it into an empty folder and verify that folder."
    exit_code = 2


class OrderStateError(BodycamError):
    """The order isn't in the state that this step starts from."""

    code = "extraction_state"
    vi = "Phiếu {number} không ở bước này nữa ({state_vi}). Tải lại trang để xem phiếu đang chờ gì."
    en = "The order {number} is no longer at this step ({state_en}). Reload the page to see what it waits for."


class OwnOrderError(BodycamError):
    """Whoever requests an extraction doesn't approve it."""

    code = "extraction_own_order"
    vi = "Đồng chí đã lập phiếu {number}; người khác có quyền phải duyệt."
    en = "You requested the order {number}; somebody else who may must decide."


class OrderExpiredError(BodycamError):
    """The order's time is over."""

    code = "extraction_expired"
    vi = "Phiếu {number} đã hết hạn lúc {until}. Lập phiếu mới và trình duyệt lại."
    en = "The order {number} expired at {until}. Request a new one and have it approved."


class NoOrderError(BodycamError):
    """There is no approved order for what is to be packaged."""

    code = "extraction_no_order"
    vi = "Chưa có phiếu đề nghị trích xuất đã duyệt, còn hạn cho đúng các bản ghi này. Lập phiếu trên trang bản ghi hoặc trang vụ việc."
    en = "No approved, unexpired extraction order names just these recordings. Request one on the recording's or the case's page."


class NothingToExtractError(BodycamError):
    """An order needs recordings that are still there."""

    code = "extraction_nothing"
    vi = "Không có bản ghi nào để trích xuất: bản ghi phải đã lưu, đã vào nhật ký và chưa bị hủy."
    en = "There is no recording to extract: it must be sealed, in the log, and not destroyed."


class NotTheSealedFileError(BodycamError):
    """What the vault gave isn't what was sealed."""

    code = "package_not_sealed"
    vi = "Bản ghi {recording}: dữ liệu đọc từ kho không khớp mã băm khi lưu. Không tạo gói; chạy `bodycam vault scrub` và báo quản trị."
    en = "Recording {recording}: what the vault gave doesn't have the hash it was sealed with. No package is made; run `bodycam vault scrub` and tell the administrator."


class PackagePlaceError(BodycamError):
    """The place for the package can't take it."""

    code = "package_place"
    vi = "Không tạo được gói tại {path}: {reason_vi}."
    en = "The package can't be made at {path}: {reason}."


class LogLateError(BodycamError):
    """The log's sequencer didn't take the package's event in time."""

    code = "package_log_late"
    vi = "Nhật ký chưa ghi sự kiện của gói sau {seconds} giây. Kiểm tra bộ ghi (`bodycam doctor`); sẽ làm tiếp từ chỗ dừng."
    en = "The log did not take the package's event within {seconds} s. Check the sequencer (`bodycam doctor`); work goes on from here."


class PackageNotSoundError(BodycamError):
    """The package that was made doesn't verify: the disk gave back other bytes than were written."""

    code = "package_not_sound"
    vi = "Gói tại {path} không qua được kiểm tra: {reason_vi}. Ổ đĩa có thể hỏng; xóa thư mục đó, chọn ổ khác và tạo lại."
    en = "The package at {path} doesn't verify: {reason}. The disk may be failing; delete that folder, choose another disk and make it again."
