"""What `bodycam doctor` sees of the places that hold copies: how many, on how many disks, whether each is reached."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bodycam.cli.symptom import Symptom
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.retention import changes
from bodycam.retention.schedule import shipped
from bodycam.sections import BucketSettings, Settings
from bodycam.vault import label
from bodycam.vault.keyring import Keyring
from bodycam.vault.s3_place import S3Place
from bodycam.vault.s3_requests import read_credentials


def look(settings: Settings) -> Iterator[Symptom]:
    """Look at every place; a bucket is asked for its label and its lock, and nothing is written there."""
    vault = settings.vault
    places = 1 + len(vault.copy_urls)
    if places == 1:
        yield Symptom(
            "copies",
            "note",
            "Kho chỉ có một bản của mỗi tệp",
            "The vault holds one copy of each object",
            "Đặt vault.copies sang một ổ đĩa khác và vault.required_copies = 2.",
            "Set vault.copies to another disk, and vault.required_copies = 2.",
        )
        return
    if vault.required_copies < places:
        yield Symptom(
            "copies",
            "note",
            f"Biên nhận được cấp khi mới có {vault.required_copies} trên {places} bản",
            f"Receipts are given with {vault.required_copies} of {places} copies made",
            f"Đặt vault.required_copies = {places} nếu mọi bản đều phải có trước.",
            f"Set vault.required_copies = {places} if all must be there first.",
        )
    if vault.second_dir is not None:
        yield _second(settings, vault.second_dir)
    if vault.bucket is not None:
        yield _bucket(settings, vault.bucket)


def _second(settings: Settings, second: Path) -> Symptom:
    was_here = _remembered(settings, "second") == str(second)
    if was_here and not label.is_bound(second):
        return Symptom(
            "copies",
            "bad",
            f"Ổ đĩa của bản sao thứ hai chưa được gắn: {second}",
            f"The disk of the second copy isn't mounted: {second}",
            "Gắn lại ổ đĩa; bản còn thiếu sẽ được chép bù.",
            "Mount it; copies that are missing are made up for.",
        )
    if _device(second) == _device(settings.vault.dir):
        return Symptom(
            "copies",
            "note" if settings.demo else "bad",
            f"Bản sao thứ hai nằm cùng ổ đĩa với kho: {second}",
            f"The second copy lies on the vault's own disk: {second}",
            "Hỏng một ổ đĩa là mất cả hai bản: chuyển vault.copies sang ổ khác.",
            "One broken disk takes both: move vault.copies to another disk.",
        )
    free = shutil.disk_usage(_existing(second)).free
    if free < settings.public.dock_reserve_bytes:
        return Symptom(
            "copies",
            "bad",
            f"Ổ đĩa của bản sao thứ hai còn {free / 1e9:.0f} GB",
            f"The second copy's disk has {free / 1e9:.0f} GB left",
            "Thêm dung lượng: khi ổ này đầy, không tệp nào được niêm phong.",
            "Add space: while it is full nothing is sealed.",
        )
    return Symptom("copies", "ok", f"Bản sao thứ hai tại {second}", f"Second copy in {second}")


def _bucket(settings: Settings, bucket: BucketSettings) -> Symptom:
    where = f"{bucket.endpoint}/{bucket.name}"
    shortest = _shortest_term_days(settings)
    if bucket.lock_days > shortest:
        return Symptom(
            "copies",
            "bad",
            f"Bản sao ở {where} bị khóa {bucket.lock_days} ngày, lâu hơn thời hạn lưu trữ ngắn nhất ({shortest} ngày)",
            f"Copies in {where} are locked for {bucket.lock_days} days, longer than the shortest retention ({shortest} days)",
            "Giảm lock_days trong vault.copies, nếu không sẽ không xóa được đúng hạn.",
            "Lower lock_days in vault.copies, else nothing can be destroyed in time.",
        )
    try:
        keyring = Keyring.open(settings.keys.dir, create=False)
        S3Place(bucket, read_credentials(settings.keys.dir, os.environ), keyring).look()
    except BodycamError as error:
        return Symptom(
            "copies",
            "bad",
            f"Không dùng được bản sao ở {where}",
            f"The copies in {where} can't be used",
            error.text("vi"),
            error.text("en"),
        )
    return Symptom("copies", "ok", f"Bản sao ở {where}", f"Copies in {where}")


def _shortest_term_days(settings: Settings) -> int:
    url = settings.database.url
    schedule = shipped()
    if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists():
        db = Database(url)
        try:
            with db.read() as session:
                schedule = changes.in_force(session)
        except (
            SQLAlchemyError,
            BodycamError,
        ):  # nothing in force yet; the look at the database says what is wrong there
            pass
        finally:
            db.close()
    return min(rule.amount * (365 if rule.unit == "years" else 1) for rule in schedule.rule)


def _remembered(settings: Settings, name: str) -> str | None:
    mark = settings.keys.dir / f"vault.{name}.place"
    return mark.read_text("utf-8") if mark.exists() else None


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _device(path: Path) -> int:
    return _existing(path).stat().st_dev
