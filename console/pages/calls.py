"""The calls room: find calls, read one from its arrival to its outcome, keep filters, take a list along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args
from urllib.parse import quote, urlencode

from fastapi import Form, Query, Request
from starlette.responses import Response

from calllog.events import Outcome
from calllog.queries import CallDetail
from calllog.rating_words import rating_said
from calllog.survey_words import RATINGS
from calllog.wording import BAD, DIM, GOOD, NOT_YET, WARN, category_word, outcome_word, ring_word, side_word
from cases.subjects import label_of, subjects_of
from config.catalogue import _, ngettext
from config.lengths import length, moment
from console import calls, hearing
from console.ask import Ask, Asked
from console.called import Called
from console.calls import DAYS, PERIODS, Eyes, Found
from console.filters import Filters
from console.finding import BAD_RATINGS, FIELDS, LONGEST, RATED
from console.permits import Verb
from console.rooms import Room
from console.sheets import sheet
from console.site import Refusal
from console.timeline import Line, timeline

room = Room("calls", title=lambda: _("Call log"), path="/calls", verb=Verb.CALLS_READ, order=20)

ALSO = ("subject", "length", "hold", "silence", "talk_over", "score", "rating", "category")
"""Fields that are folded away until one of them is used."""

Id = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Chip:
    """One wish that is in force, in words, and where the others lead without it."""

    title: str
    text: str
    without: str


@room.page("/calls", Verb.CALLS_READ)
async def listing(ask: Asked, request: Request, after: Id = "", before: Id = "") -> Response:
    """The form and the calls; to htmx the calls alone."""
    fields = _fields(request.query_params)
    found = await calls.found_calls(
        ask.site, ask.who, fields, after=after or None, before=(before or None) if not after else None,
        counted=not (after or before),
    )  # fmt: skip
    values = _shown(ask, fields, found)
    if ask.htmx:
        return await ask.page("_calls.html", **values)
    filters = await ask.thread(Filters(ask.office.book).of, ask.who)
    saved = [(each, urlencode(dict(each.fields))) for each in filters]
    return await ask.page("calls.html", saved=saved, choices=_choices(ask), **values)


@room.page("/calls/export.csv", Verb.CALLS_READ)
async def export(ask: Asked, request: Request) -> Response:
    """The calls that are wanted as a file for a sheet, the newest first; it stands in the access log."""
    found = await calls.exported_calls(ask.site, ask.who, _fields(request.query_params))
    return sheet("calls.csv", calls.sheet_rows(found, Eyes.of(ask.site, ask.who), ask.site.now()))


@room.act("/calls/filters", Verb.CALLS_READ)
async def save(ask: Asked, request: Request, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Keep the fields of this form by a name."""
    fields = _fields({key: value for key, value in (await request.form()).items() if isinstance(value, str)})
    try:
        await ask.thread(Filters(ask.office.book).save, ask.who, name, fields)
    except Refusal as refusal:
        return ask.go(f"/calls?{urlencode(fields)}", said=str(refusal), bad=True)
    return ask.go(f"/calls?{urlencode(fields)}", said=_("The filter is saved."))


