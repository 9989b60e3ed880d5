"""What may go wrong with cameras and stations."""

from bodycam.errors import BodycamError


class SerialInUseError(BodycamError):
    """Two devices say one serial: the first keeps its slot, the second is refused until somebody looks."""

    code = "serial_in_use"
    vi = "Số máy {serial} đang cắm ở khe {slot}. Hai máy trùng số: giữ máy này lại, gọi trực ban."
    en = "Serial {serial} is docked in slot {slot}. Two cameras share one serial: keep this one, call the duty officer."


class CameraTakenError(BodycamError):
    """A serial or a label belongs to another camera."""

    code = "camera_taken"
    vi = "Máy có {what_vi} “{name}” đã được đăng ký. Kiểm tra lại số trên thân máy."
    en = "A camera with {what_en} “{name}” is registered already. Check the number on its body."


class IssueOverlapError(BodycamError):
    """The camera was in other hands at that time, by a later entry."""

    code = "issue_overlap"
    vi = "Máy {camera} đã giao cho người khác từ {since}. Chọn thời điểm sau đó."
    en = "Camera {camera} is issued to somebody else from {since}. Choose a later time."


class PairingCodeError(BodycamError):
    """A pairing code is wrong, used or too old."""

    code = "pairing_code"
    vi = "Mã ghép không đúng, đã dùng hoặc đã hết hạn. Lấy mã mới bằng lệnh: bodycam station token TÊN"
    en = "The pairing code is wrong, used or too old. Get a new one with: bodycam station token NAME"


class NotDutyOfficerError(BodycamError):
    """Somebody without the right of command over the station gives an order at its kiosk."""

    code = "not_duty_officer"
    vi = "Chỉ chỉ huy trực ban của đơn vị này (hoặc cấp trên) mới được ra lệnh này. Mời trực ban quẹt thẻ hoặc nhập mã PIN của mình."
    en = (
        "Only the duty officer of this unit (or above) may order this. Have the duty officer show a card or type a PIN."
    )


class CameraNotFreeError(BodycamError):
    """A camera can't be taken or returned by this officer now."""

    code = "camera_not_free"
    vi = "Máy {camera}: {reason_vi}."
    en = "Camera {camera}: {reason_en}."


class ReportedAlreadyError(BodycamError):
    """The camera was reported broken already and nobody has resolved it."""

    code = "reported_already"
    vi = "Máy {camera} đã được báo hỏng, phiếu {slip}."
    en = "Camera {camera} is reported broken already, slip {slip}."


class NothingToPullError(BodycamError):
    """An order to pull names a slot without a camera that is being read."""

    code = "nothing_to_pull"
    vi = "Khe {slot} không có máy đang tải: ô xanh thì rút được ngay, ô trống thì không có gì để rút."
    en = "No camera is being read in slot {slot}: a green one may be taken at once, an empty one has none."
