"""A busy day in virtual time: thousands of calls through the whole story, and a referee beside the desk.

The referee of the pure tests hears everything that real calls say to the desk and holds every answer to its promises
(nobody passed over, nobody idle beside a waiting caller, no wait beyond the longest); the exchange sees to it that no
phone has two legs, and at the end every call has its one outcome and nothing of it is left.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from calllog.events import Rated, RingStarted, TalkStarted
from config.survey import Survey
from routing import queue
from routing.messages import AgentCommand, Command, Input, Restore, Rules
from tests.pure.desk_plain import on as standing
from tests.pure.desk_play import Referee
from tests.virtual.conftest import Logged
from tests.virtual.fake_journal import outcomes
from tests.virtual.virtual_time import run
from tests.virtual.world import Caller, Ring, World, settings

SKILLS = ("inquiry", "complaint", "general", "business")
SURVEY = Survey(enabled=True, queues=("inquiry", "complaint"))


class RefereedCore(queue.Desk):
    """The desk's core, watched."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.referee = Referee(rules)
        self.wrongs: list[str] = []

    def step(self, now: int, event: Input) -> list[Command]:
        """The same, with the referee's word."""
        if isinstance(event, Restore):
            self.referee.reached |= set(event.reachable)
            self.referee.standing = event.standing
        try:
            self.referee.heard(now, event)
            commands = super().step(now, event)
            self.referee.answered(now, commands)
        except AssertionError as error:
            self.wrongs.append(f"{now}: {event}: {error}")
            raise
        return commands


