"""Changes, rules and requirements that cannot be meant so: swaps that do not match, duty on leave, no effect. Pure.

What lies wholly in the past is not looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import partial

from config.catalogue import _
from config.leave_words import leave_word
from config.problems import shown
from config.roster_file import DAY
from config.settings import Change
from routing.findings import Finding, Path, Told
from routing.needs import applies
from routing.pattern import Pattern
from routing.proof import Proof

FARTHEST = 400
"""Days ahead in which a rule or a change without an end must have an effect: every festival has come round by then."""


class _Layers:
    """Who works what on a date while only the changes of some kinds hold."""

    def __init__(self, proof: Proof, *kinds: str) -> None:
        file = proof.settings.roster
        some = tuple(change for change in file.changes if change.kind in kinds)
        self._pattern = Pattern(file.model_copy(update={"changes": some}), proof.calendar)
        self._known: dict[dt.date, dict[str, tuple[str, ...]]] = {}

    def shifts(self, agent: str, date: dt.date) -> tuple[str, ...]:
        if date not in self._known:
            self._known[date] = self._pattern.worked(date)
        return self._known[date].get(agent, ())


def check_changes(proof: Proof) -> Iterator[Finding]:
    """Every fault of a line that has a day from the proof's first on."""
    file = proof.settings.roster
    usual, instead = _Layers(proof, "team"), _Layers(proof, "team", "shifts")
    swapped, left = _Layers(proof, "team", "shifts", "swap"), _Layers(proof, "team", "shifts", "swap", "leave")
    for index, change in enumerate(file.changes):
        path: Path = ("changes", index)
        dates = _dates(proof, change)
        if not dates:
            continue
        match change.kind:
            case "shifts":
                yield from _shifts(proof, path, change, dates, usual)
            case "swap":
                yield from _swap(proof, path, change, instead)
            case "leave":
                yield from _leave(proof, path, change, dates, swapped)
            case "extra":
                yield from _extra(proof, path, change, dates, left)
            case "team":
                yield from _team(proof, path, change, dates)
    yield from _lines(proof)


def past(proof: Proof) -> int:
    """How many changes lie wholly in the past: they can go."""
    return sum(not _dates(proof, change) for change in proof.settings.roster.changes if change.kind)


def _dates(proof: Proof, change: Change) -> list[dt.date]:
    """Its dates that are not past, the first of them."""
    if change.swap is not None:
        dates = sorted(change.swap.values())
        return dates if dates and dates[-1] >= proof.today else []
    if change.days is None or change.days[1] < proof.today:
        return []
    first = max(change.days[0], proof.today)
    return [first + number * DAY for number in range(min((change.days[1] - first).days, FARTHEST) + 1)]


def _span(dates: list[dt.date]) -> str:
    return str(dates[0]) if dates[0] == dates[-1] else f"{dates[0]} – {dates[-1]}"


def _told(path: Path, what: str, fix: str) -> partial[Told]:
    return partial(Told, path, what, fix)


def _no_effect(path: Path, key: tuple[object, ...], date: dt.date, what: str) -> Finding:
    fix = _("Check the date and the staff number, or remove the change.")
    return Finding("change-without-effect", key, key, date, _told(path, what, fix), warning=True)


# --- changes ------------------------------------------------------------------------------------------------------


def _shifts(proof: Proof, path: Path, change: Change, dates: list[dt.date], usual: _Layers) -> Iterator[Finding]:
    agent, wanted = change.agent or "", set(change.shifts or ())
    if any(set(usual.shifts(agent, date)) != wanted for date in dates):
        return
    what = (
        _("{who} works just these shifts on {date} anyway.")
        if wanted
        else _("{who} has no shift on {date} to be off from.")
    )
    what = what.format(who=proof.who(agent), date=_span(dates))
    yield _no_effect(path, ("shifts", agent, dates[0], dates[-1]), dates[0], what)


def _swap(proof: Proof, path: Path, change: Change, before: _Layers) -> Iterator[Finding]:
    sides = list((change.swap or {}).items())
    if len(sides) != 2:
        return
    for (agent, date), (other, other_date) in (sides, sides[::-1]):
        mine = before.shifts(agent, date)
        if not mine:
            what = _("The swap does not match: {who} has no shift on {date}.").format(who=proof.who(agent), date=date)
            fix = _("Check the date; 'hotline roster show' shows who works when.")
            yield Finding("swap-without-shift", (agent, date), (agent, date), date, _told(path, what, fix))
        theirs = before.shifts(other, date) if date != other_date else ()
        for shift in sorted(set(mine) & set(theirs)):
            what = _("The swap does not match: {who} works {shift} on {date} already.").format(
                who=proof.who(other), shift=shown(shift), date=date
            )
            key = (other, date, shift)
            yield Finding("swap-onto-duty", key, key, date, _told(path, what, _("Swap with another, or another day.")))
    (agent, date), (other, other_date) = sides
    mine = before.shifts(agent, date)
    if date == other_date and mine and set(mine) == set(before.shifts(other, date)):
        what = _("{who} and {other} work the same on {date}: the swap changes nothing.").format(
            who=proof.who(agent), other=proof.who(other), date=date
        )
        yield _no_effect(path, ("swap", agent, other, date), date, what)


