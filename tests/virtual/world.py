"""A hotline in virtual time, with its callers and agents, in the words of the tests.

::

    caller = world.call()
    await caller.heard("greeting")
    caller.press("1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from calllog import events as ev
from calllog.events import AnyEvent
from calllog.folds import CallState
from config.load import load_settings
from config.settings import Agent, AgentFile, Device, Queue, QueueFile, Settings, Skill
from config.telephony import Outgoing
from hotline.calls import Calls
from phone.port import Arrival
from routing.desk import Desk
from routing.messages import Handled, Restore, Rules
from routing.session import House
from tests.pure.desk_plain import on
from tests.virtual.fake_asterisk import FakeAsterisk, Leg
from tests.virtual.fake_journal import FakeJournal, Shelf, outcomes
from tests.virtual.fake_phone import FakePhone
from tests.virtual.virtual_time import VirtualClock, virtual_loop

SKILLS = ("inquiry", "complaint", "general", "business")
GONE = ("none of the legs", 20)
PATIENCE = 900.0
"""Virtual seconds that a test waits for anything."""

Rings = Callable[["Ring"], None]
"""What an agent does when their phone rings."""


@cache
def _tracked() -> Settings:
    return load_settings(Path(__file__).parents[2] / "config")


def settings(agents: Mapping[str, Sequence[str]], /, **changes: Any) -> Settings:
    """The tracked settings with these agents and their skills; ``changes`` are laid over ``times``.

    ``longest_wait`` is for all queues, ``recording``, ``survey`` and ``trunks`` are what they say; ``devices`` and
    ``ring`` are of those agents, by staff number, who have another than one phone.
    """
    base = _tracked()
    longest, recording = changes.pop("longest_wait", None), changes.pop("recording", True)
    unbroken = changes.pop("unbroken", False)
    devices, ring = changes.pop("devices", {}), changes.pop("ring", {})
    record, survey = changes.pop("record", base.hotline.record), changes.pop("survey", base.hotline.survey)
    outgoing = {"outgoing": Outgoing(present="02112345678")}
    trunks = changes.pop("trunks", tuple(trunk.model_copy(update=outgoing) for trunk in base.hotline.trunks))
    hotline = base.hotline.model_copy(update={
        "times": base.hotline.times.model_copy(update=changes),
        "trunks": trunks,
        "record": record,
        "survey": survey,
        "recording": base.hotline.recording.model_copy(update={"enabled": recording, "unbroken": unbroken}),
    })  # fmt: skip
    queues: dict[str, Queue] = dict(base.queues.queues)
    if longest is not None:
        queues = {name: one.model_copy(update={"longest_wait": longest}) for name, one in queues.items()}
    people = {
        number: Agent(
            name=number, skills=tuple(Skill(skill=one) for one in skills),
            devices=devices.get(number, (Device(sip=f"p{number}"),)), ring=ring.get(number, "in_order"),
        )
        for number, skills in agents.items()
    }  # fmt: skip
    return base.model_copy(
        update={"hotline": hotline, "queues": QueueFile(queues=queues), "agents": AgentFile(agents=people)}
    )


class Ring:
    """An agent's phone rings."""

    def __init__(self, world: World, leg: Leg) -> None:
        self._asterisk = world.asterisk
        self.leg = leg

    @property
    def over(self) -> bool:
        """Whether this leg is gone."""
        return self.leg.leg in self._asterisk.gone

    def answer(self) -> None:
        self._asterisk.answered(self.leg)

    def press(self, *keys: str) -> None:
        for key in keys:
            self._asterisk.press(self.leg, key)

    def reject(self, cause: int = 21) -> None:
        """21: rejected (603), 17: busy (486), 41: the phone is broken (500)."""
        self._asterisk.end(self.leg, cause)

    def hang_up(self, cause: int = 16) -> None:
        """Another cause than 16: the phone was lost in mid-sentence."""
        self._asterisk.end(self.leg, cause)


