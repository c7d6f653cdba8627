"""What somebody who looks for calls writes, in a form, an address or a command, as a wish that the store understands.

One grammar for all three. Each field is a text; a field that cannot be understood is told by itself, with what may be
written, and the others are kept. Reads the settings for names; asks no store. Pure but for ``now``, an argument.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from calllog.events import Category, Outcome
from calllog.search import Span, Wanted
from calllog.survey_words import RATINGS, rating_word
from calllog.words import Unsearchable, asked
from cases.subjects import subjects_of
from config.catalogue import _
from config.settings import Settings
from routing.when import NotAnInstant, instant_of

FIELDS = (
    "since", "until", "number", "agent", "queue", "subject", "outcome", "length", "hold", "silence", "talk_over",
    "score", "rating", "category", "words",
)  # fmt: skip
"""By the names that forms, addresses and options use, in the order in which they are shown."""

LONGEST = 200
"""Characters of one field."""

HIDDEN = "-"
"""As a number: callers who hid theirs."""

RATED, BAD_RATINGS = "rated", "bad"
"""As ratings: any; those that the settings call bad."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LENGTH = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-9]{2})|([0-9]{1,6}(?:\.[0-9]{1,3})?)([a-z\u4e00-\u9fff]*)")
_BETWEEN_RATINGS = re.compile(r"\s*[,、;|/]\s*")
_RATINGS = re.compile(r"([1-5])(?:\s*[-–~]\s*([1-5]))?")
_UNITS = {"": 1, "s": 1, "秒": 1, "m": 60, "min": 60, "分": 60, "分钟": 60, "h": 3600, "小时": 3600}


@dataclass(frozen=True, slots=True)
class Question:
    """The wish, what was ``given`` (field to text, without empty ones), and why a field was not understood."""

    wanted: Wanted
    given: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


class _Fault(ValueError):
    """Why this field cannot be used, and what may be written, in one line."""


def question_of(fields: Mapping[str, str], settings: Settings, now: dt.datetime, *, own: str | None = None) -> Question:
    """The wish in these fields; names that are none of ours are left out. ``own``: whose calls alone may be seen."""
    given: dict[str, str] = {}
    faults: dict[str, str] = {}
    found: dict[str, object] = {"own": own}
    for name in FIELDS:
        text = fields.get(name, "").strip()
        if not text:
            continue
        given[name] = text[:LONGEST]
        try:
            if len(text) > LONGEST:
                raise _Fault(_("At most {n} characters.").format(n=LONGEST))
            key, value = _READERS[name](_plain(text), settings, now)
            found[key] = value
        except _Fault as fault:
            faults[name] = str(fault)
    since, until = found.get("since"), found.get("until")
    if isinstance(since, int) and isinstance(until, int) and since >= until:
        faults["until"] = _("The end is not after the beginning.")
    return Question(Wanted(**found), given, faults)  # type: ignore[arg-type]


def _plain(text: str) -> str:
    """Without differences of width (２０２６ is 2026), and without what cannot be seen."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")).strip()


def _since(text: str, settings: Settings, now: dt.datetime) -> tuple[str, object]:
    return "since", _micros(text, settings, now)


def _until(text: str, settings: Settings, now: dt.datetime) -> tuple[str, object]:
    return "until", _micros(text, settings, now)


def _micros(text: str, settings: Settings, now: dt.datetime) -> int:
    try:
        at = instant_of(text, now, settings.hotline.zone)
    except NotAnInstant as error:
        raise _Fault(str(error)) from None
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


def _number(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    if text in (HIDDEN, _("anonymous")):
        return "number", ""
    if not any(char.isalnum() for char in text):
        raise _Fault(_("Write a part of the number, or {none} for callers who hid theirs.").format(none=HIDDEN))
    return "number", text


def _agent(text: str, settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    """A staff number (one that has left too), or a name; the number may stand before the name."""
    agents = settings.agents.agents
    first = text.split()[0]
    if first in agents:
        return "agent", first
    named = [number for number, agent in agents.items() if agent.name.casefold() == text.casefold()]
    if len(named) > 1:
        raise _Fault(_("Several are called so: {agents}.").format(agents=", ".join(named)))
    if not named and not any(char.isdigit() for char in text):
        what = _("There is no agent “{text}”. Write a staff number, or a whole name as the field offers it.")
        raise _Fault(what.format(text=text[:40]))
    return "agent", named[0] if named else text


def _queue(text: str, settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    """A queue's name or label; one that has gone by its name."""
    for name, queue in settings.queues.queues.items():
        if text in (name, queue.label):
            return "queue", name
    return "queue", text


