"""Screens that follow what happens: the browser is told *that* something changed, and fetches it with its own rights.

One stream of server-sent events per page carries topics, never data: so nothing that a person may not see can go out
by it, and a slow reader costs nothing but a set of words. Streams are bounded in number, end with their session, and
are told at most once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from console.permits import Verb, Who, own_agent

log = structlog.get_logger()

MOST_STREAMS, MOST_OF_ONE = 300, 8
"""Streams in all, and of one session."""

HUSH = 1.0
"""Seconds between two messages of one stream."""

ALIVE = 20.0
"""Seconds of silence after which a stream says that it is still there, and whether its session still is."""


class TooManyStreams(Exception):
    """No more streams now; the page looks by itself from time to time instead."""


@dataclass(eq=False, slots=True)
class _Listener:
    who: Who
    topics: frozenset[str]
    waiting: set[str] = field(default_factory=set)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    doubted: bool = False
    """Somebody's session or rights were changed: look at once whether this one's are still there."""


class Live:
    """Who listens to what. All of it belongs to the daemon's loop."""

    def __init__(self) -> None:
        self.topics: dict[str, Verb] = {}
        """By topic, the verb of whoever may listen; rooms add theirs."""
        self._listeners: set[_Listener] = set()
        self._watches: dict[str, tuple[float, Callable[[], Awaitable[Any]]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = asyncio.Event()

    @property
    def streams(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def tell(self, topic: str, *, agent: str | None = None) -> None:
        """Something of this topic changed; with ``agent``, something that concerns this agent alone."""
        for one in self._listeners:
            if topic in one.topics and (agent is None or own_agent(one.who) in (None, agent)):
                one.waiting.add(topic)
                one.rung.set()

    def look_again(self) -> None:
        """Sessions or rights were changed: every stream looks at once whether its own are still there."""
        for one in self._listeners:
            one.doubted = True
            one.rung.set()

    def watch(self, topic: str, every: float, look: Callable[[], Awaitable[Any]]) -> None:
        """While anybody listens to ``topic``, look every so many seconds, and tell when what is seen differs."""
        self._watches[topic] = (every, look)

    async def stream(
        self, who: Who, wanted: frozenset[str], still: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """The bytes of a stream, for as long as ``still`` says so. Raises TooManyStreams at once."""
        topics = frozenset(topic for topic in wanted if topic in self.topics and who.may(self.topics[topic]))
        mine = sum(1 for one in self._listeners if one.who.key == who.key)
        if len(self._listeners) >= MOST_STREAMS or mine >= MOST_OF_ONE:
            raise TooManyStreams
        return self._flow(_Listener(who, topics), still)

    async def _flow(self, one: _Listener, still: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        self._listeners.add(one)
        self._look_after(one.topics)
        try:
            yield b"retry: 5000\n: here\n\n"
            loop = asyncio.get_running_loop()
            looked = loop.time()
            while not self._closed.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ALIVE):
                        await one.rung.wait()
                one.rung.clear()
                if self._closed.is_set():
                    break
                if one.doubted or loop.time() - looked >= ALIVE:  # however much there is to tell
                    one.doubted = False
                    if not await still():
                        break
                    looked = loop.time()
                if not one.waiting:
                    yield b": here\n\n"
                    continue
                told = " ".join(sorted(one.waiting))
                one.waiting.clear()
                yield f"data: {told}\n\n".encode()
                await asyncio.sleep(HUSH)
        finally:
            self._listeners.discard(one)

    def _look_after(self, topics: frozenset[str]) -> None:
        for topic in topics & self._watches.keys():
            if topic not in self._tasks:
                task = self._tasks[topic] = asyncio.create_task(self._watched(topic), name=f"console-{topic}")
                task.add_done_callback(partial(self._forget, topic))

    def _forget(self, topic: str, _done: asyncio.Task[None]) -> None:
        self._tasks.pop(topic, None)

    async def _watched(self, topic: str) -> None:
        every, look = self._watches[topic]
        known: Any = None
        while not self._closed.is_set() and any(topic in one.topics for one in self._listeners):
            try:
                seen = await look()
            except Exception:  # a screen that cannot look must not end the looking, nor anything else
                log.exception("a screen of the console could not look", topic=topic)
                seen = known
            if known is not None and seen != known:
                self.tell(topic)
            known = seen
            await asyncio.sleep(every)

    def close(self) -> None:
        """End every stream."""
        self._closed.set()
        for task in self._tasks.values():
            task.cancel()
        for one in self._listeners:
            one.rung.set()

    def allowed(self, who: Who) -> Mapping[str, Verb]:
        """The topics that this person may listen to."""
        return {topic: verb for topic, verb in self.topics.items() if who.may(verb)}
