"""The menu: what is shown is only what the person's roles may open."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

_COUNTS = "bodycam_menu_counts"


@dataclass(frozen=True)
class Entry:
    """One line of the menu; `action` is what the page behind it needs."""

    endpoint: str
    action: str
    vi: str
    en: str

    @property
    def section(self) -> str:
        """The blueprint of the page: the line is lit on all its pages."""
        return self.endpoint.partition(".")[0]


ENTRIES = (
    Entry("recordings.index", "recording.list", "Bản ghi", "Recordings"),
    Entry("cases.index", "case.list", "Hồ sơ vụ việc", "Cases"),
    Entry("owed.index", "coverage.view", "Còn thiếu", "Still missing"),
    Entry("devices.index", "fleet.view", "Thiết bị", "Devices"),
    Entry("officers.index", "people.view", "Cán bộ", "Officers"),
    Entry("dock.index", "dock.view", "Trạm cắm", "Docks"),
    Entry("extractions.index", "extraction.view", "Trích xuất", "Extraction"),
    Entry("wipes.index", "wipe.view", "Xóa dữ liệu máy", "Wiping cameras"),
    Entry("holds.index", "hold.view", "Tạm dừng xóa", "Legal holds"),
    Entry("negatives.index", "negative.view", "Không có bản ghi", "No footage found"),
    Entry("retention.index", "retention.view", "Thời hạn lưu trữ", "Retention terms"),
    Entry("disposition.index", "disposition.view", "Hủy theo thời hạn", "Disposition"),
    Entry("submissions.index", "submission.list", "Tin người dân gửi", "Citizens' reports"),
    Entry("accounts.index", "account.edit", "Tài khoản", "Accounts"),
    Entry("vault.index", "vault.scrub", "Kho dữ liệu", "Vault"),
    Entry("log.index", "log.view", "Nhật ký hệ thống", "System log"),
)


def count_with(app: Flask, endpoint: str, count: Callable[[], int]) -> None:
    """Show beside a line of the menu how much waits for the signed-in person."""
    app.extensions.setdefault(_COUNTS, {})[endpoint] = count


def init_app(app: Flask) -> None:
    """Let templates ask for the counts."""
    counts: dict[str, Callable[[], int]] = app.extensions.setdefault(_COUNTS, {})
    app.jinja_env.globals.update(menu_count=lambda endpoint: counts[endpoint]() if endpoint in counts else 0)
