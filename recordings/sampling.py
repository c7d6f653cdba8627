"""Which calls of a week are to be graded, and by whom. Pure.

Random, and yet the same for everybody who draws again: each call gets a lot, the SHA-256 of the plan's seed, the week,
the agent and the call, and the n smallest lots of an agent are drawn. So a draw does not hang on the order of the
calls, on a library's random numbers or on what else happened; who knows the seed can check it with ``sha256sum``, and
nobody can wish a call in or out of it.

A draw can be repeated at any time. What a plan has drawn for a week stays drawn and counts towards its n; only what is
missing is added: calls that came later, or that have just been given a record. No call comes twice onto one list.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from config.review_file import Plan

Rule = Literal["random", "queue", "subject", "rating", "silence", "double"]
"""Why a call was drawn; ``double``: it is on another list too, and is graded twice to compare the graders."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that could be graded: ``agents`` talked with the caller, ``seconds`` in all; ``silence``: the longest;
    ``badly_rated``: the agent whose talk the caller rated badly, empty where they did not."""

    call_id: str
    agents: tuple[str, ...]
    seconds: float
    queue: str = ""
    subject: str = ""
    silence: float = 0.0
    badly_rated: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """A call on a grader's list; it was drawn for ``agent``."""

    call_id: str
    agent: str
    grader: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a draw adds, and the calls for which there is no grader (each only has graders who talked in it)."""

    picks: tuple[Pick, ...]
    nobody: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graders:
    """Who grades: their names, and the staff number of those who answer calls themselves."""

    names: Sequence[str]
    bound: Mapping[str, str] = field(default_factory=dict)

    def may(self, grader: str, agents: Iterable[str]) -> bool:
        """Whether this grader may grade a call in which these agents talked: nobody grades their own."""
        own = self.bound.get(grader, "")
        return not own or own not in set(agents)

    def none_for(self, call: Candidate) -> bool:
        """Whether nobody may grade this call."""
        return not any(self.may(name, call.agents) for name in self.names)


def week_of(at: dt.datetime, zone: ZoneInfo) -> str:
    """The week as ISO 8601 names it: ``2026-W48``; Monday is its first day."""
    year, week, _day = at.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


def span_of(week: str, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The week's Monday and the next one, at midnight. Raises ValueError for what names no week."""
    monday = dt.date.fromisocalendar(*_numbers(week), 1)
    begins, ends = (dt.datetime.combine(day, dt.time(), zone) for day in (monday, monday + dt.timedelta(days=7)))
    return begins, ends


def _numbers(week: str) -> tuple[int, int]:
    """The year and the number of a week. Raises ValueError."""
    year, dash, number = week.upper().partition("-W")
    if not dash or not (year.isdecimal() and number.isdecimal()):
        raise ValueError(week)
    return int(year), int(number)


def weeks_after(last: str, until: str, most: int) -> list[str]:
    """The weeks after ``last`` up to ``until``, of more than ``most`` the latest; ``until`` alone where ``last`` names
    no week, or no earlier one."""
    found = [until]
    with contextlib.suppress(ValueError):
        year, week = _numbers(until)
        monday, first = dt.date.fromisocalendar(year, week, 1), dt.date.fromisocalendar(*_numbers(last), 1)
        while len(found) < most and (monday := monday - dt.timedelta(days=7)) > first:
            year, week, _day = monday.isocalendar()
            found.insert(0, f"{year}-W{week:02}")
    return found


def draw(
    plan: Plan, week: str, candidates: Iterable[Candidate], drawn: Sequence[Pick], graders: Graders
) -> Drawing:
    """What the plan adds to the lists for this week; ``drawn`` is all that it has drawn for it before."""
    by_lot = sorted(candidates, key=lambda call: lot(plan.seed, week, "", call.call_id))
    had = {pick.call_id for pick in drawn}
    chosen = {call.call_id: (agent, rule) for call, agent, rule in _chosen(plan, week, by_lot, drawn, graders)}
    load = Counter({name: 0 for name in graders.names}) + Counter(pick.grader for pick in drawn)
    picks: list[Pick] = []
    nobody: list[str] = []
    for call in by_lot:
        if call.call_id in had or call.call_id not in chosen:
            continue
        agent, rule = chosen[call.call_id]
        able = [name for name in graders.names if graders.may(name, call.agents)]
        if not able:
            nobody.append(call.call_id)
            continue
        twice = lot(plan.seed, week, "double", call.call_id) % 100 < plan.double
        able.sort(key=lambda name: (load[name], lot(plan.seed, week, name, call.call_id)))
        for place, name in enumerate(able[: 2 if twice else 1]):
            picks.append(Pick(call.call_id, agent, name, "double" if place else rule))
            load[name] += 1
    return Drawing(tuple(picks), tuple(sorted(nobody)))


def _chosen(
    plan: Plan, week: str, by_lot: Sequence[Candidate], drawn: Sequence[Pick], graders: Graders
) -> Iterable[tuple[Candidate, str, Rule]]:
    """The calls that the plan wants, each once: first those that a rule takes whole, then the random ones."""
    had = {pick.call_id for pick in drawn}
    taken = set[str]()
    for call in by_lot:
        rule = _whole(plan, call)
        if rule and call.agents:
            taken.add(call.call_id)
            yield call, call.badly_rated if rule == "rating" else call.agents[0], rule
    left = Counter({agent: plan.per_agent for call in by_lot for agent in call.agents})
    left.subtract(Counter(pick.agent for pick in drawn if pick.rule == "random"))
    calls: dict[str, list[Candidate]] = {}
    for call in by_lot:
        if call.seconds >= plan.shortest:
            for agent in dict.fromkeys(call.agents):
                calls.setdefault(agent, []).append(call)
    for agent in sorted(left):
        own = calls.get(agent, [])
        own.sort(key=lambda call: lot(plan.seed, week, agent, call.call_id))
        for call in sorted(own, key=graders.none_for):  # those that nobody may grade come last
            if left[agent] <= 0:
                break
            if call.call_id in had or call.call_id in taken:
                continue
            taken.add(call.call_id)
            left[agent] -= 1
            yield call, agent, "random"


def _whole(plan: Plan, call: Candidate) -> Rule | None:
    """The rule that takes every such call, if one does."""
    if call.queue and call.queue in plan.all_of_queues:
        return "queue"
    if any(call.subject == subject or call.subject.startswith(f"{subject}/") for subject in plan.all_of_subjects):
        return "subject"
    if plan.bad_ratings and call.badly_rated:
        return "rating"
    if plan.silence is not None and call.silence >= plan.silence > 0:
        return "silence"
    return None


def lot(seed: str, week: str, whose: str, call_id: str) -> int:
    """The call's lot: the SHA-256 of the four, with line feeds between, as a number."""
    return int(hashlib.sha256("\n".join((seed, week, whose, call_id)).encode()).hexdigest(), 16)