class Day:
    """The people of one day, drawn from one seed."""

    def __init__(self, seed: int, calls: int, agents: int, per_hour: float) -> None:
        self.dice = random.Random(seed)
        self.calls, self.per_hour = calls, per_hour
        names = [str(8000 + n) for n in range(agents)]
        skilled = {name: tuple(self.dice.sample(SKILLS, self.dice.randint(1, 4))) for name in names}
        skilled[names[0]] = SKILLS
        self.world = World(settings(skilled, longest_wait=90, wrap_up=15.0, survey=SURVEY), on_duty=names)
        self.core = RefereedCore(Rules.of(self.world.settings))
        self.world.desk._core = self.core
        self.agents = names
        self.done = 0

    async def go(self) -> None:
        """Live through it."""
        world, dice = self.world, self.dice
        await world.read_back()
        for agent in self.agents:
            world.answers[agent] = self.rung
        disturbances = [asyncio.ensure_future(one()) for one in (self.phones_flap, self.shifts, self.supervisor)]
        people = []
        for number in range(self.calls):
            await asyncio.sleep(dice.expovariate(self.per_hour / 3600))
            caller = world.call(number=f"138{number:08}")
            people.append(asyncio.ensure_future(self.caller(caller)))
        await asyncio.gather(*people)
        for one in disturbances:
            one.cancel()
        await asyncio.gather(*disturbances, return_exceptions=True)
        for agent in self.agents:
            world.desk.reachable(f"p{agent}", True)
        await asyncio.sleep(300)
        await world.nothing_left()

    async def caller(self, caller: Caller) -> None:
        """Somebody with a wish and so much patience."""
        world, dice = self.world, self.dice
        leg, gone = caller.leg, world.asterisk.gone
        leg.speaks = dice.choice((0.5, 5.0, 20.0))
        patience = world.loop.time() + dice.expovariate(1 / 150)
        await asyncio.sleep(dice.uniform(0, 8))
        caller.press(*dice.choice(("1", "2", "3", "4", "0", "1", "2", "91", "*1", "", "110")))
        while caller.id not in gone:
            await asyncio.sleep(dice.uniform(0.5, 5))
            if leg.held.endswith("-bridge"):
                ends = world.loop.time() + dice.expovariate(1 / 60)
                while leg.held.endswith("-bridge") and world.loop.time() < ends:  # noqa: ASYNC110
                    await asyncio.sleep(min(4.0, max(0.1, ends - world.loop.time())))
                if leg.held.endswith("-bridge") and dice.random() < 0.5:
                    caller.hang_up()
                patience = world.loop.time() + 60
            elif caller.sounds and caller.sounds[-1].startswith("survey_") and dice.random() < 0.5:
                caller.press(dice.choice(("1", "2", "3", "4", "5", "0", "9", "#", "55")))
            elif caller.sounds and caller.sounds[-1] == "farewell" and dice.random() < 0.2:
                caller.press("0")
            elif world.loop.time() > patience:
                caller.hang_up()

    def rung(self, ring: Ring) -> None:
        """What this agent does with this ring."""
        loop, dice = self.world.loop, self.dice
        what = dice.random()
        if what < 0.75:
            loop.call_later(dice.uniform(0.5, 12), ring.answer)
            loop.call_later(dice.uniform(10, 250), ring.hang_up, 38 if what < 0.05 else 16)
        elif what < 0.9:
            loop.call_later(dice.uniform(0.01, 3), ring.reject, dice.choice((17, 21, 41, 20, 19)))

    async def phones_flap(self) -> None:
        """Phones are lost and come back; the desk hears of it a little later."""
        world, dice = self.world, self.dice
        while True:
            await asyncio.sleep(dice.expovariate(1 / 20))
            device = f"p{dice.choice(self.agents)}"
            world.phone.unregistered.add(device)
            world.loop.call_later(dice.uniform(0, 2), world.desk.reachable, device, False)
            back = dice.uniform(3, 200)
            world.loop.call_later(back, world.phone.unregistered.discard, device)
            world.loop.call_later(back + 0.1, world.desk.reachable, device, True)

    async def shifts(self) -> None:
        """Shifts change; the first agent is always on, but now and then nobody is."""
        world, dice = self.world, self.dice
        while True:
            await asyncio.sleep(dice.uniform(200, 900))
            on = dice.sample(self.agents, dice.randint(len(self.agents) // 2, len(self.agents)))
            world.desk.stand(standing({agent: world.clock.now() for agent in on if dice.random() < 0.95}))
            if dice.random() < 0.1:
                world.desk.stand(standing({}))
                await asyncio.sleep(30)
                world.desk.stand(standing(dict.fromkeys(self.agents, world.clock.now())))

    async def supervisor(self) -> None:
        """Brings those back who were paused for missing, and pauses one now and then."""
        world, dice = self.world, self.dice
        while True:
            await asyncio.sleep(dice.uniform(5, 60))
            for state in world.desk.agents():
                if state.mode == "paused" and dice.random() < 0.5:
                    world.desk.command(AgentCommand(state.agent, "ready"))
                elif state.mode == "ready" and dice.random() < 0.02:
                    world.desk.command(AgentCommand(state.agent, "pause", "lunch"))


@pytest.mark.parametrize(
    ("seed", "calls", "agents", "per_hour"), [(1, 2000, 40, 900), (2, 1000, 12, 500), (3, 300, 3, 150)]
)
def test_a_busy_day(seed: int, calls: int, agents: int, per_hour: float, logged: Logged) -> None:
    async def live() -> Day:
        day = Day(seed, calls, agents, per_hour)
        await day.go()
        return day

    day = run(live())
    world = day.world
    assert not day.core.wrongs, day.core.wrongs[:3]
    counted = Counter(outcomes(world.shelf, caller.id)[0] for caller in world.callers)
    assert sum(counted.values()) == calls
    rings = sum(isinstance(each.event, RingStarted) for each in world.shelf.events)
    talks = sum(isinstance(each.event, TalkStarted) for each in world.shelf.events)
    # One that the desk ordered in the very instant of the caller's hang-up is never begun.
    assert rings <= day.core.referee.rings <= rings + calls / 500
    assert rings > talks > calls / 4
    assert sum(isinstance(each.event, Rated) for each in world.shelf.events) > calls / 50
    assert {"answered", "abandoned", "voicemail", "menu"} <= set(counted)
    assert not logged, logged[:3]