class Caller:
    """Somebody who dialled the hotline."""

    def __init__(self, world: World, leg: Leg) -> None:
        self._world = world
        self.leg = leg
        self.id = leg.leg
        self.left = False
        """Whether it was they who ended the call."""

    @property
    def sounds(self) -> list[str]:
        """The prompts that were played, in order, also those cut short."""
        return [sound for sound, _at, _whole in self.leg.heard]

    def at(self, sound: str) -> list[float]:
        """When this prompt began, each time."""
        return [at for name, at, _whole in self.leg.heard if name == sound]

    def whole(self, sound: str) -> bool:
        """Whether the prompt was heard to its end the last time."""
        return [whole for name, _at, whole in self.leg.heard if name == sound][-1]

    def press(self, *keys: str) -> None:
        for key in keys:
            self._world.asterisk.press(self.leg, key)

    def hold(self, on: bool = True) -> None:
        self._world.asterisk.hold(self.leg, on)

    def hang_up(self) -> None:
        self.left = self.left or self.leg.leg in self._world.asterisk.legs
        self._world.asterisk.end(self.leg, 16)

    async def heard(self, sound: str, times: int = 1) -> None:
        """Wait until this prompt begins (for the ``times``-th time)."""
        await self._world.until(lambda: self.sounds.count(sound) >= times, f"{sound} heard; heard {self.sounds}")

    async def talks(self) -> None:
        """Wait until they are bridged."""
        await self._world.until(lambda: self.leg.held.endswith("-bridge"), f"{self.id} talks")

    async def waits(self) -> None:
        """Wait until they are in the waiting room."""
        await self._world.until(lambda: self.leg.held == "room", f"{self.id} waits")

    async def gone(self) -> None:
        """Wait for the end of the leg."""
        await self._world.until(lambda: self.id in self._world.asterisk.gone, f"{self.id} gone")