def _leave(proof: Proof, path: Path, change: Change, dates: list[dt.date], before: _Layers) -> Iterator[Finding]:
    agent, cover = change.agent or "", change.cover or ""
    times = change.times
    days = change.days or (dates[0], dates[-1])
    if times is not None:  # it may cut a shift that began on an earlier day
        dates = [dates[0] - number * DAY for number in (3, 2, 1)] + dates

    def taken_on(dates: Iterable[dt.date]) -> Iterator[tuple[dt.date, str]]:
        for date in dates:
            for shift in before.shifts(agent, date):
                if times is None or _cuts(proof, shift, date, times):
                    yield date, shift

    taken = list(taken_on(dates))
    if not taken:
        earlier = (dates[0] - days[0]).days + (0 if times is None else 3)
        past = (dates[0] - number * DAY for number in range(1, min(earlier, FARTHEST) + 1))
        if next(taken_on(past), None) is not None:
            return  # it has had its effect
        what = _("{who} has no shift on {date} to be on leave from.").format(who=proof.who(agent), date=_span([*days]))
        yield _no_effect(path, ("leave", agent, *days), days[0], what)
    for date, shift in taken if cover else ():
        key, group = (cover, date, shift), (cover, agent, dates[0])
        fix = _("Name another with 'cover'.")
        if any(one.times is None for one in proof.absences(date).get(cover, ())):
            what = _("{cover} is to cover for {who} on {date}, but is on leave as well.").format(
                cover=proof.who(cover), who=proof.who(agent), date=date
            )
            yield Finding("cover-on-leave", key, group, date, _told(path, what, fix))
        elif shift in before.shifts(cover, date):
            what = _("{cover} is to cover for {who} on {date}, but works {shift} then already.").format(
                cover=proof.who(cover), who=proof.who(agent), date=date, shift=shown(shift)
            )
            yield Finding("cover-on-duty", key, group, date, _told(path, what, fix))


def _extra(proof: Proof, path: Path, change: Change, dates: list[dt.date], before: _Layers) -> Iterator[Finding]:
    agent, shift = change.agent or "", change.extra or ""
    for date in dates:
        for absence in proof.absences(date).get(agent, ()):
            if absence.times is not None and not _cuts(proof, shift, date, absence.times):
                continue
            what = _("{who} is to work {shift} on {date}, but is on leave then ({leave}).").format(
                who=proof.who(agent), shift=shown(shift), date=date, leave=leave_word(absence.leave)
            )
            fix = _("Give the shift to another, or write the leave with its hours (from … 06:00 to … 14:00).")
            key = (agent, date, shift)
            yield Finding("extra-on-leave", key, (agent, shift, dates[0]), date, _told(path, what, fix))
            break
    if all(shift in before.shifts(agent, date) for date in dates):
        what = _("{who} works {shift} on {date} anyway.").format(
            who=proof.who(agent), shift=shown(shift), date=_span(dates)
        )
        yield _no_effect(path, ("extra", agent, shift, dates[0], dates[-1]), dates[0], what)


def _cuts(proof: Proof, shift: str, date: dt.date, times: tuple[dt.datetime, dt.datetime]) -> bool:
    about = proof.settings.roster.shifts.get(shift)
    if about is None:
        return False
    begins, ends = about.wall_span(date)
    return begins < times[1] and times[0] < ends


def _team(proof: Proof, path: Path, change: Change, dates: list[dt.date]) -> Iterator[Finding]:
    agent, team = change.agent or "", change.team or ""
    members = proof.settings.roster.teams.get(team, ())
    if all(any(one.agent == agent and one.holds(date) for one in members) for date in dates):
        what = _("{who} is in the team {team} on {date} anyway.").format(
            who=proof.who(agent), team=shown(team), date=_span(dates)
        )
        yield _no_effect(path, ("team", agent, team, dates[0], dates[-1]), dates[0], what)


# --- lines that never apply -----------------------------------------------------------------------------------------


def _lines(proof: Proof) -> Iterator[Finding]:
    file, today = proof.settings.roster, proof.today
    for index, rule in enumerate(file.rules):
        first = max(rule.since or today, today)
        dates = [date for date in rule.dates if date >= today] if rule.dates and not rule.days else None
        if (rule.until is not None and rule.until < today) or dates == []:
            continue  # it has been
        days = (first + number * DAY for number in range(FARTHEST))
        ahead = dates if dates is not None else days
        if any(
            applies(rule, proof.calendar, date)
            for date in ahead
            if date >= first and (rule.until is None or date <= rule.until)
        ):
            continue
        what = _("This rule never applies: no day from {first} on fits.").format(first=first)
        fix = _("Check its days and dates; of festivals, whether the calendar has them.")
        key = ("rule", rule.shift, rule.days, rule.dates, rule.since, rule.until)
        yield Finding("rule-never-applies", key, key, first, _told(("rules", index), what, fix), warning=True)
    for index, line in enumerate(file.requirements):
        if line.dates and not line.days and all(date < today for date in line.dates):
            continue
        if any(applies(line, proof.calendar, today + number * DAY) for number in range(FARTHEST)):
            continue
        if any(applies(line, proof.calendar, date) for date in line.dates if date >= today):
            continue
        what = _("This requirement never applies: no day from {first} on fits.").format(first=today)
        fix = _("Check its days and dates; of festivals, whether the calendar has them.")
        of = ("requirement", line.queue, line.level, line.days, line.dates)
        tell = _told(("requirements", index), what, fix)
        yield Finding("requirement-never-applies", of, of, today, tell, warning=True)
