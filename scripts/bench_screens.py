"""How soon every screen of the console is there, with very many calls, a thousand agents and their roster.

Starts the daemon with a copy of the store given, its private Asterisk, and a browser; each page is opened anew by one
person of each role. Prints JSON: by page ``paint`` (first contentful paint), ``whole`` (nothing more is fetched) and
``server`` (the answer's first byte) in seconds, ``bytes`` over the wire; and how late the daemon was for everything
else meanwhile (``late_p99``, ``late_most``: seconds until ``/healthz`` answered).

    .venv/bin/python scripts/bench_screens.py --store var/bench/calls-1000000-0007-2.sqlite
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import math
import multiprocessing
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.async_api import Browser, BrowserContext, Page

from calllog.clock import Clock
from console.permits import Role
from hotline.bench import house
from hotline.outside.ports import free_ports
from hotline.trial import trial
from tests.web.browser import DESK, Visitor, browser

PAINT = """() => new Promise((told) => {
  const seen = (list) => { for (const one of list.getEntries())
    if (one.name === "first-contentful-paint") told(one.startTime / 1000); };
  new PerformanceObserver(seen).observe({type: "paint", buffered: true});
  setTimeout(() => told(null), 10000);
})"""
SERVER = """() => { const one = performance.getEntriesByType("navigation")[0];
  return (one.responseStart - one.requestStart) / 1000; }"""
THERE = "() => !document.querySelector('[aria-busy=true]')"
CALM = 0.3
"""Seconds between two pages: one page at a time is measured."""
PROBE = 0.004
"""Seconds between two questions to the daemon from beside."""

PATHS: dict[Role, tuple[str, ...]] = {
    Role.AGENT: ("/records/{last}", "/calls/{last}", "/quality/grades", "/calls?words=退款&period=30d"),
    Role.QUALITY: (
        "/quality?done=true", "/quality/grades", "/quality/appeals", "/quality/exemplary", "/quality/lists",
        "/quality/agreement", "/quality/forms", "/quality/coverage?days=366", "/quality/satisfaction?days=366",
        "/quality/calls/{last}", "/quality/calls/{graded}", "/calls?number=1388", "/calls?words=蓝色独角兽",
        "/calls?after={deep}",
        "/calls?agent=8001&outcome=abandoned", "/calls?score=0-59", "/calls?rating=bad",
    ),
    Role.SUPERVISOR: ("/duty?page=9", "/duty?name=王", "/calls?silence=120", "/quality/lists"),
    Role.AUDITOR: ("/users/log/all", "/quality/grades"),
    Role.ADMINISTRATOR: ("/users/new",),
    Role.DEPARTMENT: ("/account",),
}  # fmt: skip
"""Besides what is in each role's navigation."""


def watch(port: int, over: Event, out: Any) -> None:
    """In a process of its own: how long ``/healthz`` takes, over and over, until ``over``."""
    took: list[float] = []
    while not over.is_set():
        with socket.create_connection(("127.0.0.1", port)) as line, suppress(ConnectionError):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not over.is_set():
                began = time.perf_counter()
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if not line.recv(4096):
                    break  # a connection does not last for ever
                took.append(time.perf_counter() - began)
                time.sleep(PROBE)
    out.send(took)


class Beside:
    """The daemon asked from beside while something goes on; then ``p99`` and ``most`` in seconds."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._out, there = context.Pipe()
        self._over = context.Event()
        self._process = context.Process(target=watch, args=(port, self._over, there))
        self._process.start()

    def end(self) -> list[float]:
        """What was seen."""
        self._over.set()
        took: list[float] = sorted(self._out.recv())
        self._process.join()
        return took


def quantile(ordered: list[float], share: float) -> float:
    """Nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


async def one(context: BrowserContext, url: str) -> tuple[float, float, float, int]:
    """A page opened in a fresh tab: paint, whole, server in seconds; and its status."""
    page: Page = await context.new_page()
    try:
        began = time.perf_counter()
        answer = await page.goto(url, wait_until="load")
        await page.wait_for_function(THERE, timeout=60_000)
        whole = time.perf_counter() - began
        paint = await page.evaluate(PAINT)
        server = await page.evaluate(SERVER)
        return (math.inf if paint is None else paint), whole, server, answer.status if answer else 0
    finally:
        await page.close()


