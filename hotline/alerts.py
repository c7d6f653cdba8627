"""Tells people of what needs one of them now: in the log, in the journal, and by a hook of the operator's.

The hook (``alerts`` in hotline.yaml) is a command that is run, an address that is posted to, or both. It runs beside
the calls, one warning after the other, bounded in time; what fails of it is logged and holds nothing up. The same
warning is told once in :data:`QUIET` seconds, and of one kind at most :data:`MOST` reach the hook in that time: a night
without anybody must not send a thousand messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog

from calllog import events as ev
from config.catalogue import answering
from config.settings import Settings
from hotline.alert_words import alert_words
from routing.session import Journal

log = structlog.get_logger()

STREAM_ID = "alerts"
"""The stream_id of warnings in the stream ``system``."""

QUIET = 900.0
"""Seconds in which the same warning is told once."""

MOST = 20
"""Warnings of one code that reach the hook in that time; the others are in the log and the journal."""

HELD = 200
"""Warnings that wait for the hook; when more come the oldest are given up, since the newest say what is so now."""

COMMAND_TIME = 30.0
"""Seconds that the command may take; then it is killed, with all that it has started."""

POST_TIME = 10.0
"""Seconds that one try of a POST may take."""

TRIES = (0.0, 2.0, 10.0)
"""Seconds to wait before each try of a POST: a web server that restarts is back by then."""

FAULTS = frozenset({
    "access_log_cut", "archive_gone", "last_agent_missed", "purge_failed", "purge_refused", "recording_broke",
    "recording_in_parts", "recordings_lost", "ring_unreported", "unknown_queue",
})  # fmt: skip
"""Codes of what went wrong; the others warn of what will, unless somebody sees to it."""

_COUNTED = frozenset({"waiting", "longest", "missed", "hours", "again", "free", "going", "of", "count"})
"""Parameters that say how much of it there is: with another number it is still the same warning."""

_OURS = re.compile(r"NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_.*")
"""What systemd has told the daemon alone."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One warning for the hook; ``at`` is the wall clock in the hotline's zone."""

    code: str
    text: str
    at: str
    company: str
    host: str
    params: Mapping[str, str | int]

    def as_json(self) -> bytes:
        """What the command gets on standard input, and the address as the body of a POST."""
        about = {"code": self.code, "text": self.text, "at": self.at, "company": self.company, "host": self.host,
                 "params": dict(self.params)}  # fmt: skip
        return json.dumps(about, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def as_environment(self) -> dict[str, str]:
        """Key words for a command that reads no JSON; the values hold no line break and no NUL."""
        words = {"CODE": self.code, "TEXT": self.text, "AT": self.at, "COMPANY": self.company, "HOST": self.host}
        words |= {re.sub(r"[^A-Z0-9]", "_", name.upper()): str(value) for name, value in self.params.items()}
        return {f"HOTLINE_ALERT_{name}": re.sub(r"[\x00-\x1f\x7f]", " ", value) for name, value in words.items()}


@dataclass(slots=True)
class _Told:
    """When a warning was told last, and how often it came since."""

    at: float
    again: int = 0


@dataclass(slots=True)
class Bound:
    """Keeps a flood off people; ``now`` is a clock that is never stepped, in seconds."""

    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _sent: dict[str, deque[float]] = field(default_factory=dict)

    def tell(self, code: str, params: Mapping[str, str | int], now: float, once: str = "") -> int | None:
        """How often the same came since it was told last; None: it is too early to tell it again."""
        while self._told and now - self._told[oldest := next(iter(self._told))].at >= 2 * QUIET:
            del self._told[oldest]
        about = {key: value for key, value in params.items() if key not in _COUNTED}
        same = code, once or json.dumps(about, sort_keys=True)
        told = self._told.get(same)
        if told is not None and now - told.at < QUIET:
            told.again += 1
            return None
        self._told.pop(same, None)  # the one told last stands last
        self._told[same] = _Told(now)
        return told.again if told is not None else 0

    def send(self, code: str, now: float) -> bool:
        """Whether one more of this code may reach the hook."""
        sent = self._sent.setdefault(code, deque())
        while sent and now - sent[0] >= QUIET:
            sent.popleft()
        if len(sent) < MOST:
            sent.append(now)
            return True
        return False


class Alerts:
    """:meth:`run` it for as long as the daemon serves; :meth:`alert` may be called before."""

    def __init__(
        self, journal: Journal, settings: Callable[[], Settings], wall: Callable[[], dt.datetime],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._journal, self._settings, self._wall, self._steady = journal, settings, wall, steady
        self._bound = Bound()
        self._held: deque[Alert] = deque()
        self._news = asyncio.Event()

    def alert(self, code: str, once: str = "", /, **params: str | int) -> None:
        """Somebody should look: ``code`` says at what, the parameters at whom and where. Returns at once, never fails.
        ``once`` is kept in the journal, for a caller who must not say the same twice.

        Parameters in use: ``agent``, ``instead_of`` (staff numbers), ``shift``, ``queue`` (names), ``begins``, ``ends``
        (ISO 8601 with offset), ``why`` (a code), and numbers.
        """
        again = self._bound.tell(code, params, self._steady(), once)
        if again is None:
            return
        about: dict[str, str | int] = {**params, "again": again} if again else dict(params)
        settings = self._settings()
        with answering(settings.hotline.language):
            text = alert_words(code, about, settings)
        if code in FAULTS:
            log.error("ALARM", code=code, text=text, **about)
        else:
            log.warning("ALERT", code=code, text=text, **about)
        what = ", ".join(f"{key} {value}" for key, value in about.items())
        self._journal.append("system", STREAM_ID, ev.Alarm(code=code, what=what, key=once, params=about))
        hook = settings.hotline.alerts
        if not hook.command and hook.url is None:
            return
        if not self._bound.send(code, self._steady()):
            log.warning("so many warnings of this kind: this one is not passed on", code=code)
            return
        if len(self._held) >= HELD:
            log.error("warnings come faster than they can be passed on: the oldest is given up",
                      code=self._held.popleft().code)  # fmt: skip
        at = self._wall().astimezone(settings.hotline.zone).isoformat(timespec="seconds")
        host = settings.hotline.asterisk.systemname
        self._held.append(Alert(code, text, at, settings.hotline.company, host, about))
        self._news.set()

    async def run(self) -> None:
        """Pass on what was told, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._held:
                await self._pass_on(self._held.popleft())

    async def _pass_on(self, alert: Alert) -> None:
        hook = self._settings().hotline.alerts
        work = [run_command(hook.command, alert)] if hook.command else []
        work += [post(hook.url, alert)] if hook.url is not None else []
        for why in await asyncio.gather(*work):
            if why:
                log.error("a warning was not passed on", code=alert.code, why=why)


async def run_command(command: tuple[str, ...], alert: Alert) -> str:
    """Run it with the warning on its standard input; returns why it failed, empty when it did not.

    No shell is involved. What it prints goes where the daemon's own log goes.
    """
    environment = {name: value for name, value in os.environ.items() if not _OURS.fullmatch(name)}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=2, stderr=2,
            env=environment | alert.as_environment(), start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return f"{command[0]}: {why}"
    try:
        async with asyncio.timeout(COMMAND_TIME):
            await process.communicate(alert.as_json())
    except TimeoutError:
        return f"{command[0]} took longer than {COMMAND_TIME:g} s and was ended"
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # also of what it left running
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await process.wait()
    if process.returncode:
        return f"{command[0]} ended with status {process.returncode}"
    return ""


async def post(url: str, alert: Alert) -> str:
    """POST the warning as JSON; returns why that failed, empty when it did not. No redirect is followed."""
    why = ""
    for wait in TRIES:
        await asyncio.sleep(wait)
        why, again = await _post_once(url, alert)
        if not again:
            break
    return why


async def _post_once(url: str, alert: Alert) -> tuple[str, bool]:
    limits = aiohttp.ClientTimeout(total=POST_TIME)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.post(url, data=alert.as_json(), headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status < 300:
                return "", False
            return f"{url}: HTTP {answer.status}", answer.status >= 500 or answer.status in (408, 425, 429)
    except TimeoutError:
        return f"{url}: no answer within {POST_TIME:g} s", True
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return f"{url}: {str(error) or type(error).__name__}", True
