"""What somebody should be warned of now. Pure.

Theory of operation. :func:`due` is asked every few seconds, with what is so now (:class:`Facts`), the wall clock, and
a clock that is never stepped. It remembers in :class:`Memory` what was told. A warning of the roster carries a key made
of absolute instants, so a wall clock that is stepped back tells nothing twice, and one that is stepped forward tells
what is due then. The keys stand in the journal, so a restart tells nothing twice either. They say what the gap is, not
of which roster: an edit of something else tells nothing again; a gap that was mended is forgotten, and told anew when
it comes back. How long something has been so
(a phone that is gone, callers whom nobody serves) is counted by the steady clock alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from calllog.events import AgentMode
from routing.coverage import Gap
from routing.roster import Duty
from routing.waiting import Waiting

AHEAD = (dt.timedelta(hours=2), dt.timedelta(hours=24))
"""How long before a gap it is told: once more when it is near."""

LATE = dt.timedelta(minutes=10)
"""Into a shift, after which somebody who is not there is missed."""

GONE = 120.0
"""Seconds for which somebody must have been missing: a phone that registers anew, or all of them after a start, are
back by then."""

UNSERVED = 20.0
"""Seconds that a caller has waited while nobody serves, after which somebody should know."""

REPEAT = 900.0
"""Seconds after which callers who wait unserved are told of again."""

AT_WORK: frozenset[AgentMode] = frozenset({"ringing", "talking"})


LONG_AGO, FAR_AHEAD = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


class Seen(NamedTuple):
    """An agent as the desk has them; ``reachable``: by any device of theirs."""

    mode: AgentMode
    reason: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so now.

    ``gaps`` of the roster in force (only errors count), looked for from ``gaps_from`` to ``gaps_until``. ``duties``:
    who is on duty, breaks left out.
    """

    gaps: Sequence[Gap] = ()
    gaps_from: dt.datetime = LONG_AGO
    gaps_until: dt.datetime = FAR_AHEAD
    duties: Sequence[Duty] = ()
    agents: Mapping[str, Seen] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()


class Warned(NamedTuple):
    """One warning: its code, its parameters, and the key under which it is told once; empty: it may come again."""

    code: str
    key: str
    params: Mapping[str, str | int]


@dataclass(slots=True)
class Memory:
    """What was told, and since when something has been so (steady seconds)."""

    told: dict[str, None] = field(default_factory=dict)
    since: dict[tuple[str, str, str], float] = field(default_factory=dict)
    unserved: dict[str, float] = field(default_factory=dict)

    MOST = 5000
    """Keys that are remembered; the oldest are long over."""

    def tell(self, key: str) -> bool:
        """Whether this key is new; it is remembered."""
        if key in self.told:
            return False
        self.told[key] = None
        if len(self.told) > self.MOST:
            del self.told[next(iter(self.told))]
        return True

    def forget_mended(self, known: Container[str], since: dt.datetime, until: dt.datetime) -> None:
        """A gap told of that begins in [since, until) and is not among the ``known`` has been mended."""
        for key in [key for key in self.told if key.startswith("gap_")]:
            parts = key.split(" ")[-5:]
            with contextlib.suppress(ValueError, IndexError):  # a key without a beginning is of one day alone
                if since <= dt.datetime.fromisoformat(parts[2]) < until and " ".join(parts) not in known:
                    del self.told[key]


def due(now: dt.datetime, steady: float, facts: Facts, memory: Memory) -> list[Warned]:
    """What is to be told at ``now`` (aware, the wall clock); ``steady`` is in seconds."""
    same = {_same(gap, now, facts) for gap in facts.gaps if gap.refuses}
    memory.forget_mended(same, facts.gaps_from, facts.gaps_until)
    found = [one for one in (*_gaps(now, facts), *_missing(now, steady, facts, memory)) if memory.tell(one.key)]
    return found + list(_unserved(steady, facts, memory))


def _gaps(now: dt.datetime, facts: Facts) -> Iterator[Warned]:
    for gap in facts.gaps:
        lead = gap.begins - now
        if not gap.refuses or gap.ends <= now or lead > AHEAD[-1]:
            continue
        about: dict[str, str | int] = {
            "queue": gap.queue, "level": gap.level, "begins": _iso(gap.begins), "ends": _iso(gap.ends),
            "have": gap.have, "asked": gap.asked,
        }  # fmt: skip
        same = _same(gap, now, facts)
        if lead <= dt.timedelta():
            yield Warned("gap_now", f"gap_now {same}", about)
        else:
            stage = next(ahead for ahead in AHEAD if lead <= ahead)
            hours = round(lead / dt.timedelta(hours=1), 1)
            told = f"{hours:g}"
            yield Warned("gap_ahead", f"gap_ahead {stage // dt.timedelta(hours=1)} {same}", {**about, "hours": told})


def _same(gap: Gap, now: dt.datetime, facts: Facts) -> str:
    """What makes it the same gap: five words. One longer than what was looked at has no known beginning: it is told
    once a day. Of a long one the end is that of its first day, since more of it may not have been looked at."""
    if gap.begins > facts.gaps_from:
        begins, ends = _iso(gap.begins), _iso(min(gap.ends, gap.begins + AHEAD[-1]))
    else:
        begins, ends = "before", str(now.date())
    return f"{gap.queue} {gap.level} {begins} {ends} {gap.have}/{gap.asked}"


def _missing(now: dt.datetime, steady: float, facts: Facts, memory: Memory) -> Iterator[Warned]:
    so: dict[tuple[str, str, str], Duty] = {}
    for duty in facts.duties:
        why = why_missing(duty, facts.agents.get(duty.agent))
        if why:
            so[duty.agent, _iso(duty.begins), why] = duty
    memory.since = {one: memory.since.get(one, steady) for one in so}
    for (agent, begins, why), duty in so.items():
        if now - duty.begins >= LATE and steady - memory.since[agent, begins, why] >= GONE:
            params = {"agent": agent, "shift": duty.shift, "begins": begins, "why": why}
            yield Warned("agent_missing", f"agent_missing {agent} {begins} {why}", params)


def why_missing(duty: Duty, seen: Seen | None) -> str:
    """Why somebody on duty does not serve: ``off``, ``signed_out``, ``unreachable``; empty where they do, or are not
    known. A backup need not have signed in."""
    if seen is None or seen.mode in AT_WORK:
        return ""
    if seen.mode == "off" and not duty.backup:
        return "signed_out" if seen.reason == "signed_out" else "off"
    return "" if seen.reachable else "unreachable"


def _unserved(steady: float, facts: Facts, memory: Memory) -> Iterator[Warned]:
    for queue, many, longest, serving in facts.waiting:
        if many and not serving and longest >= UNSERVED:
            told = memory.unserved.get(queue)
            if told is None or steady - told >= REPEAT:
                memory.unserved[queue] = steady
                yield Warned("waiting_unserved", "", {"queue": queue, "waiting": many, "longest": round(longest)})


def _iso(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")
