"""An agent's phone: registered at the hotline, rung by it, answering, refusing or letting ring."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import ari

from .leg import Ground, Leg, NotSeen


class Ring(Leg):
    """A call that rings at a handset, and the talk once it is answered."""

    def __init__(self, ground: Ground, channel: ari.Channel) -> None:
        super().__init__(ground, channel.id)
        self.dialled = channel.dialplan.exten
        """What the hotline dialled."""
        self.caller_number = channel.caller.number
        self.caller_name = channel.caller.name
        self._ready = self._open_media()

    @property
    def is_answered(self) -> bool:
        return self._up.is_set()

    async def answer(self) -> None:
        """Pick up (200 OK). Raises NotSeen when it is no longer ringing."""
        try:
            await self._ready
            await self._ground.client.channels.answer(self.id)
            await self._ground.client.bridges.add_channel(self._bridge_id, self.id)
        except (ari.AriResponseError, TimeoutError) as error:
            raise NotSeen(f"{self!r}: cannot be answered: {error}") from error
        if not self._up.is_set():
            self.answered_at = self.now
            self._up.set()

    async def reject(self, code: int = 486) -> None:
        """Refuse with this final SIP status, e.g. 486 busy, 603 declined, 500, 480. Raises NotSeen when it is gone."""
        if not 400 <= code <= 699:
            raise ValueError(f"not a final SIP status: {code}")
        try:
            await self._ground.client.channels.continue_in_dialplan(
                self.id, context="reject", extension=str(code), priority=1
            )
        except ari.AriResponseError as error:
            raise NotSeen(f"{self!r}: cannot be rejected: {error}") from error
        self._end()  # it has left Stasis, so no event will tell

    async def cancelled(self, timeout: float = 60.0) -> int:
        """Wait until the hotline gives up ringing; returns the Q.850 cause (26: answered elsewhere). Raises NotSeen."""
        await self._wait(self._over, timeout, "cancelled")
        if self._up.is_set():
            raise NotSeen(f"{self!r}: was answered, not cancelled")
        return self.cause or 0


class Handset:
    """An agent's phone; made by :meth:`hotline.outside.OutsideWorld.handset`."""

    def __init__(
        self,
        agent: str,
        account: str,
        register: Callable[[], Awaitable[None]],
        unregister: Callable[[], Awaitable[None]],
    ) -> None:
        self.agent = agent
        self.account = account
        self.history: list[Ring] = []
        """Every ring so far."""
        self._register, self._unregister = register, unregister
        self._waiting: asyncio.Queue[Ring] = asyncio.Queue()
        self._policy: Callable[[Ring], Awaitable[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Handset {self.account} of {self.agent}, {len(self.history)} rings>"

    @property
    def talk(self) -> Ring | None:
        """The call it is in now."""
        return next((ring for ring in reversed(self.history) if ring.is_answered and not ring.is_gone), None)

    async def rings(self, timeout: float = 60.0) -> Ring:
        """The next ring (each is given once, in order; not with :meth:`auto_answer`). Raises NotSeen."""
        try:
            async with asyncio.timeout(timeout):
                return await self._waiting.get()
        except TimeoutError:
            raise NotSeen(f"{self!r}: did not ring within {timeout:g} s") from None

    def forget(self) -> None:
        """Rings that nobody waited for are not given to who waits next."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def does_not_ring(self, seconds: float) -> None:
        """Wait so long; raises NotSeen if it rings meanwhile."""
        try:
            ring = await self.rings(seconds)
        except NotSeen:
            return
        raise NotSeen(f"{self!r}: rings: {ring!r}")

    async def answer(self, timeout: float = 60.0) -> Ring:
        """Wait for the next ring and answer it."""
        ring = await self.rings(timeout)
        await ring.answer()
        return ring

    async def register(self) -> None:
        """Register at the hotline; returns when the hotline has accepted. Raises NotSeen."""
        await self._register()

    async def unregister(self) -> None:
        """Take the registration back; returns when the hotline has accepted. Raises NotSeen."""
        await self._unregister()

    def auto_answer(self, after: float = 1.0, *, tone_hz: int | None = None) -> None:
        """From now on answer every ring after so many seconds, and say a tone. A ring that was given up is let be."""

        async def answer(ring: Ring) -> None:
            await asyncio.sleep(after)
            with contextlib.suppress(NotSeen):
                await ring.answer()
                if tone_hz is not None:
                    ring.say(tone_hz=tone_hz)

        self._policy = answer

    def on_ring(self, policy: Callable[[Ring], Awaitable[None]]) -> None:
        """From now on do this with every ring."""
        self._policy = policy

    def by_hand(self) -> None:
        """No longer answer by itself."""
        self._policy = None

    def take(self, ring: Ring) -> None:
        """It rings. For the world."""
        self.history.append(ring)
        if self._policy is None:
            self._waiting.put_nowait(ring)
            return
        task = asyncio.ensure_future(self._policy(ring))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Answer nothing any more. For the world."""
        for task in tuple(self._tasks):
            task.cancel()
