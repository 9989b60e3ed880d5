"""What can happen: the one table of event kinds.

An id is `noun.verb_past`. Sorted, one line each; a kind is never renamed or reused, since old leaves carry it for ever.
`receipt` says whether the sequencer issues a receipt once a checkpoint covers the event.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """The words for one kind of event, and whether it earns a receipt."""

    vi: str
    en: str
    receipt: bool = False


KINDS: dict[str, Kind] = {
    "access.refused": Kind("Từ chối truy cập", "Access refused"),
    "account.changed": Kind("Thay đổi tài khoản", "Account changed"),
    "account.created": Kind("Tạo tài khoản", "Account created"),
    "account.granted": Kind("Cấp vai trò", "Role granted"),
    "account.password_changed": Kind("Đổi mật khẩu", "Password changed"),
    "account.role_withdrawn": Kind("Thu hồi vai trò", "Role withdrawn"),
    "account.sessions_revoked": Kind("Thu hồi phiên đăng nhập", "Sign-in sessions revoked"),
    "account.sign_in_failed": Kind("Đăng nhập không thành công", "Sign-in failed"),
    "account.signed_in": Kind("Đăng nhập", "Signed in"),
    "account.signed_out": Kind("Đăng xuất", "Signed out"),
    "account.throttled": Kind("Tạm khóa đăng nhập vì sai nhiều lần", "Sign-in throttled after repeated failures"),
    "backup.made": Kind("Đã sao lưu cơ sở dữ liệu và nhật ký", "Database and log backed up"),
    "backup.restored": Kind("Khôi phục từ bản sao lưu", "Restored from a backup"),
    "board.alarm_cleared": Kind("Hết cảnh báo tại trạm", "Station alarm cleared"),
    "board.alarm_raised": Kind("Cảnh báo tại trạm", "Station alarm raised"),
    "camera.changed": Kind("Thay đổi thông tin máy", "Camera changed"),
    "camera.docked": Kind("Cắm máy vào trạm", "Camera docked"),
    "camera.file_kept": Kind("Giữ lại tệp trên máy (không xóa)", "File kept on the camera"),
    "camera.file_wiped": Kind("Đã xóa tệp trên máy theo biên bản", "File wiped from the camera by an order"),
    "camera.file_wiping": Kind("Sắp xóa tệp trên máy theo biên bản", "File about to be wiped from the camera"),
    "camera.files_missing": Kind("Tệp từng thấy trên máy nay không còn", "Files once seen on a camera are gone"),
    "camera.filling": Kind("Bộ nhớ máy sắp đầy", "Camera's card is filling"),
    "camera.issued": Kind("Giao máy", "Camera issued"),
    "camera.pull_ordered": Kind("Lệnh rút máy của trực ban", "Duty officer ordered a camera pulled"),
    "camera.pulled": Kind("Rút máy khi đang tải", "Camera pulled during offload"),
    "camera.registered": Kind("Đăng ký máy", "Camera registered"),
    "camera.release_ordered": Kind("Rút máy theo lệnh trực ban", "Camera released by the duty officer's order"),
    "camera.released": Kind("Cho phép rút máy", "Camera released"),
    "camera.repaired": Kind("Máy hỏng đã dùng lại được", "Broken camera back in service"),
    "camera.reported_broken": Kind("Báo máy hỏng", "Camera reported broken"),
    "camera.returned": Kind("Nhận lại máy", "Camera returned"),
    "camera.sequence_gap": Kind("Dãy số tệp trên máy không liền", "Gap in the numbers of a camera's files"),
    "camera.undocked": Kind("Rút máy khỏi trạm", "Camera undocked"),
    "case.changed": Kind("Thay đổi vụ việc", "Case changed"),
    "case.closed": Kind("Đóng vụ việc", "Case closed"),
    "case.opened": Kind("Mở vụ việc", "Case opened"),
    "case.viewed": Kind("Xem vụ việc", "Case viewed"),
    "clock.confirmed": Kind("Xác nhận giờ máy chủ đúng", "Server clock confirmed by a person"),
    "clock.drift_noted": Kind("Đồng hồ máy lệch hơn dự kiến", "Camera clock drifted more than expected"),
    "clock.measured": Kind("Đo độ lệch đồng hồ máy", "Camera clock measured"),
    "clock.set": Kind("Chỉnh giờ máy theo giờ trạm", "Camera clock set by the dock"),
    "clock.stepped": Kind("Đồng hồ máy chủ bị nhảy", "Server clock stepped"),
    "config.changed": Kind("Thay đổi cấu hình", "Configuration changed"),
    "debt.closed": Kind("Hết khoản còn thiếu", "Nothing owed any more"),
    "debt.opened": Kind("Ghi nhận khoản còn thiếu", "Something owed noted"),
    "disposition.approved": Kind("Duyệt đợt hủy theo thời hạn", "Disposition batch approved"),
    "disposition.done": Kind("Xong đợt hủy theo thời hạn", "Disposition batch done"),
    "disposition.proposed": Kind("Đề nghị đợt hủy theo thời hạn", "Disposition batch proposed"),
    "disposition.refused": Kind("Không duyệt đợt hủy theo thời hạn", "Disposition batch refused"),
    "disposition.started": Kind("Bắt đầu hủy theo thời hạn", "Disposition batch started"),
    "disposition.stopped": Kind(
        "Dừng đợt hủy: nhật ký không xác nhận", "Disposition stopped: the log does not bear it out"
    ),
    "disposition.undone": Kind("Rút lại đợt hủy theo thời hạn", "Disposition batch undone"),
    "fixity.checked": Kind("Kiểm tra toàn vẹn kho", "Vault fixity checked"),
    "fixity.damaged": Kind("Phát hiện tệp hỏng trong kho", "Damaged object found in the vault"),
    "fixity.repaired": Kind("Khôi phục tệp hỏng", "Damaged object repaired"),
    "hold.limited": Kind("Định thời hạn cho tạm dừng xóa", "End of a hold set or lifted"),
    "hold.placed": Kind("Tạm dừng xóa", "Legal hold placed"),
    "hold.released": Kind("Bỏ tạm dừng xóa", "Legal hold released"),
    "import.done": Kind("Nhập danh sách", "List imported"),
    "intake.duplicate_found": Kind("Bản ghi đã có trong kho", "Recording already in the vault"),
    "intake.refused": Kind("Từ chối tiếp nhận", "Intake refused"),
    "key.created": Kind("Tạo khóa", "Key created"),
    "key.recovered": Kind("Lấy lại khóa từ nơi ký gửi", "Keys recovered from escrow"),
    "key.retired": Kind("Cho khóa cũ nghỉ", "Old key retired"),
    "key.rotated": Kind("Thay khóa kho", "Vault key replaced"),
    "kiosk.sign_in_failed": Kind("Thẻ hoặc mã PIN không đúng tại trạm", "Wrong card or PIN at a kiosk"),
    "kiosk.signed_in": Kind("Đăng nhập tại trạm", "Signed in at a kiosk"),
    "kiosk.signed_out": Kind("Rời trạm", "Left a kiosk"),
    "kiosk.throttled": Kind(
        "Tạm khóa nhập mã tại trạm vì sai nhiều lần", "Kiosk sign-in throttled after repeated failures"
    ),
    "log.inventory": Kind("Kiểm kê kho", "Inventory of the vault"),
    "log.objects_gone": Kind(
        "Tệp trong kho mất mà không có quyết định hủy", "Objects gone from the vault without a disposition"
    ),
    "log.rows_restored": Kind("Khôi phục dòng nhật ký trong cơ sở dữ liệu", "Log rows restored in the database"),
    "log.tick": Kind("Nhịp nhật ký", "Log tick"),
    "negative.reopened": Kind("Mở lại xác nhận không có bản ghi", "Negative reopened: footage appeared"),
    "negative.seen": Kind("Đã biết xác nhận bị mở lại", "Reopened negative acknowledged"),
    "negative.signed": Kind("Xác nhận không có bản ghi", "Signed negative: no footage found", receipt=True),
    "officer.card_given": Kind("Cấp thẻ cho cán bộ", "Card given to an officer"),
    "officer.card_withdrawn": Kind("Thu hồi thẻ của cán bộ", "Officer's card withdrawn"),
    "officer.changed": Kind("Thay đổi thông tin cán bộ", "Officer changed"),
    "officer.created": Kind("Thêm cán bộ", "Officer created"),
    "officer.pin_changed": Kind("Đổi mã PIN", "PIN changed"),
    "officer.pin_given": Kind("Cấp mã PIN", "PIN given"),
    "officer.pin_vouched": Kind(
        "Trực ban xác nhận, cấp lại mã PIN tại trạm", "Duty officer vouched for a new PIN at a kiosk"
    ),
    "offload.failed": Kind("Tải dữ liệu không thành công", "Offload failed"),
    "offload.finished": Kind("Tải xong dữ liệu", "Offload finished"),
    "offload.resumed": Kind("Tiếp tục tải dữ liệu", "Offload resumed"),
    "offload.started": Kind("Bắt đầu tải dữ liệu", "Offload started"),
    "openings.destroyed": Kind("Hủy muối và giá trị mở của nhật ký", "Salts and opened values destroyed"),
    "package.approved": Kind("Duyệt phiếu đề nghị trích xuất", "Extraction order approved"),
    "package.created": Kind("Tạo gói chứng cứ", "Evidence package created"),
    "package.downloaded": Kind("Tải gói chứng cứ về", "Evidence package downloaded"),
    "package.handed_over": Kind("Bàn giao gói chứng cứ", "Evidence package handed over"),
    "package.refused": Kind("Không duyệt phiếu đề nghị trích xuất", "Extraction order refused"),
    "package.requested": Kind("Lập phiếu đề nghị trích xuất", "Extraction order requested"),
    "package.withdrawn": Kind("Rút phiếu đề nghị trích xuất", "Extraction order withdrawn"),
    "recording.attached": Kind("Gắn bản ghi vào vụ việc", "Recording attached to a case"),
    "recording.checked": Kind("Kiểm tra bản ghi", "Recording checked"),
    "recording.destroy_failed": Kind("Chưa hủy được một bản sao", "A copy could not be destroyed"),
    "recording.destroyed": Kind("Đã hủy bản ghi theo thời hạn", "Recording destroyed under the schedule"),
    "recording.destroying": Kind("Sắp hủy bản ghi theo thời hạn", "Recording about to be destroyed"),
    "recording.detached": Kind("Gỡ bản ghi khỏi vụ việc", "Recording detached from a case"),
    "recording.exported": Kind("Trích xuất bản ghi", "Recording exported"),
    "recording.minute_chosen": Kind("Ghi biên bản của bản ghi", "Minute of a recording noted"),
    "recording.proposed": Kind("Đề xuất bản ghi cho vụ việc", "Recording proposed for a case"),
    "recording.read": Kind("Đọc thông tin bản ghi", "Recording read"),
    "recording.rejected": Kind("Bác đề xuất bản ghi", "Proposed recording rejected"),
    "recording.rendered": Kind("Tạo bản xem", "Viewing copy made"),
    "recording.restored": Kind("Khôi phục bản ghi vào danh mục", "Recording restored to the catalogue"),
    "recording.sealed": Kind("Bản ghi đã lưu, khóa chống sửa", "Recording sealed", receipt=True),
    "recording.spared": Kind("Giữ lại bản ghi sắp hủy", "Recording about to be destroyed spared"),
    "recording.viewed": Kind("Xem bản ghi", "Recording viewed"),
    "retention.changed": Kind("Thời hạn lưu trữ có hiệu lực", "Retention schedule in force"),
    "retention.proposed": Kind("Đề nghị đổi thời hạn lưu trữ", "Change of the retention schedule proposed"),
    "retention.refused": Kind("Không đồng ý đổi thời hạn lưu trữ", "Change of the retention schedule refused"),
    "shift.ended": Kind("Kết thúc ca", "Shift ended"),
    "station.command_given": Kind("Ra lệnh cho trạm", "Station command given"),
    "station.created": Kind("Thêm trạm", "Station created"),
    "station.paired": Kind("Ghép màn hình với trạm", "Kiosk paired with a station"),
    "station.pairing_code_made": Kind("Cấp mã ghép màn hình trạm", "Kiosk pairing code made"),
    "station.started": Kind("Trạm bắt đầu hoạt động", "Station started"),
    "station.stopped": Kind("Trạm ngừng hoạt động", "Station stopped"),
    "station.unpaired": Kind("Hủy ghép màn hình trạm", "Kiosk unpaired from a station"),
    "submission.file_sealed": Kind("Tệp người dân gửi đã lưu, khóa chống sửa", "Citizen's file sealed", receipt=True),
    "submission.received": Kind("Đã nhận nội dung người dân gửi", "Citizen's submission received", receipt=True),
    "submission.replied": Kind("Trả lời người gửi", "Reply sent to the citizen"),
    "submission.state_changed": Kind("Thay đổi trạng thái tin người dân", "Submission state changed"),
    "submission.viewed": Kind("Xem tin người dân gửi", "Submission viewed"),
    "timestamp.received": Kind("Nhận dấu thời gian cho nhật ký", "Timestamp for the log received"),
    "timestamp.refused": Kind("Từ chối dấu thời gian không hợp lệ", "False timestamp refused"),
    "unit.changed": Kind("Thay đổi đơn vị", "Unit changed"),
    "unit.created": Kind("Thêm đơn vị", "Unit created"),
    "upload.expired": Kind("Lượt tải lên hết hạn", "Upload expired"),
    "upload.started": Kind("Bắt đầu tải lên", "Upload started"),
    "upload.terminated": Kind("Hủy lượt tải lên", "Upload terminated"),
    "visit.abandoned": Kind(
        "Lượt cắm máy bỏ dở khi trạm dừng đột ngột", "Docking visit left open by a station that died"
    ),
    "wipe.approved": Kind("Duyệt lệnh xóa dữ liệu trên máy", "Wipe order approved"),
    "wipe.done": Kind("Xong lệnh xóa dữ liệu trên máy", "Wipe order done"),
    "wipe.extended": Kind("Thêm tệp vào lệnh xóa dữ liệu trên máy", "Files added to a wipe order"),
    "wipe.ordered": Kind("Gắn biên bản đã ký, cho phép xóa dữ liệu trên máy", "Signed minute attached, wiping allowed"),
    "wipe.raised": Kind("Lập lệnh xóa dữ liệu trên máy", "Wipe order raised"),
    "wipe.refused": Kind("Không duyệt lệnh xóa dữ liệu trên máy", "Wipe order refused"),
    "wipe.withdrawn": Kind("Rút lệnh xóa dữ liệu trên máy", "Wipe order withdrawn"),
    "witness.contradicted": Kind(
        "Bên xác nhận từ chối hoặc trả lời sai", "Witness refused the log or answered falsely"
    ),
    "witness.cosignature_imported": Kind(
        "Nhập chữ ký bên xác nhận từ tệp", "Witness's cosignature brought in as a file"
    ),
    "witness.policy_set": Kind("Đặt danh sách bên xác nhận", "Policy of witnesses set"),
    "witness.quorum_back": Kind("Lại có đủ bên xác nhận độc lập", "Quorum of witnesses is back"),
    "witness.quorum_late": Kind("Chậm có đủ bên xác nhận độc lập", "Quorum of witnesses is late"),
}

RECEIPT_KINDS = tuple(name for name, kind in KINDS.items() if kind.receipt)
