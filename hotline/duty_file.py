"""The duty file: what the lifeboat needs to know of the house while no daemon is there, for the days to come.

Each line is a JSON array of a CRC-32 (hexadecimal, of the bytes of what follows) and an object. The first line holds
the house, its agents, and where each day's line lies; a day (UTC, by its number since 1970) holds the instants of its
changes and who is on duty from each on. So the lifeboat reads two lines, however large the house is
(``asterisk-conf/lifeboat.py``). Pure but for :func:`write` and :class:`DutyKeeper`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog

from config.settings import Device, Settings
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.passwords import write_private
from phone.names import Names
from phone.trunks import outside_targets
from routing.roster import Roster

log = structlog.get_logger()

FORMAT = 1
"""The form of the file; the lifeboat reads no other."""

DAYS_BACK, DAYS_AHEAD = 2, 15
"""Days that it covers: two weeks and what remains of today; two back, so that a clock stepped back finds its day."""

WRITE_EVERY = 6 * 3600.0
"""Seconds after which it is written anew though nothing changed."""

WRITE_AGAIN = 60.0
"""Seconds until a write that failed is tried again."""

DAY = 86_400


def compiled(settings: Settings, home: AsteriskHome, now: float) -> bytes:
    """The file's content as of ``now`` (seconds since 1970 UTC)."""
    hotline, times = settings.hotline, settings.hotline.times
    queue = settings.queues.queues.get(settings.menu.person_queue)
    first = int(now // DAY) - DAYS_BACK
    until = first + DAYS_BACK + DAYS_AHEAD
    roster = Roster.of(settings)
    agents = settings.agents.agents
    body, days = b"", {}
    for day in range(first, until):
        line = _line(_day(roster, day, agents.keys()))
        days[str(day)] = [len(body), len(line)]
        body += line
    head = {
        "format": FORMAT,
        "since": first * DAY,
        "until": until * DAY,
        "house": {
            "sounds": str(home.state / "sounds" / hotline.language),
            "apologies": [
                f"../{language}/away_apology" for language in hotline.apology_languages or (hotline.language,)
            ],
            "spool": str(home.recordings),
            "away": str(home.away),
            "notice": hotline.recording.notice_version if hotline.recording.enabled else "",
            "queue": settings.menu.person_queue,
            "priority": queue.priority if queue is not None else 5,
            "longest": round(queue.longest_wait if queue is not None else 0),
            "silence": max(1, round(times.voicemail_silence)),
            "message": max(1, round(times.voicemail_longest)),
        },
        "agents": {
            number: {
                "rank": 0 if queue is None or queue.skill in agent.skill_names else 1,
                "devices": [way for one in agent.devices for way in _ways(one, settings)],
            }
            for number, agent in agents.items()
        },
        "days": days,
    }
    return _line(head) + body


def _ways(device: Device, settings: Settings) -> Iterator[dict[str, Any]]:
    """How the device is rung: a phone in one way, a number through each trunk that may call out, in their order."""
    ring = max(1, round(device.ring_time or settings.hotline.times.ring))
    known = {"name": device.label, "confirm": device.confirms, "ring": ring}
    if device.number is None:
        phone = Names(settings.hotline).device(device.sip or "")
        yield known | {"dial": phone, "state": phone, "shown": ""}
        return
    for target in outside_targets(device.number, settings.hotline):
        yield known | {"dial": target.endpoint, "state": "", "shown": target.caller_id}


def _day(roster: Roster, day: int, known: Any) -> dict[str, Any]:
    """The changes of one day (UTC); the first is its beginning. Agents whom ``known`` lacks are left out."""
    at = dt.datetime.fromtimestamp(day * DAY, dt.UTC)
    end = at + dt.timedelta(days=1)
    changes: list[int] = []
    on: list[list[str]] = []
    while at < end:
        changes.append(int(at.timestamp()))
        on.append([agent for agent in sorted(roster.begun(at)) if agent in known])
        following = roster.next_change(at)
        if following is None:
            break
        at = following
    return {"at": changes, "on": on}


def _line(what: dict[str, Any]) -> bytes:
    body = json.dumps(what, ensure_ascii=True, separators=(",", ":")).encode()
    return b'["%08x",%b]\n' % (zlib.crc32(body), body)


def write(settings: Settings, home: AsteriskHome, now: float) -> Path:
    """Write it, whole or not at all; returns where it is. Raises OSError."""
    write_private(home.duty, compiled(settings, home, now), mode=0o640)  # an Asterisk of one's own shares our group
    return home.duty


class DutyKeeper:
    """Keeps the duty file up to date: at the start, when settings change (:meth:`renew`), and every few hours."""

    def __init__(self, home: AsteriskHome, settings: Callable[[], Settings], now: Callable[[], float]) -> None:
        self._home, self._settings, self._now = home, settings, now
        self._wanted = asyncio.Event()

    def renew(self) -> None:
        """Settings changed: write it soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Write it now and whenever it is due, for ever."""
        while True:
            self._wanted.clear()
            wait = WRITE_EVERY
            try:
                await asyncio.to_thread(write, self._settings(), self._home, self._now())
            except OSError as error:
                log.error("the lifeboat's duty file cannot be written", file=str(self._home.duty), why=str(error))
                wait = WRITE_AGAIN
            try:
                async with asyncio.timeout(wait):
                    await self._wanted.wait()
            except TimeoutError:
                pass
