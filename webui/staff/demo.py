"""The demo's stories: who to be, one sentence, and what to press. Forty seconds each; only links that lead somewhere."""

from dataclasses import dataclass

from bodycam.people.models import Role


@dataclass(frozen=True)
class Story:
    """One way through the demo, walked in one role."""

    key: str
    role: Role
    title_vi: str
    title_en: str
    vi: str
    en: str
    steps_vi: tuple[str, ...]
    steps_en: tuple[str, ...]
    target: str


STORIES = (
    Story(
        "dock", Role.COMMANDER, "Cuối ca: cắm máy", "End of shift: dock the camera",
        "Bốn máy đang ở trạm; một máy bị rút giữa chừng và sẽ tải tiếp đúng từ byte đã dừng.",
        "Four cameras are docked; one was pulled half-way and goes on at the very byte where it stopped.",
        ("Mở Trạm cắm.", "Bấm “Rút máy” ở một khe đang tải, chờ ô báo mất kết nối.", "Bấm “Cắm lại” và xem ô đó xanh."),
        ("Open Docks.", "Press “Pull” on a slot that is uploading and wait for the lost tile.", "Press “Plug in” and watch it turn green."),
        "dock.index",
    ),
    Story(
        "stop", Role.COMMANDER, "Tìm lần dừng xe 14:20", "Find the stop at 14:20",
        "“14 giờ 20, Quốc lộ 1A, xe 29A-123.45”: tìm, nêu lý do xem, rồi xem video chạy cùng bản đồ.",
        "“14:20, QL1A, 29A-123.45”: find it, give the reason, and watch the video move with the map.",
        ("Gõ 29A-123.45 vào ô tìm ở trên cùng.", "Mở bản ghi, chọn lý do xem.", "Bấm vào một đoạn ở Dòng thời gian xác minh."),
        ("Type 29A-123.45 into the search box on top.", "Open the recording and choose a reason.", "Press a span of the verification timeline."),
        "recordings.index",
    ),
    Story(
        "cases", Role.CASE_OFFICER, "Mở hồ sơ hải quan, thuế", "Open a customs and a tax case",
        "Hồ sơ đã có sẵn bản ghi được đề xuất, kèm lý do vì sao khớp.",
        "The cases already have proposed recordings, each with the reason why it matches.",
        ("Mở một hồ sơ.", "Xem vì sao bản ghi được đề xuất, bấm “Gắn vào hồ sơ”.", "Mở hồ sơ mới từ nút ở góc trên."),
        ("Open a case.", "Read why a recording is proposed and press “Attach”.", "Open a new case with the button on top."),
        "cases.index",
    ),
    Story(
        "citizen", Role.INTAKE, "Tin người dân gửi", "A citizen's report",
        "Gửi một video ở cổng công dân (địa chỉ thứ hai trên màn hình lệnh), rồi đọc tại đây.",
        "Send a video at the citizens' portal (the second address in the terminal), then read it here.",
        ("Gửi video ở cổng công dân.", "Mở Tin người dân gửi.", "Chỉ người tiếp nhận và kiểm toán thấy trang này."),
        ("Send a video at the portal.", "Open Citizens' reports.", "Only intake and auditors see this page."),
        "submissions.index",
    ),
    Story(
        "tamper", Role.AUDITOR, "Sửa một byte trong kho", "Flip a byte in the vault",
        "Đổi một byte của tệp bất kỳ trong thư mục kho, rồi kiểm tra lại: hệ thống báo đỏ.",
        "Change one byte of any file in the vault's folder, then re-check: the system turns red.",
        ("Sửa một byte của tệp ghi dưới đây.", "Mở Kho dữ liệu, bấm “Kiểm tra lại kho”.", "Tải lại trang: bản ghi bị sửa hiện màu đỏ."),
        ("Change one byte of the file named below.", "Open Vault, press “Re-check the vault”.", "Reload: the changed recording shows in red."),
        "vault.index",
    ),
    Story(
        "overdue", Role.MONITOR, "Máy chưa về trạm", "The camera that did not come back",
        "Một máy đã giao cho cán bộ nhưng chưa về trạm: xem ai giữ và từ khi nào.",
        "One camera was issued and has not come to the dock: see who holds it, and since when.",
        ("Mở Thiết bị.", "Đọc dòng đầu: “chưa về trạm”."),
        ("Open Devices.", "Read the first line: “not docked”."),
        "devices.index",
    ),
)  # fmt: skip
