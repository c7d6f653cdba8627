"""Holds of all calls: which are in force, by whom and why. One call's are set and lifted in ``console.taking``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from calllog import keep_queries
from calllog.keep_queries import HoldRow
from config.catalogue import _
from config.masking import masked_text
from console import hearing
from console.permits import Verb, Who
from console.site import Refusal, Site

PAGE = 50
"""Holds on one page."""


@dataclass(frozen=True, slots=True)
class Holds:
    """One page, the newest first."""

    rows: tuple[HoldRow, ...]
    page: int
    older: bool


async def holds(site: Site, who: Who, *, lifted: bool = False, page: int = 1) -> Holds:
    """The holds in force, with ``lifted`` also those that are over. Raises NotPermitted, StoreError."""
    who.must(Verb.HOLD_READ)
    rows = await asyncio.to_thread(
        keep_queries.list_holds, site.store, lifted=lifted, limit=PAGE + 1, offset=(page - 1) * PAGE
    )
    return Holds(tuple(rows[:PAGE]), page, len(rows) > PAGE)


def reason_of(row: HoldRow, who: Who) -> str:
    """Why, as this person may read it."""
    return row.reason if who.may(Verb.NUMBER_SEE) else masked_text(row.reason)


def stated(why: str) -> str:
    """The reason in one line. Raises Refusal for none."""
    text = " ".join(why.split())[: hearing.LONGEST_WHY]
    if not text:
        raise Refusal(_("Say why."), status=422)
    return text
