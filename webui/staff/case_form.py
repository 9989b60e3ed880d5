"""The form of a case: made from the kind's data, read back into facts.

Which field is wrong is said by the case's own error, in the words of the kind; what was typed stays in the form.
"""

import json
import re
from collections.abc import Mapping

from sqlalchemy.orm import Session

from bodycam.cases.kinds import CaseKind, FieldType
from bodycam.cases.models import Case
from bodycam.cases.queries import identifiers_of, officers_of
from bodycam.cases.service import CaseFacts
from bodycam.errors import InvalidInputError
from bodycam.people.models import Officer, Unit
from bodycam.people.units import officer_by_number
from webui.common.formatting import minute, number, read_degrees, read_moment
from webui.common.locale import t

_SEVERAL = re.compile(r"[;\n]+")


def facts_of(session: Session, kind: CaseKind, unit: Unit, form: Mapping[str, str]) -> CaseFacts:
    """Read the form; several identifiers or officers stand apart by semicolons. Raises InvalidInputError naming a field."""
    starts_at = read_moment(form.get("starts_at", ""), field=t("Bắt đầu", "Start"))
    ends_at = read_moment(form.get("ends_at", ""), field=t("Kết thúc", "End")) or starts_at
    if starts_at is None or ends_at is None:
        raise InvalidInputError(field=t("Bắt đầu", "Start"), reason_vi="cần điền", reason="is needed")
    radius = form.get("radius_m", "").strip()
    return CaseFacts(
        starts_at=starts_at,
        ends_at=ends_at,
        title=form.get("title", ""),
        number=form.get("number", ""),
        place=form.get("place", ""),
        lat=read_degrees(form.get("lat", ""), field=t("Vĩ độ", "Latitude")),
        lon=read_degrees(form.get("lon", ""), field=t("Kinh độ", "Longitude")),
        radius_m=read_degrees(radius, field=t("Bán kính", "Radius")) if radius else None,
        identifiers={entry.key: _several(form.get(f"id-{entry.key}", "")) for entry in kind.identifiers},
        fields={entry.key: form.get(f"field-{entry.key}", "") for entry in kind.fields},
        officer_ids=[_officer(session, unit, text) for text in _several(form.get("officers", ""))],
    )


def form_of(session: Session, case: Case, kind: CaseKind) -> dict[str, str]:
    """Return what stands in the form of a case that exists."""
    form = {
        "number": case.number or "",
        "title": case.title,
        "starts_at": minute(case.starts_at),
        "ends_at": minute(case.ends_at),
        "place": case.place or "",
        "lat": number(case.lat, 5) if case.lat is not None else "",
        "lon": number(case.lon, 5) if case.lon is not None else "",
        "radius_m": f"{case.radius_m:.0f}" if case.radius_m else "",
    }
    for identifier in identifiers_of(session, case.id):
        name = f"id-{identifier.kind}"
        form[name] = f"{form[name]}; {identifier.raw}" if name in form else identifier.raw
    dates = {entry.key for entry in kind.fields if entry.type is FieldType.DATE}
    for key, value in json.loads(case.fields).items():
        form[f"field-{key}"] = "/".join(reversed(value.split("-"))) if key in dates else value
    officers = [session.get_one(Officer, officer_id).number for officer_id in officers_of(session, case.id)]
    return form | {"officers": "; ".join(officers)}


def _several(text: str) -> list[str]:
    return [part.strip() for part in _SEVERAL.split(text) if part.strip()]


def _officer(session: Session, unit: Unit, text: str) -> str:
    found = officer_by_number(session, unit.force, text)
    if found is None:
        raise InvalidInputError(
            field=t("Cán bộ", "Officers"),
            reason_vi=f"không có số hiệu “{text[:40]}” trong lực lượng này",
            reason=f"no officer of this force has the number “{text[:40]}”",
        )
    return found.id
