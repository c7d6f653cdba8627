"""满意度 and 参评率 of the last days, by day, queue or agent. Pages and API both ask here; an agent gets their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from calllog.errors import StoreMissing
from calllog.kpi import Ratings
from calllog.rating_queries import By, ratings_by
from console.permits import Verb, Who, own_agent
from console.site import Site

MOST_DAYS = 366
"""Days that can be asked for."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """``since``: the first midnight; ``lines`` by day (2026-11-26), queue or staff number; ``whole``: all of them."""

    since: dt.datetime
    whole: Ratings
    lines: Mapping[str, Ratings]


async def satisfaction(site: Site, who: Who, by: By, days: int) -> Satisfaction:
    """Of the calls that arrived today and on the days before it, ``days`` in all. Raises NotPermitted, StoreError."""
    who.must(Verb.REVIEW_READ)
    zone = site.settings.hotline.zone
    today = site.wall().astimezone(zone).date()
    since = dt.datetime.combine(today - dt.timedelta(days=days - 1), dt.time(), zone)
    try:
        lines = await ratings_by(site.store, by, zone, since=round(since.timestamp() * 1e6), agent=own_agent(who))
    except StoreMissing:
        lines = {}
    return Satisfaction(since, sum(lines.values(), Ratings()), lines)
