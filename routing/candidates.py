"""Who could take a shift: real people with the skill, free and rested then. For suggestions. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from config.roster_file import DAY
from routing.answering import HOUR, answering
from routing.counts import clipped, total, union, without
from routing.proof import Proof


def shifts_for(proof: Proof, begins: int, ends: int) -> list[tuple[str, dt.date]]:
    """The shifts of the first line, and their dates, in which calls are answered at the beginning of [begins, ends)
    (µs): those first that cover most of it, of equals the shortest."""
    first = proof.local(begins).date()
    found: list[tuple[int, int, str, dt.date]] = []
    for number in range(-3, 1):
        date = first + number * DAY
        for name, shift in proof.settings.roster.shifts.items():
            one, other = proof.wall(name, date)
            if shift.backup or not one <= begins < other:
                continue
            resting = [(proof.at(start), proof.at(end)) for start, end in shift.wall_breaks(date)]
            filled = clipped(without([(one, other)], union(resting)), begins, ends)
            if filled and filled[0][0] == begins:
                found.append((-total(filled), other - one, name, date))
    return [(name, date) for _filled, _length, name, date in sorted(found)]


def candidates(proof: Proof, shift: str, date: dt.date, skills: Mapping[str, int]) -> list[str]:
    """Agents who could work this shift as well, those with the fewest hours in its week first.

    They have each of ``skills`` at that level on the day, are not on leave, and have no shift (nor stand by) so near
    that their rest would be too short; shifts may not touch.
    """
    limits = proof.settings.roster.limits
    begins, ends = proof.wall(shift, date)
    rest = max(1, round(limits.rest * HOUR))
    away = {agent for day in (date, proof.local(ends - 1).date()) for agent in proof.absences(day)}
    names = set(proof.settings.roster.shifts[shift].ring)
    found: list[tuple[bool, int, str]] = []
    for agent, about in proof.settings.agents.agents.items():
        has = about.skills_at(date)
        if agent in away or any(has.get(skill, 0) < level for skill, level in skills.items()):
            continue
        if names and names.isdisjoint(device.named for device in about.devices):
            continue
        spans = proof.spans.get(agent, [])
        near = [one for one in spans if one.begins < ends + rest and begins - rest < one.ends]
        if any(not one.backup or (one.begins < ends and begins < one.ends) for one in near):
            continue
        monday = date - date.weekday() * DAY
        week = [one for one in spans if not one.backup and monday <= one.date < monday + 7 * DAY]
        hours = total(union(part for one in week for part in answering(one)))
        found.append((hours + ends - begins > limits.week * HOUR, hours, agent))
    return [agent for _too_many, _hours, agent in sorted(found)]
