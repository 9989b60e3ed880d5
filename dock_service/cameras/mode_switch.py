"""Makes a camera show its card as a drive, as its profile says, and waits until it has changed over.

The camera leaves the bus and comes back on the same port as another device; what it said before is kept for that one. A camera
that keeps its ids (no `becomes`) is only told when its drive shows no medium.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog
import usb.core
import usb.util

from bodycam import clock
from dock_service.bus import BusDevice
from dock_service.cameras.bulk_only import GONE, REFUSED, BulkOnly
from dock_service.cameras.dv16 import Dv16, is_dv16
from dock_service.cameras.switching import Before
from dock_service.errors import (
    CameraError,
    CameraGoneError,
    CameraRefusedError,
    CameraStalledError,
    ModeSwitchFailedError,
    ProtocolError,
    StorageNotReadyError,
    UsbAccessError,
)
from dock_service.profiles import Profile
from dock_service.profiles.switch import ModeSwitch, Step

log = structlog.get_logger()

_POLL_S = 0.1
_CONTROL_MS = 5000
_GET_STATUS, _FROM_DEVICE = 0x00, 0x80
_SWITCH_ENDS_IT = (CameraGoneError, CameraStalledError, ProtocolError)


def tell(
    device: BusDevice,
    profile: Profile,
    switch: ModeSwitch,
    clock_to: datetime | None,
    about_to: Callable[[Before], None],
) -> Before:
    """Send the switch's steps, after `about_to` learned what the camera said of itself; returns that.

    Raises UsbAccessError, CameraGoneError when it left before the last step, ModeSwitchFailedError when it refuses one,
    StorageNotReadyError when it says that it has no card.
    """
    before = Before(serial=device.serial or "", make=device.manufacturer or "", model=device.product or "")
    log.info("mode_switch.begin", port=device.port, profile=profile.key)
    try:
        if switch.kind == "control":
            about_to(before)
            _control(device, switch)
            return before
        with BulkOnly(device.device, device.port) as drive:
            if is_dv16(drive):
                camera = Dv16(drive, profile.zone)
                said = camera.before(clock_to)
                if not camera.has_card():
                    raise StorageNotReadyError(port=device.port, seconds=0, detail="no card")
                before = said if said.serial else _with_serial(said, before)
            about_to(before)
            _scsi(drive, switch)
    except (CameraRefusedError, CameraStalledError, ProtocolError) as error:
        raise ModeSwitchFailedError(port=device.port, detail=error.code) from error
    return before


def _with_serial(said: Before, usb_says: Before) -> Before:
    return replace(said, serial=usb_says.serial)


def _scsi(drive: BulkOnly, switch: ModeSwitch) -> None:
    *first, last = switch.steps
    for step in first:
        _command(drive, step)
    with contextlib.suppress(*_SWITCH_ENDS_IT):  # it may leave before it has answered
        _command(drive, last)


def _command(drive: BulkOnly, step: Step) -> None:
    assert step.command is not None
    if step.reads:
        drive.ask(step.command, step.reads)
    else:
        drive.tell(step.command, step.data)


def _control(device: BusDevice, switch: ModeSwitch) -> None:
    *first, last = switch.steps
    try:
        for step in first:
            _transfer(device, step)
        with contextlib.suppress(*_SWITCH_ENDS_IT):
            _transfer(device, last)
    finally:
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(device.device)


def _transfer(device: BusDevice, step: Step) -> None:
    try:
        device.device.ctrl_transfer(
            step.request_type, step.request, step.value, step.index, step.reads or step.data, _CONTROL_MS
        )
    except usb.core.USBError as error:
        raise _named(error, device.port) from error


def _named(error: usb.core.USBError, port: str) -> CameraError:
    if error.errno in GONE:
        return CameraGoneError(camera=port)
    if error.errno in REFUSED:
        return UsbAccessError(port=port, detail=error.strerror)
    return CameraStalledError(camera=port, detail=str(error))


def wait_until_gone(device: BusDevice, seconds: float) -> bool:
    """Tell whether the device leaves the bus within so many seconds."""
    end = clock.monotonic() + seconds
    while is_on_bus(device):
        if clock.monotonic() >= end:
            return False
        time.sleep(_POLL_S)
    return True


def is_on_bus(device: BusDevice) -> bool:
    """Ask the device for its status; one that refuses or stays silent is there all the same."""
    try:
        device.device.ctrl_transfer(_FROM_DEVICE, _GET_STATUS, 0, 0, 2, 500)
    except usb.core.USBError as error:
        return not isinstance(_named(error, device.port), CameraGoneError)
    finally:
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(device.device)
    return True
