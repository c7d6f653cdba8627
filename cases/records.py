"""Call records written and read through the journal, one version after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog
from uuid_utils import uuid7

from calllog.errors import StoreLost
from calllog.events import Arrived, RecordWritten, TalkStarted
from calllog.journal import Journal
from calllog.notes import Note, new_note
from cases.record import TEXTS, Card, Fault, NotTaken, card_of, changed_by, missing
from cases.subjects import subjects_of
from config.catalogue import _
from config.settings import Settings

log = structlog.get_logger()

KIND = "record"
"""Of the notes that call records are made of."""


class Records:
    """``told`` hears of every version that was written: the call's id, and whether its record is complete."""

    def __init__(
        self, journal: Journal, settings: Callable[[], Settings], told: Callable[[str, bool], None] = lambda *_: None
    ) -> None:
        self._journal, self._settings, self._told = journal, settings, told
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def read(self, call_id: str) -> Card:
        """The call's record. Raises LookupError where there is no such call, StoreError."""
        events, settings = await self._journal.events_of(call_id), self._settings()
        if not any(isinstance(each.event, Arrived) for each in events):
            raise LookupError(call_id)
        return card_of(call_id, events, await self._journal.notes_of(call_id), settings, subjects_of(settings))

    async def write(
        self, call_id: str, changes: Mapping[str, Any], *, by: str, agent: str = "", version: int | None = None
    ) -> Card:
        """Put these fields in place and return the record then; where nothing differs nothing is written.

        ``by`` writes it; ``agent`` is whose talk it is about, else the last agent who talked. ``version`` is the one
        that the writer has seen: where somebody wrote another since, nothing is written. Returns when it is safe, or
        when the journal will keep trying. Raises LookupError, NotTaken, StoreError.
        """
        lock = self._locks.setdefault(call_id, asyncio.Lock())
        async with lock:
            before, settings = await self.read(call_id), self._settings()
            if before.caller_erased:  # nobody would find it by the number any more: it could never be erased again
                raise NotTaken([Fault("", _("The caller was erased: nothing more is written about this call."))])
            subjects = subjects_of(settings)
            if version is not None and version != before.version:
                by_whom = before.versions[-1].by if before.versions else ""
                what = _("{who} has changed the record meanwhile: look at it again.").format(who=by_whom)
                raise NotTaken([Fault("", what)], outdated=True)
            content = changed_by(before.content, changes, subjects)
            lacks = missing(content, subjects, settings)
            known = before.latest
            if known is not None and content == before.content and known.complete == (not lacks):
                self._told(call_id, known.complete)  # a second agent of the call may have just seen it whole
                return before
            notes, named = self._notes(before, content)
            event = RecordWritten(
                record_id=known.record_id if known is not None else str(uuid7()), version=before.version + 1, by=by,
                agent=agent or (known.agent if known is not None else "") or await self._agent(call_id),
                subject=content.subject, solved=content.solved, identity_checked=content.identity_checked,
                complete=not lacks, notes=named,
            )  # fmt: skip
            try:
                await self._journal.commit("call", call_id, event, notes=notes)
            except StoreLost as lost:
                log.error("a call record is not safe yet", call=call_id, why=str(lost))
            self._told(call_id, event.complete)
            return await self.read(call_id)

    @staticmethod
    def _notes(before: Card, content: Any) -> tuple[list[Note], dict[str, str]]:
        """The new notes, and every note of the version: a text that did not change keeps its own."""
        kept = before.latest.notes if before.latest is not None else {}
        notes: list[Note] = []
        named: dict[str, str] = {}
        for field in TEXTS:
            text = getattr(content, field)
            if text == getattr(before.content, field):
                named |= {field: kept[field]} if field in kept else {}
            elif text:
                notes.append(new_note(KIND, field, text))
                named[field] = notes[-1].note_id
        return notes, named

    async def _agent(self, call_id: str) -> str:
        talks = [each.event for each in await self._journal.events_of(call_id) if isinstance(each.event, TalkStarted)]
        return talks[-1].agent if talks else ""
