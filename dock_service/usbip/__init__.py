"""USB/IP: cameras that hang on another machine, as a pyusb backend."""

from dock_service.usbip.backend import UsbIpBackend as UsbIpBackend
