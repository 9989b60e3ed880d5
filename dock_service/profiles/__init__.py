"""Camera profiles: what a model of camera is known by, how its files are named, and what its times mean.

A profile is data, a TOML file in `config/cameras/` or in a site's own folder; docs/cameras.md says how to write one.
"""

from dock_service.profiles.gaps import Gap, GapKind, gaps, silences
from dock_service.profiles.loading import load_profiles, profiles_of, read_profile
from dock_service.profiles.matching import Match, Profiles
from dock_service.profiles.notes import Disagreement, other_cameras, other_officers
from dock_service.profiles.profile import Profile
from dock_service.profiles.said import FileName

__all__ = [
    "Disagreement",
    "FileName",
    "Gap",
    "GapKind",
    "Match",
    "Profile",
    "Profiles",
    "gaps",
    "load_profiles",
    "other_cameras",
    "other_officers",
    "profiles_of",
    "read_profile",
    "silences",
]
