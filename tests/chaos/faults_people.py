"""The faults of people, phones and networks, one coroutine each (``tests.chaos.faults``)."""

from __future__ import annotations

import asyncio

from tests.chaos import crowd as people
from tests.chaos.ears import talked
from tests.chaos.fault import READY, fault
from tests.chaos.house import House


async def _with_policy(house: House, policy: people.Policy, seconds: float) -> None:
    house.crowd.policy = policy
    try:
        await asyncio.sleep(seconds)
    finally:
        house.crowd.policy = people.usual


@fault("agents' phones flapping: registered and not, every half second", "座席话机抖动：每半秒注册、注销")
async def phones_flapping(house: House, short: bool) -> None:
    rng = house.rng("flapping")
    house.crowd.keep_registered = False
    phones = list(house.crowd.phones.values())
    until = asyncio.get_running_loop().time() + (5 if short else 20)
    try:
        while asyncio.get_running_loop().time() < until:
            chosen = rng.sample(phones, len(phones) // 2)
            await asyncio.gather(*(phone.register(0 if phone.registered else 120) for phone in chosen))
            await asyncio.sleep(0.4)
    finally:
        house.crowd.keep_registered = True
        for phone in phones:
            await phone.register()


@fault("agents' phones answer without audio", "座席话机接听但没有声音")
async def phones_without_audio(house: House, short: bool) -> None:
    await _with_policy(house, people.without_audio, 5 if short else 20)


@fault("agents' phones reject every call", "座席话机拒接每一通来电")
async def phones_rejecting(house: House, short: bool) -> None:
    await _with_policy(house, people.rejecting, 4 if short else 20)


@fault("agents' phones silent: they ring for ever, or say nothing at all", "座席话机无反应：一直振铃或不答复任何信令")
async def phones_silent(house: House, short: bool) -> None:
    await _with_policy(house, people.silent, 5 if short else 20)


@fault("5 % of all audio packets lost, the rest up to 60 ms late", "音频丢包 5%，其余最多迟到 60 毫秒")
async def rough_audio(house: House, short: bool) -> None:
    house.mouths.rough(0.05, 0.06)
    try:
        await asyncio.sleep(6 if short else 30)
        async with asyncio.timeout(READY):  # a slow machine has its first whole talk later
            while not await asyncio.to_thread(talked, house.store, house.mouths.rough_from):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        house.crowd.stop_arriving()
        await asyncio.sleep(2 if short else 10)
    finally:
        house.mouths.rough(0.0, 0.0)


INSTANTS = {
    "cancel": 10, "at_answer": 10, "at_key": 10, "at_prompt_end": 15, "at_ring": 15, "at_pick_up": 15, "at_bridge": 10,
    "at_agent_bye": 10, "at_message_end": 5,
}  # fmt: skip


async def _with_habits(house: House, habits: dict[str, int], seconds: float) -> None:
    house.crowd.habits = habits
    try:
        await asyncio.sleep(seconds)
    finally:
        house.crowd.habits = dict(people.HABITS)


@fault("callers hang up in the same instant as something else, in every stage",
       "来电者在每个阶段与其他事件同一瞬间挂机")  # fmt: skip
async def same_instant(house: House, short: bool) -> None:
    await _with_habits(house, INSTANTS, 10 if short else 60)


@fault("floods of keys (DTMF)", "按键（DTMF）洪水")
async def key_floods(house: House, short: bool) -> None:
    await _with_habits(house, {"flood": 80, "talk": 20}, 6 if short else 30)


ODD: tuple[tuple[bytes, bytes], ...] = (
    (b'a\\"b\\\\', b"%s"), (b"=cmd()", b"%s=cmd%%28%%29"), (b"%s%n%25", b"%s%%25s%%25n"), (b"n" * 480, b"%s"),
    (b"x", b"%s" + b"9" * 480), (b"\xff\xfe\x80", b"%s"), ("😀👨‍👩‍👧王".encode(), b"%s"),
    (b"x", b"%s%%0d%%0aEvil"), (b"x", b"%s%%00b"), (b"a\x01\x1b[31mb\x07", b"%s"),
    ("a\u202eb\u2028c".encode(), b"%s"), (b"${SHELL(id)}", b"%s$%%7BSHELL(id)%%7D"),
    (b"';drop table call;--", b"%s'"), (b"<b>x</b>", b"%s;x=1"), (b"+1-1@=", b"%s%%2B"), (b"|x,y;z", b"%s%%7C"),
)  # fmt: skip
"""Names and numbers; each number begins with the caller's own, by which the auditor knows them."""


@fault("SIP names and numbers with quotes, newlines, control characters, formulas, 500 characters",
       "SIP 名称与号码含引号、换行、控制字符、公式、500 个字符")  # fmt: skip
async def odd_names(house: House, short: bool) -> None:
    def odd(number: str, n: int) -> tuple[bytes, bytes]:
        name, user = ODD[n % len(ODD)]
        own = number.encode()
        from_ = b'"%s" <sip:%s@127.0.0.1>' % (name, user % own)
        more = b'P-Asserted-Identity: "%s" <sip:%s@127.0.0.1>\r\n' % (own, own) if n % 5 == 0 else b""
        return from_, more + b"Subject: \r\n x\r\nX-Odd: %s\r\n" % (b"y" * 500)

    house.crowd.from_ = odd
    try:
        await asyncio.sleep(6 if short else 30)
    finally:
        house.crowd.from_ = lambda number, n: (b"", b"")
