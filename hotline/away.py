"""Takes in what the lifeboat and the dialplan kept of callers while no daemon looked after them.

The lifeboat writes ``<call_id>.jsonl`` (``hotline.lifeboat``), the dialplan's apology ``<call_id>.txt`` line by line
(``begin=``, ``number=``, ``did=``, ``answered=``, ``voicemail=``, ``end=``), and either a message ``<call_id>.wav``.
A call may have been with both. It counts once its leg is gone, or the text has its ``end=``. The sound is moved to the
spool first, then the events are committed, then the files are deleted: a kill in between repeats what is left and
doubles nothing. A talk that goes on is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import stat
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from calllog import events as ev
from calllog.errors import StoreError
from calllog.folds import CallState
from calllog.journal import Journal
from config.plain import open_plain
from hotline import lifeboat
from hotline.lifeboat import Visit
from phone.numbers import e164
from phone.port import PhoneFault
from recordings.folders import Folders, voicemail_seconds
from routing.outcome import outcome_of

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks for calls that were taken while no daemon looked after them."""

LAST_WORD = 3.0
"""Seconds given to the lifeboat for its last line after the caller's leg is gone."""

KINDS = (".jsonl", ".txt")
"""What is kept of a call: by the lifeboat, by the dialplan's apology."""

LARGEST = 4096
"""Bytes of a text that may be read: the dialplan writes some 200."""

LONGEST_NAME = 150
"""Characters of a call's id: Asterisk's own are shorter (AST_MAX_UNIQUEID, include/asterisk/channel.h)."""


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
    text = beginning(file, LARGEST).decode("utf-8", "replace")
    fields = dict(line.partition("=")[::2] for line in text.splitlines())
    if "end" not in fields and not broken_off:
        return None
    end = micros(fields.get("end", "")) or int(file.stat().st_mtime * 1_000_000)
    begin = micros(fields.get("begin", "")) or end
    return AwayCall(
        file.stem,
        begin,
        micros(fields.get("answered", "")) or begin,
        end,
        "".join(char for char in fields.get("number", "")[:32] if char in "+0123456789"),
        "".join(char for char in fields.get("did", "")[:32] if char in "+0123456789"),
    )


def beginning(file: Path, most: int) -> bytes:
    """The first ``most`` bytes. Raises OSError for whatever is no plain file.

    Asterisk's group may write into the folder: a link could lead to what is ours alone, a pipe would never end.
    """
    handle = open_plain(file, links=False)
    try:
        return os.read(handle, most)
    finally:
        os.close(handle)


def is_plain(file: Path) -> bool:
    """Whether there is a file of this name that is neither link, folder nor pipe."""
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False


