"""What the journal and its rosters know of who was there, for ``hotline report`` and the hand-over sheet."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydantic import ValidationError

from calllog.house_queries import House
from config.roster_file import RosterFile
from config.tree import composed
from routing.attendance import ALWAYS, MINUTE, Past, Version, presence
from routing.counts import union
from routing.spans import instant, microseconds

if TYPE_CHECKING:
    from config.settings import Settings


def past_of(settings: Settings, house: House, now: int) -> tuple[Past, list[int]]:
    """The past until ``now`` (µs), and when the rosters took effect whose text this version cannot read (the one before
    them then counts on). What was before the first of the journal is taken to be as the files are now."""
    zone, country = settings.hotline.zone, settings.hotline.country
    versions, unread = [Version(ALWAYS, settings.roster, zone, country)], []
    for at, text in house.rosters:
        file = read_roster(text)
        if file is None:
            unread.append(at)
        else:
            versions.append(Version(at, file, zone, country))
    signs: dict[str, list[tuple[int, bool, bool]]] = {}
    for sign in house.signs:
        signs.setdefault(sign.agent, []).append((sign.at, sign.is_in, sign.reason == "signed_in"))
    there = {agent: presence(changes, now) for agent, changes in signs.items()}
    grace = round(settings.roster.limits.late * MINUTE)
    before = ((ALWAYS, house.begins),) if house.begins else ()
    return Past(versions, there, union((*before, *house.outages)), now, grace), unread


def opening_day(settings: Settings, house: House, otherwise: dt.date) -> dt.date:
    """The day at whose beginning ``lieu.opening`` is the balance."""
    if settings.roster.lieu.since is not None:
        return settings.roster.lieu.since
    if not house.begins:
        return otherwise
    return dt.datetime.fromtimestamp(house.begins / 1e6, settings.hotline.zone).date()


def read_roster(text: str) -> RosterFile | None:
    """The file; None where it is none by today's shapes."""
    tree, _node = composed("roster.yaml", text)
    if tree.problems or not isinstance(tree.value, dict):
        return None
    try:
        return RosterFile.model_validate(tree.value)
    except ValidationError:
        return None


def midnight(date: dt.date, settings: Settings) -> int:
    """The first instant of a local date (µs)."""
    return microseconds(instant(dt.datetime.combine(date, dt.time()), settings.hotline.zone))
