"""Pausing the recording of a talk from outside it: for the command's socket and the console's desk room."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calllog.events import PausedBy
from config.catalogue import _
from hotline.control import Refused, Verb
from phone.translate import clean
from routing.pausing import Switch, Switched

if TYPE_CHECKING:
    from hotline.calls import Calls
    from hotline.daemon import Daemon

PATIENCE = 8.0
"""Seconds that a talk may take to answer: a request to Asterisk that goes unanswered is given up after five."""


class NoTalk(Exception):
    """This agent talks with nobody, or the talk ended in the meantime."""


async def switch_recording(calls: Calls, agent: str, pause: bool, by: PausedBy) -> Switched:
    """Pause the recording of the talk that this agent is in, or let it go on; returns what became of it.

    Raises NoTalk.
    """
    call = calls.talking(agent)
    if call is None:
        raise NoTalk
    asked = Switch(pause, by)
    call.line.post(asked)
    try:
        async with asyncio.timeout(PATIENCE):
            return await asked.answer
    except TimeoutError:
        raise NoTalk from None


def switch_failed(pause: bool) -> str:
    """What it means that a recording could not be paused, or did not go on."""
    if pause:
        return _("Asterisk did not do it: the recording goes on. Try again, and see the log.")
    return _("The recording does not go on yet: it is tried again, and begun anew if need be. See the log.")


class RecordingVerbs:
    """The daemon's answer to the verb ``recording``. Raises Refused."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def table(self) -> dict[str, Verb]:
        """The verbs by name."""
        return {"recording": self._recording}

    async def _recording(self, request: Mapping[str, Any]) -> dict[str, Any]:
        agent, pause = clean(str(request.get("agent", "")), 40), bool(request.get("pause"))
        try:
            done = await switch_recording(self._daemon.calls, agent, pause, "command")
        except NoTalk:
            raise Refused(lambda: _("{agent} is in no talk.").format(agent=agent)) from None
        if done == "unrecorded":
            raise Refused(lambda: _("Nothing of this talk is being recorded."))
        if done == "failed":
            raise Refused(lambda: switch_failed(pause))
        return {"recording": done}
