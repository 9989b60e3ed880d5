"""The dock's commands: `bodycam usb` and `bodycam offload`."""
