"""Routing, and what a full inbox means: to itself, and to nobody else."""

import asyncio
import logging

import pytest

import ari
from ari.events import ChannelDtmfReceived, ChannelEnteredBridge
from ari.inbox import Router


def key(channel: str, digit: str = "1") -> ChannelDtmfReceived:
    return ChannelDtmfReceived(channel=ari.Channel(id=channel), digit=digit)


def entered(bridge: str, channel: str) -> ChannelEnteredBridge:
    return ChannelEnteredBridge(bridge=ari.Bridge(id=bridge), channel=ari.Channel(id=channel))


def drain(inbox: ari.Inbox) -> list[ari.Event]:
    got = []
    while (event := inbox.get_nowait()) is not None:
        got.append(event)
    return got


def test_an_event_goes_once_to_each_inbox_that_its_ids_name() -> None:
    router = Router(10, 10)
    one, both, other = router.inbox(("c1",)), router.inbox(("c1", "b1")), router.inbox(("c2",))
    event = entered("b1", "c1")
    router.deliver(event)
    assert drain(one) == [event]
    assert drain(both) == [event]
    assert drain(other) == []
    assert drain(router.unclaimed) == []


def test_what_nobody_takes_is_unclaimed() -> None:
    router = Router(10, 10)
    router.inbox(("c1",))
    router.deliver(key("c9"))
    assert drain(router.unclaimed) == [key("c9")]


def test_ids_can_be_added_and_removed() -> None:
    router = Router(10, 10)
    inbox = router.inbox(())
    inbox.add("c1", "c2")
    inbox.add("c1")
    assert inbox.ids == ("c1", "c2")
    router.deliver(key("c1"))
    inbox.remove("c1", "never")
    router.deliver(key("c1"))
    router.deliver(key("c2"))
    assert drain(inbox) == [key("c1"), key("c2")]
    assert drain(router.unclaimed) == [key("c1")]


def test_a_closed_inbox_leaves_nothing_behind() -> None:
    router = Router(10, 10)
    with router.inbox(("c1", "b1")) as inbox:
        router.deliver(key("c1"))
    router.deliver(key("c1", "2"))
    router.broadcast(ari.Connected())
    assert inbox.get_nowait() == key("c1")
    with pytest.raises(ari.InboxClosed):
        inbox.get_nowait()
    with pytest.raises(ari.InboxClosed):
        inbox.add("c1")
    inbox.close()
    assert router._routes == {}
    assert list(router._inboxes) == [router.unclaimed]


async def test_a_full_inbox_fails_alone_and_loudly(caplog: pytest.LogCaptureFixture) -> None:
    router = Router(3, 10)
    slow, quick = router.inbox(("c1",)), router.inbox(("c1",))
    with caplog.at_level(logging.ERROR, "ari"):
        for digit in "12345":
            router.deliver(key("c1", digit))
            assert await quick.get() == key("c1", digit)
    assert slow.failed and not quick.failed
    assert [await slow.get() for _ in range(3)] == [key("c1", digit) for digit in "123"]
    # There is room again, but a gap followed by events would look like no gap.
    router.deliver(key("c1", "6"))
    for _ in range(2):
        with pytest.raises(ari.InboxFull) as failure:
            await slow.get()
        assert failure.value.lost == 3
    assert len(caplog.records) == 1 and "c1" in caplog.text
    assert drain(router.unclaimed) == []


async def test_a_failed_inbox_can_be_reset() -> None:
    router = Router(1, 1)
    for digit in "12":
        router.deliver(key("c1", digit))
    router.unclaimed.reset()
    router.deliver(key("c1", "3"))
    assert await router.unclaimed.get() == key("c1", "3")


async def test_get_waits_and_a_cancelled_get_loses_nothing() -> None:
    router = Router(10, 10)
    inbox = router.inbox(("c1",))
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    router.deliver(key("c1"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await inbox.get() == key("c1")


async def test_many_may_wait_on_one_inbox() -> None:
    router = Router(10, 10)
    inbox = router.inbox(("c1",))
    waiting = [asyncio.create_task(inbox.get()) for _ in range(3)]
    await asyncio.sleep(0)
    for digit in "123":
        router.deliver(key("c1", digit))
    assert {event.digit for event in await asyncio.gather(*waiting)} == set("123")  # type: ignore[attr-defined]


async def test_closing_ends_the_waiting_and_the_iteration() -> None:
    router = Router(10, 10)
    inbox = router.inbox(("c1",))
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.close()
    with pytest.raises(ari.InboxClosed):
        await waiting
    again = router.inbox(("c1",))
    router.deliver(key("c1"))
    again.close()
    assert [event async for event in again] == [key("c1")]


async def test_a_held_inbox_queues_but_hands_nothing_out() -> None:
    router = Router(10, 10)
    router.unclaimed.hold(True)
    router.deliver(key("c1"))
    waiting = asyncio.create_task(router.unclaimed.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert router.unclaimed.get_nowait() is None
    router.unclaimed.hold(False)
    assert await waiting == key("c1")


def test_the_backoff_is_capped_and_jittered() -> None:
    backoff = ari.Backoff(first=0.1, factor=2, cap=5.0)
    assert [backoff.bound(n) for n in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert backoff.bound(10**9) == 5.0
    draws = [backoff.delay(3) for _ in range(200)]
    assert 0 <= min(draws) < 0.2 and 0.6 < max(draws) <= 0.8
