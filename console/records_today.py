"""How complete the day's call records are, whose are missing, and how its talks were rated, for the status room."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from calllog.errors import StoreMissing
from calllog.kpi import Ratings
from calllog.rating_queries import ratings
from calllog.record_queries import Completeness, completeness, due_records
from console.site import Site

SHOWN = 500
"""Missing records that are looked at for whose they are: more of a day nobody counts by name."""


@dataclass(frozen=True, slots=True)
class Written:
    """The calls answered since midnight, by staff number how many of their records are missing or incomplete, and how
    those calls' talks were rated."""

    counted: Completeness
    lacking: tuple[tuple[str, int], ...] = ()
    ratings: Ratings = field(default_factory=Ratings)


async def written_today(site: Site) -> Written:
    """Of today, the agent with most first. Raises StoreError."""
    midnight = site.wall().astimezone(site.settings.hotline.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = (midnight - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    try:
        counted, due, rated = await asyncio.gather(
            completeness(site.store, since=since), due_records(site.store, since=since, limit=SHOWN),
            ratings(site.store, since=since),
        )
    except StoreMissing:
        return Written(Completeness())
    return Written(counted, tuple(Counter(one.agent for one in due).most_common()), rated)
