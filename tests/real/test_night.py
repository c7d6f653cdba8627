"""Signing in from one's own phone by code, and the roll call before the night shift: heard, pressed, written down.

The daemon's clock stands shortly before ten in the evening.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from calllog import events as ev
from calllog.recall import Recall
from hotline.trial import Trial, trial
from tests.real.conftest import profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ("8001", "8002", "8003", "8004")
BEFORE = 600
"""Seconds before the shift at which the roll is called."""

NIGHT = {"from": "22:00", "to": "06:00"}
WORDS = {
    "roll_call": "点名，请按一。", "roll_call_backup": "请您到岗接替，请按一。",
    "code_away": "系统正在恢复，请稍后再拨。",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """8001 and 8002 have the night, 8004 stands by, 8003 is on duty all day; the phone of 8002 rings for 2.5 s."""
    roster = {
        "shifts": {"夜班": NIGHT | {"roll_call": BEFORE}, "夜备": NIGHT | {"backup": True},
                   "全天": {"from": "00:00", "to": "00:00"}},
        "teams": None, "rotations": None, "changes": [],
        "rules": [{"shift": "夜班", "agents": ["8001", "8002"]}, {"shift": "夜备", "agents": ["8004"]},
                  {"shift": "全天", "agents": ["8003"]}],
    }  # fmt: skip
    # Who is there has time to pick up on a machine that stalls.
    agents = {agent: {"devices": [{"sip": agent, "ring_time": 20}]} for agent in ("8001", "8004")}
    changes = profile(
        list(AGENTS), hotline={"sign_in": "required", "times": {"ring": 2.5}}, roster=roster, agents={"agents": agents}
    )
    changes["prompts.zh"]["prompts"] = changes["prompts.zh"]["prompts"] | WORDS
    async with trial(tmp_path_factory.mktemp("trial"), changes, daemon=False) as it:
        await asyncio.gather(*(it.handset(agent) for agent in AGENTS))
        yield it


def until_roll(seconds: float) -> float:
    """The clock's offset with which the roll is called so many seconds from now."""
    now = dt.datetime.now(ZoneInfo("Asia/Shanghai"))
    roll = now.replace(hour=22, minute=0, second=0, microsecond=0) - dt.timedelta(seconds=BEFORE)
    return (roll - now).total_seconds() - seconds


async def rolls(hotline: Trial) -> list[str]:
    """What was journalled of the roll call, in short."""

    async def nothing() -> list[object]:
        return []

    recall = Recall(hotline.store, nothing)  # type: ignore[arg-type]
    found = await recall.events_since("roster", "roll_call", 0)
    await recall.close()
    events = [one.event for one in found if isinstance(one.event, ev.RollCalled)]
    return [f"{one.agent} {one.what}{' for ' + one.instead_of if one.instead_of else ''}" for one in events]


async def standing(hotline: Trial, agent: str) -> str:
    told = (await hotline.status())["agents"][agent]
    return f"{told['mode']} {told['reason']}".strip()


async def test_signing_in_by_code_and_the_roll_call(hotline: Trial) -> None:
    await hotline.start(offset=until_roll(6))
    await hotline.reachable(*AGENTS)
    phones = hotline.world.handsets

    async def codes() -> None:
        assert await standing(hotline, "8003") == "off"
        caller = await hotline.world.dials("8003", "*11")
        await caller.heard("code_signed_in")
        assert await standing(hotline, "8003") == "ready"
        await caller.gone()
        caller = await hotline.world.dials("8003", "*21")
        await caller.heard("pause_meal")
        assert await standing(hotline, "8003") == "paused meal"
        await caller.gone()

    async def present() -> None:
        ring = await phones["8001"].rings()
        await ring.answer()
        await ring.heard("roll_call")
        await ring.press("1")
        await ring.heard("roll_call_thanks")
        await ring.gone()
        assert await standing(hotline, "8001") == "off signed_in"

    async def missing() -> None:
        for _time in range(2):
            assert await (await phones["8002"].rings()).cancelled() != 26
        ring = await phones["8004"].rings()
        await ring.answer()
        await ring.heard("roll_call_backup")
        await ring.press("1")
        await ring.gone()

    await asyncio.gather(codes(), present(), missing())
    told = await rolls(hotline)
    assert [one for one in told if one.startswith("8001")] == ["8001 asked", "8001 answered"]
    assert [one for one in told if not one.startswith("8001")] == [
        "8002 asked", "8002 asked", "8002 missed", "8004 asked for 8002", "8004 answered for 8002"
    ]  # fmt: skip
    assert await hotline.rows() == [], "none of this is a caller's call"
    await hotline.nothing_left()


async def test_a_code_while_the_daemon_is_away_is_told_so(hotline: Trial) -> None:
    await hotline.kill()
    caller = await hotline.world.dials("8003", "*11")
    await caller.heard("code_away")
    assert await caller.gone() == 16
