"""Days as people see them on a roster: the weekday, and what makes the day another than its weekday says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from config.catalogue import _

HOLIDAY, FESTIVAL, MAKEUP, RESTDAY = "holiday", "festival", "makeup", "restday"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a roster. ``kind``: that of ``routing.calendar``; ``name``: the holiday's, where it has one."""

    date: dt.date
    kind: str = "workday"
    name: str = ""
    today: bool = False

    @property
    def free(self) -> bool:
        """Whether offices are closed."""
        return self.kind in (HOLIDAY, FESTIVAL, RESTDAY)

    @property
    def marked(self) -> bool:
        """Whether the day is another than its weekday says."""
        return self.kind in (HOLIDAY, FESTIVAL, MAKEUP)


def weekday(date: dt.date) -> str:
    """``周六``, ``Sat``."""
    words = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return words[date.weekday()]


def weekday_short(date: dt.date) -> str:
    """``六``, ``Sa``: two columns."""
    words = (_("Mo"), _("Tu"), _("We"), _("Th"), _("Fr"), _("Sa"), _("Su"))
    return words[date.weekday()]


def mark(day: Day, room: int) -> str:
    """What marks the day, in at most ``room`` columns of a terminal: the holiday's name, or 休 and 班 as on every
    Chinese calendar; nothing on a day that is as its weekday says."""
    from rich.cells import cell_len

    if not day.marked:
        return ""
    words = (_("work"), _("W")) if day.kind == MAKEUP else (day.name, _("off"), _("H"))
    return next((word for word in words if word and cell_len(word) <= room), "")


def times(begins: str, ends: str) -> str:
    """``06:00–14:00``; the end as it is, also where it is on the next day."""
    return f"{begins}–{ends}"
