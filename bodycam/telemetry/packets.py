"""The packets of a recording's data and subtitle streams, without reading its picture and sound.

Streams of data carry no codec tag that PyAV shows: readers know their payload by its first bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import structlog
from av.stream import Discard

from bodycam.media.probe import AV_ERRORS, open_container

_log = structlog.get_logger()
MAX_PACKETS = 100_000
MAX_BYTES = 128 << 20


@dataclass(frozen=True)
class Packet:
    """One packet: its stream, where it begins on the recording and how long it lasts (seconds), and its bytes."""

    stream: int
    start_s: float | None
    duration_s: float | None
    data: bytes


def side_packets(file: BinaryIO) -> Iterator[Packet]:
    """Yield the packets of data and subtitle streams in file order, at most 128 MiB; ends early where the file is broken."""
    try:
        with open_container(file) as container:
            wanted = [stream for stream in container.streams if stream.type in {"data", "subtitle"}]
            for stream in container.streams:
                if stream not in wanted:
                    stream.discard = Discard.all
            if not wanted:
                return
            count = total = 0
            for packet in container.demux(wanted):
                data = bytes(packet)
                count, total = count + 1, total + len(data)
                if count > MAX_PACKETS or total > MAX_BYTES:
                    _log.info("side_packets_capped", packets=count, bytes=total)
                    return
                unit = float(packet.time_base) if packet.time_base else 0.0
                start = None if packet.pts is None else packet.pts * unit
                yield Packet(packet.stream.index, start, packet.duration * unit if packet.duration else None, data)
    except AV_ERRORS as error:
        _log.info("side_packets_ended", error=type(error).__name__)