class World:
    """The exchange, the store, and a daemon's calls and desk over them."""

    def __init__(self, rules: Settings, *, on_duty: Sequence[str] | None = None) -> None:
        self.settings = rules
        self.loop = virtual_loop()
        self.clock = VirtualClock()
        self.asterisk = FakeAsterisk()
        self.shelf = Shelf()
        self.callers: list[Caller] = []
        self.rung: list[Ring] = []
        self.answers: dict[str, Rings] = {}
        """By staff number: what the agent does at each ring; without, the test does it."""
        self.duty = dict.fromkeys(rules.agents.agents if on_duty is None else on_duty, self.clock.now())
        self.unregistered: set[str] = set()
        self.alarms: list[str] = []
        self.kills = 0
        self.ended: list[str] = []
        self.away: list[str] = []
        self.restarting: asyncio.Task[None] | None = None
        self.asterisk.on_ring = self._rings
        self.power_on()

    # --- the daemon -----------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """A daemon, not yet read back."""
        self.journal = FakeJournal(self.shelf)
        self.phone = FakePhone(self.asterisk)
        self.phone.unregistered = {f"p{agent}" for agent in self.unregistered}
        self.desk = Desk(Rules.of(self.settings), self.clock, self.journal, self._alarm)
        house = House(
            self.phone, self.journal, self.clock, self.desk, lambda file: self.asterisk.messages.get(file, 0),
            self.asterisk.written, self._alarm,
        )  # fmt: skip
        self.calls = Calls(house, lambda: self.settings, self._ended, self._gone_away)

    async def read_back(self) -> None:
        """As the daemon does after each connect, with the desk's first word."""
        agents = dict(self.shelf.agents)
        adoption = await self.calls.read_back(
            self.shelf.open_calls(),
            asterisk_started=self.asterisk.started,
            was_away=lambda call: call in self.away,
            is_over=self._is_over,
        )
        self.desk.restore(
            Restore(
                agents=agents.values(),
                waiting=sorted(adoption.waiting, key=lambda asked: (asked.priority, asked.asked_at)),
                talks=adoption.talks,
                standing=on(self.duty),
                reachable=[(a, f"p{a}") for a in self.settings.agents.agents if a not in self.unregistered],
                handled=self.handled(),
                complete=[call.call_id for call in self.shelf.calls.values() if call.record and call.record.complete],
            ),
            adoption.lines,
        )
        self.calls.adopt(adoption)
        self.phone.on_arrival = self.calls.arrive

    def handled(self) -> list[Handled]:
        """The talks that ended, as the store would have them."""
        talks = [(call.queue, talk) for call in self.shelf.calls.values() for talk in call.talks if talk.ended_at]
        ended = sorted((talk.ended_at, queue, talk.rung_at) for queue, talk in talks if talk.started_at)
        return [Handled(queue, at, (at - rung) / 1_000_000) for at, queue, rung in ended]

    def kill(self) -> list[asyncio.Task[Any]]:
        """kill -9: the daemon does nothing more; returns what is left of its tasks, which nobody waits for."""
        tasks = [task for task in asyncio.all_tasks(self.loop) if task.get_name().startswith("call ")]
        self.phone.die()
        self.journal.die()
        self.desk.close()
        for task in tasks:
            task.cancel()
        return tasks

    async def restart(self, away: float = 0.5) -> None:
        """Killed, and there again after so many seconds."""
        self.kills += 1
        dead_phone, dead_journal = self.phone, self.journal
        self.kill()
        await asyncio.sleep(away)
        assert not dead_journal.posthumous, f"a killed call wrote {dead_journal.posthumous}"
        assert not dead_phone.posthumous, f"a killed call did {dead_phone.posthumous}"
        self.power_on()
        await self.read_back()

    # --- people -----------------------------------------------------------------------------------------------------

    def call(self, *, number: str = "13800000000") -> Caller:
        """Somebody dials the hotline."""
        call_id = f"hotline-1.{len(self.callers) + 1}"
        leg = self.asterisk.arrive(Arrival(call_id, number, "", "4001234567", "carrier"))
        caller = Caller(self, leg)
        self.callers.append(caller)
        return caller

    async def asks(self, key: str = "1") -> Caller:
        """Somebody dials and has asked for a person."""
        caller = self.call()
        await caller.heard("greeting")
        caller.press(key)
        await caller.waits()
        return caller

    async def rings(self, agent: str, times: int = 1) -> Ring:
        """Wait for the ``times``-th ring at this agent's phone."""
        def found() -> list[Ring]:
            return [ring for ring in self.rung if ring.leg.device == f"p{agent}"]

        await self.until(lambda: len(found()) >= times, f"{agent} rings")
        return found()[times - 1]

    async def device_rings(self, device: str, times: int = 1) -> Ring:
        """Wait for the ``times``-th ring at a device whose address has this in it (the end of a number will do)."""
        def found() -> list[Ring]:
            return [ring for ring in self.rung if device in ring.leg.device]

        await self.until(lambda: len(found()) >= times, f"{device} rings")
        return found()[times - 1]

    async def until(self, true: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait for something to become true."""
        try:
            async with asyncio.timeout(patience):
                await self.loop.when(true)
        except TimeoutError:
            raise AssertionError(f"never: {what}") from None

    async def over(self, caller: Caller) -> CallState:
        """Wait for the call's outcome."""
        await self.until(lambda: bool(self.state(caller).ended_at), f"{caller.id} ended")
        return self.state(caller)

    # --- asking -----------------------------------------------------------------------------------------------------

    def state(self, caller: Caller) -> CallState:
        """The fold of the call's events."""
        self.journal.sync()
        return self.shelf.calls.get(caller.id, CallState(caller.id))

    def events(self, caller: Caller) -> list[AnyEvent]:
        """What was journalled of the call."""
        self.journal.sync()
        return self.shelf.of(caller.id)

    def mode(self, agent: str) -> str:
        """The agent's state at the desk."""
        state = next(state for state in self.desk.agents() if state.agent == agent)
        return f"{state.mode} {state.reason}".strip()

    async def nothing_left(self) -> None:
        """Every call has one outcome, and nothing of it is left anywhere."""
        await asyncio.sleep(2 * self.settings.hotline.times.wrap_up + 10)
        await asyncio.sleep(self.settings.hotline.times.wrap_up + 60)
        asterisk, core = self.asterisk, self.desk._core
        assert not asterisk.wrongs, asterisk.wrongs
        assert not self.shelf.wrongs, self.shelf.wrongs
        assert not asterisk.legs, f"legs left: {list(asterisk.legs)}"
        assert not asterisk.bridges, f"bridges left: {list(asterisk.bridges)}"
        assert len(self.calls) == 0 and not self.phone.lines, f"lines left: {list(self.phone.lines)}"
        tasks = [task.get_name() for task in asyncio.all_tasks(self.loop) if task.get_name().startswith("call ")]
        assert not tasks, f"tasks left: {tasks}"
        assert not core._callers and not core._talks and not self.desk._lines, "the desk has a trace of a call"
        for state in self.desk.agents():
            assert state.mode in ("ready", "paused", "off"), state
        for caller in self.callers:
            if self.kills and caller.id not in self.shelf.calls:
                continue  # killed before anything was synced, and the caller did not wait
            if caller.id in self.away:
                assert outcomes(self.shelf, caller.id) == [], "an outcome for a call that the dialplan ends"
            else:
                assert len(outcomes(self.shelf, caller.id)) == 1, (caller.id, self.events(caller))
            for talk in self.state(caller).talks:
                assert not talk.ringing, f"a ring without an end: {talk}"
                assert not talk.live, f"a talk without an end: {talk}"
                asked = [one for one in self.events(caller) if getattr(one, "talk_id", "") == talk.talk_id]
                asked = [type(one) for one in asked if isinstance(one, ev.SurveyEvent)]
                assert asked in ([], [ev.SurveyInvited], [ev.SurveyInvited, ev.Rated]), f"asked more than once: {asked}"
                assert not asked or (talk.ended_by == "agent" and not talk.lost), f"asked, but should not be: {talk}"
        told = [*self.ended, *(set(self.away) if self.kills else self.away)]  # each daemon is told of who is away
        assert len(told) == len(set(told)), "told once each"
        assert self.kills or len(self.ended + self.away) == len(self.callers), "told of each"

    # --- inside -----------------------------------------------------------------------------------------------------

    def _rings(self, leg: Leg) -> None:
        ring = Ring(self, leg)
        self.rung.append(ring)
        does = self.answers.get(leg.device.removeprefix("p"))
        if does is not None:
            does(ring)

    def _alarm(self, code: str, params: Mapping[str, str | int]) -> None:
        self.alarms.append(code)

    async def _is_over(self, call_id: str) -> bool:
        return call_id in self.shelf.calls and self.shelf.calls[call_id].ended_at > 0

    def _ended(self, state: CallState) -> None:
        self.ended.append(state.call_id)

    def _gone_away(self, state: CallState) -> None:
        self.away.append(state.call_id)


def answers(after: float, talks: float | None = None) -> Rings:
    """An agent who answers so many seconds into the ring, and perhaps hangs up so many seconds later."""

    def rings(ring: Ring) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(after, ring.answer)
        if talks is not None:
            loop.call_later(after + talks, ring.hang_up)

    return rings


def rejects(after: float, cause: int = 21) -> Rings:
    """An agent (or a phone) that says no after so many seconds; causes as in :meth:`Ring.reject`."""

    def rings(ring: Ring) -> None:
        asyncio.get_running_loop().call_later(after, ring.reject, cause)

    return rings


async def opened(*agents: str, on_duty: Sequence[str] | None = None, **changes: Any) -> World:
    """A hotline in service with these agents, who have every skill."""
    world = World(settings({agent: SKILLS for agent in agents}, **changes), on_duty=on_duty)
    await world.read_back()
    return world
