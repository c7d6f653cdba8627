"""A crowd of callers with different habits and the phones of agents; everything they do follows from one seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.chaos.sip import Caller, Peer, Phone, Ring

LONGEST_VISIT = 30.0
"""Seconds after which every caller has hung up."""

REGISTER_EVERY = 8.0
"""Seconds between two registrations of a phone: they come back by themselves after a restart of Asterisk."""

REGISTER_LIMIT = 60.0
"""Seconds until each phone is registered for the first time."""

HABITS = {"talk": 45, "impatient": 12, "menu": 12, "message": 12, "wrong_keys": 6, "no_keys": 6, "cancel": 7}
"""How many of a hundred callers do what; a fault may lay others over it."""

ASKING = "1204"
"""Keys of the queues that agents serve; key 3 leads to one that nobody serves."""

Policy = Callable[[Ring, random.Random], Awaitable[None]]


class Crowd:
    """``phones`` by account. ``callers`` is the log of what the carrier saw."""

    def __init__(self, carrier: Peer, desk: Peer, phones: Sequence[Phone], number: str, seed: str, prefix: str) -> None:
        self.carrier, self.number = carrier, number
        self.phones = {phone.account: phone for phone in phones}
        self.callers: list[Caller] = []
        self.rings: list[Ring] = []
        self.habits: dict[str, int] = dict(HABITS)
        self.policy: Policy = usual
        self.keep_registered = True
        self.from_: Callable[[str, int], tuple[bytes, bytes]] = lambda number, n: (b"", b"")
        """From header and further headers of the n-th caller, where they are odd."""
        self.did: Counter[str] = Counter()
        self._seed, self._prefix = seed, prefix
        self._by_number: dict[str, Caller] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._arriving: asyncio.Task[None] | None = None
        desk.on_invite = self._rung
        self._desk = desk
        self._count = 0
        self._at_ring: dict[str, str] = {}

    # --- arriving

    def arrive(self, rate: float) -> None:
        """From now on so many callers a second arrive, by chance (exponential gaps)."""
        self._arriving = asyncio.create_task(self._arrive(rate))

    async def _arrive(self, rate: float) -> None:
        rng = random.Random(f"{self._seed} gaps {self._count}")
        while True:
            self.one()
            await asyncio.sleep(rng.expovariate(rate))

    def stop_arriving(self) -> None:
        """No more callers."""
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def one(self, habit: str = "") -> Caller:
        """One more caller, of this habit or of one by chance."""
        self._count += 1
        rng = random.Random(f"{self._seed} caller {self._count}")
        chosen = habit or rng.choices(list(self.habits), list(self.habits.values()))[0]
        number = f"{self._prefix}{self._count:05}"
        from_, more = self.from_(number, self._count)
        caller = Caller(self.carrier, number, self.number, from_=from_, more=more)
        self.callers.append(caller)
        self._by_number[number] = caller
        self.did[chosen] += 1
        self._spawn(self._visit(caller, chosen, rng))
        return caller

    async def drained(self, limit: float = LONGEST_VISIT + 20) -> None:
        """Return when every caller has gone."""
        self.stop_arriving()
        async with asyncio.timeout(limit):
            while self._tasks:
                await asyncio.wait(list(self._tasks))

    async def everyone_leaves(self) -> None:
        """All hang up now."""
        self.stop_arriving()
        for task in list(self._tasks):
            task.cancel()
        for caller in self.callers:
            caller.hang_up() if caller.answered_at else caller.cancel() if not caller.ended.is_set() else None
        await asyncio.sleep(0)

    # --- one visit

    async def _visit(self, caller: Caller, habit: str, rng: random.Random) -> None:
        try:
            async with asyncio.timeout(LONGEST_VISIT):
                await self._live(caller, habit, rng)
        except TimeoutError:
            pass
        finally:
            if caller.answered_at:
                caller.hang_up()
            elif not caller.ended.is_set():
                caller.cancel()

    async def _live(self, caller: Caller, habit: str, rng: random.Random) -> None:
        if habit == "cancel":
            dialling = asyncio.create_task(caller.dial())
            await asyncio.sleep(rng.uniform(0.0, 0.05))
            if not caller.answered_at:
                caller.cancel()
            await dialling
            return
        if not await caller.dial():
            return
        if habit == "at_answer":
            return
        caller.mouth.say(440)
        match habit:
            case "talk":
                await gone(caller, rng.uniform(0.2, 2.0))
                caller.mouth.press(rng.choice(ASKING))
                await gone(caller, rng.uniform(5.0, 14.0))
            case "impatient":
                await gone(caller, rng.uniform(0.2, 1.0))
                caller.mouth.press(rng.choice(ASKING))
                await gone(caller, rng.uniform(0.0, 4.0))
            case "menu":
                await gone(caller, rng.uniform(0.0, 4.0))
            case "message":
                await gone(caller, rng.uniform(0.2, 1.0))
                caller.mouth.press("3")
                await gone(caller, rng.uniform(5.0, 10.0))
                if rng.random() < 0.3:
                    caller.mouth.press("#")
                    await gone(caller, rng.uniform(0.0, 3.0))
            case "wrong_keys":
                caller.mouth.press(rng.choice(("9", "7*8", "556", "A5")))
                await gone(caller, rng.uniform(4.0, 14.0))
            case "no_keys":
                await gone(caller, rng.uniform(6.0, 16.0))
            case "flood":
                caller.mouth.press("".join(rng.choices("0123456789*#ABCD", k=150)), ticks=2, gap=1)
                await gone(caller, rng.uniform(3.0, 9.0))
                caller.mouth.press("".join(rng.choices("56789*#", k=100)), ticks=2, gap=1)
                await gone(caller, rng.uniform(1.0, 5.0))
            case "at_key":
                await gone(caller, rng.uniform(0.1, 3.0))
                caller.mouth.press(rng.choice(ASKING), ticks=2)
                await gone(caller, rng.choice((0.04, 0.06, 0.08, 0.1)))
            case "at_ring" | "at_pick_up" | "at_agent_bye" | "at_bridge":
                caller.mouth.press(rng.choice(ASKING))
                self._at_ring[caller.number] = habit
                await gone(caller, 14.0)
            case "at_prompt_end":
                # Greeting, notice and menu are a second or so each: around their ends, in steps of 20 ms.
                await gone(caller, 0.8 + 0.02 * rng.randrange(150))
            case "at_message_end":
                caller.mouth.press("3")
                await gone(caller, rng.uniform(4.0, 6.0))
                caller.mouth.press("#", ticks=2)
                await gone(caller, rng.choice((0.04, 0.06, 0.1, 0.2)))
            case _:
                raise ValueError(habit)

    # --- agents' phones

    async def register(self) -> None:
        """All phones register, and keep doing so."""
        for phone in self.phones.values():
            until = asyncio.get_running_loop().time() + REGISTER_LIMIT
            while not await phone.register():
                if asyncio.get_running_loop().time() > until:
                    raise AssertionError(f"the phone {phone.account} cannot register")
        self._spawn_for_ever(self._register_on())

    async def _register_on(self) -> None:
        while True:
            for phone in self.phones.values():
                await asyncio.sleep(REGISTER_EVERY / len(self.phones))
                if self.keep_registered:
                    await phone.register()

    def _rung(self, invite: object) -> None:
        ring = Ring(self._desk, invite)  # type: ignore[arg-type]
        self.rings.append(ring)
        rng = random.Random(f"{self._seed} ring {len(self.rings)}")
        caller, moment = self._by_number.get(ring.caller_number), self._at_ring.get(ring.caller_number, "")
        if caller is not None and moment:
            self._spawn(self._in_the_same_instant(ring, caller, moment, rng))
        else:
            self._spawn(self.policy(ring, rng))

    async def _in_the_same_instant(self, ring: Ring, caller: Caller, moment: str, rng: random.Random) -> None:
        ring.ring()
        if moment == "at_ring":
            caller.hang_up()
            return
        await gone(ring, rng.uniform(0.05, 0.3))
        if not ring.answer():
            return
        ring.mouth.say(660)
        if moment == "at_bridge":
            await asyncio.sleep(rng.uniform(0.0, 0.03))
        if moment == "at_agent_bye":
            await gone(ring, rng.uniform(0.0, 4.0))
            ring.hang_up()
        caller.hang_up()
        await gone(ring, 8.0)
        ring.hang_up()

    def _spawn(self, course: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(course)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _spawn_for_ever(self, course: Awaitable[None]) -> None:
        self._for_ever = asyncio.ensure_future(course)

    async def close(self) -> None:
        """End everything."""
        self.stop_arriving()
        if hasattr(self, "_for_ever"):
            self._for_ever.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def gone(dialog: Caller | Ring, seconds: float) -> bool:
    """Wait so long, or until the other side has hung up; returns whether it has."""
    try:
        async with asyncio.timeout(seconds):
            await dialog.ended.wait()
    except TimeoutError:
        return False
    return True


# --- what agents do -------------------------------------------------------------------------------------------------


async def usual(ring: Ring, rng: random.Random) -> None:
    """Answer soon and talk; some do not answer, or refuse."""
    ring.ring()
    luck = rng.random()
    if luck < 0.03:
        await gone(ring, 10.0)
        ring.reject(480)
    elif luck < 0.07:
        await gone(ring, rng.uniform(0.0, 0.5))
        ring.reject(rng.choice((486, 603, 480, 500)))
    else:
        await gone(ring, rng.uniform(0.1, 0.7))
        await talk(ring, rng)


async def talk(ring: Ring, rng: random.Random, *, longest: float = 6.0) -> None:
    """Pick up, and hang up first in half of the talks."""
    if ring.answer():
        ring.mouth.say(660)
        await gone(ring, rng.uniform(0.5, longest) if rng.random() < 0.5 else 14.0)
        ring.hang_up()


async def without_audio(ring: Ring, rng: random.Random) -> None:
    """Answer, and never send a packet."""
    ring.ring()
    await gone(ring, rng.uniform(0.1, 0.5))
    if ring.answer():
        ring.mouth.quiet = True
        await gone(ring, rng.uniform(1.0, 7.0))
        ring.hang_up()


async def rejecting(ring: Ring, rng: random.Random) -> None:
    """Refuse, at once or soon, in every way."""
    if rng.random() < 0.5:
        ring.ring()
        await gone(ring, rng.uniform(0.0, 0.6))
    ring.reject(rng.choice((400, 403, 404, 408, 480, 486, 488, 500, 503, 600, 603)))


async def silent(ring: Ring, rng: random.Random) -> None:
    """Ring for ever, or not even say that it rings."""
    if rng.random() < 0.5:
        ring.ring()
    await gone(ring, 20.0)
