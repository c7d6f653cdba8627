"""夜班点名: before chosen shifts the duty phones ring, and whoever does not answer has a backup woken.

``roll_call`` of a shift is how many seconds before its beginning each person of the first line is rung, by the devices
that the shift rings: whoever presses 1 is there. Nobody on all devices, and once more ``times.ring`` later: they are
missing, the alarm goes out, and the backups whose shift overlaps with theirs are rung one after the other with other
words until one answers. Whoever talks is never rung: they are there. A backup who talks can take nobody's place just
then: the next one is woken, and they only where nobody else is left and their talk is over.

What was asked and answered is journalled (``RollCalled``), and a start reads it: nobody who has answered is asked
again, and a backup who was not reached yet is.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import structlog

from calllog.errors import StoreLost
from calllog.events import Recorded, RollCalled
from calllog.folds import AgentState
from config.settings import Settings
from phone.port import Phone
from routing.messages import AgentVerb
from routing.plan import chosen
from routing.roster import Duty, Roster
from routing.session import Journal
from routing.spans import microseconds
from routing.summons import Summons, summon

log = structlog.get_logger()

STREAM_ID = "roll_call"

LOOK_EVERY = 2.0
"""Seconds between two looks at who is due."""

ROUNDS = 2
"""How often somebody's devices are rung before they count as missing."""

AT_ONCE = 8
"""People rung at the same time: a roll call must not fill the trunks."""

LATE = dt.timedelta(minutes=15)
"""So long after a shift's beginning a roll call that was broken off is still brought to its end."""

REMEMBERED = 4 * 86_400 * 1_000_000
"""µs of the past that a start reads."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose answer is wanted: for which shift, and whose place they take (empty: their own)."""

    agent: str
    shift: str
    begins: int
    instead_of: str = ""


Result = Literal["asked", "answered", "missed", "unfilled"]


class Answers:
    """What has become of each question: the fold of the events. Pure."""

    def __init__(self, events: Iterable[Recorded] = ()) -> None:
        self.results: dict[Asked, Result] = {}
        self.rounds: dict[Asked, int] = {}
        self._settled: set[Asked] = set()
        self._engaged: set[tuple[str, int]] = set()
        for recorded in events:
            if isinstance(recorded.event, RollCalled):
                self.apply(recorded.event)

    def apply(self, event: RollCalled) -> None:
        """Fold one event in."""
        asked = Asked(event.agent, event.shift, event.begins, event.instead_of)
        self.results[asked] = event.what
        self.rounds[asked] = event.round
        if event.instead_of:
            self._engaged.add((event.agent, event.begins))
        if event.what in ("answered", "unfilled"):
            self._settled.add(Asked(event.instead_of or event.agent, event.shift, event.begins))

    def forget(self, before: int) -> None:
        """What was asked about shifts that began before this instant (µs)."""
        old = [asked for asked in self.results if asked.begins < before]
        for asked in old:
            del self.results[asked], self.rounds[asked]
        if old:
            self._settled = {asked for asked in self._settled if asked.begins >= before}
            self._engaged = {one for one in self._engaged if one[1] >= before}

    def settled(self, asked: Asked) -> bool:
        """Whether this person answered, or a backup in their place, or nobody is left to be asked."""
        return asked in self._settled

    def begun(self, asked: Asked) -> bool:
        """Whether this question was asked at all."""
        return asked in self.results

    def round(self, asked: Asked) -> int:
        """The round to begin with, from 1: one that a crash broke off is rung again."""
        return self.rounds.get(asked, 1)

    def engaged(self, backup: str, begins: int) -> bool:
        """Whether this backup has been asked about any shift that begins then."""
        return (backup, begins) in self._engaged


