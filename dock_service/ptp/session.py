"""PTP transactions: command, data, response; and the way back after a stall, a timeout or nonsense.

One thread at a time. A request that failed on the wire is recovered (cancel, clear, drain, status, at worst a bus reset and
a new session) before its error leaves here, so that the next request starts clean. `generation` counts the sessions: after
it changed, object handles have to be looked up again.
"""

import contextlib
import sys
import time
from collections.abc import Generator, Iterator

from dock_service.errors import CameraGoneError, CameraRefusedError, CameraStalledError, ProtocolError
from dock_service.ptp.codes import SIZE_UNKNOWN, ContainerType, Operation, Response
from dock_service.ptp.containers import HEADER, Header, pack, pack_command, parse_header, parse_parameters
from dock_service.ptp.link import Link, LinkMemoryError, LinkStallError, LinkTimeoutError

DATASET_LIMIT = 8 << 20
SMALLEST_TRANSFER = 16 << 10
MOST_AT_ONCE = 1 << 20  # what is lost of a transfer when the plug is pulled
_EMPTY_READS = 4  # zero-length packets tolerated where a container should begin
_STALE = 8  # containers of an older, cancelled transaction thrown away
_BUSY_TRIES, _BUSY_S = 10, 0.2
_READY_TRIES = 10


