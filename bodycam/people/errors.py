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
