"""Biên bản xóa dữ liệu trên thiết bị: what the minute of an order says, for the page and for the PDF alike.

Its words are configuration (`config/wipe_minute.toml`), its facts those of the closed list: what is printed can be compared with
the list's SHA-256 at the foot. The same order gives the same bytes.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from bodycam.clock import local
from bodycam.fleet.models import Station
from bodycam.paper import Column, Document, Letterhead, Signature
from bodycam.people.models import Account, Unit
from bodycam.settings import config_dir
from bodycam.wipes.errors import MinuteWordsError
from bodycam.wipes.listing import items_of
from bodycam.wipes.models import OrderState, WipeOrder
from bodycam.wipes.service import get_order

FILE = "wipe_minute.toml"
_PRINTED = (OrderState.APPROVED, OrderState.ORDERED, OrderState.DONE, OrderState.WITHDRAWN)


class Basis(BaseModel):
    """A rule that the minute rests on, with the days (both inclusive) between which it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    valid_from: date
    valid_to: date | None = None
    source: str
    vi: str
    en: str


class Block(BaseModel):
    """Who signs where; `who` says whose name is printed: "raiser", "approver", or another word for nobody's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    who: str
    vi: str
    en: str
    hint_vi: str = ""
    hint_en: str = ""


class Words(BaseModel):
    """The configured words of the minute."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title_vi: str
    title_en: str
    agreed_vi: str
    agreed_en: str
    basis: tuple[Basis, ...]
    signature: tuple[Block, ...]


@dataclass(frozen=True)
class File:
    """One line of the list; the size in bytes."""

    camera: str
    path: str
    size: int
    sha256: str
    receipt: int


@dataclass(frozen=True)
class Minute:
    """What is printed, in one language."""

    title: str
    letterhead: Letterhead
    basis: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    columns: tuple[str, str, str, str, str, str]
    files: tuple[File, ...]
    agreed: str
    signatures: tuple[Signature, ...]
    digest: str
    language: str

    def pdf(self) -> bytes:
        """Return the minute as a PDF."""
        document = Document(self.title, self.letterhead, digest=self.digest, language=self.language)
        for line in self.basis:
            document.paragraph(line)
        document.rows(self.rows)
        shares = ((0.7, True), (1.5, False), (3.4, False), (1.4, True), (3.6, False), (1.0, True))
        columns = [
            Column(head, share, is_number=is_number)
            for head, (share, is_number) in zip(self.columns, shares, strict=True)
        ]
        document.table(columns, [self._cells(n, file) for n, file in enumerate(self.files, 1)])
        document.paragraph(self.agreed)
        document.signatures(self.signatures)
        return document.render()

    def _cells(self, number: int, file: File) -> list[str]:
        return [str(number), file.camera, file.path, grouped(file.size), file.sha256, str(file.receipt)]


def grouped(octets: int) -> str:
    """Return a number of bytes with its thousands apart, as both languages read it."""
    return f"{octets:,}".replace(",", "\u202f")


def minute_of(session: Session, order_id: str, language: str, path: Path | None = None) -> Minute:
    """Return the minute of an order whose list is closed; raises WipeStateError before that, NotFoundError without an order."""
    order = get_order(session, order_id, *_PRINTED)
    words, is_vi = load_words(path or config_dir() / FILE), language == "vi"
    items = items_of(session, order_id)
    files = tuple(
        File(listed.camera.label or listed.camera.serial, listed.file.path, item.size, item.sha256, item.leaf_index)
        for item, listed in items
    )
    day = local(order.approved_at or order.raised_at).date()
    return Minute(
        title=words.title_vi if is_vi else words.title_en,
        letterhead=_letterhead(session, order, day, is_vi=is_vi),
        basis=tuple(
            basis.vi if is_vi else basis.en
            for basis in words.basis
            if basis.valid_from <= day and (basis.valid_to is None or day <= basis.valid_to)
        ),
        rows=_rows(session, order, files, is_vi=is_vi),
        columns=("STT", "Máy", "Tệp trên máy", "Cỡ (byte)", "SHA-256", "Biên nhận số")
        if is_vi
        else ("No.", "Camera", "File on the camera", "Size (bytes)", "SHA-256", "Receipt no."),
        files=files,
        agreed=words.agreed_vi if is_vi else words.agreed_en,
        signatures=tuple(_signature(session, order, block, is_vi=is_vi) for block in words.signature),
        digest=order.list_sha256 or "",
        language=language,
    )


@lru_cache(maxsize=4)
def load_words(path: Path) -> Words:
    """Read the configured words; raises MinuteWordsError naming file, key and reason when they are wrong or not there."""
    try:
        with path.open("rb") as file:
            return Words.model_validate(tomllib.load(file))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise MinuteWordsError(file=path.name, key=key, reason=first["msg"]) from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise MinuteWordsError(file=path.name, key="–", reason=str(error)) from error


def _letterhead(session: Session, order: WipeOrder, day: date, *, is_vi: bool) -> Letterhead:
    unit = session.get(Unit, order.unit_id) if order.unit_id else None
    above = session.get(Unit, unit.parent_id) if unit and unit.parent_id else None
    when = f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}" if is_vi else f"{day:%d/%m/%Y}"
    number = f"Số: {order.number}" if is_vi else f"No. {order.number}"
    return Letterhead(above.name if above else "", unit.name if unit else "", number, when)


def _rows(session: Session, order: WipeOrder, files: tuple[File, ...], *, is_vi: bool) -> tuple[tuple[str, str], ...]:
    station = session.get_one(Station, order.station_id)
    cameras = ", ".join(sorted({file.camera for file in files}))
    size = grouped(sum(file.size for file in files))
    cause = {
        "card_filling": ("Bộ nhớ máy sắp đầy (trong hai ca)", "A camera's card is filling (within two shifts)"),
        "person": ("Theo đề nghị của đơn vị", "Asked for by the unit"),
    }[order.cause]
    day = date.fromisoformat(order.day).strftime("%d/%m/%Y")
    if is_vi:
        return (
            ("Trạm cắm", station.name),
            ("Ngày lập danh sách", day),
            ("Lý do", cause[0]),
            ("Thiết bị", cameras),
            ("Số tệp, dung lượng", f"{len(files)} tệp, {size} byte"),
            ("SHA-256 của danh sách", order.list_sha256 or ""),
        )
    return (
        ("Docking station", station.name),
        ("Day of the list", day),
        ("Cause", cause[1]),
        ("Devices", cameras),
        ("Files and size", f"{len(files)} files, {size} bytes"),
        ("SHA-256 of the list", order.list_sha256 or ""),
    )


def _signature(session: Session, order: WipeOrder, block: Block, *, is_vi: bool) -> Signature:
    accounts = {"raiser": order.raised_by, "approver": order.approved_by}
    account_id = accounts.get(block.who)
    account = session.get(Account, account_id) if account_id else None
    name = account.display_name if account else ""
    return Signature(block.vi if is_vi else block.en, block.hint_vi if is_vi else block.hint_en, name)