def micros(text: str) -> int:
    """Seconds with a fraction, as the dialplan writes times, in µs; 0 where it is none."""
    seconds, _, fraction = text.strip().partition(".")
    if not seconds.isdecimal() or len(seconds) > 11:  # beyond that no calendar could show the call
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
        """Whether the lifeboat or the dialplan has written of this call."""
        return any(os.path.exists(f"{self._folder}/{call_id}{kind}") for kind in KINDS)

    def calls(self) -> set[str]:
        """The calls of which either has written."""
        return {file.stem for kind in KINDS for file in self._folder.glob(f"*{kind}")}

    def engaged(self) -> set[str]:
        """The devices that are in use by the lifeboat, as far as its files tell."""
        found = []
        for file in self._folder.glob("*.jsonl"):
            with contextlib.suppress(OSError):
                found.append(self._boat(file))
        return lifeboat.engaged(found)

    def handed_over(self, state: CallState) -> None:
        """The dialplan has this call now; its file will end it."""
        self._handed[state.call_id] = state

    async def watch(
        self,
        ready: Callable[[], bool],
        still_there: Callable[[str], Awaitable[bool]],
        running: Callable[[], Collection[str]],
    ) -> None:
        """Take in what is finished whenever we are ``ready``, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if not ready():
                continue
            try:
                taken = await self.take_in(still_there, running())
            except (OSError, PhoneFault, StoreError) as error:
                log.error("calls of the time away could not be taken in", why=str(error))
            else:
                if taken:
                    log.info("calls of the time away were taken in", calls=taken)

    async def take_in(self, still_there: Callable[[str], Awaitable[bool]], running: Collection[str] = ()) -> int:
        """Take in every finished file; returns how many.

        Those of the calls in ``running`` wait: their task has yet to hear that the dialplan took them.
        A call that was handed over but has neither a file nor a leg (``still_there``) any more is ended as failed.
        """
        taken = 0
        for call_id in sorted(self.calls() - self._refused):
            if call_id in running:
                continue
            if not call_id.isprintable() or len(call_id) > LONGEST_NAME:
                self._refused.add(call_id)
                log.error("a file whose name is no call's; it stays", name=ascii(call_id))
                continue
            try:
                boat, visit = self._read_boat(call_id), self._read_text(call_id)
                if (boat is not None or visit is None) and await still_there(call_id):
                    continue
                if boat is not None and not boat.over and self._being_written(call_id):
                    continue
                if visit is None:  # Asterisk was killed, or wrote the end just now
                    visit = self._read_text(call_id, broken_off=True)
            except OSError as error:
                self._refused.add(call_id)
                log.error("what is kept of a call cannot be read; it stays", call=call_id, why=str(error))
                continue
            if boat is None and visit is None:
                continue
            try:
                await self._take(call_id, boat, visit)
                for kind in KINDS:
                    (self._folder / f"{call_id}{kind}").unlink(missing_ok=True)
            except (OSError, LookupError, ValueError) as error:
                # One odd file must not hold the others up.
                log.error("a call of the time away could not be taken in yet", call=call_id, why=str(error))
                continue
            taken += 1
        for call_id, state in list(self._handed.items()):
            if not self.has(call_id) and not await still_there(call_id):
                await self._finish(state, failed=True)
        return taken

    def _being_written(self, call_id: str) -> bool:
        """Whether the script may yet write its last word: it hears of the hang-up a moment after us."""
        return 0 <= time.time() - (self._folder / f"{call_id}.jsonl").stat().st_mtime < LAST_WORD

    def _read_text(self, call_id: str, *, broken_off: bool = False) -> AwayCall | None:
        file = self._folder / f"{call_id}.txt"
        return read(file, broken_off=broken_off) if os.path.lexists(file) else None

    def _read_boat(self, call_id: str) -> Visit | None:
        file = self._folder / f"{call_id}.jsonl"
        return self._boat(file) if os.path.lexists(file) else None

    def _boat(self, file: Path) -> Visit:
        return lifeboat.read(file.stem, beginning(file, lifeboat.LARGEST))

    async def _take(self, call_id: str, boat: Visit | None, visit: AwayCall | None) -> None:
        state = self._handed.get(call_id) or CallState.of(call_id, await self._journal.events_of(call_id))
        file = f"{call_id}.away.wav"
        sound, kept = self._folder / f"{call_id}.wav", self._folders.raw(file)
        if is_plain(sound):
            os.replace(sound, kept)
        elif sound.exists() or sound.is_symlink():
            log.error("a message that is no plain file; it stays", file=str(sound))
        if state.ended_at:
            self._handed.pop(call_id, None)
            if kept.exists() and state.voicemail_file != file:
                log.error("a message of a call that had ended already; it is kept in the spool", file=str(kept))
            # A daemon killed between writing them down and removing the file has taken them in already.
            taken = state.reason.startswith(lifeboat.VIA) or any(
                talk.talk_id.startswith(f"{call_id}-b") for talk in state.talks
            )
            if boat is not None and not taken:
                late = (self._folder / f"{call_id}.jsonl").rename(self._folder / f"{call_id}.late")
                log.error("the lifeboat had a call that had ended already; what it wrote is kept", file=str(late))
            return
        end = visit.end if visit is not None else 0
        if boat is not None:
            end = end or boat.ended_at(self._last_written(call_id))
            for at, event in lifeboat.events(boat, state, end if visit is None else visit.begin):
                number = boat.arrived.number if boat.arrived is not None else ""
                self._note(state, event, at, self._party(number) if isinstance(event, ev.Arrived) else None)
        if visit is not None:
            self._apology(state, visit)
        if kept.exists():
            seconds = round(voicemail_seconds(kept), 3)
            began = max(state.answered_at, end - int(seconds * 1e6))
            self._note(state, ev.VoicemailStarted(file=file), began)
            if seconds >= self.shortest:
                self._note(state, ev.VoicemailKept(file=file, seconds=seconds), end)
            else:
                self._note(state, ev.VoicemailDropped(why="too_short", seconds=seconds), end)
        served = boat is not None and visit is None and boat.complete
        self._note(state, ev.HungUp(by=boat.ended_by if boat is not None and served else "caller"), end)
        await self._finish(state, failed=not served, by_boat=boat is not None, at=end)

    def _apology(self, state: CallState, visit: AwayCall) -> None:
        """What the dialplan's apology adds."""
        if not state.arrived_at:
            self._note(state, ev.Arrived(leg=visit.call_id, did=visit.did), visit.begin, self._party(visit.number))
            self._note(state, ev.Answered(), visit.answered)
            self._note(state, ev.HandedOver(why="guard"), visit.answered)
        if not state.asked_at:
            self._note(state, ev.Asked(queue="", via="away"), visit.answered)
        self._note(state, ev.VoicemailOffered(why="away"), visit.answered)

    def _party(self, number: str) -> ev.Party:
        digits = "".join(char for char in number[:32] if char in "+0123456789")
        return ev.Party(digits, e164(digits, self.country), "")

    def _last_written(self, call_id: str) -> int:
        """When something of this call was written last (µs): its file, or the recording of a talk that was cut off."""
        files = [self._folder / f"{call_id}.jsonl", *self._folders.spool.glob(f"{glob.escape(call_id)}-b*.raw")]
        return max(int(file.stat().st_mtime * 1_000_000) for file in files)

    def _note(self, state: CallState, event: ev.CallEvent, at: int, party: ev.Party | None = None) -> None:
        state.apply(at, event)
        self._journal.append("call", state.call_id, event, party=party, at=at)

    async def _finish(
        self, state: CallState, *, failed: bool, by_boat: bool = False, at: int | None = None
    ) -> None:
        outcome, reason = outcome_of(state, failed=failed)
        event = ev.Ended(outcome=outcome, reason=f"{lifeboat.VIA}{reason}" if by_boat else "away")
        # Folded first: should the store fail, the journal keeps the event, and the next look must not end it again.
        state.apply(at or state.hung_up_at or state.arrived_at, event)
        self._handed.pop(state.call_id, None)
        await self._journal.commit("call", state.call_id, event, at=at)
        self._ended(state)
