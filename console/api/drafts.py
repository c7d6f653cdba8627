"""What somebody has begun to fill in of a grading form, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from console import drafting, hearing
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom
from recordings.reviews import LONGEST_REMARK

room = ApiRoom("reviews")

CallId = Annotated[str, Path(max_length=200)]
MOST_FIELDS = 300


class Draft(BaseModel):
    """A form's fields by name, as the screen keeps them: `form`, `about`, `a.POINT`, `r.POINT`, `f.FATAL`, `remark`."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=4 * LONGEST_REMARK)]],
        Field(max_length=MOST_FIELDS),
    ]


@room.read("/calls/{call_id}/reviews/draft", Verb.REVIEW_READ)
async def draft(ask: Asked, call_id: CallId) -> Draft:
    """One's own draft; without fields: there is none."""
    await hearing.call_of(ask.site, ask.who, call_id)
    return Draft(fields={key: str(value) for key, value in (await drafting.get(ask, f"review:{call_id}")).items()})


@room.do("PUT", "/calls/{call_id}/reviews/draft", Verb.REVIEW_READ, status_code=204)
async def keep(ask: Asked, call_id: CallId, said: Draft) -> None:
    """Keep what is filled in so far."""
    await hearing.call_of(ask.site, ask.who, call_id)
    await drafting.put(ask, f"review:{call_id}", dict(said.fields))


@room.do("DELETE", "/calls/{call_id}/reviews/draft", Verb.REVIEW_READ, status_code=204)
async def drop(ask: Asked, call_id: CallId) -> None:
    """Begin anew."""
    await hearing.call_of(ask.site, ask.who, call_id)
    await drafting.drop(ask, f"review:{call_id}")
