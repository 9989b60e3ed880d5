"""What `bodycam doctor` looks at; each look returns what it found, never raises, and changes nothing."""

import fcntl
import importlib
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from celery import Celery
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bodycam import clock
from bodycam.backup.queries import last_finished
from bodycam.cli import copy_symptoms, witness_symptoms
from bodycam.cli.symptom import Symptom
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.jobs.service import failed
from bodycam.migrations.runner import current, head
from bodycam.people.scope import EVERYTHING
from bodycam.recordings.on_camera import waiting_on_cameras
from bodycam.sections import Settings, WebSettings

_LOW_BYTES = 10 << 30
_SECONDS = 3.0
_BACKUP_DAYS = 7  # older than a week is worth a word


def look(settings: Settings) -> list[Symptom]:
    """Look at everything, in the order a person would mend it."""
    looks: list[Callable[[Settings], Iterator[Symptom]]] = [
        _folder,
        _disk,
        copy_symptoms.look,
        _keys,
        _database,
        _work,
        _backup,
        _broker,
        _clock,
        _dock,
        _waiting,
        witness_symptoms.look,
        _ports,
    ]
    return [symptom for one in looks for symptom in one(settings)]


def _folder(settings: Settings) -> Iterator[Symptom]:
    path = settings.data_dir
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if os.access(existing, os.W_OK):
        yield Symptom("data_dir", "ok", f"Thư mục dữ liệu {path}", f"Data folder {path}")
    else:
        yield Symptom(
            "data_dir",
            "bad",
            f"Không ghi được vào {existing}",
            f"Cannot write into {existing}",
            "Cấp quyền ghi, hoặc đặt BODYCAM_DATA_DIR sang thư mục khác.",
            "Give write permission, or set BODYCAM_DATA_DIR to another folder.",
        )


def _disk(settings: Settings) -> Iterator[Symptom]:
    path = settings.vault.dir
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    seen = f"{free / 1e9:.0f} GB"
    if free < max(_LOW_BYTES, settings.public.dock_reserve_bytes):
        yield Symptom(
            "disk",
            "bad",
            f"Ổ đĩa kho còn {seen}",
            f"The vault's disk has {seen} left",
            "Thêm dung lượng trước ca sau: máy ghi hình sẽ không được giải phóng khi kho đầy.",
            "Add space before the next shift: no camera is released while the vault is full.",
        )
    else:
        yield Symptom("disk", "ok", f"Ổ đĩa kho còn {seen}", f"The vault's disk has {seen} left")


