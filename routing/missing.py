"""Who is missing in a gap, and why: on leave, swapped, taken off, on a break, without the skill. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, NamedTuple

from config.catalogue import ngettext
from config.leave_words import leave_word
from config.roster_file import DAY
from config.settings import Agent
from routing.answering import HOUR
from routing.findings import Path
from routing.pattern import LONGEST, Absence
from routing.proof import Proof
from routing.spans import Span

LONGEST_LOOK = 24 * HOUR
"""µs of a gap that are looked at: who is missing in its first day explains it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """People who are missing for one reason; ``cause`` is the place of the last change that takes one of them away:
    the newest line of the file, mostly."""

    agents: tuple[str, ...]
    why: str
    cause: Path | None = None


def missing_of(proof: Proof, skill: str, level: int, begins: int, ends: int) -> list[Missing]:
    """Who would answer in [begins, ends) (µs) if something were not; each once, changes first."""
    ends = min(ends, begins + LONGEST_LOOK)
    seen: set[str] = set()
    found: dict[_Reason, list[str]] = {}
    causes: dict[_Reason, Path] = {}
    looks = _taken_away(proof, skill, level, begins, ends), _here(proof, skill, level, begins, ends)
    for agent, reason, cause in chain.from_iterable(looks):
        if agent not in seen:
            seen.add(agent)
            found.setdefault(reason, []).append(agent)
            causes[reason] = max(causes.get(reason, ()), cause or ())
    return [
        Missing(tuple(who), one.words(len(who)).format(who=proof.people(who), what=one.what), causes[one] or None)
        for one, who in found.items()
    ]


class _Reason(NamedTuple):
    """Why somebody does not answer; ``what`` belongs to it."""

    kind: Literal["leave", "swap", "off", "break", "lapsed", "later", "level"]
    what: str = ""

    def words(self, n: int) -> str:
        """The sentence of so many people, with {who} and {what}."""
        match self.kind:
            case "leave":
                return ngettext("{who} is on leave ({what})", "{who} are on leave ({what})", n)
            case "swap":
                return ngettext("{who} has swapped with {what}", "{who} have swapped with {what}", n)
            case "off":
                return ngettext("{who} is taken off by a change", "{who} are taken off by changes", n)
            case "break":
                return ngettext("{who} is on a break", "{who} are on a break", n)
            case "lapsed":
                return ngettext("the skill of {who} ended on {what}", "the skills of {who} ended on {what}", n)
            case "later":
                return ngettext("{who} has the skill only later", "{who} have the skill only later", n)
            case "level":
                return ngettext("{who} has level {what} only", "{who} have level {what} only", n)


def _taken_away(
    proof: Proof, skill: str, level: int, begins: int, ends: int
) -> Iterator[tuple[str, _Reason, Path | None]]:
    """Those whom the pattern plans, and a change takes off."""
    shifts = proof.settings.roster.shifts
    date, last = proof.local(begins).date() - 3 * DAY, proof.local(ends - 1).date()
    while date <= last:
        walls = {name: proof.wall(name, date) for name, shift in shifts.items() if not shift.backup}
        on = {name for name, (one, other) in walls.items() if one < ends and begins < other}
        for agent, planned in proof.pattern.pattern_only(date).items() if on else ():
            about = proof.settings.agents.agents.get(agent)
            if about is None or on.isdisjoint(planned) or about.skills_at(date).get(skill, 0) < level:
                continue
            spans = proof.spans.get(agent, ())
            if not any(one.begins < ends and begins < one.ends and not one.backup for one in spans):
                yield agent, *_changed(proof, agent, date, begins, ends)
        date += DAY


def _changed(proof: Proof, agent: str, date: dt.date, begins: int, ends: int) -> tuple[_Reason, Path | None]:
    for absence in _absences(proof, agent, date, begins, ends):
        return _Reason("leave", leave_word(absence.leave)), ("changes", absence.change)
    for index, change in reversed(list(enumerate(proof.settings.roster.changes))):
        if change.swap is not None and change.swap.get(agent) == date:
            others = [other for other in change.swap if other != agent]
            return _Reason("swap", proof.people(others)), ("changes", index)
        first, last = change.days or (dt.date.max, dt.date.min)
        if change.agent == agent and first <= date <= last and change.kind in ("shifts", "team"):
            return _Reason("off"), ("changes", index)
    return _Reason("off"), None


def _absences(proof: Proof, agent: str, date: dt.date, begins: int, ends: int) -> Iterator[Absence]:
    """The leave that takes a shift of this date away in [begins, ends): hours of it may lie on a later date."""
    for day in (date + number * DAY for number in range(LONGEST + 1)):
        for absence in proof.absences(day).get(agent, ()):
            times = absence.times
            if day == date if times is None else proof.at(times[0]) < ends and begins < proof.at(times[1]):
                yield absence


def _here(proof: Proof, skill: str, level: int, begins: int, ends: int) -> Iterator[tuple[str, _Reason, Path | None]]:
    """Those on duty in the first line who do not count: on a break, or without the skill then."""
    for agent, spans in proof.spans.items():
        about = proof.settings.agents.agents.get(agent)
        if about is None or skill not in about.skill_names:
            continue
        for span in spans:
            if not span.backup and span.begins < ends and begins < span.ends:
                reason = _why_not(proof, about, span, skill, level, begins, ends)
                if reason is not None:
                    yield agent, reason, None


def _why_not(
    proof: Proof, about: Agent, span: Span, skill: str, level: int, begins: int, ends: int
) -> _Reason | None:
    date = proof.local(max(begins, span.begins)).date()
    has = about.skills_at(date).get(skill, 0)
    lapsed = [one.until for one in about.skills if one.skill == skill and one.until is not None and one.until < date]
    if not has:
        return _Reason("lapsed", str(max(lapsed))) if lapsed else _Reason("later")
    if has < level:
        return _Reason("level", str(has))
    if any(one <= begins and ends <= other for one, other in span.breaks):
        return _Reason("break")
    return None
