"""Opens the camera behind a device of the bus: MTP, or mass storage after its mode switch.

A camera that changes over ends as `ModeSwitchedError`: it comes back as another device on the same port, which is then opened
as the same camera.
"""

import time
from collections.abc import Callable

from bodycam import clock
from bodycam.sections import Settings
from dock_service.bus import Bus, BusDevice, DeviceKind
from dock_service.cameras.blocks import READY_S, Disks
from dock_service.cameras.camera import Camera, CameraIdentity, safe_path
from dock_service.cameras.drives import Drives
from dock_service.cameras.identity_file import identity_on
from dock_service.cameras.mass_storage import MassStorageCamera, Storage
from dock_service.cameras.mode_switch import tell, wait_until_gone
from dock_service.cameras.mounting import mounts_for
from dock_service.cameras.mtp import MtpCamera
from dock_service.cameras.simulated import SimulatedStorage
from dock_service.cameras.switching import Before, Switched
from dock_service.errors import (
    CameraError,
    ModeSwitchedError,
    ModeSwitchFailedError,
    StorageNotReadyError,
    StorageUnreachableError,
)
from dock_service.profiles import Match, Profile, Profiles, profiles_of
from dock_service.profiles.profile import Identity
from dock_service.profiles.switch import ModeSwitch
from dock_service.simulator.backend import SimBackend

_MEDIUM_S = 3.0  # a drive that is going to show a medium by itself shows it by then
_SWITCHED = Switched()
_POLL_S = 0.1
Told = Callable[[ModeSwitch, Before], None]


def is_camera(device: BusDevice, match: Match) -> bool:
    """Tell whether a dock reads such a device, perhaps after its mode switch."""
    return device.kind is not DeviceKind.OTHER or match.profile.mode_switch is not None


def open_camera(
    device: BusDevice, match: Match, settings: Settings, told: Told = lambda _switch, _before: None
) -> Camera:
    """Open it; `told` is called just before it is told to change over.

    Raises ModeSwitchedError when it was told to change over: wait for the device that comes back on its port. Else any
    CameraError; a mass-storage camera waits for its disk, so it may take seconds.
    """
    profile = match.profile
    switch = profile.mode_switch
    if switch is not None and (switch.becomes is not None or device.kind is not DeviceKind.MTP):
        _change_over(device, profile, switch, settings, told)
    if device.kind is DeviceKind.MTP:
        return MtpCamera(device.device, device.port, device.serial, zone=profile.zone)
    return _open_drive(device, match, settings)


def _open_drive(device: BusDevice, match: Match, settings: Settings) -> Camera:
    """Mount it and ask its card who it is; a profile known by its files alone may mean another zone by its times."""
    storage = _storage(device, match.profile, settings)
    try:
        better = _by_cards(profiles_of(settings), match, storage)
        if better.profile.zone != match.profile.zone:
            storage.close()
            storage = _storage(device, better.profile, settings)
        before, rule = _SWITCHED.before(device), better.profile.identity
        identity = _identity(device, rule, storage, before or Before())
        storage.check()  # what a camera that has just been pulled did not say is no answer
        return MassStorageCamera(storage, identity, before, rule)
    except BaseException:
        storage.close()
        raise


def _by_cards(profiles: Profiles, match: Match, storage: Storage) -> Match:
    for card in storage.cards():
        if card.root is not None:
            match = profiles.match_card(card.root, match)
    return match


def match_device(profiles: Profiles, device: BusDevice) -> Match:
    """Match what a device says on the bus."""
    return profiles.match_usb(
        device.vendor_id, device.product_id, device.manufacturer, device.product, device.kind.value
    )


def open_after_switch(bus: Bus, device: BusDevice, profiles: Profiles, settings: Settings) -> Camera:
    """Open a camera and wait while it changes over; for a caller who does not watch the bus himself."""
    match = match_device(profiles, device)
    try:
        return open_camera(device, match, settings)
    except ModeSwitchedError:
        switch = match.profile.mode_switch
        again = _back_on(bus, device, switch.back_s if switch else 0)
    return open_camera(again, match_device(profiles, again), settings)


def _back_on(bus: Bus, device: BusDevice, seconds: float) -> BusDevice:
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        for found in bus.devices():
            if found.port == device.port and found.address != device.address:
                return found
        time.sleep(_POLL_S)
    raise ModeSwitchFailedError(port=device.port, detail="it did not come back")


def _change_over(device: BusDevice, profile: Profile, switch: ModeSwitch, settings: Settings, told: Told) -> None:
    """Send the switch if it is needed, and leave by ModeSwitchedError; return when the device is a drive already."""
    if switch.is_done(device.vendor_id, device.product_id):
        return
    wait_s = _MEDIUM_S if _SWITCHED.before(device) is None else READY_S
    if switch.becomes is None and _shows_medium(device, profile, settings, wait_s):
        return
    to = clock.now() if profile.sets_clock else None
    before = tell(device, profile, switch, to, lambda said: told(switch, said))
    _SWITCHED.remember(device, switch, before)
    if wait_until_gone(device, switch.wait_s):
        raise ModeSwitchedError(port=device.port)
    if switch.becomes is None and _shows_medium(device, profile, settings, READY_S):
        return
    raise ModeSwitchFailedError(port=device.port, detail=f"still there after {switch.wait_s:g} s")


def _shows_medium(device: BusDevice, profile: Profile, settings: Settings, seconds: float) -> bool:
    storage = _storage(device, profile, settings, seconds)
    try:
        storage.cards()
    except StorageNotReadyError:
        return False
    except CameraError:
        return True  # there is something; opening it says what is wrong
    finally:
        storage.close()
    return True


def _storage(device: BusDevice, profile: Profile, settings: Settings, seconds: float = READY_S) -> Storage:
    backend = device.device.backend
    if isinstance(backend, SimBackend):
        return SimulatedStorage(backend, device)
    if type(backend).__module__.startswith("dock_service."):  # a bus over the network: its disks are elsewhere
        raise StorageUnreachableError(port=device.port)
    return Drives(Disks(device.port, device.address), mounts_for(settings.data_dir, profile.zone), seconds)


def _identity(device: BusDevice, rule: Identity, storage: Storage, before: Before) -> CameraIdentity:
    """Say who it is: by its card, by what it said before it changed over, by its USB serial, at last by its port."""
    records = (identity_on(card.root, rule) for card in storage.cards() if card.root is not None)
    record = next((record for record in records if record is not None), None)
    serial = safe_path((record.serial,)) if record is not None else before.serial or device.serial
    return CameraIdentity(
        serial or f"port-{device.port}",
        device.manufacturer or before.make,
        device.product or before.model,
        record.officer if record is not None else before.officer,
    )
