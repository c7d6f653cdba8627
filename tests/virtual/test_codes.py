"""Codes from agents' phones, and the roll call before a shift: who hears what, and what is written."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calllog import events as ev
from calllog.events import Recorded
from calllog.folds import AgentState
from config.roster_file import RosterFile
from config.settings import Codes, Device
from hotline.codes import CodeCalls
from phone.port import Arrival, Dialled
from routing import codes as code_words
from routing.agents import SIGNED_IN, SIGNED_OUT
from routing.codes import Act, meaning
from routing.messages import AgentCommand, AgentVerb
from routing.roll_call import RollCall
from routing.roster import Roster
from tests.pure.desk_plain import on
from tests.virtual.conftest import Logged
from tests.virtual.fake_asterisk import Leg
from tests.virtual.virtual_time import START, run
from tests.virtual.world import SKILLS, Ring, World, settings

NUMBER = {"8001": ["num_8", "num_0", "num_0", "num_yao", "staff"]}
MOBILE = Device(number="13800138001")


class Staff:
    """What the daemon's own does, over a world's desk. ``soon``: who has a shift that begins soon."""

    def __init__(self, world: World, soon: set[str]) -> None:
        self.world, self.soon, self.there = world, soon, True

    def owner(self, account: str) -> str | None:
        return self.world.desk.owner(account)

    def agent(self, agent: str) -> tuple[AgentState, bool]:
        return self.world.desk.agent(agent)

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        return self.world.desk.command(AgentCommand(agent, verb, reason, agent in self.soon))


class Night:
    """A hotline with codes and a roll call."""

    def __init__(self, world: World, roster: dict[str, Any] | None = None) -> None:
        self.world = world
        self.soon: set[str] = set()
        self.staff = Staff(world, self.soon)
        self.codes = CodeCalls(world.phone, self.staff, lambda: world.settings)
        self.alerts: list[str] = []
        self.count = 0
        self.rolls: RollCall | None = None
        self.task: asyncio.Task[None] | None = None
        if roster is not None:
            file = RosterFile.model_validate(roster)
            world.settings = world.settings.model_copy(update={"roster": file})
            self.roster = Roster.compile(file, ZoneInfo("Asia/Shanghai"))
            self.begin()

    def begin(self) -> None:
        """A daemon's roll call begins."""
        world = self.world

        async def past() -> list[Recorded]:
            world.journal.sync()
            return [one for one in world.shelf.events if one.stream == "roster"]

        self.rolls = RollCall(
            world.phone, world.journal, self.staff, lambda: world.settings, lambda: self.roster, self.wall,
            lambda: True, lambda code, **params: self.alerts.append(code), past,
        )  # fmt: skip
        self.task = asyncio.create_task(self.rolls.run())

    def wall(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.world.clock.now() / 1e6, dt.UTC)

    def told(self) -> list[str]:
        """What was journalled of the roll call, in short."""
        self.world.journal.sync()
        events = [one.event for one in self.world.shelf.events if isinstance(one.event, ev.RollCalled)]
        return [f"{one.agent} {one.what}{' for ' + one.instead_of if one.instead_of else ''}" for one in events]

    async def dial(self, code: str, account: str = "p8001") -> list[str]:
        """An agent's phone dials; returns what it heard, once the hotline has hung up."""
        self.count += 1
        name = f"hotline-2.{self.count}"
        leg = Leg(name, name, Arrival(name, "", "", "", ""))
        self.world.asterisk.legs[leg.leg] = leg
        self.codes.begin(Dialled(leg.leg, account, code))
        await self.world.until(lambda: leg.leg in self.world.asterisk.gone, f"{code} is over")
        assert leg.up, "it is answered"
        return [sound for sound, _at, _whole in leg.heard]

    async def end(self) -> None:
        """Nothing is left of it."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await asyncio.sleep(1)
        assert not self.world.asterisk.legs and not self.world.phone.lines and not self.world.asterisk.wrongs
        assert not self.world.shelf.calls, "such a call is none of the callers'"


async def night(on_duty: list[str], *, roster: dict[str, Any] | None = None, **changes: Any) -> Night:
    """8001 and 8002, of whom these are on duty; signing in is required."""
    base = settings({"8001": SKILLS, "8002": SKILLS, "8003": SKILLS}, **changes)
    hotline = base.hotline.model_copy(update={"sign_in": "required"})
    world = World(base.model_copy(update={"hotline": hotline}), on_duty=on_duty)
    await world.read_back()
    return Night(world, roster)


def test_a_day_by_codes(logged: Logged) -> None:
    async def play() -> None:
        it = await night(["8001"])
        assert it.world.mode("8001") == "off"
        assert await it.dial("*10") == [*NUMBER["8001"], "code_not_signed_in"]
        assert await it.dial("*20") == [*NUMBER["8001"], "code_not_signed_in"]
        assert await it.dial("*11") == [*NUMBER["8001"], "code_signed_in"]
        assert it.world.mode("8001") == "ready"
        assert await it.dial("*21") == [*NUMBER["8001"], "code_paused", "pause_meal"]
        assert it.world.mode("8001") == "paused meal"
        assert await it.dial("*10") == [*NUMBER["8001"], "code_paused", "pause_meal"]
        assert await it.dial("*20") == [*NUMBER["8001"], "code_ready"]
        assert await it.dial("*99") == ["code_unknown"]
        assert await it.dial("*12") == [*NUMBER["8001"], "code_signed_out"]
        assert it.world.mode("8001") == f"off {SIGNED_OUT}"
        it.world.journal.sync()
        modes = [one.event.mode for one in it.world.shelf.events if isinstance(one.event, ev.AgentChanged)]
        assert modes == ["ready", "paused", "ready", "off"]
        it.world.settings = it.world.settings.model_copy()
        assert await it.dial("*11", "p8002") == [*NUMBER["8001"][:-2], "num_2", "staff", "code_not_on_duty"]
        it.soon.add("8002")
        assert await it.dial("*11", "p8002") == [*NUMBER["8001"][:-2], "num_2", "staff", "code_signed_in_early"]
        assert it.world.mode("8002") == f"off {SIGNED_IN}"
        it.world.desk.stand(on({"8002": it.world.clock.now()}))
        assert it.world.mode("8002") == "ready"
        it.staff.there = False
        assert await it.dial("*10") == ["code_away"]
        assert await it.dial("*10", "stranger") == ["code_away"]
        it.staff.there = True
        assert await it.dial("*10", "stranger") == ["code_not_on_duty"]
        await it.end()

    run(play())
    assert not logged, logged


def test_a_phone_that_hangs_up_in_the_middle_has_dialled_all_the_same(logged: Logged) -> None:
    async def play() -> None:
        it = await night(["8001"])
        dials = asyncio.create_task(it.dial("*11"))
        leg = await _leg(it)
        await it.world.until(lambda: bool(leg.heard), "the first word")
        it.world.asterisk.end(leg)
        await dials
        assert it.world.mode("8001") == "ready"
        await it.end()

    run(play())
    assert not logged, logged


async def _leg(it: Night) -> Leg:
    await it.world.until(lambda: bool(it.world.asterisk.legs), "a leg")
    return next(iter(it.world.asterisk.legs.values()))


def test_a_pause_of_the_settings_and_a_clash_of_codes() -> None:
    codes = Codes.model_validate({"sign_in": "*1", "pauses": {"*71": "prayer"}})
    assert meaning(codes, "*1") == Act("sign_in") and meaning(codes, "*71") == Act("pause", "prayer")
    assert meaning(codes, "*11") is None and meaning(codes, "*21") is None and meaning(codes, "") is None
    state = AgentState("8001", "talking", SIGNED_OUT)
    assert code_words.done(codes, Act("sign_out"), state, True) == ("code_signed_out", "code_afterwards")
    assert code_words.standing(codes, AgentState("8001", "paused", "prayer"), True) == ("code_paused", "pause_prayer")
    assert code_words.standing(codes, AgentState("8001", "paused", "开会"), True) == ("code_paused",)


# --- the roll call --------------------------------------------------------------------------------------------------


def roster(lead: float, minutes: int) -> dict[str, Any]:
    """A night shift of 8001 that begins so many minutes from the world's beginning, with 8002 and 8003 as backups."""
    begins = dt.datetime.fromtimestamp(START / 1e6, ZoneInfo("Asia/Shanghai")) + dt.timedelta(minutes=minutes)
    wall = begins.replace(second=0)
    night = {"from": wall.strftime("%H:%M"), "length": "08:00"}
    return {
        "shifts": {"夜班": night | {"roll_call": lead}, "夜备": night | {"backup": True}},
        "rules": [{"shift": "夜班", "dates": [wall.date()], "agents": ["8001"]},
                  {"shift": "夜备", "dates": [wall.date()], "agents": ["8002", "8003"]}],
    }  # fmt: skip


