"""Coarse boxes of Vietnam, to tell a position that can't be from one that may be.

The boxes are generous (they reach into neighbours): being inside proves nothing, being outside asks for a second look.
Source: DOMAIN notes of the project (mainland 8.0-23.5 N, 102.0-110.0 E); the wider box takes in Hoàng Sa and Trường Sa.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A box in degrees of WGS 84, edges included."""

    south: float
    north: float
    west: float
    east: float

    def holds(self, lat: float, lon: float) -> bool:
        """Tell whether a position lies in the box."""
        return self.south <= lat <= self.north and self.west <= lon <= self.east


WITH_ISLANDS = Box(6.0, 23.5, 102.0, 118.0)


def in_vietnam(lat: float, lon: float) -> bool:
    """Tell whether a position lies in the wide box of Vietnam with its islands."""
    return WITH_ISLANDS.holds(lat, lon)
