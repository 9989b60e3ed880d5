"""The list of public blueprints, and which of them take no form token (uploads)."""

from flask import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
