"""Read loose files and folders, each in the sandbox, with the sidecars that lie beside them by stem."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bodycam.media.errors import MediaError
from bodycam.media.problems import Problem
from bodycam.media.sandbox import Sandbox
from bodycam.telemetry.reading import Reading, read_recording

SIDECARS = (".gpx", ".nmea", ".gps", ".log")


@dataclass(frozen=True)
class LooseFile:
    """A file and what was read from it, or why nothing could be."""

    path: Path
    size: int | None
    reading: Reading | None
    failure: Problem | None = None


def walk(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as given, and every regular file under the folders, in order of name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path


def read_loose(sandbox: Sandbox, path: Path) -> LooseFile:
    """Read one file; whatever goes wrong is part of the answer, so that one bad file never stops the rest."""
    try:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            size = path.stat().st_size
            beside = [] if path.suffix.lower() in SIDECARS else _sidecars(path)
            sidecars = tuple((found.name, stack.enter_context(found.open("rb"))) for found in beside)
            return LooseFile(path, size, read_recording(sandbox, file, name=path.name, sidecars=sidecars))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return LooseFile(
            path, None, None, Problem("not_readable", f"Không mở được tệp: {reason}.", f"Can't be opened: {reason}.")
        )
    except MediaError as error:
        return LooseFile(path, size, None, Problem(error.code, error.text("vi"), error.text("en")))


def _sidecars(path: Path) -> list[Path]:
    stem = path.stem.lower()
    return sorted(
        found
        for found in path.parent.iterdir()
        if found.suffix.lower() in SIDECARS and found.stem.lower() == stem and found.is_file()
    )
