"""What the phone makes of Asterisk's legs after a start and after a broken connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ari import events as ari_ev
from ari.errors import NotFound
from ari.inbox import Router
from ari.model import Application, Bridge, CallerID, Channel, Dialplan
from phone import port
from phone.asterisk import AsteriskPhone
from phone.lines import FATE, HUNG_UP
from phone.snapshot import HUSK

CALL, RINGING = "hotline-1.1", "hotline-1.1-1-agent"


class FewChannels:
    """ARI as far as these questions need it."""

    def __init__(self, *channels: Channel) -> None:
        self.there = {channel.id: channel for channel in channels}
        self.router = Router(100, 1000)
        self.channels = self.bridges = self.applications = self
        self.ready = True

    def inbox(self, *ids: str) -> Any:
        return self.router.inbox(ids)

    async def get(self, name: str | None = None) -> Any:
        if name is None:
            ours = tuple(name for name, channel in self.there.items() if not channel.name.startswith(HUSK))
            return Application(name="hotline", channel_ids=ours)
        if name not in self.there:
            raise NotFound(404, "Channel not found")
        return self.there[name]

    async def list(self) -> Iterable[Channel | Bridge]:
        return list(self.there.values())


def phone_over(*channels: Channel) -> tuple[AsteriskPhone, FewChannels]:
    client = FewChannels(*channels)
    cast(Any, client).bridges = SimpleNamespace(list=nothing)
    ami = SimpleNamespace(ready=True)
    there = AsteriskPhone(cast(Any, client), cast(Any, ami), prompts=Path(), spool=Path(), devices=())
    return there, client


async def nothing() -> list[Bridge]:
    return []


def caller(application: str) -> Channel:
    return Channel(id=CALL, state="Up", caller=CallerID(number="13912345678"), dialplan=Dialplan(app_name=application))


async def test_an_agents_leg_that_rings_is_ours_though_it_is_in_no_application_yet() -> None:
    """Else the ring of a killed daemon goes on beside the next one (seen on 22.10.1)."""
    ringing = Channel(id=RINGING, state="Ringing", dialplan=Dialplan(app_name="AppDial2"))
    there, _client = phone_over(caller("Stasis"), ringing)
    legs = (await there.snapshot()).legs
    assert legs[RINGING].ours and legs[RINGING].arrival is None and legs[CALL].ours


async def test_a_caller_in_the_dialplan_is_not_ours() -> None:
    there, _client = phone_over(caller("Playback"))
    assert not (await there.snapshot()).legs[CALL].ours


@pytest.mark.parametrize(("age", "left_over"), [(1, False), (60, True)])
async def test_the_husk_of_a_leg_that_was_moved_is_hung_up_once_nobody_else_can(age: int, left_over: bool) -> None:
    made = datetime.now(UTC) - timedelta(seconds=age)
    husk = Channel(id="hotline-2.2", name=f"{HUSK}PJSIP/8001-00000001<ZOMBIE>", state="Up", creationtime=made)
    there, _client = phone_over(caller("Stasis"), husk)
    leg = (await there.snapshot()).legs["hotline-2.2"]
    assert leg.arrival is None or not left_over
    assert leg.ours is left_over


@pytest.mark.parametrize("gone", [True, False])
async def test_who_left_for_the_dialplan_while_the_connection_was_broken_is_told(gone: bool) -> None:
    there, client = phone_over(caller("Stasis"))
    line = there.line(CALL, [CALL])
    waiting = asyncio.ensure_future(line.next())
    await asyncio.sleep(0)
    client.there[CALL] = caller("Playback")
    await there.read_back(line)
    if gone:  # it was on its way out
        del client.there[CALL]
    async with asyncio.timeout(FATE + 30):
        told = await waiting
    assert told == (port.LegEnded(CALL, 0) if gone else port.LegTaken(CALL))


@pytest.mark.parametrize("let_go", [True, False])
async def test_who_hung_up_is_gone_though_asterisk_keeps_the_channel(let_go: bool) -> None:
    """Else agents ring for nobody for ten minutes (a play that began in the instant of the hang-up, on 22.10.1)."""
    there, _client = phone_over(caller("Stasis"))
    line = there.line(CALL, [CALL])
    line.put(ari_ev.ChannelHangupRequest(channel=caller("Stasis"), cause=16))
    if let_go:
        line.put(ari_ev.StasisEnd(channel=caller("Stasis")))
    async with asyncio.timeout(HUNG_UP + 2):
        assert await line.next() == port.LegEnded(CALL, 16)
    line.put(ari_ev.StasisEnd(channel=caller("Stasis")))  # ten minutes later
    with pytest.raises(TimeoutError):
        await line.next(0.0 if let_go else HUNG_UP + 0.5)


async def test_a_restart_is_told_although_the_first_connection_to_the_new_asterisk_breaks() -> None:
    there, client = phone_over(caller("Stasis"))
    began = {"at": "first"}

    async def info() -> Any:
        status = SimpleNamespace(startup_time=began["at"])
        return SimpleNamespace(system=SimpleNamespace(version="22.10.1"), status=status)

    async def done(*_given: object, **_named: object) -> None:
        pass

    cast(Any, client).asterisk = SimpleNamespace(info=info)
    cast(Any, client).set_event_filter = done
    cast(Any, there)._room = SimpleNamespace(open=done)
    cast(Any, there)._reachability = SimpleNamespace(connected=done)
    told: list[bool] = []

    async def back(restarted: bool) -> None:
        told.append(restarted)
        if len(told) == 2:
            raise OSError("it broke")

    there.on_back = back
    await there._connected(cast(Any, client))
    line = there.line(CALL, [CALL])
    began["at"] = "second"
    del client.there[CALL]
    with pytest.raises(OSError, match="it broke"):
        await there._connected(cast(Any, client))
    await there._connected(cast(Any, client))
    assert told == [False, True, True]
    assert await line.next() == port.LegEnded(CALL, 0, lost=True)
