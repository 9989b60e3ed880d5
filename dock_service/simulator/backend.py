"""A pyusb backend whose devices are the folders of a simulated bus.

It behaves as libusb does: a read ends on a short packet, a buffer that is no multiple of the packet overflows, a timeout with
bytes received returns them, a pulled device is ENODEV for ever and comes back with a new address. `get_*_descriptor` raise
IndexError to end pyusb's iteration. One lock per device; safe for several threads and, since all state is in the folder,
several processes.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import structlog
import usb.backend

from dock_service.errors import BadCameraFileError
from dock_service.simulator.device import SimDevice, fill_answer
from dock_service.simulator.profile import VirtualCamera, cameras
from dock_service.simulator.responder import PACKET

log = structlog.get_logger()

BUS = 1
IN, OUT, EVENTS = 0x81, 0x02, 0x83


class SimBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb is not typed
    """The bus: enumerates the folders that are plugged in and passes transfers to their devices."""

    def __init__(self, bus: Path) -> None:
        """Take the bus folder; it may be empty or not there yet."""
        super().__init__()
        self._bus = bus
        self._lock = threading.Lock()
        self._devices: dict[Path, SimDevice] = {}
        self._address = 0

    def enumerate_devices(self) -> Iterator[SimDevice]:
        """Give the devices that are plugged in now; one that was pulled meanwhile comes back as a new one."""
        with self._lock:
            present: dict[Path, SimDevice] = {}
            for camera in cameras(self._bus):
                device = self._devices.get(camera.folder)
                if not camera.is_plugged():
                    continue
                if device is None or not device.is_there():
                    device = self._arrive(camera)
                if device is not None:
                    present[camera.folder] = device
            for folder, device in self._devices.items():
                if present.get(folder) is not device:
                    device.pulled()
            self._devices = present
            return iter(list(present.values()))

    def _arrive(self, camera: VirtualCamera) -> SimDevice | None:
        try:
            profile = camera.profile()
        except BadCameraFileError as error:
            log.warning("sim.bad_camera_file", error=str(error))
            return None
        self._address = self._address % 127 + 1
        if profile.faults.replug_port and camera.happened("unplug"):
            profile = profile.model_copy(update={"port": profile.faults.replug_port})
        if profile.switched_product_id is not None and camera.has_changed_over():
            profile = profile.model_copy(update={"product_id": profile.switched_product_id})
        return SimDevice(camera, profile, self._address)

    def device(self, folder: Path) -> SimDevice | None:
        """Return the device of a camera's folder while it is plugged in (tests look at what was asked of it)."""
        return self._devices.get(folder)

    def at(self, address: int) -> SimDevice | None:
        """Return the device of an address while it is plugged in."""
        return next((device for device in self._devices.values() if device.address == address), None)

    def get_parent(self, dev: SimDevice) -> None:
        """Give no hub."""

    def get_device_descriptor(self, dev: SimDevice) -> SimpleNamespace:
        """Describe a high-speed device with a serial number."""
        profile = dev.profile
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x0200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=profile.vendor_id, idProduct=profile.product_id, bcdDevice=0x0100,
            iManufacturer=1, iProduct=2, iSerialNumber=3, bNumConfigurations=1,
            bus=BUS, address=dev.address, port_number=profile.port, port_numbers=(profile.port,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: SimDevice, config: int) -> SimpleNamespace:
        """Describe the only configuration."""
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=39, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0x80, bMaxPower=250, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: SimDevice, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Describe the still image interface, or the bulk-only mass storage one with SCSI commands."""
        if intf or alt or config:
            raise IndexError(intf)
        kind, more = ((6, 1, 1), dev.profile.events) if dev.drive is None else ((8, 6, 0x50), False)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2 + more,
            bInterfaceClass=kind[0], bInterfaceSubClass=kind[1], bInterfaceProtocol=kind[2], iInterface=4,
            extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: SimDevice, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Describe the two bulk pipes and the interrupt pipe."""
        address, kind, size = ((IN, 2, PACKET), (OUT, 2, PACKET), (EVENTS, 3, 28))[ep]
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=address, bmAttributes=kind, wMaxPacketSize=size,
            bInterval=6 if kind == 3 else 0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],  # noqa: PLR2004  interrupt
        )  # fmt: skip

    def open_device(self, dev: SimDevice) -> SimDevice:
        """Open it; the device is its own handle."""
        dev.present()
        return dev

    def close_device(self, dev_handle: SimDevice) -> None:
        """Do nothing."""

    def set_configuration(self, dev_handle: SimDevice, config_value: int) -> None:
        """Accept the only configuration."""
        dev_handle.present()

    def get_configuration(self, dev_handle: SimDevice) -> int:
        """Return the only configuration."""
        dev_handle.present()
        return 1

    def set_interface_altsetting(self, dev_handle: SimDevice, intf: int, altsetting: int) -> None:
        """Accept the only setting."""

    def claim_interface(self, dev_handle: SimDevice, intf: int) -> None:
        """Let the interface be claimed."""
        dev_handle.present()

    def release_interface(self, dev_handle: SimDevice, intf: int) -> None:
        """Let it go."""

    def is_kernel_driver_active(self, dev_handle: SimDevice, intf: int) -> bool:
        """Say that no kernel driver is in the way."""
        dev_handle.present()
        return False

    def bulk_write(self, dev_handle: SimDevice, ep: int, intf: int, data: Any, timeout: int) -> int:
        """Send a command to the camera."""
        return dev_handle.write(bytes(data))

    def bulk_read(self, dev_handle: SimDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Receive from the camera."""
        return dev_handle.read(memoryview(buff).cast("B"), timeout)

    def intr_read(self, dev_handle: SimDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Wait for an event."""
        return fill_answer(buff, dev_handle.event(timeout))

    def ctrl_transfer(
        self,
        dev_handle: SimDevice,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: Any,
        timeout: int,
    ) -> int:
        """Pass a control transfer on."""
        return dev_handle.control(bmRequestType, bRequest, wValue, data)

    def clear_halt(self, dev_handle: SimDevice, ep: int) -> None:
        """Clear a halt."""
        dev_handle.clear_halt()

    def reset_device(self, dev_handle: SimDevice) -> None:
        """Reset the device."""
        dev_handle.reset()
