"""Calls, as the console shows them: found, one after the other, and one whole. Pages and API both ask here."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from calllog import events as ev, queries
from calllog.access import Access
from calllog.queries import CallDetail, CallRow
from calllog.search import Count, Hits, count, find
from calllog.search_plan import LAST_SHOWN
from calllog.wording import VIA, Names, outcome_word, reason_word, stage_word, with_why
from config.catalogue import _
from config.masking import masked, masked_text, shown
from config.settings import Settings
from console import hearing
from console.desk import ringing_at
from console.finding import Question, question_of
from console.permits import Verb, Who, own_agent
from console.render import moment
from console.site import Refusal, Site
from phone.numbers import dialled, e164

PAGE = 50
"""Calls on one page."""
MOST = 200
"""Calls that a program may ask for at once."""
EXPORTED = 10_000
"""Calls in one CSV file."""

PERIODS: Mapping[str, tuple[str, str]] = {
    "today": ("today", ""), "yesterday": ("yesterday", "today"), "7d": ("7 d ago", ""), "30d": ("30 d ago", ""),
}  # fmt: skip
"""Spans of time by name: since, until."""

DAYS = 8
"""How many days back one day by itself can be chosen: on a Tuesday and the day after it, the Tuesday before."""


def span_of(period: str) -> tuple[str, str]:
    """Since and until of a span by name or of one day, ``2026-11-24``; both empty for anything else."""
    if period in PERIODS:
        return PERIODS[period]
    try:
        day = dt.date.fromisoformat(period)
        return day.isoformat(), (day + dt.timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return "", ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page. ``count`` is None where a field was not understood, and on later pages."""

    question: Question
    rows: tuple[CallRow, ...] = ()
    older: bool = False
    newer: bool = False
    count: Count | None = None


def asked(fields: Mapping[str, str], site: Site, who: Who) -> Question:
    """The wish in these fields, within what this person may see; ``period`` stands for since and until.

    Whoever sees numbers masked may look for a whole one, or for the last digits that a mask shows: by other parts they
    could find the hidden digits.
    """
    since, until = span_of(fields.get("period", ""))
    given = dict(fields)
    if since and not (given.get("since") or given.get("until")):
        given |= {"since": since, "until": until}
    question = question_of(given, site.settings, site.wall(), own=own_agent(who))
    if who.may(Verb.REVIEW_GRADE):
        question = replace(question, wanted=replace(question.wanted, blind=who.name))
    number = question.wanted.number
    if not number or who.may(Verb.NUMBER_SEE):
        return question
    digits = dialled(number)
    if digits.isdigit() and len(digits) == LAST_SHOWN:
        return replace(question, wanted=replace(question.wanted, number=digits, by="end"))
    if whole := e164(digits, site.settings.hotline.country):
        return replace(question, wanted=replace(question.wanted, number=whole, by="whole"))
    why = _("Write the whole number or its last four digits: whoever sees numbers masked finds them by nothing else.")
    return replace(question, faults={**question.faults, "number": why})


async def found_calls(
    site: Site, who: Who, fields: Mapping[str, str], *, limit: int = PAGE, after: str | None = None,
    before: str | None = None, counted: bool = True,
) -> Found:  # fmt: skip
    """The calls that are wanted, the newest first. Raises NotPermitted, StoreError."""
    who.must(Verb.CALLS_READ)
    question = asked(fields, site, who)
    if question.faults:
        return Found(question)
    seen = find(site.store, question.wanted, limit=limit, after=after, before=before)
    own = question.wanted.own
    if own and after is None and before is None and question.given.keys() <= {"since"}:
        # It stands in no search yet, since nobody has talked in it; nor is it asked for by anything but its time.
        now = ringing_at(site, own)
    else:
        now = ""
    if not counted:
        return await _filled(site, question, await seen, None, now)
    hits, many = await asyncio.gather(seen, count(site.store, question.wanted))
    if after is None and before is None and not hits.older:
        many = Count(len(hits.call_ids), False)
    return await _filled(site, question, hits, Count(max(many.n, len(hits.call_ids)), many.more), now)


async def exported_calls(site: Site, who: Who, fields: Mapping[str, str]) -> Found:
    """The calls for a file, once the access log says who takes them. Raises NotPermitted, Refusal, StoreError (then
    nothing is given)."""
    found = await found_calls(site, who, fields, limit=EXPORTED, counted=False)
    for name, why in found.question.faults.items():
        raise Refusal(f"{name}: {why}", status=422)
    wished = "; ".join(_noted(name, text) for name, text in fields.items())
    why = f"{len(found.rows)} · {wished}" if wished else str(len(found.rows))
    await site.access.note([
        Access(who.name, "calls.export", why, role=hearing.roles(who), address=who.address)
    ])  # fmt: skip
    return found


def _noted(name: str, text: str) -> str:
    """A wish as the access log has it, which is kept for good: not the words, which may be a name, and no number whole;
    a local one has seven digits."""
    if name == "number" and sum(char.isdigit() for char in text) >= 7:
        text = masked(text)
    return name if name == "words" else f"{name}={text}"