class Session:
    """One PTP session over a link."""

    def __init__(self, link: Link) -> None:
        """Take an open link."""
        self.link = link
        self.generation = 0
        self.transfer = MOST_AT_ONCE  # bytes of one USB read; halved for good when the kernel has no memory for it
        self._transaction = 0
        self._pending = memoryview(b"")

    def open(self) -> None:
        """Open session 1, whatever state an earlier program left the camera in."""
        try:
            self._open()
        except (LinkStallError, LinkTimeoutError, ProtocolError):
            self._recover()

    def close(self) -> None:
        """Close the session if the camera still listens."""
        with contextlib.suppress(LinkStallError, LinkTimeoutError, ProtocolError, CameraRefusedError):
            self._transact(Operation.CLOSE_SESSION, (), limit=None)

    def request(self, operation: Operation, *parameters: int) -> tuple[int, ...]:
        """Run an operation without data; returns the response's parameters."""
        return self._retrying(operation, parameters, limit=None)[0]

    def once(self, operation: Operation, *parameters: int) -> None:
        """Run an operation that must never be repeated by itself, since after a recovery its parameters may mean another thing.

        A stall or timeout is raised as CameraStalledError after recovery, and so is a session that had ended.
        """
        try:
            self._transact(operation, parameters, limit=None)
        except (LinkStallError, LinkTimeoutError) as error:
            self._recover()
            raise CameraStalledError(camera=self.link.name, detail=_named_fault(error)) from error
        except ProtocolError:
            self._recover()
            raise
        except CameraRefusedError as error:
            if not error.is_response(Response.SESSION_NOT_OPEN):
                raise
            self._recover()
            raise CameraStalledError(camera=self.link.name, detail="session ended") from error

    def send(self, operation: Operation, *parameters: int, data: bytes) -> None:
        """Run an operation whose data we send; it may be sent twice."""
        self._retrying(operation, parameters, limit=None, data=data)

    def fetch(self, operation: Operation, *parameters: int, limit: int = DATASET_LIMIT) -> memoryview:
        """Run an operation that answers with at most `limit` bytes and return them."""
        return self._retrying(operation, parameters, limit=limit)[1]

    def stream(self, operation: Operation, *parameters: int, limit: int | None = None) -> Generator[memoryview]:
        """Run an operation whose answer is large and yield it as it comes; at most `limit` bytes, None: whatever comes.

        A piece holds until the next one is asked for. Left early, it is cancelled. A stall or timeout is raised as CameraStalledError after recovery: ask again.
        """
        finished = False
        try:
            yield from self._patiently(operation, parameters, limit)
            finished = True
        except (LinkStallError, LinkTimeoutError) as error:
            raise CameraStalledError(camera=self.link.name, detail=_named_fault(error)) from error
        except CameraRefusedError as error:
            finished = not error.is_response(Response.SESSION_NOT_OPEN)
            if finished:
                raise
            raise CameraStalledError(camera=self.link.name, detail="session ended") from error
        except CameraGoneError:
            finished = True
            raise
        finally:
            if not finished:
                self._recover()

    def _patiently(self, operation: Operation, parameters: tuple[int, ...], limit: int | None) -> Generator[memoryview]:
        """Stream, but ask a camera again that is busy."""
        for _ in range(_BUSY_TRIES):
            try:
                yield from self._streamed(operation, parameters, sys.maxsize if limit is None else limit + HEADER.size)
            except CameraRefusedError as error:
                if not error.is_response(Response.DEVICE_BUSY):
                    raise
                time.sleep(_BUSY_S)
            else:
                return
        raise CameraStalledError(camera=self.link.name, detail="busy")

    def _streamed(self, operation: Operation, parameters: tuple[int, ...], limit: int) -> Iterator[memoryview]:
        transaction = self._command(operation, parameters)
        first = self._first(limit)
        header = parse_header(first)
        if header.type is ContainerType.DATA:
            if (header.transaction, header.code) != (transaction, operation):  # not one byte of another answer goes on
                raise ProtocolError(detail=f"data of transaction {header.transaction} where {transaction} was due")
            length = limit if header.length == SIZE_UNKNOWN else header.length
            if length > limit:
                raise ProtocolError(detail=f"container of {length} bytes, asked for {limit}")
            self._pending = self._beyond(first, length)
            yield first[HEADER.size : length]
            got = len(first)
            for piece in self._rest(got, length):
                if got == HEADER.size and _is_response(piece, transaction):  # it gave up after the header: no data came
                    self._pending = piece
                    break
                self._pending = self._beyond(piece, length - got)
                yield piece[: length - got]
                got += len(piece)
            header, payload = self._container(HEADER.size)
        else:
            payload = first[HEADER.size : header.length]
        self._check(operation, transaction, header)
        parse_parameters(payload)

    def _beyond(self, piece: memoryview, due: int) -> memoryview:
        """Return what a transfer brought beyond its container, which only one that ends on a full packet can."""
        if len(piece) > due and due % self.link.packet:
            raise ProtocolError(detail=f"{len(piece)} bytes where {due} were due")
        return piece[due:]

    def _check(self, operation: Operation, transaction: int, header: Header) -> None:
        """Raise unless the header is the good response to this transaction."""
        if header.type is not ContainerType.RESPONSE or header.transaction != transaction:
            raise ProtocolError(detail=f"container {header.type} where a response was due")
        if header.code != Response.OK:
            raise CameraRefusedError(operation=operation.name, response=f"0x{header.code:04X}")

    def _retrying(
        self, operation: Operation, parameters: tuple[int, ...], limit: int | None, data: bytes | None = None
    ) -> tuple[tuple[int, ...], memoryview]:
        try:
            return self._guarded(operation, parameters, limit, data)
        except CameraStalledError:
            return self._guarded(operation, parameters, limit, data)

    def _guarded(
        self, operation: Operation, parameters: tuple[int, ...], limit: int | None, data: bytes | None
    ) -> tuple[tuple[int, ...], memoryview]:
        try:
            for _ in range(_BUSY_TRIES):
                try:
                    return self._transact(operation, parameters, limit, data)
                except CameraRefusedError as error:
                    if error.is_response(Response.SESSION_NOT_OPEN):
                        self._open()
                    elif error.is_response(Response.DEVICE_BUSY):
                        time.sleep(_BUSY_S)
                    else:
                        raise
            raise CameraStalledError(camera=self.link.name, detail="busy")
        except (LinkStallError, LinkTimeoutError) as error:
            self._recover()
            raise CameraStalledError(camera=self.link.name, detail=_named_fault(error)) from error
        except ProtocolError:
            self._recover()
            raise

    def _command(self, operation: Operation, parameters: tuple[int, ...], body: bytes | None = None) -> int:
        """Send a command and, with a `body`, its data; returns the transaction's number."""
        self._pending = memoryview(b"")
        transaction = self._next_transaction(operation)
        self.link.write(pack_command(operation, transaction, parameters))
        if body is not None:
            self.link.write(pack(ContainerType.DATA, operation, transaction, body))
        return transaction

    def _transact(
        self, operation: Operation, parameters: tuple[int, ...], limit: int | None, body: bytes | None = None
    ) -> tuple[tuple[int, ...], memoryview]:
        """Send a command, send the data or read it (when `limit` allows any), and read the response."""
        transaction = self._command(operation, parameters, body)
        data = memoryview(b"")
        for _ in range(_STALE):
            header, payload = self._container(HEADER.size + (limit or 0))
            if header.transaction != transaction or header.type is ContainerType.EVENT:
                continue
            if header.type is ContainerType.DATA and limit is not None:
                data = payload
                continue
            self._check(operation, transaction, header)
            return parse_parameters(payload), data
        raise ProtocolError(detail="no response to our transaction")

    def _next_transaction(self, operation: Operation) -> int:
        if operation is Operation.OPEN_SESSION:  # ISO 15740, 10.4.2: transaction 0, the next one is 1
            self._transaction = 0
            return 0
        self._transaction = self._transaction % 0xFFFFFFFE + 1
        return self._transaction

    def _container(self, limit: int) -> tuple[Header, memoryview]:
        """Read one container of at most `limit` bytes.

        A transfer that ends on a full packet may be followed by an empty one or by the next container in the same read: what
        is too much is kept for it. A short packet ends the data whatever the header says.
        """
        first = self._first(limit)
        header = parse_header(first)
        if header.length > (limit if header.type is ContainerType.DATA else DATASET_LIMIT):
            raise ProtocolError(detail=f"container of {header.length} bytes, asked for {limit}")
        if len(first) >= header.length:
            self._pending = first[header.length :]
            return header, memoryview(bytes(first[HEADER.size : header.length]))
        whole = bytearray(first)
        for piece in self._rest(len(first), header.length):
            whole += piece
        self._pending = memoryview(bytes(whole[header.length :]))
        return header, memoryview(whole)[HEADER.size : header.length]

    def _rest(self, got: int, length: int) -> Iterator[memoryview]:
        """Yield what follows a container's first read until `length` bytes are there or a short packet ends it."""
        alone = got == HEADER.size  # some cameras send the header as a transfer of its own
        if got >= length or (got % self.link.packet and not alone):
            return
        while got < length:
            piece = self._read(length - got)
            got += len(piece)
            if piece:
                yield piece
            if len(piece) % self.link.packet or not (piece or alone):
                return
            alone = False

    def _first(self, limit: int) -> memoryview:
        if self._pending:
            first, self._pending = self._pending, memoryview(b"")
            return first
        for _ in range(_EMPTY_READS):
            if first := self._read(limit):
                return first
        raise ProtocolError(detail="empty packets where a container was due")

    def _read(self, size: int) -> memoryview:
        if size > self.transfer // 2:  # one size for all that is large, so that one buffer serves
            size = self.transfer + HEADER.size
        while True:
            try:
                return self.link.read(min(size, self.transfer + HEADER.size))
            except LinkMemoryError:  # nothing was read: the same transaction goes on with smaller reads
                if self.transfer <= SMALLEST_TRANSFER:
                    raise LinkStallError("no memory for the smallest read") from None
                self.transfer //= 2

    def _open(self) -> None:
        try:
            self._transact(Operation.OPEN_SESSION, (1,), limit=None)
        except CameraRefusedError as error:
            if not error.is_response(Response.SESSION_ALREADY_OPEN):
                raise
            self._transact(Operation.CLOSE_SESSION, (), limit=None)
            self._transact(Operation.OPEN_SESSION, (1,), limit=None)
        self.generation += 1

    def _recover(self) -> None:
        """Bring the camera back to waiting for a command; CameraGoneError or CameraStalledError when it does not come."""
        for step in (self._settle, self._settle, self.link.reset):
            try:
                step()
                self._pending = memoryview(b"")
                self._open()
            except (LinkStallError, LinkTimeoutError, LinkMemoryError, ProtocolError, CameraRefusedError):
                continue
            return
        raise CameraStalledError(camera=self.link.name, detail="no recovery")

    def _settle(self) -> None:
        with contextlib.suppress(LinkStallError, LinkTimeoutError, ProtocolError):
            self.link.cancel(self._transaction)
        with contextlib.suppress(LinkStallError, LinkTimeoutError, ProtocolError):
            self.link.clear()
        self.link.drain()
        with contextlib.suppress(LinkStallError, LinkTimeoutError, ProtocolError):
            for _ in range(_READY_TRIES):
                if self.link.is_ready():
                    return
                time.sleep(0.05)


def _is_response(piece: memoryview, transaction: int) -> bool:
    """Tell whether a transfer is, byte by byte, a response to this transaction without parameters."""
    if len(piece) != HEADER.size:
        return False
    length, kind, _, answered = HEADER.unpack(piece)
    return (length, kind, answered) == (HEADER.size, ContainerType.RESPONSE, transaction)


def _named_fault(error: LinkStallError | LinkTimeoutError) -> str:
    return "timeout" if isinstance(error, LinkTimeoutError) else "stall"
