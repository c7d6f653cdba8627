"""Which line of roster.yaml puts a person on a shift: for the place that a problem names. Pure."""

from __future__ import annotations

import datetime as dt

from config.settings import RosterFile
from routing.findings import Path
from routing.needs import applies
from routing.proof import Proof
from routing.spans import Span


def source(proof: Proof, agent: str, span: Span) -> Path:
    """The change if there is one, else the rule or the rotation; ("shifts",) where none is found."""
    file, date = proof.settings.roster, span.date
    for index in reversed(range(len(file.changes))):
        if _brings(file, index, agent, span.shift, date):
            return ("changes", index)
    teams = _teams(file, agent, date)
    for index, rule in enumerate(file.rules):
        if (
            rule.shift == span.shift
            and (agent in rule.agents or not teams.isdisjoint(rule.teams))
            and (rule.since is None or rule.since <= date)
            and (rule.until is None or date <= rule.until)
            and applies(rule, proof.calendar, date)
        ):
            return ("rules", index)
    for name, rotation in file.rotations.items():
        follows = agent in rotation.agents or not teams.isdisjoint(rotation.teams)
        if follows and any(span.shift in day for day in rotation.cycle):
            return ("rotations", name)
    return ("shifts",)


def _brings(file: RosterFile, index: int, agent: str, shift: str, date: dt.date) -> bool:
    """Whether this change puts the agent on the shift."""
    change = file.changes[index]
    if change.swap is not None:
        return agent in change.swap and any(day == date for other, day in change.swap.items() if other != agent)
    days = change.days
    if days is None or not days[0] <= date <= days[1]:
        return False
    if change.leave is not None:
        return change.cover == agent
    if change.agent != agent:
        return False
    return change.extra == shift or (change.shifts is not None and shift in change.shifts)


def _teams(file: RosterFile, agent: str, date: dt.date) -> set[str]:
    """The teams that the agent follows then, for a while or always."""
    found = {
        name
        for name, members in file.teams.items()
        if any(member.agent == agent and member.holds(date) for member in members)
    }
    for change in file.changes:
        days = change.days
        if change.team is not None and change.agent == agent and days is not None and days[0] <= date <= days[1]:
            found = {change.team}
    return found