async def ringing(it: Night, agent: str, times: int = 1) -> Ring:
    return await it.world.rings(agent, times)


def test_who_answers_the_roll_is_there_and_signed_in_when_the_shift_begins(logged: Logged) -> None:
    async def play() -> None:
        it = await night([], roster=roster(300, 10))
        it.soon.add("8001")
        ring = await ringing(it, "8001")
        assert it.world.loop.time() < 301 + 60 and "8002" not in {one.leg.device for one in it.world.rung}
        ring.answer()
        await it.world.until(lambda: bool(ring.leg.heard), "the question")
        assert ring.leg.heard[0][0] == "roll_call"
        await asyncio.sleep(3)
        ring.press("1")
        await it.world.until(lambda: ring.over, "over")
        assert ring.leg.heard[-1][0] == "roll_call_thanks"
        assert it.told() == ["8001 asked", "8001 answered"] and it.world.mode("8001") == f"off {SIGNED_IN}"
        await asyncio.sleep(400)
        assert len(it.world.rung) == 1 and it.alerts == []
        await it.end()

    run(play())
    assert not logged, logged


def test_nobody_answers_and_a_backup_is_woken_by_other_words(logged: Logged) -> None:
    async def play() -> None:
        it = await night([], roster=roster(300, 10), devices={"8001": (Device(sip="p8001"), MOBILE)})
        first = await ringing(it, "8001")
        mobile = await it.world.device_rings("0138001")
        assert first.over, "the next device when the one before is over"
        mobile.answer()  # a voicemail
        await it.world.until(lambda: mobile.over, "nobody pressed 1")
        again = await ringing(it, "8001", 2)
        pause = it.world.settings.hotline.times.ring
        assert it.world.loop.time() - it.world.asterisk.gone_at[mobile.leg.leg] >= pause - 0.1
        again.reject()
        (await it.world.device_rings("0138001", 2)).reject(17)
        backup = await ringing(it, "8002")
        backup.reject()
        await ringing(it, "8002", 2)
        third = await ringing(it, "8003")
        third.answer()
        await it.world.until(lambda: bool(third.leg.heard), "the question")
        assert third.leg.heard[0][0] == "roll_call_backup"
        third.press("1")
        await it.world.until(lambda: third.over, "over")
        await asyncio.sleep(1)
        assert it.alerts == ["roll_call_missed", "backup_woken"]
        assert it.told() == [
            "8001 asked", "8001 asked", "8001 missed", "8002 asked for 8001", "8002 asked for 8001",
            "8002 missed for 8001", "8003 asked for 8001", "8003 answered for 8001",
        ]  # fmt: skip
        await asyncio.sleep(900)
        assert len(it.told()) == 8, "once"
        await it.end()

    run(play())
    assert not logged, logged


