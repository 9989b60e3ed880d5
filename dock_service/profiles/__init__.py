"""Camera profiles: what a model of camera is known by, how its files are named, and what its times mean.

A profile is data, a TOML file in `config/cameras/` or in a site's own folder; docs/cameras.md says how to write one.
"""

from dock_service.profiles.loading import load_profiles, profiles_of, read_profile
from dock_service.profiles.matching import Match, Profiles
from dock_service.profiles.profile import Profile
from dock_service.profiles.said import FileName

__all__ = ["FileName", "Match", "Profile", "Profiles", "load_profiles", "profiles_of", "read_profile"]
