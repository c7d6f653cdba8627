"""Where grades are given: reads what is, has ``recordings.reviews`` decide, and journals it. One decision at a time.

A grade waits for its commit: who sees "saved" can rely on it. Each method raises Refused (or WrongAnswers) with a
sentence for the person at the screen, and StoreError where the store cannot be read or written.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import msgspec

from calllog import review_queries
from calllog.events import AnyEvent, Drawn, FormPublished, ListDrawn, Recorded, ReviewGiven, Stream
from calllog.notes import Note, new_note
from calllog.review_folds import ReviewState
from config.catalogue import _
from config.review_file import Form, ReviewFile
from recordings import reviews, sampling
from recordings.forms import content, form_of, version
from recordings.reviews import CallFacts, Filled, Refused, Who
from recordings.sampling import Candidate, Drawing, Graders, Pick


class Journalling(Protocol):
    """What of the journal is used here; ``calllog.journal.Journal`` is one."""

    async def commit(
        self, stream: Stream, stream_id: str, event: AnyEvent, *, notes: Iterable[Note] = ()
    ) -> None:
        """Journal an event with its notes and wait until both are safe."""

    def append(self, stream: Stream, stream_id: str, event: AnyEvent) -> None:
        """Journal an event."""

    async def events_since(self, stream: Stream, stream_id: str, since: int) -> list[Recorded]:
        """The events of a thread, also those not yet in the store."""


@dataclass(frozen=True, slots=True)
class Drew:
    """What a draw of one plan put onto lists, and the calls that nobody may grade."""

    plan: str
    week: str
    drawing: Drawing


_TURNS: WeakKeyDictionary[Journalling, asyncio.Lock] = WeakKeyDictionary()
"""One decision at a time for each journal, however many desks it has: the console's, a command's, the morning's."""


