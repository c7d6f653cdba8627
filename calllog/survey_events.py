"""The events of the survey after a talk: the caller was asked, and what they said by key; known by the names of
``calllog.events``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from calllog.house_events import Event

Rating = Annotated[int, msgspec.Meta(ge=1, le=5)]
"""The key that was pressed: 1 非常满意 (very satisfied), 2 满意 (satisfied), 3 一般 (fair), 4 不满意 (dissatisfied),
5 非常不满意 (very dissatisfied)."""


class SurveyInvited(Event, frozen=True, kw_only=True, tag="survey_invited"):
    """The agent hung up first, and the caller is being asked to rate this talk: once, whatever they do."""

    talk_id: str


class Rated(Event, frozen=True, kw_only=True, tag="rated"):
    """满意度: the caller rated this talk."""

    talk_id: str
    rating: Rating


SurveyEvent = SurveyInvited | Rated
