"""The words for the survey after a talk: a sentence for each event, a word for each rating."""

from __future__ import annotations

from typing import assert_never

from calllog import events as ev
from calllog.wording import BAD, GOOD, WARN
from config.catalogue import _

RATINGS = (1, 2, 3, 4, 5)
"""From the best to the worst."""

RATING_STYLES = {1: GOOD, 2: GOOD, 4: WARN, 5: BAD}
"""On every screen; 3 is neither good nor bad."""


def rating_word(rating: int) -> str:
    """满意度 in a word or two; empty where there is none (0)."""
    words = {
        1: _("very satisfied"), 2: _("satisfied"), 3: _("fair"), 4: _("dissatisfied"), 5: _("very dissatisfied"),
    }  # fmt: skip
    return words.get(rating, "")


def survey_words(event: ev.SurveyEvent) -> str:
    """What happened, as one sentence without a full stop."""
    match event:
        case ev.SurveyInvited():
            return _("Asked to rate the talk")
        case ev.Rated(rating=rating):
            return _("Rated {n}: {word}").format(n=rating, word=rating_word(rating))
    assert_never(event)
