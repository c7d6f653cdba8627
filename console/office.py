"""What all rooms of the console share, made once when it starts: the site, the accounts, threads, templates, assets."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from jinja2 import Environment

from console import render
from console.access_log import Proofs
from console.accounts import Accounts
from console.ask import Said
from console.assets import Assets
from console.book import Book
from console.drafts import Drafts
from console.exports import Exports
from console.kept import Kept
from console.live import Live
from console.parcels import Parcels
from console.passwords import COST, Worker
from console.permits import Verb, Who
from console.sessions import Lasting, Sessions
from console.site import Site
from console.works import Works

T = TypeVar("T")

THREADS = 4
"""In which the console waits for SQLite and fills templates; the daemon's own threads are left to calls."""

MOST_SAID = 1_000
"""Sentences kept for the next page of a session."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the navigation: its title is asked for in the reader's language."""

    name: str
    title: Callable[[], str]
    path: str
    verb: Verb
    order: int


@dataclass(slots=True)
class Office:
    """Made by :meth:`open`, ended by :meth:`close`."""

    site: Site
    book: Book
    accounts: Accounts
    sessions: Sessions
    passwords: Worker
    live: Live
    assets: Assets
    templates: Environment
    drafts: Drafts
    kept: Kept
    links: list[Link] = field(default_factory=list)
    connections: Callable[[], int] = lambda: 0
    said: dict[str, Said] = field(default_factory=dict)
    """By session, what the next page says first."""
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "console"))

    @classmethod
    def open(cls, site: Site, kept: Kept, *, cost: tuple[int, int, int] = COST) -> Office:
        """``kept`` outlasts it. Raises BookFault, and AssetsMissing where the set-up has not fetched the front-end
        libraries."""
        book = Book(site.state_dir)
        accounts = Accounts(book, site.now)
        assets = Assets.gather()
        live = Live()
        kept.exports.tell = lambda: live.tell("exports")
        return cls(
            site, book, accounts, Sessions(book, site.now, accounts), Worker(cost), live, assets,
            render.environment(assets, lambda: site.settings.hotline.zone), Drafts(site.state_dir), kept,
        )  # fmt: skip

    @property
    def exports(self) -> Exports:
        """Orders of many recordings."""
        return self.kept.exports

    @property
    def works(self) -> Works:
        """Long works begun from a page."""
        return self.kept.works

    @property
    def parcels(self) -> Parcels:
        """Files that may be fetched for a while."""
        return self.kept.parcels

    @property
    def proofs(self) -> Proofs:
        """Proofs of the access log."""
        return self.kept.proofs

    @property
    def lasting(self) -> Lasting:
        """How long sessions last, by the settings in force."""
        console = self.site.settings.hotline.console
        return Lasting(console.idle, console.longest)

    async def thread(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Do this in one of the console's threads, in the language of whoever asks."""
        inside = contextvars.copy_context()
        call = partial(inside.run, partial(work, *arguments, **named))
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def follow(self, who: Who, topics: str) -> AsyncIterator[bytes]:
        """The stream of these topics (with commas between) for whoever asks, until their session or token is over.
        Raises TooManyStreams."""

        async def still() -> bool:
            return await self.thread(self.sessions.still, who, self.lasting)

        return await self.live.stream(who, frozenset(topics.split(",")), still)

    def say(self, key: str, said: Said) -> None:
        """Keep this for the next page of this session."""
        while len(self.said) >= MOST_SAID:
            self.said.pop(next(iter(self.said)))
        self.said[key] = said

    def close(self) -> None:
        """Let go of everything but ``kept``; waits for no thread."""
        self.kept.exports.tell = lambda: None
        self.live.close()
        self.passwords.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.book.close()
