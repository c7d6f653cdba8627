"""Shapes of what programs send: why somebody hears or takes a recording, texts that say something, whole numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from console.hearing import LONGEST_WHY

SEEN = r"[^\s\x00-\x1f\x7f-\x9f]"
"""A text has something to be read: no blanks and control characters alone. Means the same to Python, Rust and
ECMAScript."""


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a number")
    return value


WHOLE = BeforeValidator(_number)
"""After ``int`` and its bounds, which only so stand in the schema: a whole number as JSON Schema means it, 2 and 2.0,
but neither true nor "2"."""

Words = Annotated[str, Field(max_length=LONGEST_WHY, pattern=SEEN)]


class Known(BaseModel):
    """One of the usual reasons."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["grading", "complaint", "training", "appeal"]
    words: Annotated[str, Field(max_length=LONGEST_WHY)] = ""


class Other(BaseModel):
    """Another reason, in words."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["other"]
    words: Words


Why = Annotated[Known | Other, Field(discriminator="reason")]
