"""The list of recordings: found by time, unit, officer, camera, plate, case or any words, with or without diacritics.

A thumbnail is a frame of the footage: it is shown to those who may view the recording, to nobody else. It asks for no reason and
leaves no event, so that a list can be recognised at a glance and thirty small pictures a page don't bury the looks that matter.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from bodycam.people.units import list_units
from bodycam.recordings.models import Verdict
from bodycam.search.described import describe
from bodycam.search.recordings import RecordingFilter, find_recordings
from webui.common.base import runtime
from webui.common.formatting import read_moment
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.ranges import ranged
from webui.common.signin import scope
from webui.staff.reach import may_reach, rendition_of
from webui.staff.search_words import split
from webui.staff.verdicts import LOOKS

bp = Blueprint("recordings", __name__)
FIELDS = ("q", "from", "to", "unit", "officer", "camera", "plate", "case", "verdict")
ROWS = 30


@bp.get("/recordings")
@allowed("recording.list")
def index() -> str:
    """Show one page of what was asked for, newest first."""
    asked = {name: request.args.get(name, "").strip() for name in FIELDS}
    reach, cases, after = scope("recording.list"), scope("case.list"), request.args.get("after") or None
    with runtime().db.read() as session:
        page = find_recordings(session, reach, _filter(asked), cases=cases, after=after, limit=ROWS)
        rows = describe(session, page.recordings, cases)
        units = list_units(session, reach)
    viewing = scope("recording.view")
    given = {name: value for name, value in asked.items() if value}
    return render_template(
        "staff/recordings.html",
        rows=rows,
        units=units,
        asked=asked,
        is_asked=bool(given),
        more=any(given.get(name) for name in FIELDS[3:]),
        next_url="?" + urlencode({**given, "after": page.after}) if page.after else None,
        seen={row.recording.id for row in rows if may_reach(viewing, row.recording, row.unit)},
        verdicts=[(verdict.value, LOOKS[verdict].text) for verdict in Verdict if verdict is not Verdict.NOT_APPLICABLE],
    )


@bp.get("/recordings/<recording_id>/thumbnail")
@allowed("recording.view")
def thumbnail(recording_id: str) -> Response:
    """Send the small picture of a recording."""
    rendition = rendition_of(recording_id, "thumbnail")
    return ranged(runtime().vault.open(rendition.object_id), rendition.mime)


def _filter(asked: Mapping[str, str]) -> RecordingFilter:
    words = split(asked["q"])
    return RecordingFilter(
        since=read_moment(asked["from"], field=t("Từ ngày", "From")) or words.since,
        until=read_moment(asked["to"], field=t("Đến ngày", "To"), end_of_day=True) or words.until,
        unit_id=asked["unit"] or None,
        officer=asked["officer"],
        camera=asked["camera"],
        plate=asked["plate"] or words.plate,
        case=asked["case"],
        text=words.text,
        verdict=asked["verdict"],
    )
