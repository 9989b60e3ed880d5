"""Brings recordings in over USB: bus, cameras, offload, station, and a simulated camera to try it all without hardware."""
