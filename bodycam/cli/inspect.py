"""`bodycam inspect`: what a file is, in words or as one JSON object a line, and its track in three formats.

Foreign bytes are read in a child process with limits; a bad file is an answer and never stops the rest.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Mỗi tệp một dòng JSON / One JSON object a line.")
@click.option(
    "--track",
    "track_format",
    type=click.Choice(["gpx", "geojson", "csv"]),
    help="In tuyến đường thay vì mô tả / Print the tracks instead.",
)
def inspect(files: tuple[Path, ...], as_json: bool, track_format: str | None) -> None:
    """Cho biết tệp là gì: định dạng, thời gian, vị trí / Say what a file is: format, times, track; folders are walked.

    Example: bodycam inspect DCIM/ --json
    """
    from bodycam.media.sandbox import Sandbox  # late: --help needs none of this
    from bodycam.telemetry.export import FORMATS
    from bodycam.telemetry.files import read_loose, walk
    from bodycam.telemetry.inspection import describe, describe_failure

    failed = False
    tracks = []
    with Sandbox() as sandbox:
        for path in walk(files):
            loose = read_loose(sandbox, path)
            failed = failed or loose.failure is not None
            if track_format and loose.reading is not None:
                if loose.reading.track is not None and loose.reading.track.points:
                    tracks.append((str(path), loose.reading.track))
                continue
            if loose.failure is not None:
                facts = describe_failure(str(path), loose.size, loose.failure)
            else:
                assert loose.reading is not None
                facts = describe(str(path), _sha256(path), loose.reading)
            if track_format:
                click.echo(f"{path}: {facts['problems'][0]['message']}", err=True)
            else:
                click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _in_words(facts))
    if track_format:
        click.echo(FORMATS[track_format](tracks), nl=track_format != "csv")
    if failed:
        sys.exit(1)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_words(facts: dict[str, Any]) -> str:
    lines = [
        *_content_lines(facts),
        *(("Thời gian / Time", _time_words(time)) for time in facts["times"]),
        *_place_lines(facts),
        *([("SHA-256", facts["sha256"])] if facts["sha256"] else []),
        *(
            ("Lưu ý / Problem", click.style(f"{problem['code']}: {problem['message']}", fg="yellow"))
            for problem in facts["problems"]
        ),
    ]
    rows = [f"  {label:<24}{text}" for label, text in lines]
    return "\n".join([click.style(facts["path"], bold=True), *rows]) + "\n"


def _content_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if facts["mime"]:
        length = f" · {facts['duration_s']:.1f} s" if facts["duration_s"] else ""
        lines.append(("Loại / Kind", f"{facts['mime']} · {facts['size']:,} B{length}"))
    lines += [("Luồng / Stream", _stream_words(stream)) for stream in facts["streams"]]
    if facts["device"]:
        lines.append(("Thiết bị / Device", " ".join(value for value in facts["device"].values() if value)))
    return lines


def _place_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if track := facts["track"]:
        words = f"{track['points']} điểm / fixes · {track['distance_m']:,.0f} m · {track['reader']}"
        lines.append(("Tuyến / Track", words))
        for label, point in (("  đầu / first", track["first"]), ("  cuối / last", track["last"])):
            lines.append((label, f"{point['lat']:.6f}, {point['lon']:.6f}  {_local(point['time'])}"))
    if location := facts["location"]:
        lines.append(
            ("Vị trí / Location", f"{location['lat']:.6f}, {location['lon']:.6f} ({location['source']})"),
        )
    return lines


def _time_words(time: dict[str, Any]) -> str:
    return f"{_local(time['utc'])}  {time['source']} ({time['kind']})  «{time['raw']}»"


def _stream_words(stream: dict[str, Any]) -> str:
    parts = [stream["type"], stream["codec"]]
    if stream["width"]:
        parts.append(f"{stream['width']}×{stream['height']}")
    if stream["fps"]:
        parts.append(f"{stream['fps']:g} fps")
    if stream["sample_rate"]:
        parts.append(f"{stream['sample_rate']} Hz × {stream['channels']}")
    return " ".join(part for part in parts if part)


def _local(utc: str | None) -> str:
    """Return a UTC text as Vietnam's time for a person: dd/mm/yyyy hh:mm:ss."""
    from datetime import datetime  # late: --help needs none of this

    from bodycam.clock import local

    return local(datetime.fromisoformat(utc)).strftime("%d/%m/%Y %H:%M:%S +07") if utc else "không rõ / unknown"
