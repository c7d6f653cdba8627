"""Instants as a person writes them on the command line."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from config.catalogue import _

_DAYS = {
    "today": 0, "今天": 0, "tomorrow": 1, "明天": 1, "yesterday": -1, "昨天": -1, "后天": 2, "前天": -2,
}  # fmt: skip
_UNITS = {
    "s": "seconds", "秒": "seconds", "m": "minutes", "min": "minutes", "分钟": "minutes", "h": "hours",
    "小时": "hours", "d": "days", "天": "days",
}  # fmt: skip
_AGO = re.compile(r"([0-9]{1,6})\s*(s|秒|m|min|分钟|h|小时|d|天)\s*(?:ago|前)")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_DATE = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,2})-([0-9]{1,2})")
_FIRST, _LAST = 1970, 9998


class NotAnInstant(ValueError):
    """The text names no instant; the message says what may be written."""


def instant_of(text: str, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The instant that ``text`` means at ``now``, aware, in ``zone``. Raises NotAnInstant.

    ``2027-02-06 03:00``, ``02-06 03:00``, ``2027-02-06`` (its midnight), ``03:00``, ``明天 03:00``, ``2 小时前``,
    ``now``, or ISO 8601 with an offset. A wall time without an offset is the zone's: the first instant at which its
    clocks show it or later.
    """
    from routing.spans import instant

    said = re.sub(r"\s+", " ", text.strip().replace("：", ":").replace("/", "-")).lower()
    here = now.astimezone(zone)
    try:
        if said in ("now", "现在"):
            return here
        if ago := _AGO.fullmatch(said):
            return here - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if re.search(r"[0-9](z|[+-][0-9]{2}:?[0-9]{2})$", said) and ":" in said:
            found = dt.datetime.fromisoformat(said.upper())
            if found.tzinfo is None:
                raise ValueError(said)
            return _in_range(found).astimezone(zone)
        return instant(_in_range(_wall(said, here.replace(tzinfo=None))), zone).astimezone(zone)
    except (ValueError, OverflowError):
        raise NotAnInstant(
            _("“{text}” is no point in time. Write 2027-02-06 03:00, 03:00, tomorrow 03:00 or 2 h ago.").format(
                text=text[:40]
            )
        ) from None


def day_of(text: str, now: dt.datetime, zone: ZoneInfo, on: dt.date | None = None) -> dt.date:
    """The date that ``text`` means for a plan, or with a time of day in it the naive wall time. Raises NotAnInstant.

    As for :func:`instant_of`; but a day without a year is the next such day from a month ago on, and a time alone is
    one of ``on``.
    """
    said = re.sub(r"\s+", " ", text.strip().replace("：", ":").replace("/", "-")).lower()
    here = now.astimezone(zone).replace(tzinfo=None)
    try:
        if said in ("now", "现在"):
            return here.replace(second=0, microsecond=0)
        alone = _CLOCK.fullmatch(said) and on is not None
        found = _in_range(_wall(said, dt.datetime.combine(on, dt.time()) if alone and on else here))
        if re.match(r"[0-9]{1,2}-", said) and found.date() < here.date() - dt.timedelta(days=31):
            found = found.replace(year=found.year + 1)
        return found if ":" in said else found.date()
    except (ValueError, OverflowError):
        raise NotAnInstant(
            _("“{text}” is no day. Write 2027-02-06, 02-06, tomorrow or 2027-02-06 14:00.").format(text=text[:40])
        ) from None


def _wall(said: str, here: dt.datetime) -> dt.datetime:
    """Day and time of day, naive. Raises ValueError."""
    day, _space, time = said.replace("t", " ", 1).partition(" ") if said[:1].isdigit() else said.partition(" ")
    if _CLOCK.fullmatch(day) and not time:
        date, time = here.date(), day
    elif day in _DAYS:
        date = here.date() + dt.timedelta(days=_DAYS[day])
    elif written := _DATE.fullmatch(day):
        date = dt.date(int(written[1] or here.year), int(written[2]), int(written[3]))
    else:
        raise ValueError(said)
    if not time:
        return dt.datetime.combine(date, dt.time())
    clock = _CLOCK.fullmatch(time)
    if clock is None:
        raise ValueError(said)
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if (hour, minute, second) == (24, 0, 0):
        return dt.datetime.combine(date + dt.timedelta(days=1), dt.time())
    return dt.datetime.combine(date, dt.time(hour, minute, second))


def _in_range(time: dt.datetime) -> dt.datetime:
    if not _FIRST <= time.year <= _LAST:
        raise ValueError(time)
    return time
