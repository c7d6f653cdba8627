"""满意度 and 参评率 of the last days, by day, queue or agent. Pages and API both ask here; an agent gets their own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from calllog.errors import StoreMissing
from calllog.kpi import Ratings
from calllog.rating_queries import By, ratings_by
from console.permits import Verb, Who, own_agent
from console.site import Site

PAGE = 50
"""Lines on one page."""
MOST_LINES = 1_000
"""Lines that a program may ask for at once."""
MOST_DAYS = 366
"""Days that can be asked for."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """``since``: the first midnight; ``whole``: all of it; ``lines`` by day (2026-11-26), queue or staff number: the
    newest day, or most bad ratings, first."""

    since: dt.datetime
    whole: Ratings
    lines: tuple[tuple[str, Ratings], ...]


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
    bad_from = site.settings.hotline.survey.bad_from
    ordered = sorted(lines.items(), reverse=True) if by == "day" else sorted(
        lines.items(), key=lambda line: (-line[1].bad(bad_from), line[0])
    )  # fmt: skip
    return Satisfaction(since, sum(lines.values(), Ratings()), tuple(ordered))