@room.act("/calls/filters/end", Verb.CALLS_READ)
async def drop(ask: Asked, filter_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Take a saved filter away."""
    await ask.thread(Filters(ask.office.book).drop, ask.who, filter_id)
    return ask.go("/calls", said=_("The filter is taken away."))


@room.page("/calls/{call_id}", Verb.CALLS_READ)
async def one(ask: Asked, call_id: str) -> Response:
    """One call from its arrival to its outcome."""
    detail = await calls.one_call(ask.site, ask.who, call_id)
    eyes, row = Eyes.of(ask.site, ask.who), detail.row
    people = await ask.thread(lambda: Called(ask.office).people)
    lines = timeline(detail.events, replace(eyes.names, people=people))
    lines = [Line(line.at, line.depth, eyes.plain(line.text), line.style) for line in lines]
    rooms = {link.name for link in ask.office.links}
    return await ask.page(
        "call.html", detail=detail, row=row, eyes=eyes, lines=[(line, _looks(line)) for line in lines], rooms=rooms,
        level=calls.LEVELS.get(row.outcome, "none"), waited=calls.waited(row, ask.site.now()),
        talked=calls.talked(row, ask.site.now()), path=calls.menu_path(detail, eyes.names), length=length,
        ring_word=ring_word, side_word=side_word, category_word=category_word, offset=_offset, quote=quote,
        subject=_subject(ask, detail),
    )  # fmt: skip


def _fields(given: Mapping[str, str]) -> dict[str, str]:
    """The fields of a wish in these, without empty ones; each bounded."""
    return {key: given[key].strip()[: LONGEST + 1] for key in (*FIELDS, "period") if given.get(key, "").strip()}


def _shown(ask: Ask, fields: Mapping[str, str], found: Found) -> dict[str, Any]:
    eyes, now = Eyes.of(ask.site, ask.who), ask.site.now()
    zone, wall = ask.site.settings.hotline.zone, ask.site.wall()
    wanted = found.question.wanted
    hear = ask.may(Verb.RECORDING_HEAR) and any(link.name == "quality" for link in ask.office.links)
    return {
        "hear": hear, "reasons": hearing.reasons(ask.who) if ask.may(Verb.RECORDING_EXPORT) else [],
        "fields": {key: fields.get(key, "") for key in (*FIELDS, "period")},
        "at": {key: _local(getattr(wanted, key), ask) if key in fields else "" for key in ("since", "until")},
        "found": found, "eyes": eyes, "query": urlencode(fields), "chips": _chips(ask, fields, found),
        "levels": calls.LEVELS, "waited": lambda row: calls.waited(row, now),
        "talked": lambda row: calls.talked(row, now), "quote": quote,
        "short": lambda at: moment(at, zone, wall), "many": _many(found),
        "folded": not any(key in fields for key in ALSO),
        "faults": {key: (_title(key), why) for key, why in found.question.faults.items()},
    }  # fmt: skip


def _local(at: int | None, ask: Ask) -> str:
    """For a field of date and time."""
    if at is None:
        return ""
    return moment(at, ask.site.settings.hotline.zone).replace(" ", "T")


def _many(found: Found) -> str:
    """How many calls there are, as far as that is known."""
    if found.count is None:
        return ""
    n = found.count.n
    if found.count.more:
        text = _("more than {n} calls") if n >= 1_000 else _("at least {n} calls")
        return text.format(n=f"{n:,}")
    return ngettext("{n} call found", "{n} calls found", n).format(n=f"{n:,}")


def _title(field: str) -> str:
    return {
        "since": _("Since"), "until": _("Until"), "number": _("Number"), "agent": _("Agent"), "queue": _("Queue"),
        "subject": _("Subject"), "outcome": _("Outcome"), "length": _("Length"), "hold": _("Hold"),
        "silence": _("Silence"), "talk_over": _("Talk-over"), "score": _("Score"), "rating": _("Rating"),
        "category": _("Recording"), "words": _("Words"), "period": _("Time"),
    }[field]  # fmt: skip


def period_word(period: str) -> str:
    """A span of time by its name."""
    words = {"today": _("Today"), "yesterday": _("Yesterday"), "7d": _("Last 7 days"), "30d": _("Last 30 days")}
    if period in words:
        return words[period]
    try:
        return _weekday(dt.date.fromisoformat(period), period)
    except ValueError:
        return period


def _weekday(day: dt.date, said: str) -> str:
    week = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return _("{weekday} {date}").format(weekday=week[day.weekday()], date=said)


def periods(ask: Ask) -> list[tuple[str, str]]:
    """The spans of time that can be chosen: those by name, and the last days one by one."""
    today = ask.site.wall().astimezone(ask.site.settings.hotline.zone).date()
    days = [today - dt.timedelta(days=back) for back in range(2, DAYS + 1)]
    return [*((period, period_word(period)) for period in PERIODS),
            *((day.isoformat(), _weekday(day, f"{day:%m-%d}")) for day in days)]  # fmt: skip


def ratings_word(text: str) -> str:
    """A wish for ratings in words; what is written in another way stays as it is."""
    words = {RATED: _("rated"), BAD_RATINGS: _("bad ratings")}
    return words.get(text.lower()) or rating_said(int(text) if text in map(str, RATINGS) else 0) or text


def _chips(ask: Ask, fields: Mapping[str, str], found: Found) -> list[Chip]:
    names, subjects = Eyes.of(ask.site, ask.who).names, subjects_of(ask.site.settings)
    said: dict[str, Callable[[str], str]] = {
        "queue": names.queue, "outcome": outcome_word, "agent": names.agent, "period": period_word,
        "category": lambda code: _("any") if code == "any" else category_word(code), "rating": ratings_word,
        "subject": lambda code: label_of(subjects, code),
        "since": lambda text: text.replace("T", " "), "until": lambda text: text.replace("T", " "),
    }  # fmt: skip
    return [
        Chip(
            _title(key), said.get(key, str)(text),
            urlencode({other: value for other, value in fields.items() if other != key}),
        )
        for key, text in fields.items()
    ]  # fmt: skip


def _choices(ask: Ask) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen in each list of the form: value and words."""
    settings = ask.site.settings
    return {
        "queue": [(name, queue.label) for name, queue in settings.queues.queues.items()],
        "agent": [(number, agent.name) for number, agent in settings.agents.agents.items()],
        "subject": [(each.id, each.label) for each in subjects_of(settings).values()],
        "outcome": [(code, outcome_word(code)) for code in get_args(Outcome) if code not in NOT_YET],
        "category": [("any", _("any")), ("call", category_word("call")), ("voicemail", category_word("voicemail"))],
        "rating": [*((each, ratings_word(each)) for each in (RATED, BAD_RATINGS)),
                   *((str(rating), rating_said(rating)) for rating in RATINGS)],
        "period": periods(ask),
    }  # fmt: skip


def _subject(ask: Ask, detail: CallDetail) -> str:
    record = detail.state.record
    return label_of(subjects_of(ask.site.settings), record.subject) if record is not None and record.subject else ""


_CLASSES = {GOOD: "good", BAD: "bad", WARN: "warn", DIM: "quiet", "bold": "strong", "cyan": "strong"}


def _looks(line: Line) -> str:
    """A line's classes, of its style on a terminal."""
    return " ".join([f"deep-{line.depth}", *(_CLASSES[part] for part in line.style.split() if part in _CLASSES)])


def _offset(micros: int) -> str:
    """How long after the arrival: ``+0:12.3``; what was done of the call hours or days later more roughly."""
    if micros >= 3_600_000_000:
        hours = micros // 3_600_000_000
        return (ngettext("+{n} hour", "+{n} hours", hours) if hours < 48 else _("+{n} days")).format(
            n=hours if hours < 48 else hours // 24
        )
    tenths = max(0, micros) // 100_000
    minutes, rest = divmod(tenths, 600)
    return f"+{minutes}:{rest // 10:02}.{rest % 10}"
