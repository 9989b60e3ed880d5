"""What can go wrong between a camera and the vault, each with a name and a line for the person at the dock.

A camera pulled out is an ordinary event: these errors end one camera's or one file's work, never the station's.
"""

from bodycam.errors import BodycamError


class CameraError(BodycamError):
    """Base of the errors of one camera; never raised itself."""


class CameraGoneError(CameraError):
    """The camera was pulled out, or its folder vanished; the transfer resumes at the byte when it is back."""

    code = "camera_gone"
    vi = "Mất kết nối với máy {camera}. Cắm lại máy, dữ liệu sẽ tải tiếp từ chỗ dừng."
    en = "Lost the camera {camera}. Plug it in again: the transfer goes on where it stopped."


class CameraStalledError(CameraError):
    """The camera stopped answering, and recovery did not help."""

    code = "camera_stalled"
    vi = "Máy {camera} không trả lời ({detail}). Rút ra, đợi 5 giây rồi cắm lại; nếu lặp lại hãy gọi trực ban."
    en = "The camera {camera} does not answer ({detail}). Unplug it, wait 5 seconds, plug it in; if it repeats call the duty officer."


class ProtocolError(CameraError):
    """The camera's bytes break the PTP/MTP rules; nothing in them is trusted further."""

    code = "camera_protocol"
    vi = "Máy gửi dữ liệu sai giao thức: {detail}. Cắm lại máy; nếu lặp lại hãy báo máy hỏng."
    en = "The camera broke the USB protocol: {detail}. Plug it in again; if it repeats report the camera as broken."


class CameraRefusedError(CameraError):
    """The camera answered a request with an error code."""

    code = "camera_refused"
    vi = "Máy từ chối yêu cầu {operation} (mã {response})."
    en = "The camera refused {operation} (code {response})."

    def is_response(self, code: int) -> bool:
        """Tell whether this was the camera's answer."""
        return self.values["response"] == f"0x{code:04X}"


class CameraReadOnlyError(CameraError):
    """Nothing can be deleted on this camera: it is a folder or a card that is mounted read-only."""

    code = "camera_read_only"
    vi = "Không xóa được {path} trên {camera}: nguồn này chỉ được đọc. Xóa bằng chính máy ghi hình, theo biên bản."
    en = "Can't delete {path} on {camera}: it is only read. Delete it with the camera itself, under the same order."


class CameraBusyError(CameraError):
    """Another process is working on this camera."""

    code = "camera_busy"
    vi = "Máy {camera} đang được một trạm hoặc lệnh khác đọc. Đợi xong rồi thử lại."
    en = "Another station or command is reading the camera {camera}. Wait for it, then try again."


class OffloadStoppedError(CameraError):
    """The person or the supervisor asked to stop; what came is kept."""

    code = "offload_stopped"
    vi = "Đã dừng tải máy {camera}. Phần đã nhận được giữ lại, lần sau tải tiếp từ chỗ dừng."
    en = "Stopped reading the camera {camera}. What came is kept; the next run goes on where it stopped."
    exit_code = 130


class DuplicateSerialError(CameraError):
    """A second camera claims a serial number that is already being read."""

    code = "duplicate_serial"
    vi = "Hai máy cùng số {serial}: khe {slot} đang đọc máy kia. Giữ máy này, gọi trực ban."
    en = "Two cameras claim the serial {serial}: slot {slot} is reading the other one. Keep this camera and call the duty officer."


class StationFaultError(CameraError):
    """Our own program failed in one slot; the station's log says where."""

    code = "station_fault"
    vi = "Lỗi chương trình tại khe {slot}. Giữ máy trong khe, gọi trực ban; nhật ký trạm có chi tiết."
    en = "The program failed in slot {slot}. Leave the camera in and call the duty officer; the station's log has the details."


