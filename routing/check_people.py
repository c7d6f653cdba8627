"""What is asked too much of a person, or cannot be: two places at once, no rest, long weeks, days in a row. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial

from config.catalogue import _
from config.problems import shown
from config.roster_file import DAY
from routing.answering import HOUR, answering
from routing.candidates import candidates
from routing.check_able import check_able
from routing.counts import union
from routing.findings import Finding, Told, hours_shown
from routing.pattern import Work
from routing.proof import Proof
from routing.sources import source
from routing.spans import Span


def check_people(proof: Proof) -> Iterator[Finding]:
    """Every fault with a person's shifts that lies at least partly in the proof's span."""
    weeks = _weeks(proof)
    for agent, spans in sorted(proof.spans.items()):
        first = [span for span in spans if not span.backup]
        yield from _at_once(proof, agent, spans)
        yield from _rest(proof, agent, first)
        yield from _weekly(proof, agent, first, weeks)
        yield from _in_a_row(proof, agent, first)
        yield from check_able(proof, agent, spans)
    yield from _given_twice(proof)


def _at_once(proof: Proof, agent: str, spans: Sequence[Span]) -> Iterator[Finding]:
    latest: Span | None = None
    for span in spans:
        if latest is not None and span.begins < latest.ends and not _of_one(latest, span):
            if proof.first < min(latest.ends, span.ends) and span.begins < proof.last:
                key = (agent, latest.shift, latest.date, span.shift, span.date)
                tell = partial(_tell_at_once, proof, agent, latest, span)
                yield Finding("double-booked", key, (agent, latest.shift, span.shift), span.date, tell)
            if span.ends <= latest.ends:
                continue
        latest = span


def _tell_at_once(proof: Proof, agent: str, one: Span, other: Span) -> Told:
    what = _("{who} is on two shifts at once: {one}, and {other}.").format(
        who=proof.who(agent), one=proof.shift(one), other=proof.shift(other)
    )
    return Told(source(proof, agent, other), what, _("Take one of the two away, or give it to another."))


def _given_twice(proof: Proof) -> Iterator[Finding]:
    """Two lines that give one shift to one agent on one day: they are there once, and one of the lines is too much."""
    date, last = proof.today, proof.local(proof.last).date()
    while date <= last:
        before: Work | None = None
        for work in proof.pattern.works(date):
            if work == before and work.why == "pattern":
                pair = work.agent, work.shift
                tell = partial(_tell_given_twice, proof, *pair, date)
                yield Finding("given-twice", (*pair, date), pair, date, tell, warning=True)
            before = work
        date += DAY


def _tell_given_twice(proof: Proof, agent: str, shift: str, date: dt.date) -> Told:
    what = _("Two lines give {shift} of {date} to {who}, who can be there only once.").format(
        shift=shown(shift), date=date, who=proof.who(agent)
    )
    span = next(one for one in proof.spans[agent] if one.shift == shift and one.date == date)
    return Told(source(proof, agent, span), what, _("Take the agent off one of them."))


# --- rest, weeks, days ----------------------------------------------------------------------------------------------


def _rest(proof: Proof, agent: str, spans: Sequence[Span]) -> Iterator[Finding]:
    """Shifts that touch or overlap are one duty: rest is what lies between two of those."""
    least = proof.settings.roster.limits.rest * HOUR
    latest: Span | None = None
    for span in spans:
        apart = latest is not None and 0 < span.begins - latest.ends < least
        if latest and apart and proof.first <= span.begins < proof.last and not _of_one(latest, span):
            key = (agent, latest.shift, latest.date, span.shift, span.date)
            tell = partial(_tell_rest, proof, agent, latest, span)
            yield Finding("too-little-rest", key, (agent, latest.shift, span.shift), span.date, tell)
        if latest is None or span.ends > latest.ends:
            latest = span


def _of_one(one: Span, other: Span) -> bool:
    """Whether they are one shift: given twice, or with leave in the middle."""
    return (one.shift, one.date) == (other.shift, other.date)


def _tell_rest(proof: Proof, agent: str, one: Span, other: Span) -> Told:
    what = _("{who} has {hours} h of rest between {one} and {other}; the least is {least} h.").format(
        who=proof.who(agent), hours=hours_shown(other.begins - one.ends), one=proof.shift(one),
        other=proof.shift(other), least=hours_shown(proof.settings.roster.limits.rest * HOUR),
    )  # fmt: skip
    able = candidates(proof, other.shift, other.date, proof.answers(agent, other.date))
    fix = (
        _("Give {shift} of {date} to another; free and rested then: {people}.").format(
            shift=shown(other.shift), date=other.date, people=proof.people(able)
        )
        if able
        else _("Move one of the two shifts, or lower limits.rest.")
    )
    return Told(source(proof, agent, other), what, fix)


def _weeks(proof: Proof) -> list[tuple[dt.date, int, int]]:
    """The Monday weeks of the span in µs, from the one in which it begins to the last that is whole."""
    monday = proof.today - proof.today.weekday() * DAY
    last = proof.local(proof.last).date()
    found: list[tuple[dt.date, int, int]] = []
    while monday + 7 * DAY <= last or not found:
        found.append((monday, proof.midnight(monday), proof.midnight(monday + 7 * DAY)))
        monday += 7 * DAY
    return found


def _weekly(
    proof: Proof, agent: str, spans: Sequence[Span], weeks: Sequence[tuple[dt.date, int, int]]
) -> Iterator[Finding]:
    most = proof.settings.roster.limits.week * HOUR
    worked = union(part for span in spans for part in answering(span))
    place = 0
    for monday, begins, ends in weeks:
        while place < len(worked) and worked[place][1] <= begins:
            place += 1
        here, sum_of = place, 0
        while here < len(worked) and worked[here][0] < ends:
            sum_of += min(worked[here][1], ends) - max(worked[here][0], begins)
            here += 1
        if sum_of > most:
            tell = partial(_tell_week, proof, agent, monday, sum_of)
            yield Finding("long-week", (agent, monday), (agent,), monday, tell, warning=True)


def _tell_week(proof: Proof, agent: str, monday: dt.date, worked: int) -> Told:
    what = _("{who} works {hours} h in the week from {monday}; more than {most} h.").format(
        who=proof.who(agent), hours=hours_shown(worked), monday=monday,
        most=hours_shown(proof.settings.roster.limits.week * HOUR),
    )  # fmt: skip
    span = next(one for one in proof.spans[agent] if not one.backup and one.ends > proof.midnight(monday))
    fix = _("Give a shift of that week to another, or raise limits.week if it is agreed so.")
    return Told(source(proof, agent, span), what, fix)


def _in_a_row(proof: Proof, agent: str, spans: Sequence[Span]) -> Iterator[Finding]:
    most, last = proof.settings.roster.limits.days_in_a_row, proof.local(proof.last).date()
    rows: list[list[Span]] = []
    for span in spans:
        if rows and rows[-1][-1].date == span.date:
            continue
        if rows and rows[-1][-1].date + DAY == span.date:
            rows[-1].append(span)
        else:
            rows.append([span])
    for row in rows:
        if len(row) > most and row[-1].date >= proof.today and row[0].date <= last:
            tell = partial(_tell_row, proof, agent, row)
            yield Finding("days-in-a-row", (agent, row[0].date), (agent,), row[0].date, tell, warning=True)


def _tell_row(proof: Proof, agent: str, row: Sequence[Span]) -> Told:
    what = _("{who} works {n} days in a row, {first} to {last}; more than {most}.").format(
        who=proof.who(agent), n=len(row), first=row[0].date, last=row[-1].date,
        most=proof.settings.roster.limits.days_in_a_row,
    )  # fmt: skip
    return Told(source(proof, agent, row[-1]), what, _("Give one of those days to another."))