def sheet_rows(found: Found, eyes: Eyes, now: int) -> Iterator[Mapping[str, object]]:
    """The calls for a sheet: times as people read them."""
    for row in rows_of(found, eyes, now):
        for key in ("arrived_at", "ended_at"):
            at = row[key]
            row[key] = moment(at, eyes.settings.hotline.zone) if isinstance(at, int) and at else ""
        yield row


async def _filled(site: Site, question: Question, hits: Hits, many: Count | None, ringing: str) -> Found:
    first = [ringing] if ringing and ringing not in hits.call_ids else []
    rows = await queries.calls_of(site.store, [*first, *hits.call_ids])
    return Found(question, tuple(rows), hits.older, hits.newer, many)


async def one_call(site: Site, who: Who, call_id: str) -> CallDetail:
    """The call whole. Raises LookupError where there is none, or none for this person; NotPermitted, StoreError."""
    who.must(Verb.CALLS_READ)
    detail = await queries.get_call(site.store, call_id)
    own = own_agent(who)
    if detail is None or (own is not None and own not in _theirs(detail)):
        raise LookupError(call_id)
    return detail


def _theirs(detail: CallDetail) -> set[str]:
    """Whose call it is: those who talked in it, and whom it rings just now."""
    return {talk.agent for talk in detail.talks if talk.started_at or not talk.ring_ended_at}


# --- words --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Eyes:
    """How this person sees calls: names by the settings of today, numbers whole or masked."""

    settings: Settings
    whole: bool
    names: Names

    @classmethod
    def of(cls, site: Site, who: Who) -> Eyes:
        """Theirs."""
        return cls(site.settings, who.may(Verb.NUMBER_SEE), Names.of(site.settings))

    def number(self, number: str) -> str:
        """A caller's number."""
        return shown(number, self.settings.hotline.country, whole=self.whole) or _("anonymous")

    def name(self, name: str) -> str:
        """What the trunk said of the caller, which may be a number too."""
        return name if self.whole else masked_text(name)

    def plain(self, text: str) -> str:
        """A sentence that may name a number; the hotline's own are no secret."""
        return text if self.whole else _masked(text, self.settings.hotline.numbers)

    def about(self, row: CallRow) -> str:
        """What the call is about, as far as the menu tells."""
        return row.label or (_("(lifeboat)") if row.reason.startswith(VIA) else "")

    def end(self, row: CallRow) -> str:
        """How it ended, or where it is."""
        return outcome_word(row.outcome) if row.outcome else stage_word(row.stage)

    def why(self, row: CallRow) -> str:
        """Why it ended so; empty where that says no more."""
        why = reason_word(row.reason) if row.reason else ""
        return why if with_why(self.end(row), why) != self.end(row) else ""


def _masked(text: str, own: Sequence[str]) -> str:
    if not own:
        return masked_text(text)
    return own[0].join(_masked(part, own[1:]) for part in text.split(own[0]))


LEVELS: Mapping[str, str] = {
    "answered": "good", "callback": "good", "voicemail": "warn", "overflowed": "warn", "closed": "warn",
    "failed": "bad", "uncovered": "bad", "abandoned": "bad", "": "accent",
}  # fmt: skip
"""The looks of an outcome; a call that goes on has none yet."""


def waited(row: CallRow, now: int) -> float | None:
    """Seconds from asking to the talk, or to the hang-up of who waited in vain; None where nobody was asked for."""
    if not row.asked_at:
        return None
    end = row.first_talk_at or (row.ended_at if row.outcome == "abandoned" else 0) or (0 if row.ended_at else now)
    return max(0, end - row.asked_at) / 1e6 if end else None


def talked(row: CallRow, now: int) -> float | None:
    """Seconds with agents, up to now in the first talk; None where there was no talk."""
    if not row.first_talk_at:
        return None
    first = now - row.first_talk_at if row.stage == "talk" and not (row.ended_at or row.talk_us) else 0
    return max(row.talk_us, first) / 1e6


def menu_path(detail: CallDetail, names: Names) -> list[str]:
    """The caller's way through the menu: each key and what it meant."""
    return [
        f"{key.key} {names.keys.get((key.menu, key.key), '')}".strip()
        for key in (each.event for each in detail.events)
        if isinstance(key, ev.KeyPressed) and key.meaning in ("menu", "queue")
    ]


def rows_of(found: Found, eyes: Eyes, now: int) -> Iterator[dict[str, object]]:
    """Each call in plain fields, for programs and files."""
    for row in found.rows:
        yield {
            "call_id": row.call_id, "arrived_at": row.arrived_at, "direction": row.direction,
            "number": eyes.number(row.number) if row.number else "", "name": eyes.name(row.name), "did": row.did,
            "trunk": row.trunk, "queue": row.queue, "label": row.label, "agents": list(row.agents), "rings": row.rings,
            "waited": waited(row, now), "talked": talked(row, now), "ended_at": row.ended_at, "stage": row.stage,
            "outcome": row.outcome, "reason": row.reason, "recorded": row.recorded,
            "rating": row.rating,
        }  # fmt: skip