class UsbAccessError(CameraError):
    """The operating system does not let us use the device."""

    code = "usb_access"
    vi = "Không có quyền dùng cổng USB {port} ({detail}). Chạy `bodycam doctor` để xem cách cấp quyền."
    en = "No permission to use USB port {port} ({detail}). Run `bodycam doctor` to see how to grant it."


class BusUnavailableError(CameraError):
    """The bus named by `dock.bus` cannot be used."""

    code = "bus_unavailable"
    vi = "Không dùng được bus {bus}: {detail}. Kiểm tra thiết lập dock.bus (libusb, sim:THƯ_MỤC hoặc usbip://máy:cổng)."
    en = "The bus {bus} can't be used: {detail}. Check the setting dock.bus (libusb, sim:FOLDER or usbip://host:port)."


class UnknownSourceError(CameraError):
    """The SOURCE given on the command line is not a folder and names no camera."""

    code = "source_unknown"
    vi = "Không thấy nguồn {source}. Dùng một thư mục, usb:BUS-CỔNG, usb:all hoặc usbip://máy:cổng/BUS-CỔNG; `bodycam usb list` cho biết đang cắm máy nào."
    en = "No source {source}. Use a folder, usb:BUS-PORT, usb:all or usbip://host:port/BUS-PORT; `bodycam usb list` shows what is plugged in."


class OwnFolderError(CameraError):
    """The folder to offload holds our own data folder, or lies in it."""

    code = "source_own_folder"
    vi = "Thư mục {source} chứa hoặc nằm trong thư mục dữ liệu của hệ thống ({data}). Chọn đúng thư mục của máy ghi hình."
    en = "The folder {source} holds, or lies in, the system's own data folder ({data}). Choose the camera's folder."


class SizeMismatchError(CameraError):
    """A file gave more or fewer bytes than the camera's list says; what it gave is kept."""

    code = "size_mismatch"
    vi = "{path}: máy khai {expected} byte nhưng gửi {got} byte. Phần nhận được đã giữ lại; giữ máy, gọi trực ban."
    en = "{path}: the camera lists {expected} bytes but gave {got}. What came is kept; keep the camera and call the duty officer."


class FileChangedError(CameraError):
    """A file changed while it was read, so the copy is no copy of anything; the retry starts anew."""

    code = "file_changed"
    vi = "{path}: tệp thay đổi trong khi đọc. Dừng ghi hình trên máy rồi thử lại."
    en = "{path}: the file changed while it was read. Stop recording on the camera, then try again."


class FileReplacedError(CameraError):
    """Under a listed file's handle the camera now has something else, or nothing: it is left alone."""

    code = "file_replaced"
    vi = "{path}: máy không còn giữ đúng tệp đã liệt kê; không xóa gì. Cắm lại máy để đọc lại danh sách."
    en = "{path}: the camera no longer holds the file that was listed; nothing was deleted. Plug it in again to list it anew."


class VisitNoteError(CameraError):
    """Base of what is kept with a visit and needs nobody at the dock; never raised itself."""


class EmptyFileError(VisitNoteError):
    """A file holds no byte; it is sealed as such and said so."""

    code = "empty_file"
    vi = "{path}: tệp rỗng (0 byte), đã lưu đúng như vậy."
    en = "{path}: the file is empty (0 bytes) and was kept as it is."


class FileUnreadableError(CameraError):
    """One file can't be read while the others can."""

    code = "file_unreadable"
    vi = "{path}: không đọc được ({detail})."
    en = "{path}: could not be read ({detail})."


class StorageNotReadyError(CameraError):
    """A mass-storage camera showed no disk, or no medium in it, within the time."""

    code = "storage_not_ready"
    vi = "Máy ở cổng {port} chưa hiện ổ đĩa sau {seconds} giây ({detail}). Kiểm tra thẻ nhớ, rút ra rồi cắm lại; nếu lặp lại gọi trực ban."
    en = "The camera at port {port} shows no disk after {seconds} s ({detail}). Check its card and plug it in again; if it repeats call the duty officer."


