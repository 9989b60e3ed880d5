"""A virtual camera: a PTP responder behind an in-process pyusb backend, and the recordings it carries."""