def _subject(text: str, settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    """A subject, and all below it; by its id or its label."""
    known = subjects_of(settings)
    chosen = known.get(text) or next((each for each in known.values() if text in (each.label, each.path[-1])), None)
    if chosen is None:
        return "subjects", (text,)
    depth = len(chosen.path)
    return "subjects", tuple(each.id for each in known.values() if each.path[:depth] == chosen.path)


def _outcome(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    from calllog.wording import NOT_YET, outcome_word

    known: tuple[Outcome, ...] = get_args(Outcome)
    for code in known:
        if text.lower() in (code, outcome_word(code)):
            return "outcome", code
    what = _("There is no outcome “{text}”; there are: {known}.")
    raise _Fault(what.format(text=text[:40], known=", ".join(code for code in known if code not in NOT_YET)))


def _category(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    from calllog.wording import category_word

    known: tuple[Category, ...] = get_args(Category)
    for code in known:
        if text.lower() in (code, category_word(code)):
            return "category", code
    if text in ("any", _("any")):
        return "recorded", True
    raise _Fault(_("Write call, voicemail or any."))


def _length(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    return "length", span_of(text)


def _hold(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    return "hold", span_of(text)


def _silence(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    return "silence", span_of(text)


def _talk_over(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    return "talk_over", span_of(text)


def _score(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    """Points of 0 to 100: ``0-59``, ``90``: at least that."""
    said = re.sub(r"\s+", "", text).replace("~", "-").replace("–", "-")
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9])?)(?:(-)([0-9]{1,3}(?:\.[0-9])?)?)?", said)
    most = found[3] if found is not None and found[3] else None
    if found is None or (most is not None and float(most) < float(found[1])):
        raise _Fault(_("“{text}” is no score. Write 0-59, or 90 for at least that.").format(text=text[:40]))
    return "score", Span(round(float(found[1]) * 10), None if most is None else round(float(most) * 10))


def _rating(text: str, settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    """Ratings by their keys or words, several with commas between; ``rated``: any; ``bad``: as the settings say."""
    found: list[int] = []
    for said in (part for part in _BETWEEN_RATINGS.split(text.lower()) if part):
        found += _ratings(said, settings, text)
    if not found:
        raise _no_rating(text)
    return "ratings", tuple(sorted(set(found)))


def _ratings(said: str, settings: Settings, whole: str) -> tuple[int, ...]:
    if said in (RATED, _("rated")):
        return RATINGS
    if said in (BAD_RATINGS, _("bad ratings")):
        return tuple(rating for rating in RATINGS if rating >= settings.hotline.survey.bad_from)
    named = tuple(rating for rating in RATINGS if said == rating_word(rating))
    if named:
        return named
    span = _RATINGS.fullmatch(said)
    if span is None or int(span[2] or span[1]) < int(span[1]):
        raise _no_rating(whole)
    return tuple(range(int(span[1]), int(span[2] or span[1]) + 1))


def _no_rating(text: str) -> _Fault:
    what = _("“{text}” is no rating. Write 1 to 5 (5 is the worst), several as 4,5, or rated, or bad.")
    return _Fault(what.format(text=text[:40]))


def span_of(text: str) -> Span:
    """``60-300``, ``1:00-5:00``, ``5min``: at least that. Raises ValueError with a line for the reader."""
    said = re.sub(r"\s+", "", text.lower()).replace("~", "-").replace("–", "-").replace("至", "-").replace("到", "-")
    first, _dash, last = said.partition("-")
    least, most = _seconds(first) if first else 0.0, _seconds(last) if last else None
    if not (first or last) or (most is not None and most < least):
        raise _no_length(text)
    return Span(round(least * 1e6), None if most is None else round(most * 1e6))


def _seconds(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise _no_length(text)
    hours, minutes, seconds, plain, unit = found.groups()
    if plain is not None and unit not in _UNITS:
        raise _no_length(text)
    if plain is not None:
        return min(float(plain) * _UNITS[unit], 1e9)
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


def _no_length(text: str) -> _Fault:
    what = _("“{text}” is no length. Write 60-300, 1:00-5:00, or 5min for at least that.")
    return _Fault(what.format(text=text[:40]))


def _words(text: str, _settings: Settings, _now: dt.datetime) -> tuple[str, object]:
    try:
        asked(text)
    except Unsearchable:
        what = _("There is no letter, digit or Chinese character to look for: write a word, or a part of one.")
        raise _Fault(what) from None
    return "words", text


_READERS = {
    "since": _since, "until": _until, "number": _number, "agent": _agent, "queue": _queue, "subject": _subject,
    "outcome": _outcome, "length": _length, "hold": _hold, "silence": _silence, "talk_over": _talk_over,
    "score": _score, "rating": _rating, "category": _category, "words": _words,
}  # fmt: skip
