"""The demo's stories: who to be, one sentence, and what to press. Forty seconds each; only links that lead somewhere."""

from dataclasses import dataclass

from bodycam.people.models import Role
from webui.common.locale import language


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

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps in the reader's language."""
        return self.steps_vi if language() == "vi" else self.steps_en


STORIES = (
    Story(
        "dock", Role.COMMANDER, "Cuối ca: cắm máy", "End of shift: dock the camera",
        "Bốn máy đã vào trạm; rút một máy giữa chừng, cắm lại, nó tải tiếp đúng từ byte đã dừng.",
        "Four cameras are docked; pull one half-way, plug it in, and it goes on at the very byte where it stopped.",
        (
            "Bấm “Rút máy” ở khe 1, đợi ô thành “Khe trống”, rồi bấm “Cắm lại”: máy về với một video mới.",
            "Khi ô ghi “Đang tải lên”, bấm “Rút máy”: ô báo “Mất kết nối”.",
            "Bấm “Cắm lại”: máy tải tiếp, ô chuyển xanh “ĐÃ XONG”.",
        ),
        (
            "Press “Pull” on slot 1, wait for “Empty slot”, then “Plug in”: the camera is back with a new video.",
            "While the tile says “Uploading”, press “Pull”: the tile says “Connection lost”.",
            "Press “Plug in”: it goes on, and the tile turns green, “DONE”.",
        ),
        "dock.index",
    ),
    Story(
        "stop", Role.COMMANDER, "Tìm lần dừng xe 14:20", "Find the stop at 14:20",
        "“14 giờ 20, Quốc lộ 1A, xe 29A-123.45”: tìm, nêu lý do xem, rồi xem video chạy cùng bản đồ.",
        "“14:20, QL1A, 29A-123.45”: find it, give the reason, and watch the video move with the map.",
        (
            "Gõ 29A-123.45 vào ô tìm ở trên cùng, nhấn Enter.",
            "Mở bản ghi 14:20:00, chọn lý do, bấm “Xem bản ghi”.",
            "Bấm phát, rồi bấm vào một đoạn ở “Dòng thời gian xác minh”.",
        ),
        (
            "Type 29A-123.45 into the search box on top and press Enter.",
            "Open the recording of 14:20:00, choose a reason, press “View the recording”.",
            "Press play, then a span of the “Verification timeline”.",
        ),
        "recordings.index",
    ),
    Story(
        "cases", Role.CASE_OFFICER, "Mở hồ sơ hải quan, thuế", "Open a customs and a tax case",
        "Hồ sơ đã có sẵn bản ghi được đề xuất, kèm lý do vì sao khớp.",
        "The cases already have proposed recordings, each with the reason why it matches.",
        (
            "Mở “Kiểm tra thực tế lô hàng…”, đọc vì sao bản ghi được đề xuất, bấm “Gắn vào hồ sơ”.",
            "Trở lại Hồ sơ vụ việc, mở “Kiểm tra thuế…” và gắn như vậy.",
            "Bấm “Mở hồ sơ” để tự mở một hồ sơ mới.",
        ),
        (
            "Open “Kiểm tra thực tế lô hàng…” (customs), read why a recording is proposed, press “Attach”.",
            "Go back to Cases, open “Kiểm tra thuế…” (tax) and do the same.",
            "Press “Open a case” to begin one of your own.",
        ),
        "cases.index",
    ),
    Story(
        "citizen", Role.INTAKE, "Tin người dân gửi", "A citizen's report",
        "Gửi một video như người dân, rồi trở lại đây đọc nó như người tiếp nhận.",
        "Send a video as a citizen, then come back and read it as intake does.",
        (
            "Mở cổng người dân (thẻ mới), gửi một video, giữ mã tra cứu.",
            "Trở lại thẻ này: “Tin người dân gửi” có tin mới; mở tin, nêu lý do xem.",
            "Chuyển tin sang “Đang phân loại”, rồi dùng mã tra cứu ở cổng để thấy bước ấy.",
        ),
        (
            "Open the citizens' portal (new tab), send a video, keep the code.",
            "Back in this tab, “Citizens' reports” has it; open it and give the reason.",
            "Move it to “Being sorted”, then look it up at the portal by its code.",
        ),
        "submissions.index",
    ),
    Story(
        "tamper", Role.AUDITOR, "Sửa một byte trong kho", "Flip a byte in the vault",
        "Đổi một byte của một video đã khóa trên đĩa, kiểm tra lại kho: bản ghi chuyển đỏ.",
        "Change one byte of a sealed video on the disk, re-check the vault: the recording turns red.",
        (
            "Ở trang hướng dẫn, bấm “Sửa một byte”.",
            "Bấm “Kiểm tra lại kho”, đợi vài giây.",
            "Mở bản ghi màu đỏ: “Toàn vẹn tệp” là “Mâu thuẫn”. Sửa lại byte và kiểm tra lại thì hết đỏ.",
        ),
        (
            "On the story's page press “Change one byte”.",
            "Press “Re-check the vault” and wait a few seconds.",
            "Open the red recording: “File integrity” says “Contradiction”. Put the byte back and re-check: no longer red.",
        ),
        "vault.index",
    ),
    Story(
        "overdue", Role.MONITOR, "Máy chưa về trạm", "The camera that did not come back",
        "Một máy đã giao cho cán bộ nhưng chưa về trạm: xem ai giữ và từ khi nào.",
        "One camera was issued and has not come to the dock: see who holds it, and since when.",
        (
            "Đọc khung đầu tiên, “Chưa về trạm”: máy nào, ai giữ, từ bao giờ, việc tiếp theo.",
            "Bấm vào mã máy để xem toàn bộ diễn biến của nó.",
        ),
        (
            "Read the first box, “Not docked”: which camera, who holds it, since when, what to do.",
            "Press the camera's name to see its whole story.",
        ),
        "devices.index",
    ),
    Story(
        "wipe", Role.PLAN_APPROVER, "Thẻ nhớ sắp đầy", "A card that fills",
        "Thẻ của BWC-0412 sắp đầy nên hệ thống đã lập lệnh xóa; chưa có biên bản ký thì không tệp nào bị xóa.",
        "BWC-0412's card is filling, so the system raised an order; no file is wiped before the minute is signed.",
        (
            "Mở lệnh “chờ duyệt”, đọc danh sách, bấm “Duyệt”.",
            "Bấm “PDF” để tải biên bản. Ngoài đời: in, ký, quét; ở đây chọn một tệp PDF hoặc ảnh JPEG bất kỳ làm bản ký (bản in chưa ký không được nhận).",
            "Đợi vài giây rồi tải lại trang: máy ở khe 1 đã xóa từng tệp sau khi đối chiếu lại với kho.",
        ),
        (
            "Open the order “waiting for approval”, read its list, press “Approve”.",
            "Press “PDF” for the minute. In life it's printed, signed and scanned; here attach any PDF or JPEG as the signed copy (the unsigned print is refused).",
            "Wait a few seconds and reload: the camera in slot 1 has deleted each file after comparing it with the vault.",
        ),
        "wipes.index",
    ),
)  # fmt: skip
STORY_KEY = "story"  # in the form cookie: the story being walked, so that its steps stay in sight


def story_of(key: str) -> Story | None:
    """Return the story of a key, None for any other text."""
    return next((story for story in STORIES if story.key == key), None)