def test_after_a_crash_only_who_has_not_answered_is_asked_again(logged: Logged) -> None:
    async def play() -> None:
        both = roster(300, 10)
        both["rules"][0]["agents"] = ["8001", "8002"]
        both["rules"][1]["agents"] = ["8003"]
        it = await night([], roster=both)
        ring = await ringing(it, "8001")
        other = await ringing(it, "8002")
        ring.answer()
        await asyncio.sleep(0.1)
        ring.press("1")
        await it.world.until(lambda: ring.over, "over")
        assert it.task is not None and not other.over
        dead = it.world.phone
        dead.die()
        it.task.cancel()
        await asyncio.gather(it.task, return_exceptions=True)
        dead.posthumous.clear()  # a killed daemon cleans nothing up
        await it.world.restart()
        it.begin()
        again = await ringing(it, "8002", 2)
        assert other.over
        again.answer()
        await asyncio.sleep(0.1)
        again.press("1")
        await it.world.until(lambda: again.over, "over")
        await asyncio.sleep(600)
        assert it.told() == ["8001 asked", "8002 asked", "8001 answered", "8002 asked", "8002 answered"]
        await it.end()

    run(play())
    assert not logged, logged


def test_a_backup_who_talks_is_not_woken_and_a_restart_does_not_say_again_that_nobody_was(logged: Logged) -> None:
    async def play() -> None:
        it = await night(["8002"], roster=roster(300, 6))
        await it.staff.command("8002", "sign_in")
        caller = await it.world.asks()
        (await ringing(it, "8002")).answer()
        await caller.talks()
        for times in (1, 2):
            (await ringing(it, "8001", times)).reject()
        for times in (1, 2):
            (await ringing(it, "8003", times)).reject()
        await it.world.until(lambda: "no_backup_woken" in it.alerts, "nobody is left")
        assert it.told()[-3:] == ["8003 asked for 8001", "8003 missed for 8001", "8001 unfilled"]
        assert len([ring for ring in it.world.rung if ring.leg.device == "p8002"]) == 1, "they serve a caller"
        assert it.task is not None and it.rolls is not None
        await asyncio.sleep(1)
        assert not it.rolls._running
        it.task.cancel()
        await asyncio.gather(it.task, return_exceptions=True)
        it.begin()
        await asyncio.sleep(60)
        assert it.alerts == ["roll_call_missed", "no_backup_woken"]
        it.rolls.answers.forget(it.world.clock.now() + 3_600_000_000)
        assert it.rolls.answers.results == it.rolls.answers.rounds == {}
        caller.hang_up()
        await it.world.over(caller)
        it.task.cancel()
        await asyncio.sleep(60)

    run(play())
    assert not logged, logged


