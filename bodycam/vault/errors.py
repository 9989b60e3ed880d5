"""What can go wrong with sealed bytes, each with what to do. No message carries a key or personal data."""

from bodycam.errors import BodycamError, ConflictError, DiskFullError, NotFoundError


class VaultFullError(DiskFullError):
    """The disk of the vault or spool has no room; what was synced before is kept."""

    code = "vault_full"
    vi = "Ổ đĩa của kho đã đầy ({path}). Dữ liệu đã nhận vẫn còn nguyên; hãy giải phóng chỗ trống rồi làm lại, việc sao chép sẽ tiếp tục từ chỗ dừng."
    en = "The vault's disk is full ({path}). Nothing received is lost; free some space and try again, copying goes on where it stopped."


class VaultIoError(BodycamError):
    """The disk refused to read or write; never treated as damage of the evidence itself."""

    code = "vault_io"
    vi = "Ổ đĩa của kho báo lỗi ở {path}: {reason}. Kiểm tra ổ đĩa và cáp, rồi làm lại."
    en = "The vault's disk reports an error at {path}: {reason}. Check the disk and its cable, then try again."


class VaultMissingError(BodycamError):
    """The vault was in this folder, and the folder is empty now: a disk isn't mounted, or the vault was moved."""

    code = "vault_missing"
    vi = "Không thấy kho ở {path}, nơi kho đã từng nằm. Gắn lại ổ đĩa rồi chạy lại. Nếu cố ý bỏ kho cũ, xóa tệp {mark}."
    en = "The vault isn't in {path}, where it was. Mount its disk, then start again. If the old vault was given up on purpose, remove {mark}."


class PlaceAwayError(BodycamError):
    """A place for copies can't be reached: its disk isn't mounted, its server doesn't answer. Says nothing about the objects."""

    code = "place_away"
    vi = "Không tới được nơi giữ bản sao “{place}”: {reason}. Gắn lại ổ đĩa hoặc kiểm tra máy chủ, rồi làm lại; không có gì bị mất."
    en = "The copy place “{place}” can't be reached: {reason}. Mount its disk or check its server, then try again; nothing is lost."


class CopyLockedError(BodycamError):
    """The server keeps a copy locked; it can be removed when the lock has ended."""

    code = "copy_locked"
    vi = "Bản sao của {object_id} ở “{place}” còn bị khóa đến {until}. Làm lại sau thời điểm đó."
    en = "The copy of {object_id} in “{place}” is locked until {until}. Do it again after that."


class CopiesMissingError(BodycamError):
    """Fewer verified copies could be made than are required, so nothing may be called sealed yet."""

    code = "copies_missing"
    vi = "Mới có {made} trên {required} bản sao bắt buộc; chưa được ở: {reasons}. Dữ liệu đã nhận vẫn còn nguyên; khắc phục rồi làm lại, việc niêm phong sẽ tiếp tục."
    en = "Only {made} of {required} required copies could be made; failed: {reasons}. Nothing received is lost; mend it and try again, sealing goes on."


class PlaceUnknownError(NotFoundError):
    """No copy place has that name."""

    code = "place_unknown"
    vi = "Không có nơi giữ bản sao tên “{place}”. Các nơi đang có: {known}."
    en = "There is no copy place named “{place}”. There are: {known}."


class DamagedObjectError(BodycamError):
    """Sealed or spooled bytes are not what was written."""

    code = "object_damaged"
    vi = "Dữ liệu đã lưu, khóa chống sửa {object_id} bị hỏng: {reason}. Không xóa; báo người quản trị và khôi phục từ bản sao khác."
    en = "Sealed data {object_id} is damaged: {reason}. Don't delete it; tell the administrator and restore another copy."


class ObjectMissingError(NotFoundError):
    """The vault holds no object of that id."""

    code = "object_missing"
    vi = "Kho không có đối tượng {object_id}. Kiểm tra thư mục kho đã được gắn đúng chưa, rồi chạy `bodycam vault scrub`."
    en = "The vault holds no object {object_id}. Check that the vault's folder is mounted, then run `bodycam vault scrub`."


class KeyMissingError(BodycamError):
    """The key that sealed something isn't in the keys folder."""

    code = "key_missing"
    vi = "Thiếu khóa {key_id} trong {path}. Chép lại tệp khóa từ bản sao lưu, hoặc chạy `bodycam vault recover-keys --escrow TỆP`; không tạo khóa mới, vì khóa mới không mở được dữ liệu cũ."
    en = "Key {key_id} is missing from {path}. Put the key file back from its backup, or run `bodycam vault recover-keys --escrow FILE`; don't make a new one, it can't open what is sealed."


class KeyDamagedError(BodycamError):
    """The key file can't be read as a key, or its check doesn't fit."""

    code = "key_damaged"
    vi = "Tệp khóa {path} bị hỏng. Chép lại tệp này từ bản sao lưu."
    en = "The key file {path} is damaged. Put it back from its backup."


class KeyExposedError(BodycamError):
    """Other users of the machine can read the key."""

    code = "key_exposed"
    vi = "Người dùng khác trên máy đọc được {path}. Chạy: chmod 600 (tệp) hoặc 700 (thư mục), và xem xét thay khóa."
    en = "Other users of this machine can read {path}. Run: chmod 600 (file) or 700 (folder), and consider a new key."


class EscrowTextError(BodycamError):
    """A text that should be an escrow key's public half isn't."""

    code = "escrow_text"
    vi = "Không phải khóa ký gửi công khai: {text}. Chép nguyên dòng mà `bodycam vault escrow-key` đã in vào vault.escrow."
    en = "Not the public half of an escrow key: {text}. Copy the whole line that `bodycam vault escrow-key` printed into vault.escrow."


class EscrowForeignError(BodycamError):
    """Nothing in the vault was wrapped for this escrow key."""

    code = "escrow_foreign"
    vi = "Không có khóa nào trong kho được ký gửi cho khóa {key_id}. Kiểm tra đúng tệp khóa ký gửi và đúng thư mục kho."
    en = "No key in the vault was wrapped for escrow key {key_id}. Check that it is the right escrow key and the right vault."


class SpoolBusyError(ConflictError):
    """Somebody else is writing the same attempt."""

    code = "spool_busy"
    vi = "Lần nhận {what} đang được một tiến trình khác ghi; thử lại sau."
    en = "Another process is writing attempt {what}; try again later."