class FileSystemUnknownError(CameraError):
    """A volume holds none of the file systems a dock reads; it is never mounted on a guess."""

    code = "file_system_unknown"
    vi = "{volume}: hệ tệp {found} không đọc được ở trạm (chỉ FAT32, exFAT, ext4). Giữ máy, gọi trực ban."
    en = "{volume}: the dock can't read the file system {found} (only FAT32, exFAT, ext4). Keep the camera and call the duty officer."


class MountFailedError(CameraError):
    """The operating system did not mount a volume read-only."""

    code = "mount_failed"
    vi = "{volume}: không gắn được ổ đĩa ở chế độ chỉ đọc ({detail}). Chạy `bodycam doctor`; cách cài đặt ở deploy/README.md."
    en = "{volume}: could not be mounted read-only ({detail}). Run `bodycam doctor`; deploy/README.md tells how to set it up."


class StorageUnreachableError(CameraError):
    """A mass-storage camera hangs on a bus whose disks this machine's kernel does not see."""

    code = "storage_unreachable"
    vi = "Máy kiểu ổ đĩa ở cổng {port} không đọc được qua bus này. Cắm máy thẳng vào trạm, hoặc dùng `usbip attach` rồi đặt dock.bus = libusb."
    en = "The mass-storage camera at port {port} can't be read over this bus. Plug it into the station itself, or use `usbip attach` and dock.bus = libusb."


class CardDamagedError(CameraError):
    """Reading the card's folders failed while the camera was there: what it lists may not be all it holds."""

    code = "card_damaged"
    vi = "Thẻ nhớ của máy {camera} bị lỗi khi đọc danh sách tệp: có thể còn tệp chưa thấy. Giữ máy, không xóa thẻ, gọi trực ban."
    en = "The card of {camera} failed while its files were listed: there may be more on it. Keep the camera, don't wipe the card, call the duty officer."


class SizeImpossibleError(CameraError):
    """A file claims more bytes than its card holds; it is not read, so that it can't fill the vault."""

    code = "size_impossible"
    vi = "{path}: khai {size} byte, lớn hơn cả thẻ nhớ ({capacity} byte), nên không tải. Giữ máy, gọi trực ban."
    en = "{path}: claims {size} bytes, more than its card holds ({capacity} bytes), so it is not read. Keep the camera and call the duty officer."


class ModeSwitchedError(CameraError):
    """The camera was told to show its files and comes back as another device on the same port; this one is done."""

    code = "mode_switched"
    vi = "Máy ở cổng {port} đang chuyển sang chế độ đọc tệp. Đợi vài giây, KHÔNG RÚT."
    en = "The camera at port {port} is changing over to show its files. Wait a few seconds, do NOT unplug it."


class ModeSwitchFailedError(CameraError):
    """The camera did not change over as its profile says."""

    code = "mode_switch_failed"
    vi = "Máy ở cổng {port} không chuyển sang chế độ đọc tệp ({detail}). Rút ra, cắm lại; nếu lặp lại kiểm tra hồ sơ máy trong config/cameras."
    en = "The camera at port {port} did not change over to show its files ({detail}). Plug it in again; if it repeats check its profile in config/cameras."


class BadCameraFileError(CameraError):
    """A virtual camera's camera.toml holds an unknown key or a wrong value."""

    code = "camera_file"
    vi = "{file}: {detail}"
    en = "{file}: {detail}"


class BadProfileError(CameraError):
    """A camera profile holds an unknown key or a wrong value; the station does not start with it."""

    code = "camera_profile"
    vi = "Hồ sơ máy ghi hình {file}, khóa {key}: {reason_vi}. Sửa tệp rồi kiểm tra lại: bodycam usb profiles {file}"
    en = "Camera profile {file}, key {key}: {reason}. Mend the file, then check it: bodycam usb profiles {file}"
    exit_code = 2


