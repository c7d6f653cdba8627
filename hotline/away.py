"""Takes in what the dialplan kept of callers while no daemon looked after them: one text file and one voicemail each.

The dialplan writes ``<call_id>.txt`` line by line (``begin=``, ``number=``, ``did=``, ``answered=``, ``voicemail=``,
``end=``) and ``<call_id>.wav``. A file counts once it has its ``end=``. The sound is moved to the spool first, then the
events are committed, then the text is deleted: a kill in between repeats what is left and doubles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from calllog import events as ev
from calllog.folds import CallState
from calllog.journal import Journal
from phone.numbers import e164
from recordings.folders import Folders, voicemail_seconds
from routing.outcome import outcome_of

log = structlog.get_logger()

LARGEST = 4096
"""Bytes of a text that may be read: the dialplan writes some 200."""


@dataclass(frozen=True, slots=True)
class AwayCall:
    """One such visit; times in µs UTC, 0 where the dialplan did not write one."""

    call_id: str
    begin: int
    answered: int
    end: int
    number: str
    did: str


def read(file: Path, *, broken_off: bool = False) -> AwayCall | None:
    """The visit in this file; None while the caller is still there.

    ``broken_off``: the leg is gone, so what is there is all there will ever be; its last line was then the end.
    """
    text = file.read_bytes()[:LARGEST].decode("utf-8", "replace")
    fields = dict(line.partition("=")[::2] for line in text.splitlines())
    if "end" not in fields and not broken_off:
        return None
    end = _micros(fields.get("end", "")) or int(file.stat().st_mtime * 1_000_000)
    begin = _micros(fields.get("begin", "")) or end
    return AwayCall(
        file.stem,
        begin,
        _micros(fields.get("answered", "")) or begin,
        end,
        "".join(char for char in fields.get("number", "")[:32] if char in "+0123456789"),
        "".join(char for char in fields.get("did", "")[:32] if char in "+0123456789"),
    )


def _micros(text: str) -> int:
    seconds, _, fraction = text.strip().partition(".")
    if not seconds.isdecimal() or len(seconds) > 12:
        return 0
    return int(seconds) * 1_000_000 + int((fraction if fraction.isdecimal() else "0")[:6].ljust(6, "0"))


class Away:
    """The intake; ``ended`` is told each finished call."""

    def __init__(
        self,
        folder: Path,
        folders: Folders,
        journal: Journal,
        *,
        country: str,
        shortest: float,
        ended: Callable[[CallState], None],
    ) -> None:
        self._folder, self._folders, self._journal = folder, folders, journal
        self.country, self.shortest, self._ended = country, shortest, ended
        self._handed: dict[str, CallState] = {}
        self._refused: set[str] = set()

    def has(self, call_id: str) -> bool:
        """Whether the dialplan has written of this call."""
        return (self._folder / f"{call_id}.txt").exists()

    def handed_over(self, state: CallState) -> None:
        """The dialplan has this call now; its file will end it."""
        self._handed[state.call_id] = state

    async def take_in(self, still_there: Callable[[str], Awaitable[bool]], running: Collection[str] = ()) -> int:
        """Take in every finished file; returns how many.

        Those of the calls in ``running`` wait: their task has yet to hear that the dialplan took them.
        A call that was handed over but has neither a file nor a leg (``still_there``) any more is ended as failed.
        """
        taken = 0
        for file in sorted(self._folder.glob("*.txt")):
            if file.name in self._refused or file.stem in running:
                continue
            try:
                visit = read(file)
                if visit is None and not await still_there(file.stem):
                    visit = read(file, broken_off=True)  # Asterisk was killed, or wrote the end just now
            except OSError as error:
                self._refused.add(file.name)
                log.error("a voicemail's text cannot be read; it is kept", file=str(file), why=str(error))
                continue
            if visit is not None:
                try:
                    await self._take(visit)
                    file.unlink(missing_ok=True)
                except (OSError, LookupError, ValueError) as error:
                    # One odd file must not hold the others up.
                    log.error("a call of the time away could not be taken in yet", file=str(file), why=str(error))
                    continue
                taken += 1
        for call_id, state in list(self._handed.items()):
            if not (self._folder / f"{call_id}.txt").exists() and not await still_there(call_id):
                await self._finish(state, state.stage, failed=True)
        return taken

    async def _take(self, visit: AwayCall) -> None:
        state = self._handed.get(visit.call_id) or CallState.of(
            visit.call_id, await self._journal.events_of(visit.call_id)
        )
        file = f"{visit.call_id}.away.wav"
        sound, kept = self._folder / f"{visit.call_id}.wav", self._folders.raw(file)
        if sound.exists():
            os.replace(sound, kept)
        if state.ended_at:
            self._handed.pop(visit.call_id, None)
            if kept.exists() and state.voicemail_file != file:
                log.error("a message of a call that had ended already; it is kept in the spool", file=str(kept))
            return
        if not state.arrived_at:
            party = ev.Party(visit.number, e164(visit.number, self.country), "")
            self._note(state, ev.Arrived(leg=visit.call_id, did=visit.did), visit.begin, party)
            self._note(state, ev.Answered(), visit.answered)
            self._note(state, ev.HandedOver(why="guard"), visit.answered)
        if not state.asked_at:
            self._note(state, ev.Asked(queue="", via="away"), visit.answered)
        self._note(state, ev.VoicemailOffered(why="away"), visit.answered)
        if kept.exists():
            seconds = round(voicemail_seconds(kept), 3)
            self._note(state, ev.VoicemailStarted(file=file), max(visit.answered, visit.end - int(seconds * 1e6)))
            if seconds >= self.shortest:
                self._note(state, ev.VoicemailKept(file=file, seconds=seconds), visit.end)
            else:
                self._note(state, ev.VoicemailDropped(why="too_short", seconds=seconds), visit.end)
        self._note(state, ev.HungUp(by="caller"), visit.end)
        await self._finish(state, "away", failed=not state.voicemail_kept, at=visit.end)

    def _note(self, state: CallState, event: ev.CallEvent, at: int, party: ev.Party | None = None) -> None:
        state.apply(at, event)
        self._journal.append("call", state.call_id, event, party=party, at=at)

    async def _finish(self, state: CallState, stage: str, *, failed: bool, at: int | None = None) -> None:
        outcome, _reason = outcome_of(state, failed=failed)
        event = ev.Ended(outcome=outcome, reason=stage)
        # Folded first: should the store fail, the journal keeps the event, and the next look must not end it again.
        state.apply(at or state.hung_up_at or state.arrived_at, event)
        self._handed.pop(state.call_id, None)
        await self._journal.commit("call", state.call_id, event, at=at)
        self._ended(state)
