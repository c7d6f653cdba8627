"""What kind of day a date is: by the official Chinese calendar, and the operator's own dates on top of it. Pure.

The sources, of which the first that says anything of a date holds: the ``calendar`` of roster.yaml; the statutory
festivals (《全国年节及纪念日放假办法》 as of 2025), known for every year to 2050; what the State Council announces each
autumn for the year to come, bridging days and make-up workdays (the package chinesecalendar); else the weekday alone.
Of a year that is not announced yet only bridging days and make-up workdays are unknown: :attr:`Calendar.no_data_from`
says from when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from config.catalogue import _
from config.roster_file import DAY, SpecialDay

DayKind = Literal["festival", "holiday", "makeup", "workday", "restday"]
"""A statutory festival; another day off of an official holiday; a make-up workday; a plain workday; a plain weekend."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAYS_KEPT = 4000
"""Dates whose kind is remembered."""

_WORDS: Mapping[DayKind, tuple[str, ...]] = {
    "festival": ("restday", "holiday", "festival"),
    "holiday": ("restday", "holiday"),
    "makeup": ("workday", "makeup"),
    "workday": ("workday",),
    "restday": ("restday",),
}
"""Which of the words of ``days`` a kind answers to, besides its weekday."""

_BY_THE_MOON = """
2025 0129 0404 0531 1006   2026 0217 0405 0619 0925   2027 0206 0405 0609 0915   2028 0126 0404 0528 1003
2029 0213 0404 0616 0922   2030 0203 0405 0605 0912   2031 0123 0405 0624 1001   2032 0211 0404 0612 0919
2033 0131 0404 0601 0908   2034 0219 0405 0620 0927   2035 0208 0405 0610 0916   2036 0128 0404 0530 1004
2037 0215 0404 0618 0924   2038 0204 0405 0607 0913   2039 0124 0405 0527 1002   2040 0212 0404 0614 0920
2041 0201 0404 0603 0910   2042 0122 0404 0622 0928   2043 0210 0405 0611 0917   2044 0130 0404 0531 1005
2045 0217 0404 0619 0925   2046 0206 0404 0608 0915   2047 0126 0405 0529 1004   2048 0214 0404 0615 0922
2049 0202 0404 0604 0911   2050 0123 0404 0623 0930
"""
"""By year, month and day of the lunar new year, of Qingming, of the fifth of the fifth and of the fifteenth of the
eighth lunar month. Computed twice, with the packages borax 4.1.3 and lunardate 0.3.0, which agree; Qingming with
chinesecalendar."""

BY_LAW_FROM = 2025
"""Before it the law was another; a past year's festivals are the official holidays that no make-up workday pays for."""


class Calendar:
    """Answers for every date. ``own``: the operator's dates, of which the last that fits holds."""

    def __init__(self, own: Iterable[SpecialDay] = (), country: str = "CN") -> None:
        self._own = [(*one.days, one) for one in own if one.days is not None]
        self._chinese = country == "CN"
        self._known: dict[dt.date, tuple[DayKind, frozenset[str]]] = {}

    def kind(self, date: dt.date) -> DayKind:
        """Which kind of day it is."""
        return self._of(date)[0]

    def fits(self, date: dt.date, words: Iterable[str]) -> bool:
        """Whether the date is one of these: weekdays (``mon``), ``workday``, ``restday``, ``holiday`` ..."""
        return not self._of(date)[1].isdisjoint(words)

    def name(self, date: dt.date) -> str:
        """What the day is called, in the reader's language: of a holiday, or of the one for which it is made up; or ''.
        """
        own = self._own_day(date)
        if own is not None:
            return own.name or ""
        if not self._chinese:
            return ""
        return festival_name(_by_law(date.year).get(date) or _official().names.get(date, ""))

    @property
    def no_data_from(self) -> dt.date | None:
        """The first date of which it is not known whether it is bridged or made up; None where that is not asked.

        A year for which the operator wrote bridging days or make-up workdays of their own counts as known.
        """
        if not self._chinese:
            return None
        year = _official().last_year + 1
        while any(first.year <= year <= last.year and one.kind in ("holiday", "makeup")
                  for first, last, one in self._own):  # fmt: skip
            year += 1
        return dt.date(year, 1, 1) if year <= dt.MAXYEAR else None

    def _of(self, date: dt.date) -> tuple[DayKind, frozenset[str]]:
        found = self._known.get(date)
        if found is None:
            kind = self._kind(date)
            found = kind, frozenset((WEEKDAYS[date.weekday()], *_WORDS[kind]))
            if len(self._known) >= DAYS_KEPT:
                self._known.clear()
            self._known[date] = found
        return found

    def _kind(self, date: dt.date) -> DayKind:
        plain: DayKind = "workday" if date.weekday() < 5 else "restday"
        own = self._own_day(date)
        if own is not None:
            return plain if own.kind == "ordinary" else own.kind
        if not self._chinese:
            return plain
        official = _official()
        if date in _by_law(date.year) or (date.year < BY_LAW_FROM and date in official.festivals):
            return "festival"
        return "holiday" if date in official.off else "makeup" if date in official.made_up else plain

    def _own_day(self, date: dt.date) -> SpecialDay | None:
        return next((one for first, last, one in reversed(self._own) if first <= date <= last), None)


def festival_name(english: str) -> str:
    """A festival's name in the reader's language; one that is not known as it is."""
    names = {
        "New Year's Day": _("New Year's Day"),
        "Spring Festival": _("Spring Festival"),
        "Tomb-sweeping Day": _("Tomb-sweeping Day"),
        "Labour Day": _("Labour Day"),
        "Dragon Boat Festival": _("Dragon Boat Festival"),
        "Mid-autumn Festival": _("Mid-autumn Festival"),
        "National Day": _("National Day"),
    }
    return names.get(english, english)


@dataclass(frozen=True, slots=True)
class _Official:
    """What was announced: days off, make-up workdays, of the days off those that count as festivals, and names."""

    off: Collection[dt.date]
    made_up: Collection[dt.date]
    festivals: Collection[dt.date]
    names: Mapping[dt.date, str]
    last_year: int


@cache
def _official() -> _Official:
    from chinese_calendar import constants  # builds its tables when it is imported: 10 ms

    off, made_up = dict(constants.holidays), dict(constants.workdays)
    return _Official(
        off, made_up, off.keys() - constants.in_lieu_days.keys(), made_up | off, max(date.year for date in off)
    )


@cache
def _by_law(year: int) -> Mapping[dt.date, str]:
    """The statutory festivals of a year, 13 days; none before :data:`BY_LAW_FROM`, the sun's alone after the table."""
    if year < BY_LAW_FROM:
        return {}
    found = {dt.date(year, 1, 1): "New Year's Day"}
    found |= {dt.date(year, 5, day): "Labour Day" for day in (1, 2)}
    dates = _moon().get(year)
    if dates:
        spring, qingming, dragon, autumn = dates
        found |= {spring + number * DAY: "Spring Festival" for number in (-1, 0, 1, 2)}
        found |= {qingming: "Tomb-sweeping Day", dragon: "Dragon Boat Festival", autumn: "Mid-autumn Festival"}
    return found | {dt.date(year, 10, day): "National Day" for day in (1, 2, 3)}


@cache
def _moon() -> Mapping[int, tuple[dt.date, ...]]:
    words = _BY_THE_MOON.split()
    return {
        int(words[place]): tuple(
            dt.date(int(words[place]), int(word[:2]), int(word[2:])) for word in words[place + 1 : place + 5]
        )
        for place in range(0, len(words), 5)
    }
