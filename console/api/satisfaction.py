"""What callers said of their talks, as figures, for programs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from calllog.kpi import Ratings
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom
from console.satisfaction import MOST_DAYS, MOST_LINES, PAGE, satisfaction

room = ApiRoom("satisfaction")

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)] | None


class Figures(BaseModel):
    """Talks whose callers were ``invited`` to rate them, and how many gave each rating: 1 (best) to 5. ``satisfaction``
    is satisfied / rated, ``participation`` rated / invited; null of nothing. ``bad``: as survey.bad_from says."""

    invited: Count
    rated: Count
    satisfied: Count
    bad: Count
    given: Annotated[list[Count], Field(min_length=5, max_length=5)]
    satisfaction: Share
    participation: Share


class Line(Figures):
    """Those of one day (2026-11-26), queue or agent."""

    about: str


class Satisfaction(BaseModel):
    """The days from ``since`` (local midnight) to now. ``lines``: so many as were asked for of ``many``, the newest
    day, or most bad ratings, first."""

    since: str
    bad_from: Annotated[int, Field(ge=1, le=5)]
    total: Figures
    many: Count
    lines: list[Line]


@room.read("/satisfaction", Verb.REVIEW_READ)
async def figures(
    ask: Asked, by: Literal["day", "queue", "agent"] = "agent", days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 7,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = PAGE, skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Satisfaction:  # fmt: skip
    """What callers said, of the calls that arrived today and on the days before it; an agent gets their own talks."""
    found, bad_from = await satisfaction(ask.site, ask.who, by, days), ask.site.settings.hotline.survey.bad_from

    def plain(one: Ratings) -> dict[str, object]:
        return {
            "invited": one.invited, "rated": one.rated, "satisfied": one.satisfied, "bad": one.bad(bad_from),
            "given": list(one.given), "satisfaction": one.satisfaction, "participation": one.participation,
        }  # fmt: skip

    return Satisfaction(
        since=found.since.isoformat(), bad_from=bad_from, total=Figures.model_validate(plain(found.whole)),
        many=len(found.lines),
        lines=[
            Line.model_validate({"about": about, **plain(one)}) for about, one in found.lines[skip : skip + limit]
        ],
    )  # fmt: skip
