"""交接班: which shift is handed over at an instant, who goes and who comes. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from routing.roster import Duty, Roster

JUST_NOW = dt.timedelta(hours=1)
"""For so long after a shift has ended one still hands it over; then it is the next to end."""

FAR = dt.timedelta(days=4)
"""How far an end of a shift is looked for: the longest shift has three days."""


@dataclass(frozen=True, slots=True)
class Handover:
    """At ``at`` ``going`` end, ``coming`` begin, and ``staying`` go on. ``since``: when the shift began that is handed
    over."""

    at: dt.datetime
    since: dt.datetime
    going: tuple[Duty, ...]
    coming: tuple[Duty, ...]
    staying: tuple[Duty, ...]


def handover(roster: Roster, asked: dt.datetime) -> Handover | None:
    """The shift's end that was less than an hour before ``asked``, else the next after it; None where there is none for
    days. ``asked`` must be aware, ValueError else."""
    spans = roster.spans(asked - FAR, asked + FAR)
    ends = {_utc(one.ends) for one in spans}
    now = asked.astimezone(dt.UTC)
    recent = [end for end in ends if now - JUST_NOW <= end <= now]
    later = [end for end in ends if end > now]
    if not recent and not later:
        return None
    at = max(recent) if recent else min(later)
    going = tuple(one for one in spans if _utc(one.ends) == at)
    coming = tuple(one for one in spans if _utc(one.begins) == at)
    staying = tuple(one for one in spans if _utc(one.begins) < at < _utc(one.ends))
    first_line = [one for one in going if not one.backup] or going
    since = min(_utc(one.begins) for one in first_line)
    return Handover(at.astimezone(roster.zone), since.astimezone(roster.zone), going, coming, staying)


def _utc(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC)
