"""Times and lengths as a person reads them, and as a program does."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from config.catalogue import _

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def at(micros: int, zone: ZoneInfo) -> dt.datetime:
    """The local time of µs since 1970 UTC."""
    return (_EPOCH + dt.timedelta(microseconds=micros)).astimezone(zone)


def iso(micros: int, zone: ZoneInfo) -> str | None:
    """For machines: ISO 8601 with the offset; None for 0, which is "not yet"."""
    return at(micros, zone).isoformat(timespec="microseconds") if micros else None


def moment(micros: int, zone: ZoneInfo, now: dt.datetime | None = None) -> str:
    """For a table: ``02-06 03:00``, with the year where it is not that of ``now``; empty for 0."""
    if not micros:
        return ""
    time = at(micros, zone)
    return time.strftime("%m-%d %H:%M" if now is not None and now.year == time.year else "%Y-%m-%d %H:%M")


def clock(seconds: float) -> str:
    """A length as on a telephone's display: ``1:05``, ``1:02:03``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def length(seconds: float) -> str:
    """A length in a sentence: ``12.3 s`` below a minute, else as :func:`clock`."""
    return _("{seconds:.1f} s").format(seconds=seconds) if seconds < 59.95 else clock(seconds)


def since(seconds: float) -> str:
    """How long a state has lasted: ``40 s``, ``12 min``, ``3:05 h``, ``2 d``."""
    if seconds < 60:
        return _("{n} s").format(n=max(0, int(seconds)))
    if seconds < 3600:
        return _("{n} min").format(n=int(seconds // 60))
    if seconds < 172_800:
        return _("{hours}:{minutes:02} h").format(hours=int(seconds // 3600), minutes=int(seconds % 3600 // 60))
    return _("{n} d").format(n=int(seconds // 86_400))