def test_a_backup_whose_talk_ends_meanwhile_is_woken_last(logged: Logged) -> None:
    async def play() -> None:
        it = await night(["8002"], roster=roster(300, 6), wrap_up=0)
        await it.staff.command("8002", "sign_in")
        caller = await it.world.asks()
        (await ringing(it, "8002")).answer()
        await caller.talks()
        for agent, times in (("8001", 1), ("8001", 2), ("8003", 1)):
            (await ringing(it, agent, times)).reject()
        caller.hang_up()
        (await ringing(it, "8003", 2)).reject()
        woken = await ringing(it, "8002", 2)
        woken.answer()
        await it.world.until(lambda: bool(woken.leg.heard), "the question")
        woken.press("1")
        await it.world.until(lambda: woken.over, "over")
        await asyncio.sleep(1)
        assert it.told()[-1] == "8002 answered for 8001" and it.alerts == ["roll_call_missed", "backup_woken"]
        assert it.task is not None
        it.task.cancel()

    run(play())
    assert not logged, logged


@pytest.mark.parametrize("found", ["talking", "wrap_up"])
def test_who_talks_is_there_and_is_not_rung(found: str, logged: Logged) -> None:
    async def play() -> None:
        it = await night(["8001"], roster=roster(300, 6), wrap_up=400)
        await it.staff.command("8001", "sign_in")
        caller = await it.world.asks()
        ring = await ringing(it, "8001")
        ring.answer()
        await caller.talks()
        if found == "wrap_up":
            await asyncio.sleep(1)
            caller.hang_up()
        await it.world.until(lambda: len(it.told()) > 0, "the roll")
        assert it.told() == ["8001 answered"] and len(it.world.rung) == 1
        if found == "talking":
            caller.hang_up()
        assert it.task is not None
        it.task.cancel()
        await asyncio.sleep(10)
        assert not it.alerts

    run(play())
    assert not logged, logged
