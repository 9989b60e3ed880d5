"""Opening and changing cases.

A case is checked against its kind: identifiers parsed, fields of their types, required ones present, the unit's force one of
the kind's. Texts stay as typed, identifiers get their compact form beside. Whoever opens or changes a case also has it
matched with the recordings there are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases import matching
from bodycam.cases.errors import CaseFieldError, IdentifierError
from bodycam.cases.identifiers import Identifier, IdentifierType, parse
from bodycam.cases.kinds import CaseKind, FieldType, KindField, kind_of
from bodycam.cases.models import NUMBER, Case, CaseIdentifier, CaseOfficer, CaseState
from bodycam.clock import local, now
from bodycam.db import fold, new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.people.models import Officer, Unit
from bodycam.people.numbers import FORCE_NAMES
from bodycam.people.sheets import parse_local_time

MAX_TEXT = 300
MAX_NUMBER = 100
_YES = {"yes", "co", "x", "1", "true", "dung"}
_NO = {"no", "khong", "0", "false", "sai"}


@dataclass(frozen=True)
class CaseFacts:
    """What a person enters of a case. Times are aware, the place WGS 84 degrees, identifiers and fields by key as typed."""

    starts_at: datetime
    ends_at: datetime
    title: str = ""
    number: str = ""
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    radius_m: float | None = None
    identifiers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    officer_ids: Sequence[str] = ()


def open_case(session: Session, *, kind: str, unit_id: str, facts: CaseFacts, actor: str | None = None) -> Case:
    """Open a case and propose the recordings that fit; raises `CaseFieldError` naming the first wrong field.

    `actor` is the account that opens it, None for an import by the command line.
    """
    rules = kind_of(kind)
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise NotFoundError(what="unit")
    if unit.force not in rules.forces:
        names = [FORCE_NAMES[force] for force in rules.forces]
        raise CaseFieldError(
            field_vi="Đơn vị", field_en="Unit",
            reason_vi=f"loại hồ sơ này của lực lượng {', '.join(vi for vi, _ in names)}; chọn đơn vị khác",
            reason_en=f"this kind belongs to: {', '.join(en for _, en in names)}; choose another unit",
        )  # fmt: skip
    case = Case(id=new_id(), kind=kind, unit_id=unit_id, state=CaseState.OPEN.value, opened_by=actor, created_at=now())
    _write(session, case, rules, facts)
    custody.record(session, "case.opened", object_id=case.id, actor=actor, details={"kind": kind, "unit": unit_id})
    matching.match_case(session, case.id)
    return case


def edit_case(session: Session, case_id: str, *, facts: CaseFacts, actor: str | None = None) -> Case:
    """Replace what was entered of a case and match it again; raises `CaseFieldError`."""
    case = get_case(session, case_id)
    _write(session, case, kind_of(case.kind), facts)
    custody.record(session, "case.changed", object_id=case.id, actor=actor)
    matching.match_case(session, case.id)
    return case


def close_case(session: Session, case_id: str, *, actor: str) -> None:
    """Close a case: nothing new is proposed for it; closing twice changes nothing."""
    case = get_case(session, case_id)
    if case.state == CaseState.OPEN:
        case.state = CaseState.CLOSED.value
        custody.record(session, "case.closed", object_id=case_id, actor=actor)


def get_case(session: Session, case_id: str) -> Case:
    """Return a case or raise `NotFoundError`; who may see it is `access`'s question."""
    case = session.get(Case, case_id)
    if case is None:
        raise NotFoundError(what="case")
    return case


def _write(session: Session, case: Case, rules: CaseKind, facts: CaseFacts) -> None:
    """Check everything, then set it; the case is flushed with its identifiers and officers."""
    identifiers = _identifiers(rules, facts.identifiers)
    number = _text(facts.number)[:MAX_NUMBER]
    values = _fields(rules, facts.fields)
    _check_when_and_where(facts)
    _check_number(session, case, rules, number, local(facts.starts_at).year)
    officers = [_officer(session, officer_id) for officer_id in dict.fromkeys(facts.officer_ids)]
    case.starts_at, case.ends_at = facts.starts_at, facts.ends_at
    case.lat, case.lon, case.radius_m = facts.lat, facts.lon, facts.radius_m
    case.place = _text(facts.place) or None
    case.number = number or None
    case.year = local(facts.starts_at).year
    first = next((identifier.raw for _, identifier in identifiers), "")
    case.title = _text(facts.title) or " ".join(filter(None, [rules.vi, case.number or first]))
    case.fields = json.dumps(values, ensure_ascii=False)
    texts = [case.title, case.number, case.place, *(i.raw for _, i in identifiers), *values.values()]
    case.folded = fold(" ".join(text for text in [*texts, *(o.name for o in officers)] if text))
    session.add(case)
    session.flush()
    session.execute(delete(CaseIdentifier).where(CaseIdentifier.case_id == case.id))
    session.execute(delete(CaseOfficer).where(CaseOfficer.case_id == case.id))
    own = [(NUMBER, parse(IdentifierType.DOCUMENT, number))] if number else []
    for key, found in [*own, *identifiers]:
        session.add(
            CaseIdentifier(
                id=new_id(),
                case_id=case.id,
                kind=key,
                raw=found.raw,
                compact=found.compact,
                variant=",".join(found.variants) or None,
            )
        )
    session.add_all(CaseOfficer(case_id=case.id, officer_id=officer.id) for officer in officers)
    session.flush()


