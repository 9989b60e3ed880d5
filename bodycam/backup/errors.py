"""What keeps a backup from being made or put back; nothing that was there before is touched in any of these cases."""

from bodycam.errors import BodycamError


class BackupFolderError(BodycamError):
    """The folder for a new backup can't take one."""

    code = "backup_folder"
    vi = "Không sao lưu vào {path} được: {reason_vi}. Chọn một thư mục mới, tốt nhất trên ổ đĩa khác."
    en = "Can't back up into {path}: {reason}. Choose a new folder, best on another disk."


class BackupToolError(BodycamError):
    """PostgreSQL's own program is missing or failed."""

    code = "backup_tool"
    vi = "{tool} không chạy được: {reason}. Cài gói postgresql-client cùng phiên bản với máy chủ rồi làm lại."
    en = "{tool} can't do it: {reason}. Install postgresql-client of the server's version, then try again."


class BackupDamagedError(BodycamError):
    """What lies in a backup isn't what was written."""

    code = "backup_damaged"
    vi = "Bản sao lưu {path} không dùng được: {reason_vi}. Chưa khôi phục gì; hãy dùng bản sao lưu khác."
    en = "The backup {path} can't be used: {reason}. Nothing was restored; use another backup."


class RestoreTargetError(BodycamError):
    """Something lies where a backup should go; a restore never overwrites."""

    code = "restore_target"
    vi = "{path} đã có dữ liệu; khôi phục không bao giờ ghi đè. {todo_vi}"
    en = "There is something in {path} already; a restore never overwrites. {todo}"


class LogOlderError(BodycamError):
    """The log to go on with lacks entries that were signed or that the database knows."""

    code = "log_older"
    vi = (
        "Nhật ký này có {size} mục, nhưng {who_vi} đã biết {known} mục: nhật ký cũ hơn, dùng tiếp sẽ ký hai lần các mục "
        "{size}–{last}. Tìm thư mục nhật ký mới nhất (ổ đĩa cũ, bản sao lưu khác); chưa khôi phục gì."
    )
    en = (
        "This log has {size} entries, but {who} knows {known}: it is older, going on with it would sign the entries "
        "{size}–{last} a second time. Find the newest log folder (the old disk, another backup); nothing was restored."
    )