class OtherCameraNamedError(VisitNoteError):
    """Files name another camera than the one in the slot: a note for a person, never an accusation."""

    code = "other_camera_named"
    vi = "{path}: tên của {count} tệp ghi máy {named}, máy đang cắm là {booked}. Kiểm tra xem thẻ nhớ có bị đổi, hoặc cài lại số máy."
    en = "{path}: the names of {count} files say camera {named}, the one docked is {booked}. See whether cards were swapped, or set the camera's number."


class OtherOfficerNamedError(VisitNoteError):
    """Files name another officer than the one the camera was issued to: a note for a person, never an accusation."""

    code = "other_officer_named"
    vi = "{path}: tên của {count} tệp ghi số hiệu {named}, sổ giao máy ghi {booked}. Kiểm tra sổ giao máy, hoặc cài lại số hiệu trong máy."
    en = "{path}: the names of {count} files say officer {named}, the camera was issued to {booked}. Check the issue book, or set the number in the camera."


class OtherOfficerSetError(VisitNoteError):
    """The camera is set to another officer than the one it was issued to: a note for a person, never an accusation."""

    code = "other_officer_set"
    vi = (
        "Trong máy cài số hiệu {named}, sổ giao máy ghi {booked}. Kiểm tra sổ giao máy, hoặc cài lại số hiệu trong máy."
    )
    en = "The camera is set to officer {named}, it was issued to {booked}. Check the issue book, or set the number in the camera."


class FilesMissingError(VisitNoteError):
    """Numbers are missing in a camera's run of files: a note for a person, never an accusation."""

    code = "files_missing"
    vi = "{vi}"
    en = "{en}"


class SilentTimeError(VisitNoteError):
    """A camera that cuts its files has none of some time: a note for a person, never an accusation."""

    code = "silent_time"
    vi = "{vi}"
    en = "{en}"


class JournalKeyError(BodycamError):
    """The station's signing key can't be used."""

    code = "journal_key"
    vi = "Khóa ký nhật ký trạm {path} không dùng được: {reason}. Khôi phục từ bản sao, hoặc chuyển tệp này đi nơi khác để trạm tạo khóa mới."
    en = "The station's signing key {path} cannot be used: {reason}. Restore it from a copy, or move the file away and the station makes a new key."


class JournalWriteError(BodycamError):
    """The station's journal can't be written, so nothing may turn green."""

    code = "journal_write"
    vi = "Không ghi được nhật ký trạm tại {path}: {reason}. Kiểm tra ổ đĩa và quyền ghi rồi thử lại."
    en = "The station's journal in {path} cannot be written: {reason}. Check the disk and its rights, then try again."


class FilesGoneError(VisitNoteError):
    """Files that lay on the camera at its last visit are gone, and we didn't delete them."""

    code = "files_gone"
    vi = "{files} tệp từng thấy trên máy nay không còn ({unsaved} tệp chưa kịp lưu), ghi từ {first} đến {last}. Máy thường tự ghi đè tệp cũ khi thẻ đầy; chưa phải căn cứ có người xóa."
    en = "{files} files once seen on the camera are gone ({unsaved} were not saved), written from {first} to {last}. Most cameras overwrite their oldest files when the card is full; it proves no deletion."


class ClockDriftError(VisitNoteError):
    """The camera's clock went further off than its crystal explains."""

    code = "clock_drift"
    vi = "Đồng hồ máy lệch {offset} giây sau {hours} giờ, dự kiến khoảng {expected} giây. Có thể do pin hoặc cài đặt; chưa phải bằng chứng chỉnh giờ."
    en = "The camera's clock is {offset} s off after {hours} hours, about {expected} s were expected. The battery or a setting may be the cause; it proves no tampering."


class ReleasedByOrderError(CameraError):
    """The duty officer let the camera go before it was done."""

    code = "released_by_order"
    vi = "Rút theo lệnh trực ban: máy {camera} chưa tải xong, còn nợ dữ liệu. Phần đã nhận được giữ lại, cắm lại sẽ tải tiếp."
    en = "Released by the duty officer's order: the camera {camera} is not done and owes its footage. What came is kept; plugged in again it goes on."