def due(roster: Roster, lead: Mapping[str, float | None], now: dt.datetime) -> list[Duty]:
    """The first line of every shift for which the roll is to be called at ``now``, or has been begun shortly before.

    ``lead``: the seconds before its beginning, by shift.
    """
    longest = max((seconds for seconds in lead.values() if seconds), default=0.0)
    if not longest:
        return []
    found = []
    for duty in roster.spans(now - LATE, now + dt.timedelta(seconds=longest + 1)):
        seconds = lead.get(duty.shift)
        begins = duty.begins.astimezone(dt.UTC)
        if seconds and not duty.backup and begins - dt.timedelta(seconds=seconds) <= now < begins + LATE:
            found.append(duty)
    return found


def backups(roster: Roster, duty: Duty) -> list[Duty]:
    """The backups whose shift overlaps with this one, the first to begin first, each once."""
    found: dict[str, Duty] = {}
    for other in roster.spans(duty.begins, duty.ends):
        if other.backup and other.agent != duty.agent:
            found.setdefault(other.agent, other)
    return list(found.values())


class Staff(Protocol):
    """What may be asked and said of agents."""

    def agent(self, agent: str) -> tuple[AgentState, bool]:
        """Their state, and whether they are on duty. Raises LookupError."""

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        """Do it. Raises LookupError, IllegalTransition."""


