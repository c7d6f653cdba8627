"""Callers of whom the journal knows nothing, because the daemon died within the moment in which it was told of them.

Answering never waits for the store, so a ``kill -9`` within 50 ms of an arrival loses what was not stored yet; a caller
who hangs up before the next daemon looks would have been answered without a trace. But Asterisk lives on: when a caller
hangs up while the daemon has them, the dialplan appends a line to one file, after the call and so at nobody's cost.
A start, and a reconnect, compare its lines with the journal; of the calls that the journal left open they tell the
true end. Otherwise the file is emptied from time to time; a caller whom the dialplan answered and who hung up before we
were even asked is then found in it, too.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from calllog import events as ev
from calllog.errors import StoreError
from calllog.folds import CallState
from calllog.journal import Journal
from hotline.away import beginning, micros
from phone.numbers import e164
from routing.outcome import outcome_of

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks, while there is something to look for: Asterisk has finished a line long before."""

EMPTIED_EVERY = 60.0
"""Seconds between two emptyings: at a start the lines of so long must be looked up."""

LOOKS = 3
"""Looks at which lines are looked up after a start or a reconnect: what Asterisk writes until the second one lies still
at the third. Whoever hung up before we saw what is there has their line by then, however busy the machine."""

BRIEF = 3_000_000
"""µs from the second in which a call came to its end, below which it is looked up though we should know of it."""

LARGEST = 4 * 1024 * 1024
"""Bytes of the file that are read: some 50,000 calls."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One caller who hung up; ``end`` in µs UTC. ``asked``: the dialplan was about to tell us of them."""

    call_id: str
    up: bool
    end: int
    did: str
    number: str
    asked: bool = True

    @property
    def begin(self) -> int:
        """When the call came, in µs UTC: Asterisk's unique ids hold the second."""
        second = self.call_id.rpartition("-")[2].partition(".")[0]
        return min(micros(second) or self.end, self.end)

    @property
    def untold(self) -> bool:
        """Whether even a daemon that lived may know nothing of them: who hangs up in the instant in which the dialplan
        goes over to us never reaches Stasis()."""
        return not self.asked or self.end - self.begin < BRIEF


def read(text: str) -> list[Trace]:
    """The lines ``call_id|state|end|did|number|why``, those of before without the last; what is no such line is passed
    over."""
    found = []
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) in (5, 6) and fields[0] and (end := micros(fields[2])):
            did, number = ("".join(char for char in field[:32] if char in "+0123456789") for field in fields[3:5])
            asked = fields[5:] in ([], ["handed"])
            found.append(Trace(fields[0][:150], fields[1] == "Up", end, did, number, asked))
    return found


class Traces:
    """The file's other end; ``ended`` is told each call that was found by it."""

    def __init__(self, file: Path, journal: Journal, *, country: str, ended: Callable[[CallState], None]) -> None:
        self._file, self._journal, self._country, self._ended = file, journal, country, ended
        self._aside = file.with_suffix(".old")
        self._look_up = 0
        self._due = 0.0
        self._taken: deque[str] = deque(maxlen=1000)

    def has(self, call_id: str) -> bool:
        """Whether this call was found here: then it is over, whatever is still told of it."""
        return call_id in self._taken

    def connected(self) -> None:
        """A daemon died, or a connection broke: look up what is in the file, and what was set aside before."""
        self._look_up, self._due = LOOKS, 0.0

    @property
    def looking(self) -> bool:
        """Whether a caller may yet be found."""
        return self._look_up > 0

    async def watch(self, in_service: Callable[[], bool], running: Callable[[], Collection[str]]) -> None:
        """Look from time to time while ``in_service``; ``running`` are the calls that have a task."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if in_service():
                try:
                    await self.take_in(running())
                except (OSError, StoreError) as error:
                    log.error("Asterisk's list of callers who hung up cannot be read", why=str(error))

    async def take_in(self, running: Collection[str]) -> int:
        """One look; returns how many calls were found. Raises OSError and StoreError."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            return 0
        found = 0
        traces = await asyncio.to_thread(self._read, bool(self._look_up))
        if traces is not None:
            for trace in traces:
                if trace.call_id not in running and not await self._journal.events_of(trace.call_id):
                    await self._take(trace)
                    found += 1
            self._look_up = max(0, self._look_up - 1)
            await self._journal.flush()  # what is deleted now is in the journal, or was never to be
            await asyncio.to_thread(self._aside.unlink)
        elif self._look_up:
            self._look_up -= 1
        # Asterisk may still be writing a line into the file that is set aside now: it is read the next time.
        there = await asyncio.to_thread(self._set_aside)
        self._due = 0.0 if there or self._look_up else loop.time() + EMPTIED_EVERY
        return found

    async def ends(self, ahead: int = 0) -> dict[str, int]:
        """When callers hung up, by call, in µs: as Asterisk's clock told it, plus the µs by which ours is ``ahead``.

        Only what was not emptied yet: all that came after the daemon before us was gone.
        """
        files = (self._file, self._aside)  # in this order: it may be set aside in between
        text = await asyncio.to_thread(lambda: [self._text(file) for file in files])
        return {trace.call_id: trace.end + ahead for each in text for trace in read(each)}

    @staticmethod
    def _text(file: Path) -> str:
        try:
            return beginning(file, LARGEST).decode("utf-8", "replace")
        except OSError:  # nobody hung up; what is no file at all is told of by the next look
            return ""

    def _read(self, every: bool) -> list[Trace] | None:
        """The callers to be looked up: ``every`` one, or only those of whom we may not have been told."""
        try:
            text = beginning(self._aside, LARGEST).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:  # a pipe or a link that somebody laid there: what it holds is of no call
            log.error("Asterisk's list of callers who hung up cannot be read; it goes", why=str(error))
            return []
        return [trace for trace in read(text) if every or trace.untold]

    def _set_aside(self) -> bool:
        try:
            os.rename(self._file, self._aside)
        except FileNotFoundError:
            return False
        return True

    async def _take(self, trace: Trace) -> None:
        self._taken.append(trace.call_id)
        log.warning("a caller of whom only Asterisk knew", call=trace.call_id, answered=trace.up)
        state = CallState(trace.call_id)
        events: list[tuple[ev.CallEvent, int]] = [(ev.Arrived(leg=trace.call_id, did=trace.did), trace.begin)]
        if trace.up:
            events.append((ev.Answered(), trace.begin))
        events.append((ev.HungUp(by="caller"), trace.end))
        for event, at in events:
            state.apply(at, event)
            is_first = isinstance(event, ev.Arrived)
            party = ev.Party(trace.number, e164(trace.number, self._country), "") if is_first else None
            self._journal.append("call", trace.call_id, event, party=party, at=at)
        outcome, reason = outcome_of(state)
        ended = ev.Ended(outcome=outcome, reason=reason)
        state.apply(trace.end, ended)
        await self._journal.commit("call", trace.call_id, ended, at=trace.end)
        self._ended(state)
