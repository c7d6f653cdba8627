"""The status room: how the hotline is, what is degraded, and what to do about it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from config.catalogue import _
from console import grade_lists
from console.ask import Ask, Asked
from console.condition import Point, points, summary
from console.office import Office
from console.permits import Verb, Who
from console.records_today import written_today
from console.rooms import Room

LOOK_EVERY = 3.0
"""Seconds between two looks while somebody has the room open."""

room = Room("status", title=lambda: _("Status"), path="/status", verb=Verb.STATUS_READ, order=90,
            topics={"status": Verb.STATUS_READ},
            watch=lambda live, site: live.watch("status", LOOK_EVERY, site.facts))  # fmt: skip


async def condition(office: Office, who: Who) -> list[Point]:
    """Each part of the hotline, in words. Raises NotPermitted."""
    who.must(Verb.STATUS_READ)
    site = office.site
    written = await written_today(site)
    return points(await site.facts(), site.settings, site.now(), await grade_lists.missed(office), written)


@room.page("/status", Verb.STATUS_READ)
async def status(ask: Asked) -> Response:
    """The whole room."""
    return await ask.page("status.html", **await _seen(ask))


@room.page("/status/now", Verb.STATUS_READ)
async def now(ask: Asked) -> Response:
    """What changes of it."""
    return await ask.page("_status.html", **await _seen(ask))


async def _seen(ask: Ask) -> dict[str, Any]:
    found = await condition(ask.office, ask.who)
    return {"points": found, "summary": summary(found), "now": ask.site.now()}