class RollCall:
    """Calls the roll for as long as :meth:`run` runs.

    ``wall`` is the clock of the roster, ``ready`` whether Asterisk can be asked, ``alert`` is told what needs a
    person; ``past`` gives the events of :data:`REMEMBERED`.
    """

    def __init__(
        self,
        phone: Phone,
        journal: Journal,
        staff: Staff,
        settings: Callable[[], Settings],
        roster: Callable[[], Roster],
        wall: Callable[[], dt.datetime],
        ready: Callable[[], bool],
        alert: Callable[..., None],
        past: Callable[[], Awaitable[Iterable[Recorded]]],
    ) -> None:
        self._phone, self._journal, self._staff = phone, journal, staff
        self._settings, self._roster, self._wall, self._ready = settings, roster, wall, ready
        self._alert, self._past = alert, past
        self._room = asyncio.Semaphore(AT_ONCE)
        self._running: dict[Asked, asyncio.Task[None]] = {}
        self._ringing: set[str] = set()
        self.answers = Answers()

    def has(self, leg: str) -> bool:
        """Whether this leg is one of a ring that is on."""
        return any(leg.startswith(f"{name}-") for name in self._ringing)

    async def run(self) -> None:
        """For ever. Raises StoreError where the past cannot be read."""
        self.answers = Answers(await self._past())
        try:
            while True:
                if self._ready():
                    self._look()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            for task in list(self._running.values()):
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _look(self) -> None:
        lead = {name: shift.roll_call for name, shift in self._settings().roster.shifts.items()}
        now = self._wall()
        self.answers.forget(microseconds(now) - REMEMBERED)
        for duty in due(self._roster(), lead, now):
            asked = Asked(duty.agent, duty.shift, microseconds(duty.begins))
            if asked in self._running or self.answers.settled(asked):
                continue
            if not self.answers.begun(asked) and duty.begins.astimezone(dt.UTC) <= now:
                continue  # too late: the shift itself shows who is there
            task = asyncio.create_task(self._call(duty, asked), name=f"roll call {duty.agent}")
            self._running[asked] = task
            task.add_done_callback(partial(self._done, asked))

    def _done(self, asked: Asked, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a roll call broke off", agent=asked.agent, shift=asked.shift, exc_info=task.exception())
        self._running.pop(asked, None)

    # --- one person -------------------------------------------------------------------------------------------------

    async def _call(self, duty: Duty, asked: Asked) -> None:
        if self.answers.results.get(asked) != "missed":
            if await self._ask(duty, asked, "roll_call"):
                return
            self._alert("roll_call_missed", agent=asked.agent, shift=asked.shift, begins=duty.begins.isoformat())
        if not await self._wake(duty, asked):
            self._alert("no_backup_woken", instead_of=asked.agent, shift=asked.shift, begins=duty.begins.isoformat())
            await self._note(asked, "unfilled", ROUNDS)

    async def _wake(self, duty: Duty, asked: Asked) -> bool:
        """Ring the backups one after the other until one is there; those who talk come last, if they have ended then.
        """
        talking: list[Duty] = []
        for backup in backups(self._roster(), duty):
            woken = Asked(backup.agent, asked.shift, asked.begins, instead_of=asked.agent)
            again = self.answers.results.get(woken) == "asked"  # broken off by a crash
            if not again and self.answers.engaged(backup.agent, asked.begins):
                continue
            if await self._at_work(backup.agent):
                talking.append(backup)
            elif await self._woken(backup, woken):
                return True
        for backup in talking:
            woken = Asked(backup.agent, asked.shift, asked.begins, instead_of=asked.agent)
            if not await self._at_work(backup.agent) and await self._woken(backup, woken):
                return True
        return False

    async def _woken(self, backup: Duty, woken: Asked) -> bool:
        if not await self._ask(backup, woken, "roll_call_backup"):
            return False
        self._alert("backup_woken", agent=backup.agent, instead_of=woken.instead_of, shift=woken.shift)
        return True

    async def _ask(self, duty: Duty, asked: Asked, question: str) -> bool:
        """Ring them until they say that they are there; journalled either way."""
        first = self.answers.round(asked)
        for number in range(first, ROUNDS + 1):
            if number > first:
                await asyncio.sleep(self._settings().hotline.times.ring)
            if await self._at_work(duty.agent):
                if asked.instead_of:
                    break
                await self._note(asked, "answered", number)
                return True
            await self._note(asked, "asked", number)
            if await self._ring(duty, asked, question, number):
                return True
        await self._note(asked, "missed", ROUNDS)
        return False

    async def _ring(self, duty: Duty, asked: Asked, question: str, number: int) -> bool:
        settings = self._settings()
        agent = settings.agents.agents.get(duty.agent)
        if agent is None:
            return False
        name = f"roll-{duty.agent}-{asked.begins // 1_000_000}-{asked.instead_of or 0}-{number}"
        devices = chosen(agent, duty.devices)

        async def answered() -> None:
            await self._note(asked, "answered", number)
            await self._signed_in(asked)

        async with self._room:
            self._ringing.add(name)
            try:
                wanted = Summons(name, duty.agent, agent, devices, question, "roll_call_thanks")
                return await summon(self._phone, settings, wanted, answered)
            finally:
                self._ringing.discard(name)

    async def _signed_in(self, asked: Asked) -> None:
        """Where signing in is required, key 1 is that, too; it counts from the shift's beginning."""
        if asked.instead_of or self._settings().hotline.sign_in != "required":
            return
        try:
            await self._staff.command(asked.agent, "sign_in")
        except Exception as refused:  # the roster has changed in between: they were asked for nothing
            log.warning("a roll call could not sign in", agent=asked.agent, why=str(refused))

    async def _at_work(self, agent: str) -> bool:
        """Whether they serve a caller: nobody who talks is rung. Waits for the end of a ring that is on."""
        while True:
            try:
                mode = self._staff.agent(agent)[0].mode
            except LookupError:
                return False
            if mode != "ringing":
                return mode in ("talking", "wrap_up")
            await asyncio.sleep(LOOK_EVERY)

    async def _note(self, asked: Asked, what: Result, number: int) -> None:
        event = RollCalled(
            agent=asked.agent, shift=asked.shift, begins=asked.begins, what=what, instead_of=asked.instead_of,
            round=number,
        )  # fmt: skip
        self.answers.apply(event)
        log.info("roll call", agent=asked.agent, shift=asked.shift, what=what, instead_of=asked.instead_of)
        try:
            await self._journal.commit("roster", STREAM_ID, event)
        except StoreLost as lost:
            log.error("what a roll call told is not safe yet", agent=asked.agent, why=str(lost))
