"""What may go wrong with people, accounts and sign-in."""

from bodycam.errors import BodycamError


class WrongSignInError(BodycamError):
    """The name or the password is wrong; which of them is never said."""

    code = "sign_in_wrong"
    vi = "Tên đăng nhập hoặc mật khẩu không đúng. Kiểm tra phím Caps Lock và bộ gõ tiếng Việt rồi thử lại."
    en = "The username or the password is wrong. Check Caps Lock and the Vietnamese input method, then try again."


class SignInLockedError(BodycamError):
    """Too many wrong sign-ins with this name or from this place; the pause grows with every further one."""

    code = "sign_in_locked"
    vi = "Đăng nhập sai quá nhiều lần. Thử lại sau {wait_vi}, hoặc nhờ quản trị đặt lại mật khẩu."
    en = "Too many wrong sign-ins. Try again in {wait_en}, or ask the administrator to reset the password."

    def __init__(self, *, seconds: int) -> None:
        """Keep the seconds left and say them as minutes when they are many."""
        minutes = -(-seconds // 60)
        long = seconds > 90  # noqa: PLR2004  beyond a minute and a half people count minutes
        super().__init__(
            seconds=seconds,
            wait_vi=f"{minutes} phút" if long else f"{seconds} giây",
            wait_en=f"{minutes} minutes" if long else f"{seconds} seconds",
        )


class NameTakenError(BodycamError):
    """A username, unit code or number is already in use."""

    code = "name_taken"
    vi = "{what_vi} “{name}” đã có. Chọn tên khác hoặc sửa mục đã có."
    en = "{what_en} “{name}” exists already. Choose another or change the one that exists."


class WeakPasswordError(BodycamError):
    """A password is too short, too long or the username itself."""

    code = "weak_password"
    vi = "Mật khẩu cần từ {least} đến {most} ký tự và không chứa tên đăng nhập."
    en = "A password needs {least} to {most} characters and may not contain the username."


class WrongPinError(BodycamError):
    """The PIN is wrong, or the officer has none; which of the two is never said."""

    code = "pin_wrong"
    vi = "Mã PIN không đúng hoặc chưa được cấp. Nhập lại, hoặc bấm “Quên mã PIN” để trực ban giúp."
    en = "The PIN is wrong, or none was given. Type it again, or press “Forgotten PIN” for the duty officer's help."


class PinLockedError(SignInLockedError):
    """Too many wrong PINs of one officer, or too many wrong tries at one kiosk."""

    code = "pin_locked"
    vi = "Nhập sai quá nhiều lần. Thử lại sau {wait_vi}, hoặc nhờ trực ban cấp mã PIN mới."
    en = "Too many wrong tries. Try again in {wait_en}, or have the duty officer give a new PIN."


class WeakPinError(BodycamError):
    """A chosen PIN isn't six digits or is one that is guessed first."""

    code = "weak_pin"
    vi = "Mã PIN cần {digits} chữ số, không quá đơn giản (như 111111, 123456) và không phải số hiệu của đồng chí."
    en = "A PIN needs {digits} digits that are not too simple (such as 111111, 123456) nor your own number."


class UnknownCardError(BodycamError):
    """Nobody has this card."""

    code = "card_unknown"
    vi = "Thẻ này chưa được cấp cho ai. Dùng mã PIN, hoặc nhờ trực ban đăng ký thẻ."
    en = "This card belongs to nobody here. Use the PIN, or have the duty officer register the card."


class CardUnreadableError(BodycamError):
    """What a reader typed is no card's number."""

    code = "card_unreadable"
    vi = "Không đọc được thẻ. Quẹt lại, hoặc dùng mã PIN."
    en = "The card could not be read. Show it again, or use the PIN."


class CardInUseError(BodycamError):
    """A card is another officer's already."""

    code = "card_in_use"
    vi = "Thẻ này đã cấp cho cán bộ khác. Thu hồi thẻ ở người ấy trước."
    en = "This card is another officer's. Withdraw it there first."
