"""Drafts as pages and programs keep them: one's own alone, bounded, and a fault of their file is a word for people."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from config.catalogue import _
from console.ask import Ask
from console.site import Refusal

T = TypeVar("T")

log = structlog.get_logger()


async def put(ask: Ask, about: str, said: dict[str, Any]) -> int:
    """Keep this in the place of what was there; returns when (µs). Raises Refusal."""
    now, text = ask.site.now(), json.dumps(said, ensure_ascii=False)
    try:
        await _done(ask, ask.office.drafts.put, about, text, now)
    except ValueError:
        raise Refusal(_("This is too long for a draft: shorten it."), status=413) from None
    return now


async def get(ask: Ask, about: str) -> dict[str, Any]:
    """What was kept; empty where there is none. Raises Refusal."""
    try:
        kept = json.loads(await _done(ask, ask.office.drafts.get, about) or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


async def drop(ask: Ask, about: str) -> None:
    """It was saved for good, or is not wanted. Raises Refusal."""
    await _done(ask, ask.office.drafts.drop, about)


async def _done(ask: Ask, work: Callable[..., T], *arguments: object) -> T:
    try:
        return await ask.thread(work, ask.who.user_id, *arguments)
    except (sqlite3.Error, OSError) as error:
        log.error("drafts cannot be kept", why=str(error))
        raise Refusal(_("Drafts cannot be kept just now: save what you have written."), status=503) from error
