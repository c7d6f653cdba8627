"""What a change of the roster means for people's duty, in words: one line for each thing that changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from calllog.wording import Names
from config.catalogue import _, ngettext
from config.duty_change import DayChange, DutyChange, Piece
from config.leave_words import leave_word
from hotline.day_words import weekday

MOST_NAMED = 4
"""People that a line names; the others are counted."""

FEW = 2
"""Dates of one change that have a line each; more are counted in one."""


def duty_lines(changes: Sequence[DutyChange], names: Names, most: int | None = None) -> list[str]:
    """The lines of all changes; beyond ``most`` changes they are counted."""
    shown = changes if most is None or len(changes) <= most else changes[:most]
    lines = [line for change in shown for line in lines_of(change, names)]
    if len(shown) < len(changes):
        left = len(changes) - len(shown)
        lines.append(ngettext("and {n} more change of duty", "and {n} more changes of duty", left).format(n=left))
    return lines


def lines_of(change: DutyChange, names: Names) -> list[str]:
    """One change in a line, or a line for each of its few dates."""
    if change.why == "shift":
        return [_of_shift(change)]
    who, why = _people(change.agents, names), _why(change, names)
    if change.count <= FEW and not change.goes_on:
        return [_("{who}: {what}").format(who=who, what=_day(day, change) + why) for day in change.days]
    return [_("{who}: {when}: {what}").format(who=who, when=_when(change), what=_counts(change) + why)]


def _counts(change: DutyChange) -> str:
    """What changes on many dates, shift by shift."""
    if not change.gained:
        return _("{lost} → {gained}").format(lost=_times(change.lost), gained=_away(change))
    if not change.lost:
        return _("+ {gained}").format(gained=_times(change.gained))
    counts = _(", ").join(
        [f"{shift} −{n}" for shift, n in change.lost.items()] + [f"{shift} +{n}" for shift, n in change.gained.items()]
    )
    days = ngettext("{n} day changes", "{n} days change", change.count).format(n=change.count)
    return _("{what} ({why})").format(what=days, why=counts)


def _times(shifts: Mapping[str, int]) -> str:
    return _(", ").join(f"{n} × {shift}" for shift, n in shifts.items())


def _away(change: DutyChange) -> str:
    return leave_word(change.leave) if change.why == "leave" and not change.back else _("off")


def day_word(date: dt.date) -> str:
    """``2027-02-06 周六``."""
    return f"{date.isoformat()} {weekday(date)}"


def _day(day: DayChange, change: DutyChange) -> str:
    lost, gained = _pieces(day.lost), _pieces(day.gained)
    if not day.gained:
        return _("{date} {lost} → {gained}").format(date=day_word(day.date), lost=lost, gained=_away(change))
    if not day.lost:
        return _("{date} + {gained}").format(date=day_word(day.date), gained=gained)
    return _("{date} {lost} → {gained}").format(date=day_word(day.date), lost=lost, gained=gained)


def _pieces(pieces: Sequence[Piece]) -> str:
    return _(", ").join(f"{one.shift} {one.begins:%H:%M}–{one.ends:%H:%M}" for one in pieces)


def _when(change: DutyChange) -> str:
    if change.goes_on:
        return _("from {date} on").format(date=day_word(change.first))
    if change.first == change.last:
        return day_word(change.first)
    return _("{first} to {last}").format(first=day_word(change.first), last=day_word(change.last))


def _why(change: DutyChange, names: Names) -> str:
    """The reason as the rest of a line."""
    other = names.agent(change.other) if change.other else ""
    if change.back:
        said = {
            "leave": _("; the leave is taken back"), "cover": _("; no cover for {who} any more"),
            "swap": _("; the swap with {who} is taken back"), "extra": _("; the extra duty is taken back"),
            "shifts": _("; as by the pattern again"), "team": _("; with their own team again"),
        }  # fmt: skip
        return said.get(change.why, "").format(who=other)
    match change.why:
        case "leave":
            # The word for the leave stands in the place of what is worked, where nothing is.
            leave = "" if not change.gained else _("; {leave}").format(leave=leave_word(change.leave))
            return leave + (_("; covered by {who}").format(who=other) if other else "")
        case "cover":
            return _("; covers for {who}").format(who=other)
        case "swap":
            return _("; swapped with {who}").format(who=other)
        case "extra":
            return _("; extra duty")
        case "team":
            return _("; with {team} meanwhile").format(team=_(", ").join(change.teams))
        case "pattern" if change.teams:
            return _teams(*change.teams)
    return ""


def _teams(before: str, after: str) -> str:
    if not after:
        return _("; out of {team}").format(team=before)
    return _("; now in {team}").format(team=after)


def _of_shift(change: DutyChange) -> str:
    day = change.days[0]
    lost, gained = (_(", ").join(f"{one.begins:%H:%M}–{one.ends:%H:%M}" for one in pieces)
                    for pieces in (day.lost, day.gained))  # fmt: skip
    people = ngettext("{n} person", "{n} people", len(change.agents)).format(n=len(change.agents))
    return _("{shift}: {lost} → {gained}, {when} ({people})").format(
        shift=day.lost[0].shift, lost=lost, gained=gained, when=_when(change), people=people
    )


def _people(agents: Sequence[str], names: Names) -> str:
    named = _(", ").join(names.agent(agent) for agent in agents[:MOST_NAMED])
    left = len(agents) - MOST_NAMED
    return named if left <= 0 else ngettext("{who} and {n} more", "{who} and {n} more", left).format(who=named, n=left)
