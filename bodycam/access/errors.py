"""Refusals."""

from bodycam.errors import BodycamError, NotFoundError


class ForbiddenError(BodycamError):
    """The account may not do this; the edge leaves `access.refused` in the log with `action`."""

    code = "forbidden"
    vi = "Tài khoản này không có quyền làm việc đó. Nếu cần cho nhiệm vụ, đề nghị quản trị cấp vai trò."
    en = "This account may not do that. If your duty needs it, ask the administrator for the role."


class OutOfReachError(NotFoundError):
    """It isn't there, or it lies outside the asker's scope: one answer for both, and both leave `access.refused`."""


class OwnRolesError(ForbiddenError):
    """Nobody changes his own roles: what an administrator may see is for somebody else to say."""

    code = "own_roles"
    vi = "Không ai tự thay đổi vai trò của mình. Đề nghị một quản trị khác."
    en = "Nobody changes his own roles. Ask another administrator."