class ReviewDesk:
    """Gives grades and draws lists. ``store`` is the call store's file, which ``journal`` writes."""

    def __init__(self, journal: Journalling, store: Path) -> None:
        self._journal, self._store = journal, store
        self._one_at_a_time = _TURNS.setdefault(journal, asyncio.Lock())

    async def give(self, who: Who, call_id: str, file: ReviewFile, name: str, filled: Filled) -> ReviewGiven:
        """Grade the call by the form of this name as it is now."""
        form = file.forms.get(name)
        if form is None:
            raise Refused(reviews.no_form(name, file))
        async with self._one_at_a_time:
            call, state = await self._about(call_id)
            given = reviews.give(who, call, state, name, form, filled)
            await self._publish(name, form)
            return await self._commit_grade(call_id, given, filled)

    async def correct(self, who: Who, call_id: str, review_id: str, filled: Filled) -> ReviewGiven:
        """Put another grade in the place of an own one."""
        async with self._one_at_a_time:
            call, state = await self._about(call_id)
            given = reviews.correct(who, call, state, review_id, await self._form_of(state, review_id), filled)
            return await self._commit_grade(call_id, given, filled)

    async def appeal(self, who: Who, call_id: str, review_id: str, why: str) -> None:
        """The agent appeals."""
        reviews.too_long([why])
        async with self._one_at_a_time:
            _call, state = await self._about(call_id)
            event = reviews.appeal(who, state, review_id, why)
            await self._commit(call_id, event, "appeal", {"why": why})

    async def keep(self, who: Who, call_id: str, review_id: str, why: str) -> None:
        """Decide an appeal: the grade stays."""
        reviews.too_long([why])
        async with self._one_at_a_time:
            call, state = await self._about(call_id)
            event = reviews.keep(who, call, state, review_id, why)
            await self._commit(call_id, event, "appeal", {"decision": why})

    async def change(self, who: Who, call_id: str, review_id: str, filled: Filled) -> ReviewGiven:
        """Decide an appeal: this grade takes the other's place."""
        async with self._one_at_a_time:
            call, state = await self._about(call_id)
            given = reviews.change(who, call, state, review_id, await self._form_of(state, review_id), filled)
            return await self._commit_grade(call_id, given, filled)

    async def mark(self, who: Who, call_id: str, on: bool, why: str) -> None:
        """Make the call an example, or no longer, and say why."""
        reviews.too_long([why])
        async with self._one_at_a_time:
            call, state = await self._about(call_id)
            await self._commit(call_id, reviews.mark(who, call, state, on, why), "exemplary", {"why": why})

    async def comment(self, who: Who, call_id: str, at_ms: int, text: str, longest_ms: int) -> str:
        """Comment at a moment of the recording; returns the comment's id."""
        reviews.too_long([text])
        async with self._one_at_a_time:
            call, _state = await self._about(call_id)
            event = reviews.comment(who, call, at_ms, text, longest_ms)
            await self._commit(call_id, event, "comment", {"text": text.strip()})
            return event.comment_id

    async def uncomment(self, who: Who, call_id: str, comment_id: str) -> None:
        """Take an own comment back."""
        async with self._one_at_a_time:
            _call, state = await self._about(call_id)
            await self._commit(call_id, reviews.uncomment(who, state, comment_id), "comment", {})

    async def draw(
        self, who: str, file: ReviewFile, week: str, zone: ZoneInfo, bound: Mapping[str, str], only: str | None = None,
        *, bad_from: int,
    ) -> list[Drew]:  # fmt: skip
        """Draw every plan (or ``only`` this one) for a week, and fill the lists; ``bad_from`` and worse is a bad rating
        (5 is the worst). Raises ValueError for no week."""
        since, until = (_micros(at) for at in sampling.span_of(week, zone))
        if only is not None and only not in file.plans:
            known = _(", ").join(file.plans) or "–"
            raise Refused(_("There is no plan {plan}; reviews.yaml has: {known}.").format(plan=only, known=known))
        drew = []
        async with self._one_at_a_time:
            candidates = [
                Candidate(
                    one.call_id, one.agents, one.talk_us / 1e6, one.queue, one.subject, one.silence,
                    one.rated if one.rating >= bad_from else "",
                )
                for one in await review_queries.gradable(self._store, since, until)
            ]  # fmt: skip
            for name, plan in file.plans.items():
                if only not in (None, name):
                    continue
                had = [_pick(one) for one in await review_queries.drawn(self._store, name, week)]
                # In a thread: a week of many calls takes a moment, for which no call of now may wait.
                drawing = await asyncio.to_thread(
                    sampling.draw, plan, week, candidates, had, Graders(plan.graders, bound)
                )
                if drawing.picks:
                    calls = tuple(Drawn(one.call_id, one.agent, one.grader, one.rule) for one in drawing.picks)
                    event = ListDrawn(plan=name, form=plan.form, week=week, seed=plan.seed, by=who, calls=calls)
                    await self._journal.commit("drawing", reviews.new_id(), event)
                drew.append(Drew(name, week, drawing))
        return drew

    async def _about(self, call_id: str) -> tuple[CallFacts, ReviewState]:
        facts = await review_queries.call_facts(self._store, call_id)
        if facts is None:
            raise Refused(_("There is no call {call}: look for it in the call log.").format(call=call_id))
        agents, talk_us, recorded = facts
        events = await self._journal.events_since("review", call_id, 0)
        return CallFacts(call_id, agents, recorded, talk_us / 1e6), ReviewState.of(call_id, events)

    async def _form_of(self, state: ReviewState, review_id: str) -> Form:
        """The form as it was when this grade was given."""
        review = state.review(review_id)
        if review is None:
            raise Refused(_("There is no such grade. Load the page again to see those that there are."))
        name = published_as(review.given.form, review.given.version)
        for each in await self._journal.events_since("form", name, 0):
            if isinstance(each.event, FormPublished):
                return form_of(each.event.text)
        raise Refused(_("The form of this grade is not in the journal: 'hotline calllog verify' says what is missing."))

    async def _publish(self, name: str, form: Form) -> None:
        this = version(form)
        if not await self._journal.events_since("form", published_as(name, this), 0):
            event = FormPublished(form=name, version=this, text=content(form))
            self._journal.append("form", published_as(name, this), event)

    async def _commit_grade(self, call_id: str, given: ReviewGiven, filled: Filled) -> ReviewGiven:
        await self._commit(call_id, given, "review", filled.remarks)
        return given

    async def _commit(self, call_id: str, event: AnyEvent, kind: str, texts: Mapping[str, str]) -> None:
        notes = [new_note(kind, name, text.strip(), call_id) for name, text in texts.items() if text.strip()]
        if notes:
            event = msgspec.structs.replace(event, notes={note.field: note.note_id for note in notes})
        await self._journal.commit("review", call_id, event, notes=notes)


def published_as(form: str, this: str) -> str:
    """The stream_id of one version of a form."""
    return f"{form}@{this}"


def _pick(one: Drawn) -> Pick:
    return Pick(one.call_id, one.agent, one.grader, one.rule)  # type: ignore[arg-type]


def _micros(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