async def weight(context: BrowserContext, url: str) -> int:
    """Bytes over the wire of a page of which nothing is kept."""
    page = await context.new_page()
    try:
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        await wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        await page.goto(url, wait_until="load")
        await page.wait_for_function(THERE, timeout=60_000)
        return round(sum(sizes))
    finally:
        await page.close()


async def person(
    opened: Browser, url: str, name: str, role: Role, ids: dict[str, str], rounds: int, short: bool, tell: bool
) -> dict[str, Any]:
    """Every page of one role."""
    context = await opened.new_context(viewport={"width": DESK, "height": 900}, reduced_motion="reduce")
    found: dict[str, Any] = {}
    try:
        here = Visitor(url, context, await context.new_page(), name)
        await here.sign_in(house.PASSWORD)
        for path in dict.fromkeys((*await here.rooms(), *(() if short else PATHS[role]))):
            there = url + path.format(**ids)
            seen = []
            for _round in range(rounds):
                await asyncio.sleep(CALM)
                seen.append(await one(context, there))
            statuses = {each[3] for each in seen}
            if statuses != {200}:
                raise RuntimeError(f"{role.value}: {path} answered {sorted(statuses)}")
            paint, whole, server = (median(each[place] for each in seen) for place in range(3))
            found[path] = {"paint": round(paint, 4), "whole": round(whole, 4), "server": round(server, 4),
                           "first": round(seen[0][0], 4), "bytes": await weight(context, there)}  # fmt: skip
            if tell:
                print(f"{role.value:14} {path:44} {found[path]}", file=sys.stderr)
    finally:
        await context.close()
    return found


async def screens(store: Path, rounds: int, short: bool, tell: bool) -> dict[str, Any]:
    """The whole measurement."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # as at Ctrl-C: nothing runs on
    (port,) = free_ports(1)
    wanted = house.changes(dt.datetime.now(dt.UTC).date())
    wanted["hotline"] = {"console": {"enabled": True, "port": port}}
    with tempfile.TemporaryDirectory(prefix="screens-", dir=store.parent) as folder:
        async with trial(Path(folder), wanted, daemon=False, world=False) as it:
            last = await house.store(store, it.state, Clock().now)
            people = await asyncio.to_thread(house.users, it.state)
            await it.start()
            ids = {"last": last, **house.some_calls(it.store)}
            return await _measured(port, people, ids, rounds, short, tell)


async def _measured(
    port: int, people: dict[str, Role], ids: dict[str, str], rounds: int, short: bool, tell: bool
) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(60):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                await asyncio.sleep(0.1)
    beside = Beside(port)
    await asyncio.sleep(3)
    calm = beside.end()
    beside = Beside(port)
    async with browser() as opened:
        rooms = {
            role.value: await person(opened, url, name, role, ids, rounds, short, tell) for name, role in people.items()
        }
    took = beside.end()
    pages = list(_each(rooms))
    slowest = max(pages, key=lambda page: page[1]["paint"])
    return {
        "rooms": rooms, "paint_s": slowest[1]["paint"], "slowest": slowest[0],
        "heaviest_bytes": max(page["bytes"] for _name, page in pages),
        "late_p99_s": round(quantile(took, 0.99), 5), "late_most_s": round(took[-1], 5),
        "calm_p99_s": round(quantile(calm, 0.99), 5), "calm_most_s": round(calm[-1], 5), "agents": len(house.AGENTS),
    }  # fmt: skip


def _each(rooms: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, found in rooms.items():
        for path, page in found.items():
            yield f"{role} {path}", page


def main() -> None:
    """Measure and print."""
    told = argparse.ArgumentParser()
    told.add_argument("--store", type=Path, required=True, help="a store that hotline.bench.many_calls made")
    told.add_argument("--rounds", type=int, default=3)
    told.add_argument("--short", action="store_true", help="only the rooms of the navigation, each once")
    told.add_argument("--tell", action="store_true", help="each page on standard error as it comes")
    given = told.parse_args()
    rounds = 1 if given.short else given.rounds
    print(json.dumps(asyncio.run(screens(given.store.absolute(), rounds, given.short, given.tell)), ensure_ascii=False))


if __name__ == "__main__":
    main()