def _identifiers(rules: CaseKind, given: Mapping[str, Sequence[str]]) -> list[tuple[str, Identifier]]:
    known = {entry.key for entry in rules.identifiers}
    for key in given:
        if key not in known:
            raise CaseFieldError(
                field_vi=key, field_en=key, reason_vi="không có mục này", reason_en="there is no such entry"
            )
    found: dict[tuple[str, str], Identifier] = {}
    for entry in rules.identifiers:
        texts = [text for text in given.get(entry.key, ()) if text.strip()]
        if entry.required and not texts:
            raise _missing(entry.vi, entry.en)
        for text in texts:
            try:
                identifier = parse(entry.type, text)
            except IdentifierError as error:
                raise CaseFieldError(
                    field_vi=entry.vi, field_en=entry.en,
                    reason_vi=f"“{text}” {error.values['reason_vi']}", reason_en=f"“{text}” {error.values['reason_en']}",
                ) from error  # fmt: skip
            found.setdefault((entry.key, identifier.compact), identifier)
    return [(key, identifier) for (key, _), identifier in found.items()]


def _fields(rules: CaseKind, given: Mapping[str, str]) -> dict[str, str]:
    known = {entry.key for entry in rules.fields}
    for key in given:
        if key not in known:
            raise CaseFieldError(
                field_vi=key, field_en=key, reason_vi="không có mục này", reason_en="there is no such field"
            )
    values: dict[str, str] = {}
    for entry in rules.fields:
        text = _text(given.get(entry.key, ""))
        if text:
            values[entry.key] = _CHECKS[entry.type](entry, text)
        elif entry.required:
            raise _missing(entry.vi, entry.en)
    return values


def _choice(entry: KindField, text: str) -> str:
    wanted = fold(text)
    for choice in entry.choices:
        if wanted in {fold(choice.key), fold(choice.vi), fold(choice.en)}:
            return choice.key
    vi, en = (", ".join(getattr(choice, language) for choice in entry.choices) for language in ("vi", "en"))
    raise CaseFieldError(
        field_vi=entry.vi, field_en=entry.en, reason_vi=f"chọn một trong: {vi}", reason_en=f"choose one of: {en}"
    )


def _date(entry: KindField, text: str) -> str:
    try:
        return parse_local_time(text).date().isoformat()
    except InvalidInputError as error:
        raise CaseFieldError(
            field_vi=entry.vi, field_en=entry.en,
            reason_vi=str(error.values["reason_vi"]), reason_en=str(error.values["reason"]),
        ) from error  # fmt: skip


def _number(entry: KindField, text: str) -> str:
    plain = "".join(text.split()).replace(".", "")
    if not plain.isascii() or not plain.isdigit() or len(plain) > 18:  # noqa: PLR2004  fits 64 bits
        raise CaseFieldError(
            field_vi=entry.vi, field_en=entry.en, reason_vi="cần một số nguyên", reason_en="needs a whole number"
        )
    return str(int(plain))


def _yes_no(entry: KindField, text: str) -> str:
    answer = fold(text)
    if answer not in _YES | _NO:
        raise CaseFieldError(
            field_vi=entry.vi, field_en=entry.en, reason_vi="ghi “có” hoặc “không”", reason_en="write “yes” or “no”"
        )
    return "yes" if answer in _YES else "no"


def _free(entry: KindField, text: str) -> str:  # noqa: ARG001  one signature for all types
    return text


_CHECKS: dict[FieldType, Callable[[KindField, str], str]] = {
    FieldType.TEXT: _free,
    FieldType.CHOICE: _choice,
    FieldType.DATE: _date,
    FieldType.NUMBER: _number,
    FieldType.YES_NO: _yes_no,
}


def _check_when_and_where(facts: CaseFacts) -> None:
    if facts.ends_at < facts.starts_at:
        raise CaseFieldError(
            field_vi="Kết thúc", field_en="End", reason_vi="trước lúc bắt đầu", reason_en="is before the beginning"
        )
    if (facts.lat is None) != (facts.lon is None):
        raise _missing("Vĩ độ và kinh độ", "Latitude and longitude")
    for vi, en, value, most in (("Vĩ độ", "Latitude", facts.lat, 90), ("Kinh độ", "Longitude", facts.lon, 180)):
        if value is not None and not -most <= value <= most:
            raise CaseFieldError(
                field_vi=vi, field_en=en, reason_vi=f"ngoài ±{most}°", reason_en=f"is outside ±{most}°"
            )
    if facts.radius_m is not None and not 0 < facts.radius_m <= 50_000:  # noqa: PLR2004  metres; a place, not a province
        raise CaseFieldError(
            field_vi="Bán kính", field_en="Radius", reason_vi="cần 1 đến 50.000 m", reason_en="needs 1 to 50,000 m"
        )


def _officer(session: Session, officer_id: str) -> Officer:
    officer = session.scalar(select(Officer).where(Officer.id == officer_id))
    if officer is None:
        raise NotFoundError(what="officer")
    return officer


def _check_number(session: Session, case: Case, rules: CaseKind, number: str, year: int) -> None:
    """Refuse a number that another case of this kind, unit and year bears: numbers start again each year."""
    same = select(Case.id).where(
        Case.unit_id == case.unit_id,
        Case.kind == case.kind,
        Case.year == year,
        Case.number == number,
        Case.id != case.id,
    )
    if number and session.scalar(same) is not None:
        raise CaseFieldError(
            field_vi=rules.number_vi, field_en=rules.number_en,
            reason_vi=f"{number} đã có hồ sơ trong năm {year}; mở hồ sơ đó hoặc sửa số",
            reason_en=f"{number} has a case in {year} already; open that one, or correct the number",
        )  # fmt: skip


def _missing(vi: str, en: str) -> CaseFieldError:
    return CaseFieldError(field_vi=vi, field_en=en, reason_vi="cần điền", reason_en="is needed")


def _text(text: str) -> str:
    return " ".join(nfc(text).split())[:MAX_TEXT]
