"""Deleting what has been kept long enough, from a page: looked at first, then done by a work; and what went before."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from config.catalogue import _
from console.holding import stated
from console.office import Office
from console.permits import Verb, Who
from console.site import Refusal, Site
from console.works import Kind, Work
from recordings import manifest as manifests, purge as purges
from recordings.manifest import Summary
from recordings.purge import Plan, Purged
from recordings.retention import keep_of, too_many

PAGE = 20
"""Manifests on one page."""
LISTED = 50
"""Files named one by one that a purge leaves."""
SHOWN_FOR = 3600 * 1_000_000
"""µs for which what was looked at may be done."""


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings that go by one rule."""

    category: str
    kind: str
    days: int
    n: int
    size: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a purge would take at ``at`` (µs). ``of``: all finished recordings; ``held`` would be over but for a hold;
    ``odd``: (file, found) that it leaves; ``too_many``: more than ``most`` per cent of all."""

    at: int
    of: int
    n: int
    size: int
    held: int
    odd: tuple[tuple[str, str], ...]
    most: int
    too_many: bool
    groups: tuple[Group, ...] = field(default=())


def moment(site: Site) -> int:
    """Now, for a purge: a clock that was stepped forward must not make anything older."""
    return min(site.now(), int(site.wall().timestamp() * 1_000_000))


async def planned(site: Site, who: Who) -> Planned:
    """What would go now. Raises NotPermitted, StoreError, OSError."""
    who.must(Verb.PURGE_READ)
    return await asyncio.to_thread(_planned, site, moment(site))


def _planned(site: Site, at: int) -> Planned:
    keep = keep_of(site.settings)
    made = purges.plan(site.store, site.folders, keep, at)
    odd = tuple((each.due.kept.file, each.found) for each in made.odd[:LISTED])
    n = len(made.going)
    return Planned(
        at, made.of, n, made.size, made.held, odd, keep.purge_most, too_many(n, made.of, keep.purge_most), _groups(made)
    )


def _groups(made: Plan) -> tuple[Group, ...]:
    sums: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for each in made.going:
        of = sums[each.due.kept.category, each.due.kind, each.due.days]
        of[0] += 1
        of[1] += each.size
    return tuple(Group(*rule, n, size) for rule, (n, size) in sorted(sums.items()))


async def purge(
    office: Office, who: Who, *, at: int, expected: int, why: str, everything: bool = False
) -> Work:
    """Begin to delete what :func:`planned` has shown as of ``at``, and no more than ``expected`` recordings;
    ``everything``: also where they are too large a share. Raises NotPermitted, Refusal."""
    who.must(Verb.PURGE_RUN)
    site, reason = office.site, stated(why)
    now = moment(site)
    if not now - SHOWN_FOR <= at <= now:
        raise Refusal(_("That was looked at too long ago: look at it again."))
    alone(office)

    async def course(work: Work) -> Purged:
        return await purges.purge(
            site.store, site.folders, keep_of(site.settings), at, site.ledger(who.name), by=who.name, why=reason,
            most=100 if everything else None, expected=expected, progress=work.progress,
        )  # fmt: skip

    return office.works.begin("purge", who, course)


def alone(office: Office, *kinds: Kind) -> None:
    """Raises Refusal while such work from this console goes on, a purge or an erasure unless others are named; other
    processes' are found out by a lock. Ask it with no ``await`` before the work is begun."""
    other = office.works.running(*(kinds or ("purge", "erase")))
    if other is not None:
        text = {
            "purge": _("{who} is just deleting what is over: wait until that has ended."),
            "erase": _("{who} is just erasing a caller: wait until that has ended."),
            "export": _("{who} is just packing everything about a caller: wait until that has ended."),
        }[other.kind]
        raise Refusal(text.format(who=other.by))


@dataclass(frozen=True, slots=True)
class Past:
    """Manifests of earlier purges and erasures, the newest first."""

    rows: tuple[Summary, ...]
    page: int
    older: bool


async def past(site: Site, who: Who, page: int = 1) -> Past:
    """One page of them. Raises NotPermitted, OSError."""
    who.must(Verb.PURGE_READ)
    return await asyncio.to_thread(_past, site, page)


def _past(site: Site, page: int) -> Past:
    names = manifests.names(site.folders.archive)
    some = names[(page - 1) * PAGE : page * PAGE]
    found = []
    for name in some:
        try:
            found.append(manifests.summary(site.folders.archive, name))
        except LookupError:
            continue  # it has just been taken away
    return Past(tuple(found), page, len(names) > page * PAGE)


async def manifest(site: Site, who: Who, name: str) -> bytes:
    """One manifest whole. Raises NotPermitted, LookupError, OSError."""
    who.must(Verb.PURGE_READ)
    return await asyncio.to_thread(manifests.of_name, site.folders.archive, name)
