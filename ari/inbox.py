"""Who gets which event: bounded queues, registered for ids.

The socket's reader calls `Router.deliver`, which never waits. Each event goes once to every inbox that is
registered for any id it names; what nobody takes goes to `Router.unclaimed`. An inbox that overflows fails
alone, loudly: after a lost event its reader's picture of the call would be wrong without its knowing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from types import TracebackType

from ari.errors import InboxClosed, InboxFull
from ari.events import Event

log = logging.getLogger("ari")


class Inbox:
    """A bounded queue of the events that name one of its ids; made by `Client.inbox`.

    Use it as a context manager, or `close` it: an inbox that is not closed stays registered. Register before
    the request that makes the thing (with an id of your own choice), and no event is missed.
    """

    def __init__(self, router: Router, name: str, size: int) -> None:
        self._router = router
        self._name = name
        self._size = size
        self._queue: deque[Event] = deque()
        self._ids: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._held = False
        self._lost = 0
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"failed, {self._lost} lost" if self._lost else "open"
        return f"<Inbox {self._name} {state}, {len(self._queue)} queued>"

    def __len__(self) -> int:
        """How many events are queued."""
        return len(self._queue)

    def __bool__(self) -> bool:
        return True  # an empty inbox is still an inbox

    @property
    def ids(self) -> tuple[str, ...]:
        """What it is registered for."""
        return tuple(self._ids)

    @property
    def failed(self) -> bool:
        """Whether events were lost because it was full."""
        return self._lost > 0

    def add(self, *ids: str) -> None:
        """Take the events that name these ids, too, from now on. Raises InboxClosed."""
        if self._closed:
            raise InboxClosed(f"inbox {self._name} is closed")
        for id_ in ids:
            self._ids[id_] = None
            self._router.register(id_, self)

    def remove(self, *ids: str) -> None:
        """No longer take them; what is queued stays."""
        for id_ in ids:
            self._ids.pop(id_, None)
            self._router.unregister(id_, self)

    def close(self) -> None:
        """Register for nothing any more. Those who wait in `get` read what is queued, then get
        InboxClosed."""
        self._closed = True
        self.remove(*self._ids)
        self._router.forget(self)
        self._wake.set()

    def reset(self) -> None:
        """After InboxFull: empty the queue and take events again.

        What was lost stays lost. Call this first and read the state with GET after it, so that nothing falls
        between.
        """
        self._queue.clear()
        self._lost = 0

    async def get(self) -> Event:
        """The next event, in order of arrival; waits as long as it takes (bound it with `asyncio.timeout`).

        Raises InboxFull when events were lost, and InboxClosed when it was closed; in both cases after what
        was queued has been read. Cancelling it loses no event.
        """
        while True:
            if not self._held:
                event = self._take()
                if event is not None:
                    return event
            elif self._closed:
                raise InboxClosed(f"inbox {self._name} is closed")
            self._wake.clear()
            await self._wake.wait()

    def get_nowait(self) -> Event | None:
        """The next event, or None when there is none now. Raises as `get` does."""
        return None if self._held else self._take()

    def _take(self) -> Event | None:
        if self._queue:
            return self._queue.popleft()
        if self._lost:
            raise InboxFull(self._name, self._lost)
        if self._closed:
            raise InboxClosed(f"inbox {self._name} is closed")
        return None

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> Event:
        """Iteration ends when the inbox is closed; InboxFull is raised."""
        try:
            return await self.get()
        except InboxClosed:
            raise StopAsyncIteration from None

    def __enter__(self) -> Inbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, event: Event) -> None:
        """For the router: queue it, or count it as lost. Never waits."""
        if self._closed:
            return
        if self._lost or len(self._queue) >= self._size:
            # Once failed, always failed (until reset): a gap followed by events would look like no gap.
            self._lost += 1
            if self._lost == 1:
                log.error("inbox %s is full (%d events), from %s on lost", self._name, self._size, event.kind)
        else:
            self._queue.append(event)
        self._wake.set()

    def hold(self, held: bool) -> None:
        """For the client: while held, events queue but `get` does not hand them out."""
        self._held = held
        if not held:
            self._wake.set()


class Router:
    """From ids to inboxes. All methods are synchronous: the reader never waits for a consumer."""

    def __init__(self, inbox_size: int, unclaimed_size: int) -> None:
        self._size = inbox_size
        self._routes: dict[str, list[Inbox]] = {}
        self._inboxes: dict[Inbox, None] = {}
        self.unclaimed = Inbox(self, "unclaimed", unclaimed_size)
        self._inboxes[self.unclaimed] = None

    def inbox(self, ids: tuple[str, ...], size: int | None = None) -> Inbox:
        """A new inbox for these ids; `size` counts events, None is the default."""
        inbox = Inbox(self, ids[0] if ids else "(no id)", size or self._size)
        self._inboxes[inbox] = None
        inbox.add(*ids)
        return inbox

    def register(self, id_: str, inbox: Inbox) -> None:
        """From now on events that name this id go into this inbox, too."""
        inboxes = self._routes.setdefault(id_, [])
        if inbox not in inboxes:
            inboxes.append(inbox)

    def unregister(self, id_: str, inbox: Inbox) -> None:
        """Undo `register`; an id that is not registered is no error."""
        inboxes = self._routes.get(id_, [])
        if inbox in inboxes:
            inboxes.remove(inbox)
            if not inboxes:
                del self._routes[id_]

    def forget(self, inbox: Inbox) -> None:
        """Tell this inbox of no connection any more."""
        self._inboxes.pop(inbox, None)

    def deliver(self, event: Event) -> None:
        """To every inbox that is registered for an id it names, once each; else to `unclaimed`."""
        takers: list[Inbox] = []
        for id_ in event.ids():
            for inbox in self._routes.get(id_, ()):
                if inbox not in takers:
                    takers.append(inbox)
        for inbox in takers or (self.unclaimed,):
            inbox.put(event)

    def broadcast(self, event: Event) -> None:
        """To every inbox there is."""
        for inbox in tuple(self._inboxes):
            inbox.put(event)
