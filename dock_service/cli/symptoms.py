"""What `bodycam doctor` looks at of the dock: USB and the camera profiles."""

from collections.abc import Iterator

from bodycam.cli.symptom import Symptom
from bodycam.sections import Settings
from dock_service.cli import usb_symptoms
from dock_service.errors import BadProfileError
from dock_service.profiles import profiles_of


def look(settings: Settings) -> Iterator[Symptom]:
    """Look at USB, and at the camera profiles."""
    yield from usb_symptoms.look(settings)
    yield _profiles(settings)


def _profiles(settings: Settings) -> Symptom:
    """Look at the camera profiles: a bad one keeps the station from starting."""
    try:
        count = len(list(profiles_of(settings)))
    except BadProfileError as error:
        return Symptom(
            "profiles",
            "bad",
            error.text("vi"),
            error.text("en"),
            "Trạm không khởi động với hồ sơ sai: sửa hoặc bỏ tệp này ra khỏi thư mục.",
            "The station does not start with it: mend the file or take it out of its folder.",
        )
    return Symptom("profiles", "ok", f"Hồ sơ máy ghi hình: {count}", f"Camera profiles: {count}")
