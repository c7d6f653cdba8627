"""How ratings are shown, one by one and as figures; the word of each is ``calllog.survey_words``'."""

from __future__ import annotations

from calllog.kpi import Ratings
from calllog.survey_words import RATING_STYLES, rating_word
from calllog.wording import BAD, GOOD, WARN
from config.catalogue import _, ngettext


def rating_said(rating: int) -> str:
    """The key and its word: ``4 dissatisfied``; empty for none (0)."""
    return f"{rating} {rating_word(rating)}" if rating else ""


def rating_level(rating: int) -> str:
    """How a rating looks in the console: good, warn, bad; plain for 3 and for none."""
    return {GOOD: "good", WARN: "warn", BAD: "bad"}.get(RATING_STYLES.get(rating, ""), "")


def figures_said(ratings: Ratings, bad_from: int) -> tuple[str, ...]:
    """What callers said of their talks, in short sentences, each share with the counts that it is made of."""
    asked = _("{rated} of {invited} who were asked rated their talk ({rate})").format(
        rated=ratings.rated, invited=ratings.invited, rate=percent(ratings.participation)
    )
    if not ratings.rated:
        return (asked,)
    satisfied = _("satisfaction {rate} = {satisfied} satisfied / {rated} rated").format(
        rate=percent(ratings.satisfaction), satisfied=ratings.satisfied, rated=ratings.rated
    )
    bad = ratings.bad(bad_from)
    return (satisfied, asked, *((ngettext("{n} bad rating", "{n} bad ratings", bad).format(n=bad),) if bad else ()))


def formulas() -> list[str]:
    """How each figure is made."""
    return [
        _("Satisfaction: satisfied or very satisfied (1, 2) / rated. Participation: rated / asked."),
        _("Asked: talks whose callers were asked to rate them; each talk is counted once, on the day of its call."),
    ]


def percent(share: float | None) -> str:
    """92.3%; a dash where there was nothing to have a share of."""
    return "–" if share is None else f"{share:.1%}"
