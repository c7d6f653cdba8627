"""The roster's speed: 1,000 agents in 40 teams over a year, compiled; and then its answers."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from config.settings import RosterFile
from routing.roster import Roster

ZONE = ZoneInfo("Asia/Shanghai")
BEGINS = dt.datetime(2026, 1, 1, tzinfo=ZONE)
TEAMS = 40


@dataclass(frozen=True, slots=True)
class RosterSpeed:
    """``compiled``: seconds for all ``shifts`` and every answer of the year. ``answer`` and ``answer_p99``: seconds of
    CPU for one answer, of the slowest kind: on duty, for the desk, next change, next on duty."""

    agents: int
    shifts: int
    compiled: float
    answer: float
    answer_p99: float


def rosters(agents: int = 1_000, days: int = 365, questions: int = 2_000) -> RosterSpeed:
    """Compile and ask, all on one core."""
    dice = random.Random(1)
    file = stated(agents, days, dice)
    ends = BEGINS + dt.timedelta(days=days)
    began = time.process_time()
    roster = Roster.compile(file, ZONE)
    roster.prepare(BEGINS, ends)
    compiled = time.process_time() - began
    instants = [BEGINS + dt.timedelta(seconds=dice.randrange(days * 86_400)) for _ in range(questions)]
    kinds: tuple[Callable[[dt.datetime], object], ...] = (
        roster.on_duty, roster.begun, roster.lines, roster.next_change, roster.next_on_duty,
    )  # fmt: skip
    took = [sorted(_each(ask, instants)) for ask in kinds]
    slowest = max(took, key=lambda one: one[len(one) // 2])
    p99 = max(one[round(0.99 * (len(one) - 1))] for one in took)
    return RosterSpeed(agents, len(roster.spans(BEGINS, ends)), compiled, slowest[len(slowest) // 2], p99)


def _each(ask: Callable[[dt.datetime], object], instants: list[dt.datetime]) -> list[float]:
    """Seconds of CPU of each answer."""
    took = []
    for at in instants:
        began = time.thread_time()
        ask(at)
        took.append(time.thread_time() - began)
    return took


def stated(agents: int, days: int, dice: random.Random) -> RosterFile:
    """四班三运转 in many teams, with breaks, people on leave every day, and covers."""
    numbers = [f"{10_000 + number}" for number in range(agents)]
    dates = [BEGINS.date() + dt.timedelta(days=number) for number in range(days)]
    names = [f"team {number}" for number in range(min(TEAMS, agents))]
    return RosterFile.model_validate({
        "shifts": {
            "early": {"from": "06:00", "to": "14:00", "breaks": [{"from": "10:00", "to": "10:15"}]},
            "late": {"from": "14:00", "to": "22:00", "breaks": [{"from": "18:00", "to": "18:30"}]},
            "night": {"from": "22:00", "to": "06:00"},
        },
        "teams": {name: numbers[place :: len(names)] for place, name in enumerate(names)},
        "rotations": {"r": {
            "start": BEGINS.date(), "cycle": ["early", "early", "late", "late", "night", "night", "off", "off"],
            "teams": {name: place % 8 + 1 for place, name in enumerate(names)},
        }},
        "changes": [
            {"leave": "annual", "agent": one, "cover": other, "from": date, "to": date + dt.timedelta(days=2)}
            for date in dates for one, other in (dice.sample(numbers, 2) for _ in range(min(5, agents // 2)))
        ],
    })  # fmt: skip
