"""How the hotline is, for programs."""

from __future__ import annotations

from pydantic import BaseModel

from console.ask import Asked
from console.condition import Level, summary
from console.pages.status import condition
from console.permits import Verb
from console.rooms import ApiRoom

room = ApiRoom("status")


class Part(BaseModel):
    """One part of the hotline."""

    name: str
    title: str
    level: Level
    value: str
    notes: list[str]
    fix: str


class Status(BaseModel):
    """All parts; ``level`` is the worst of them."""

    level: Level
    summary: str
    calls: int
    waiting: int
    on_duty: int
    parts: list[Part]


@room.read("/status", Verb.STATUS_READ)
async def status(ask: Asked) -> Status:
    """Each part of the hotline, what is degraded, and what to do."""
    found = await condition(ask.office, ask.who)
    facts, whole = await ask.site.facts(), summary(found)
    parts = [Part(name=one.name, title=one.title, level=one.level, value=one.value, notes=list(one.notes), fix=one.fix)
             for one in found]  # fmt: skip
    return Status(level=whole.level, summary=whole.title, calls=facts.calls, waiting=facts.waiting,
                  on_duty=facts.on_duty, parts=parts)  # fmt: skip
