"""Rosters for the proof, as an operator writes them, over a span that stays the same whatever day it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from config import catalogue
from config.load import load_settings
from config.problems import Problem
from config.settings import AgentFile, QueueFile, RosterFile, Settings
from routing.check import Proven, prove

EXAMPLE = load_settings(Path(__file__).parents[2] / "config")
NOW = dt.datetime(2027, 1, 18, 0, 0, tzinfo=EXAMPLE.hotline.zone)
"""A Monday; no day off is near, and the Spring Festival within three weeks."""

SHIFTS: dict[str, Any] = {
    "早班": {"from": "06:00", "to": "14:00"},
    "中班": {"from": "14:00", "to": "22:00"},
    "夜班": {"from": "22:00", "to": "06:00"},
    "夜备": {"from": "22:00", "to": "06:00", "backup": True},
    "全天": {"from": "00:00", "to": "00:00"},
    "手机": {"from": "22:00", "to": "06:00", "ring": ["mobile"]},
    "行政": {"from": "09:00", "to": "18:00", "breaks": [{"from": "12:00", "to": "13:00"}]},
}
ROUND: list[dict[str, Any]] = [
    {"shift": "早班", "agents": ["8001"]},
    {"shift": "中班", "agents": ["8002"]},
    {"shift": "夜班", "agents": ["8003"]},
]
"""One of each at every hour."""

NO_LIMITS = {"rest": 0, "week": 168, "days_in_a_row": 366}


def settings_of(
    rules: list[dict[str, Any]] | None = None, *, agents: dict[str, dict[str, Any]] | None = None,
    queues: dict[str, dict[str, Any]] | None = None, limits: dict[str, Any] | None = None, **roster: Any,
) -> Settings:  # fmt: skip
    """Six agents 8001 to 8006 with the one skill; ``agents`` and ``queues`` say more of some, or others."""
    people: dict[str, dict[str, Any]] = {
        str(number): {"name": f"人{number % 10}", "skills": ["inquiry"], "devices": [{"sip": str(number)}]}
        for number in range(8001, 8007)
    }
    for number, about in (agents or {}).items():
        people[number] = people.get(number, {"name": number, "devices": [{"sip": number}]}) | about
    lines = {name: {"label": name, "skill": name, **about} for name, about in (queues or {"inquiry": {}}).items()}
    return Settings(
        hotline=EXAMPLE.hotline, menu=EXAMPLE.menu, prompts=EXAMPLE.prompts,
        queues=QueueFile.model_validate({"queues": lines}),
        agents=AgentFile.model_validate({"agents": people}),
        roster=RosterFile.model_validate({"shifts": SHIFTS, "rules": ROUND if rules is None else rules,
                                          "limits": NO_LIMITS | (limits or {}), **roster}),
    )  # fmt: skip


def proven(settings: Settings, *, days: int = 28, before: Settings | None = None, now: dt.datetime = NOW) -> Proven:
    """The proof, in English."""
    chosen = catalogue._chosen
    catalogue.set_language("en")
    try:
        return prove(settings, now, days=days, before=before)
    finally:
        catalogue._chosen = chosen


def problems(rules: list[dict[str, Any]] | None = None, *, days: int = 28, **said: Any) -> list[Problem]:
    return proven(settings_of(rules, **said), days=days).problems


def codes(found: list[Problem]) -> list[tuple[str, str]]:
    return [(one.code, one.place.key) for one in found]


def one_of(found: list[Problem], code: str) -> Problem:
    """The only problem with this code."""
    (one,) = [each for each in found if each.code == code]
    return one
