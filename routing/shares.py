"""How evenly duty is shared: hours, nights, weekends and holidays of each person. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.roster_file import DAY
from routing.answering import HOUR, answering
from routing.calendar import DayKind
from routing.counts import Interval, common, total, union
from routing.proof import Proof
from routing.spans import Span

NIGHT_LEAST = 3 * HOUR
"""µs between ``limits.night.from`` and ``to`` that make a shift a night (Directive 2003/88/EC, art. 2(4))."""

HOLIDAYS: frozenset[DayKind] = frozenset({"festival", "holiday"})


@dataclass(frozen=True, slots=True)
class Share:
    """What one person does: ``hours`` and ``backup`` (standing by) in hours without breaks, and how many ``shifts``,
    ``nights``, Saturdays and Sundays (``weekends``) and days of official holidays (``holidays``) they begin one on."""

    agent: str
    hours: float
    shifts: int
    nights: int
    weekends: int
    holidays: int
    backup: float


    def figures(self) -> dict[str, float]:
        """All of them by name."""
        return {
            "hours": self.hours, "shifts": self.shifts, "nights": self.nights, "weekends": self.weekends,
            "holidays": self.holidays, "backup": self.backup,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over all who have any duty: the least, the mean and the most."""

    least: float
    mean: float
    most: float


def shares(
    spans: Mapping[str, Sequence[Span]], nights: Sequence[Interval], kind: Callable[[dt.date], DayKind]
) -> list[Share]:
    """One of each agent in ``spans``, by staff number; ``nights`` in order, in µs since 1970 UTC like the spans."""
    known: dict[Span, bool] = {}

    def is_night(span: Span) -> bool:  # many share one span
        if span not in known:
            known[span] = total(common(answering(span), nights)) >= NIGHT_LEAST
        return known[span]

    return [_share(agent, theirs, is_night, kind) for agent, theirs in sorted(spans.items())]


def spreads(shares: Iterable[Share]) -> dict[str, Spread]:
    """By figure; empty where nobody has any duty."""
    figures = [share.figures() for share in shares if share.shifts or share.backup]
    return {
        key: Spread(min(values), sum(values) / len(values), max(values))
        for key in (figures[0] if figures else ())
        for values in [[each[key] for each in figures]]
    }


def nights(proof: Proof) -> list[Interval]:
    """The nights of the proof's span, by ``limits.night``, and of the days around it; in order."""
    night, found = proof.settings.roster.limits.night, list[Interval]()
    date, last = proof.today - DAY, proof.local(proof.last).date() + DAY
    while date <= last:
        begins, ends = dt.datetime.combine(date, night.start), dt.datetime.combine(date, night.end)
        found.append((proof.at(begins), proof.at(ends if ends > begins else ends + DAY)))
        date += DAY
    return union(found)


def _share(
    agent: str, spans: Sequence[Span], is_night: Callable[[Span], bool], kind: Callable[[dt.date], DayKind]
) -> Share:
    first = [span for span in spans if not span.backup]
    dates = {span.date for span in first}
    return Share(
        agent=agent,
        hours=total(union(part for span in first for part in answering(span))) / HOUR,
        shifts=len({(span.shift, span.date) for span in first}),
        nights=len({(span.shift, span.date) for span in first if is_night(span)}),
        weekends=sum(date.weekday() >= 5 for date in dates),
        holidays=sum(kind(date) in HOLIDAYS for date in dates),
        backup=total(union(part for span in spans if span.backup for part in answering(span))) / HOUR,
    )
