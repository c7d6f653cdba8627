"""How many can answer each queue at every instant, against how many are asked for. Pure.

Who is on duty in the first line with a queue's skill counts once, however many of their shifts overlap; on a break they
do not count. Who is on duty as a backup only, is counted apart. µs since 1970 UTC inside, instants (UTC) outside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from config.roster_file import DAY
from config.settings import Agent, Settings
from routing.answering import answering, instant_of
from routing.counts import Interval, Tally, clipped, common, together, union, without
from routing.needs import Need, needs
from routing.roster import Roster
from routing.spans import Span, instant, microseconds

Profile = tuple[tuple[str, int, dt.date | None, dt.date | None], ...]
"""The skills of an agent: name, level, first and last day."""


@dataclass(frozen=True, slots=True)
class Cover:
    """As long as no number changes: who can answer calls of this queue with at least this level of its skill.

    ``need``: fewer is an error; ``want``: fewer is a warning; both 0 while the queue is not ``open``. ``line`` is the
    index of the requirement, -1 for the one that every queue begins with. ``begins`` and ``ends`` are UTC.
    """

    queue: str
    level: int
    begins: dt.datetime
    ends: dt.datetime
    have: int
    backup: int
    need: int
    want: int
    open: bool = True
    line: int = -1

    @property
    def short(self) -> bool:
        """Whether somebody is missing, by the number that is an error or by the one that is a warning."""
        return self.have < self.want

    @property
    def refuses(self) -> bool:
        """Whether that is an error: fewer than needed, and no backups who make up for it."""
        return self.have + self.backup < self.need


@dataclass(frozen=True, slots=True)
class Gap:
    """Somebody is missing for as long as equally many are. ``asked`` is the number that is not reached."""

    queue: str
    level: int
    begins: dt.datetime
    ends: dt.datetime
    have: int
    backup: int
    asked: int
    refuses: bool
    line: int = -1


def coverage(
    settings: Settings, roster: Roster, begins: dt.datetime, ends: dt.datetime, *,
    spans: Mapping[str, list[Span]] | None = None,
) -> list[Cover]:  # fmt: skip
    """Every queue and level of the settings over [begins, ends), by queue, level and time. ValueError: not aware.

    ``spans``: those of the roster over at least that span, where they are at hand.
    """
    asked = needs(settings, roster.calendar, begins, ends)
    first, last = microseconds(begins), microseconds(ends)
    spans = roster.by_agent(begins, ends) if spans is None else spans
    able = _able(settings, spans, {_asks(settings, *one) for one in asked}, first, last)
    found: list[Cover] = []
    for (queue, level), lines in asked.items():
        found += _covers(queue, level, lines, *able[_asks(settings, queue, level)], first, last)
    return found


def gaps(covers: Iterable[Cover]) -> list[Gap]:
    """Where somebody is missing; neighbours in which equally many are, are one."""
    found: list[Gap] = []
    for cover in covers:
        if not cover.short:
            continue
        asked = cover.need if cover.have < cover.need else cover.want
        gap = Gap(cover.queue, cover.level, cover.begins, cover.ends, cover.have, cover.backup, asked, cover.refuses,
                  cover.line)  # fmt: skip
        if found and _same(found[-1], gap):
            gap = found.pop()
            gap = Gap(gap.queue, gap.level, gap.begins, cover.ends, gap.have, min(gap.backup, cover.backup), gap.asked,
                      gap.refuses, gap.line)  # fmt: skip
        found.append(gap)
    return found


def worse(now: Iterable[Gap], before: Iterable[Gap]) -> Iterator[tuple[Gap, bool]]:
    """Each gap of now, cut where that changes, and whether more are missing in it than there were before.

    Only what is an error now is compared, and with errors: a gap that backups have filled so far is a new one when they
    are gone.
    """
    known: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for gap in before:
        if gap.refuses:
            span = microseconds(gap.begins), microseconds(gap.ends), gap.asked - gap.have
            known.setdefault((gap.queue, gap.level), []).append(span)
    for gap in now:
        here = (microseconds(gap.begins), microseconds(gap.ends))
        old = union(
            (begins, ends)
            for begins, ends, missing in known.get((gap.queue, gap.level), ())
            if gap.refuses and missing >= gap.asked - gap.have
        )
        pieces = [(*span, True) for span in without([here], old)] + [(*span, False) for span in common([here], old)]
        for begins, ends, new in sorted(pieces):
            yield (
                Gap(gap.queue, gap.level, instant_of(begins), instant_of(ends), gap.have, gap.backup, gap.asked,
                    gap.refuses, gap.line),
                new,
            )  # fmt: skip


def share_covered(covers: Iterable[Cover]) -> float:
    """The share of the time asked for, over all queues and levels, in which nobody needed is missing; 1 of nothing."""
    asked = covered = dt.timedelta()
    for cover in covers:
        if cover.need:
            asked += cover.ends - cover.begins
            covered += cover.ends - cover.begins if cover.have >= cover.need else dt.timedelta()
    return covered / asked if asked else 1.0


def present(spans: Iterable[Span]) -> tuple[list[Interval], list[Interval]]:
    """When one agent answers in the first line, and when as a backup only; without their breaks, in order."""
    first: list[Interval] = []
    backup: list[Interval] = []
    for span in spans:
        (backup if span.backup else first).extend(answering(span))
    firsts = union(first)
    return firsts, without(union(backup), firsts) if backup else []


def _same(one: Gap, other: Gap) -> bool:
    return (one.queue, one.level, one.ends, one.have, one.asked, one.refuses) == (
        other.queue, other.level, other.begins, other.have, other.asked, other.refuses,
    )  # fmt: skip


def _asks(settings: Settings, queue: str, level: int) -> tuple[str, int]:
    return settings.queues.queues[queue].skill, level


def _able(
    settings: Settings, spans: Mapping[str, list[Span]], asked: set[tuple[str, int]], begins: int, ends: int
) -> dict[tuple[str, int], tuple[Tally, Tally]]:
    """For each skill and level that is asked for, how many are there in the first line and as backups only."""
    profiles: dict[Profile, tuple[Tally, Tally]] = {}
    for agent, theirs in spans.items():
        about = settings.agents.agents.get(agent)
        if about is None:
            continue
        tallies = profiles.setdefault(_profile(about), (Tally(), Tally()))
        for tally, there in zip(tallies, present(theirs), strict=True):
            tally.add(there)
    found = {one: (Tally(), Tally()) for one in asked}
    for profile, tallies in profiles.items():
        for (skill, level), sums in found.items():
            when = _held(profile, skill, level, settings.hotline.zone, begins, ends)
            for tally, counted in zip(sums, tallies, strict=True):
                if when == [(begins, ends)]:
                    tally.add_all(counted)
                    continue
                for span in when:
                    for one, other, many in counted.steps(*span):
                        tally.add([(one, other)], many)
    return found


def _profile(agent: Agent) -> Profile:
    return tuple((one.skill, one.level, one.since, one.until) for one in agent.skills)


def _held(profile: Profile, skill: str, level: int, zone: ZoneInfo, begins: int, ends: int) -> list[Interval]:
    """When in [begins, ends) somebody with this profile has the skill at this level."""
    found = []
    for name, its_level, since, until in profile:
        if name == skill and its_level >= level:
            one = begins if since is None else _midnight(since, zone)
            found.append((one, ends if until is None else _midnight(until + DAY, zone)))
    return union(clipped(found, begins, ends))


def _midnight(date: dt.date, zone: ZoneInfo) -> int:
    return microseconds(instant(dt.datetime.combine(date, dt.time()), zone))


def _covers(
    queue: str, level: int, lines: list[tuple[int, int, Need]], first: Tally, backup: Tally, begins: int, ends: int
) -> Iterator[Cover]:
    there = together(first.steps(begins, ends), backup.steps(begins, ends))
    counted = [(one, other, (have, spare)) for one, other, have, spare in there]
    for one, other, need, (have, spare) in together(lines, counted):
        yield Cover(
            queue, level, instant_of(one), instant_of(other), have, spare, need.need, need.want, need.open, need.line
        )
