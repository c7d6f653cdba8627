"""The duty file: what the lifeboat needs to know of the house while no daemon is there, for the days to come.

Each line is a JSON array of a CRC-32 (hexadecimal, of the bytes of what follows) and an object. The first line holds
the house, its agents, and where each day's line lies; a day (UTC, by its number since 1970) holds the instants of its
changes, and from each on who is on duty and what is said while the queue is closed. So the lifeboat reads two lines,
however large the house is (``asterisk-conf/lifeboat.py``). Pure but for :func:`write` and :class:`DutyKeeper`.
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
from ivr import sentences
from phone.names import Names
from phone.trunks import outside_targets
from routing.messages import Standing
from routing.roster import Roster
from routing.timetable import Timetable

log = structlog.get_logger()

FORMAT = 2
"""The form of the file; the lifeboat reads no other."""

DAYS_BACK, DAYS_AHEAD = 2, 15
"""Days that it covers: two weeks and what remains of today; two back, so that a clock stepped back finds its day."""

WRITE_EVERY = 6 * 3600.0
"""Seconds after which it is written anew though nothing changed."""

WRITE_AGAIN = 60.0
"""Seconds until a write that failed is tried again."""

DAY = 86_400

BEST, UNSKILLED = 9, 20
"""The highest level of a skill; the rank of those who lack it, whom the lifeboat rings all the same, last."""


def compiled(settings: Settings, home: AsteriskHome, now: float) -> bytes:
    """The file's content as of ``now`` (seconds since 1970 UTC)."""
    hotline, times = settings.hotline, settings.hotline.times
    queue = settings.queues.queues.get(settings.menu.person_queue)
    first = int(now // DAY) - DAYS_BACK
    until = first + DAYS_BACK + DAYS_AHEAD
    timetable = Timetable(settings.queues.queues, Roster.of(settings))
    agents = settings.agents.agents
    body, days = b"", {}
    for day in range(first, until):
        line = _line(_day(timetable, day, settings))
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
            "backup_after": hotline.backup_after,
            "message": max(1, round(times.voicemail_longest)),
        },
        "agents": {
            number: {"devices": [way for one in agent.devices for way in _ways(one, settings)]}
            for number, agent in agents.items()
        },
        "days": days,
    }
    return _line(head) + body


def _ways(device: Device, settings: Settings) -> Iterator[dict[str, Any]]:
    """How the device is rung: a phone in one way, a number through each trunk that may call out, in their order."""
    ring = max(1, round(device.ring_time or settings.hotline.times.ring))
    known = {"name": device.label, "as": device.named, "confirm": device.confirms, "ring": ring}
    if device.number is None:
        phone = Names(settings.hotline).device(device.sip or "")
        yield known | {"dial": phone, "state": phone, "shown": ""}
        return
    for target in outside_targets(device.number, settings.hotline):
        yield known | {"dial": target.endpoint, "state": "", "shown": target.caller_id}


def _day(timetable: Timetable, day: int, settings: Settings) -> dict[str, Any]:
    """The changes of one day (UTC); the first is its beginning."""
    at = dt.datetime.fromtimestamp(day * DAY, dt.UTC)
    end = at + dt.timedelta(days=1)
    found: dict[str, Any] = {"at": [], "on": [], "closed": []}
    while at < end:
        standing = timetable.standing(at)
        found["at"].append(int(at.timestamp()))
        found["on"].append(_on(standing, settings))
        found["closed"].append(_closed(standing, at, settings))
        at = timetable.next_change(at)
    return found


def _on(standing: Standing, settings: Settings) -> list[list[Any]]:
    """Groups of agents on duty: whether they are backups (0 or 1), their rank (the smaller the sooner), the names of
    the devices that ring (none: all), and who they are. Agents whom the settings lack are left out."""
    queue = settings.queues.queues.get(settings.menu.person_queue)
    groups: dict[tuple[int, int, tuple[str, ...]], list[str]] = {}
    for number, line in sorted(standing.duty.items()):
        agent = settings.agents.agents.get(number)
        if agent is not None:
            level = 0 if queue is None else agent.skills_at(standing.date).get(queue.skill, 0)
            able = queue is None or level >= queue.level
            groups.setdefault((int(line.backup), BEST - level if able else UNSKILLED, line.devices), []).append(number)
    return [[backup, rank, list(devices), numbers] for (backup, rank, devices), numbers in sorted(groups.items())]


def _closed(standing: Standing, at: dt.datetime, settings: Settings) -> list[str]:
    """The prompts that say that the queue is closed and when it opens; none: it is open."""
    closed = standing.closed.get(settings.menu.person_queue)
    if closed is None:
        return []
    zone = settings.hotline.zone
    opens = dt.datetime.fromtimestamp(closed.opens / 1_000_000, zone)
    told = sentences.opens(settings.hotline.language, at.astimezone(zone), opens) if closed.opens else ()
    return ["closed_now", *told, "voicemail_invite"]


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
