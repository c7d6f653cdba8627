"""By which forms calls are graded, for programs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from console import grading
from console.ask import Asked
from console.permits import Verb
from console.rooms import ApiRoom

room = ApiRoom("reviews")


class FormVersion(BaseModel):
    """A version of a form that was used, and since when (µs); ``in_force``: grades are given by it now."""

    form: str
    version: str
    published_at: int
    in_force: bool


class Forms(BaseModel):
    """The forms in force, whole as they stand in reviews.yaml, and every version that was ever used."""

    forms: dict[str, dict[str, Any]]
    versions: list[FormVersion]


@room.read("/reviews/forms", Verb.REVIEW_READ)
async def forms(ask: Asked) -> Forms:
    """The forms by which calls are graded."""
    in_force, used = await grading.forms(ask.site, ask.who)
    now = {(name, grading.version_of(form)) for name, form in in_force.items()}
    return Forms(
        forms={name: form.model_dump(mode="json") for name, form in in_force.items()},
        versions=[FormVersion(form=one.form, version=one.version, published_at=one.published_at,
                              in_force=(one.form, one.version) in now) for one in used],
    )  # fmt: skip