def _keys(settings: Settings) -> Iterator[Symptom]:
    folder = settings.keys.dir
    if not folder.exists():
        yield Symptom("keys", "note", "Chưa có khóa: lần chạy đầu sẽ tạo", "No keys yet: the first start makes them")
        return
    open_files = [path for path in folder.rglob("*") if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_files:
        yield Symptom(
            "keys",
            "bad",
            f"Người khác đọc được khóa: {open_files[0]}",
            f"Others may read a key: {open_files[0]}",
            f"chmod -R go-rwx {folder}",
            f"chmod -R go-rwx {folder}",
        )
    elif folder.is_relative_to(settings.data_dir):
        yield Symptom(
            "keys",
            "note",
            "Khóa nằm cùng thư mục với kho",
            "The keys lie in the same folder as the vault",
            "Khi dùng thật, đặt keys.dir sang ổ khác và cất một bản sao ngoại tuyến.",
            "In earnest use set keys.dir to another disk and keep an offline copy.",
        )
    else:
        yield Symptom("keys", "ok", f"Khóa tại {folder}", f"Keys in {folder}")


def _database(settings: Settings) -> Iterator[Symptom]:
    url = settings.database.url
    kind = url.partition(":")[0]
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield Symptom(
            "database",
            "note",
            "Chưa có cơ sở dữ liệu: lần chạy đầu sẽ tạo",
            "No database yet: the first start makes it",
        )
        return
    db = Database(url)
    try:
        with db.read() as session:
            session.execute(text("SELECT 1"))
        found = current(url)
    except SQLAlchemyError as error:
        yield Symptom(
            "database",
            "bad",
            f"Không mở được cơ sở dữ liệu ({kind}): {type(error).__name__}",
            f"The database ({kind}) cannot be opened: {type(error).__name__}",
            "Kiểm tra database.url, máy chủ và quyền của tài khoản.",
            "Check database.url, the server and the account's rights.",
        )
        return
    finally:
        db.close()
    if found == head():
        yield Symptom("database", "ok", f"Cơ sở dữ liệu {kind}, phiên bản {found}", f"Database {kind}, version {found}")
    else:
        yield Symptom(
            "database",
            "bad",
            f"Cơ sở dữ liệu ở phiên bản {found}, cần {head()}",
            f"The database is at version {found}, needed is {head()}",
            "Chạy: bodycam db upgrade",
            "Run: bodycam db upgrade",
        )


def _work(settings: Settings) -> Iterator[Symptom]:
    url = settings.database.url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    db = Database(url)
    try:
        with db.read() as session:
            names = ", ".join(f"{name} ({count})" for name, count in failed(session).items())
    except SQLAlchemyError:  # the look at the database says why
        return
    finally:
        db.close()
    if names:
        yield Symptom(
            "jobs",
            "bad",
            f"Công việc không làm được: {names}",
            f"Work that failed: {names}",
            "Xem nhật ký của worker (job.failed) và khắc phục; mỗi giờ hệ thống tự thử lại một lần.",
            "See the worker's log (job.failed) and mend the cause; each is tried again once an hour.",
        )


def _backup(settings: Settings) -> Iterator[Symptom]:
    url = settings.database.url
    if settings.demo or (url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()):
        return
    db = Database(url)
    try:
        with db.read() as session:
            last = last_finished(session)
    except (SQLAlchemyError, BodycamError):  # the look at the database says why
        return
    finally:
        db.close()
    days = None if last is None else (clock.now() - last.began_at).days
    if last is not None and days is not None and days <= _BACKUP_DAYS:
        yield Symptom(
            "backup", "ok", f"Sao lưu {days} ngày trước: {last.place}", f"Backed up {days} days ago: {last.place}"
        )
        return
    yield Symptom(
        "backup",
        "note",
        "Chưa sao lưu lần nào" if days is None else f"Sao lưu gần nhất đã {days} ngày",
        "Never backed up" if days is None else f"The last backup is {days} days old",
        "Chạy bodycam backup THƯ_MỤC vào ổ đĩa khác; cất riêng một bản của khóa.",
        "Run bodycam backup FOLDER, on another disk; keep a copy of the keys apart.",
    )


def _waiting(settings: Settings) -> Iterator[Symptom]:
    url = settings.database.url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    db = Database(url)
    try:
        with db.read() as session:
            waiting = waiting_on_cameras(session, EVERYTHING, limit=20)
    except (SQLAlchemyError, BodycamError):  # the look at the database says why
        return
    finally:
        db.close()
    if waiting:
        names = ", ".join(f"{row.camera.label or row.camera.serial} ({row.files})" for row in waiting)
        spool = sum(path.stat().st_size for path in settings.spool.dir.rglob("*") if path.is_file())
        yield Symptom(
            "footage",
            "note",
            f"Tệp đã thấy trên máy mà chưa lưu xong: {names}; phần đã nhận giữ trong vùng đệm ({spool / 1e6:.0f} MB)",
            f"Files seen on cameras and not yet saved: {names}; what came is kept in the spool ({spool / 1e6:.0f} MB)",
            "Cắm lại các máy này vào khe bất kỳ: dữ liệu tải tiếp từ chỗ dừng. Không xóa vùng đệm.",
            "Plug these cameras into any slot: they go on where they stopped. Do not delete the spool.",
        )


def _broker(settings: Settings) -> Iterator[Symptom]:
    url = settings.broker.url
    scheme = url.partition(":")[0]
    if scheme == "filesystem":
        yield Symptom("broker", "ok", "Hàng đợi nằm trong thư mục dữ liệu", "The queue lies in the data folder")
        return
    try:
        with Celery(broker=url, set_as_current=False).connection(connect_timeout=_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=_SECONDS)
    except Exception as error:  # noqa: BLE001  any broker's own error is this check's result
        yield Symptom(
            "broker",
            "bad",
            f"Không nối được hàng đợi {scheme}: {type(error).__name__}",
            f"The broker ({scheme}) cannot be reached: {type(error).__name__}",
            "Công việc chờ trong cơ sở dữ liệu, không mất; khởi động lại dịch vụ hàng đợi.",
            "Jobs wait in the database, none is lost; start the broker.",
        )
    else:
        yield Symptom("broker", "ok", f"Hàng đợi {scheme} trả lời", f"The broker ({scheme}) answers")


def _clock(settings: Settings) -> Iterator[Symptom]:  # noqa: ARG001  every look takes the settings
    program = shutil.which("timedatectl")
    answer = ""
    if program:
        shown = subprocess.run(
            [program, "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        answer = shown.stdout.strip()
    if answer == "yes":
        yield Symptom("clock", "ok", "Đồng hồ máy đã đồng bộ", "The machine's clock is synchronised")
    else:
        yield Symptom(
            "clock",
            "note",
            "Không biết đồng hồ máy có đúng không",
            "It's unknown whether the machine's clock is right",
            "Cài chrony hoặc systemd-timesyncd với máy chủ giờ nội bộ; nếu không, kiểm tra đồng hồ sẽ ghi 'chưa kiểm tra'.",
            "Set up chrony or systemd-timesyncd with a time server of yours; without it clock checks say 'not checked'.",
        )


def _dock(settings: Settings) -> Iterator[Symptom]:
    """Ask the dock by name, since the core imports nothing above it."""
    dock: Callable[[Settings], Iterator[Symptom]] = importlib.import_module("dock_service.cli.symptoms").look
    return dock(settings)


def _ports(settings: Settings) -> Iterator[Symptom]:
    running = _is_up(settings)
    doors: dict[str, WebSettings] = {"staff": settings.staff, "public": settings.public}
    for name, door in doors.items():
        with socket.socket() as probe:
            probe.settimeout(_SECONDS)
            taken = probe.connect_ex((door.host, door.port)) == 0
        where = f"{door.host}:{door.port}"
        if taken == running:
            vi, en = ("đang chạy", "is running") if running else ("còn trống", "is free")
            yield Symptom(f"port_{name}", "ok", f"Cổng {where} {vi}", f"Port {where} {en}")
        elif taken:
            yield Symptom(
                f"port_{name}",
                "bad",
                f"Cổng {where} đã có chương trình khác dùng",
                f"Port {where} is taken by another program",
                f"Dừng chương trình đó hoặc đặt {name}.port.",
                f"Stop that program or set {name}.port.",
            )
        else:
            yield Symptom(
                f"port_{name}",
                "bad",
                f"bodycam up đang chạy nhưng {where} không trả lời",
                f"bodycam up runs but {where} doesn't answer",
                "Xem các dòng của tiến trình đó trên màn hình bodycam up.",
                "See that process's lines on the screen of bodycam up.",
            )


def _is_up(settings: Settings) -> bool:
    try:
        handle = os.open(settings.data_dir / "up.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
