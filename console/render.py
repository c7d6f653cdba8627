"""Pages from templates: Jinja2 with escaping always on, the catalogue's words, and times as people read them.

``_()`` and ``ngettext()`` stand in templates as in code, with literals; ``config.catalogue_update`` finds them there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from calllog.rating_words import rating_level, rating_said
from config import catalogue, lengths
from config.lengths import at as local, clock as span
from console.assets import Assets
from console.browsers import browser_word
from console.permit_words import role_word, roles_said, verb_word
from console.permits import Role, Verb
from recordings import review_words

TEMPLATES = Path(__file__).parent / "templates"


def environment(assets: Assets, zone: Callable[[], ZoneInfo]) -> Environment:
    """The templates, with what all of them may use."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, cache_size=400, extensions=["jinja2.ext.do"],
    )  # fmt: skip
    made.globals.update(
        _=catalogue._, ngettext=catalogue.ngettext, asset=assets.url, Verb=Verb, Role=Role, role_word=role_word,
        roles_said=roles_said, verb_word=verb_word,
    )
    made.globals.update(
        appeal_word=review_words.appeal_word, answer_word=review_words.answer_word, kappa_word=review_words.kappa_word,
        rule_word=review_words.rule_word, strength_word=review_words.strength_word, rating_said=rating_said,
        rating_level=rating_level,
    )  # fmt: skip
    made.filters.update(
        score=review_words.total,
        moment=lambda at: moment(at, zone()), clock=lambda at: clock(at, zone()), day=lambda at: day(at, zone()),
        iso=lambda at: iso(at, zone()), span=span, size=size, browser=browser_word,
    )  # fmt: skip
    return made


def moment(at: int, zone: ZoneInfo) -> str:
    """2026-11-25 14:03:22; a dash for never (0)."""
    return local(at, zone).strftime("%Y-%m-%d %H:%M:%S") if at else "–"


def clock(at: int, zone: ZoneInfo) -> str:
    """14:03:22; a dash for never."""
    return local(at, zone).strftime("%H:%M:%S") if at else "–"


def day(at: int, zone: ZoneInfo) -> str:
    """2026-11-25; a dash for never."""
    return local(at, zone).strftime("%Y-%m-%d") if at else "–"


def iso(at: int, zone: ZoneInfo) -> str:
    """For ``<time datetime>``: with the offset; empty for never."""
    return lengths.iso(at, zone) or ""


def size(amount: float) -> str:
    """Bytes as people say them: 512 B, 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"




Values = dict[str, Any]
