"""The proof of the roster: that somebody is there whenever a caller may come, and that nobody is asked what cannot be.

It looks at the roster as it is compiled, from an instant on for ``limits.look_ahead`` days: so rotations, holidays,
changes, lapsing skills and the clock's own jumps are all in it, whatever wrote them. Names, dates and their shape are
config's. Pure; the instant is an argument.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from config.catalogue import _
from config.problems import Problem
from config.roster_file import DAY, Change
from config.settings import Hours, Rule, Settings
from routing.check_changes import check_changes
from routing.check_cover import check_cover
from routing.check_people import check_people
from routing.coverage import Cover, Gap, coverage, gaps, worse
from routing.findings import MOST_LINES, Finding, Told, told, weighed
from routing.proof import Proof
from routing.roster import Roster

UNANNOUNCED = frozenset({"workday", "restday", "holiday", "makeup"})
"""Words of ``days`` that depend on what is announced for each year; festivals are by law."""

FARTHEST = 400 * DAY
"""How far ahead a change is proven at most."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the proof has found, and what it looked at."""

    proof: Proof
    covers: list[Cover]
    gaps: list[Gap]
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What refuses a change."""
        return [problem for problem in self.problems if problem.warning is False]


def check(settings: Settings, now: dt.datetime, before: Settings | None = None) -> list[Problem]:
    """Every problem of the roster; one without a fault gives an empty list. ValueError: ``now`` is not aware.

    ``before`` is what is in force: an error that is there already (a gap that came in sight as days went by) is a
    warning, so that it does not stand in the way of other changes, nor of one that mends half of it.
    """
    return prove(settings, now, before=before).problems


def prove(
    settings: Settings, now: dt.datetime, *, before: Settings | None = None, days: int | None = None,
    most: int = MOST_LINES,
) -> Proven:  # fmt: skip
    """The same with what it is about; ``days`` ahead (default: the file's), at most ``most`` lines of each kind.

    With ``before`` also as far ahead as the dated changes that differ (at most 400 days).
    """
    days = days or settings.roster.limits.look_ahead
    begins = now.replace(second=0, microsecond=0)
    ends = begins.astimezone(dt.UTC) + days * DAY
    if before is not None:
        ends = max(ends, min(_touched(settings, before, ends), begins.astimezone(dt.UTC) + FARTHEST))
    proof = Proof(settings, Roster.of(settings), begins, ends)
    covers = coverage(settings, proof.roster, begins, ends, spans=proof.spans)
    found = gaps(covers)
    if before is None:
        judged, known = [(gap, True) for gap in found], None
    else:
        old = Proof(before, Roster.of(before), begins, ends)
        judged = list(worse(found, gaps(coverage(before, old.roster, begins, ends, spans=old.spans))))
        known = list(_of_people_and_lines(old))
    findings = [*check_cover(proof, judged), *weighed(_of_people_and_lines(proof), known)]
    return Proven(proof, covers, found, told([*findings, *_without_data(proof)], most))


def _touched(settings: Settings, before: Settings, at_least: dt.datetime) -> dt.datetime:
    """The end (UTC) of the last day that a dated change, new or gone, is about: leave for February entered in November
    is proven in November, while somebody looks at it."""
    new, old = ({change.model_dump_json(): change for change in one.roster.changes} for one in (settings, before))
    dates = [date for key in new.keys() ^ old.keys() for date in _dates(new.get(key) or old[key])]
    if not dates:
        return at_least
    return dt.datetime.combine(max(dates), dt.time(), dt.UTC) + 2 * DAY  # over midnight, in any zone


def _dates(change: Change) -> tuple[dt.date, ...]:
    return tuple(change.swap.values()) if change.swap else change.days or ()


def _of_people_and_lines(proof: Proof) -> Iterator[Finding]:
    yield from check_people(proof)
    yield from check_changes(proof)


def _without_data(proof: Proof) -> Iterator[Finding]:
    """From when on nobody knows which days are bridged and made up, where something depends on that."""
    since, file = proof.calendar.no_data_from, proof.settings.roster
    if since is None or since > proof.ends.astimezone(proof.settings.hotline.zone).date():
        return
    lines: list[Hours | Rule] = [line for queue in proof.settings.queues.queues.values() for line in queue.hours]
    lines += [*file.rules, *file.requirements]
    said = {word for line in lines for word in (*line.days, *line.not_on)}
    said |= {word for rotation in file.rotations.values() for word in rotation.not_on}
    if UNANNOUNCED.isdisjoint(said):
        return
    what = _("From {date} on the official days off and make-up workdays are not known; weekdays and festivals count.")
    fix = _("When they are announced (each November) add them to 'calendar', or update Hotline.")
    tell = partial(Told, ("calendar",), what.format(date=since), fix)
    yield Finding("calendar-without-data", (since,), (), since, tell, warning=True)
