"""The auditor: what the callers saw, against the store, the recordings, Asterisk and the daemon, after each fault.

Every sentence it returns is a loss. What it counts goes into the table.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from calllog import events as ev
from calllog.codec import decode
from calllog.database import EVENT_COLUMNS
from calllog.events import Recorded
from calllog.folds import CallState
from calllog.talk import Talk
from calllog.verify import rebuild, verify
from hotline.traces import EMPTIED_EVERY
from hotline.trial import Trial
from tests.chaos.ears import LEAST, compare
from tests.chaos.house import House
from tests.chaos.sip import Caller

LONG_TALK = 3_000_000
"""µs from which a talk must have a verified recording or a stated reason."""

SLACK = {"tasks": 0, "daemon's files": 4, "Asterisk's files": 8}
"""By how much what is open may differ from the idle level: a log being turned; in Asterisk the music of the
waiting room, six files, which may or may not play while nobody waits."""

IDLE_LIMIT = 45.0
"""Seconds until what is open is back at the idle level: SIP gives a phone up that answers nothing after 32 s."""

TOLD_LIMIT = EMPTIED_EVERY + 30.0
"""Seconds until a caller is in the log whom the dialplan answered and who hung up before the daemon was asked."""

NUMBER = 11
"""Digits of a caller's own number."""

LOGGED = ("Traceback", "never retrieved", "was never awaited", "Unclosed", "this is no event")
"""What the daemon's log must not hold, whatever happens."""

ENDS_A_WAIT = (ev.RingStarted, ev.VoicemailOffered, ev.HungUp, ev.HandedOver, ev.Ended, ev.Adopted)


@dataclass
class Audit:
    """What one audit saw."""

    callers: int = 0
    answered: int = 0
    talks: int = 0
    long_talks: int = 0
    verified: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why long talks have no verified recording."""
    shares: list[tuple[float, float, float]] = field(default_factory=list)
    """For each call that talked on a rough network alone: the share of its talks in which the caller heard the agent,
    and of which caller and agent are recorded."""
    losses: list[str] = field(default_factory=list)


async def audit(house: House) -> Audit:
    """Wait until all is calm, then look at everything since the last audit."""
    found = Audit()
    if left := await house.calm():
        found.losses.append(f"not calm: {left}")
    callers = house.crowd.callers[house.audited :]
    house.audited = len(house.crowd.callers)
    found.callers, found.answered = len(callers), sum(1 for caller in callers if caller.answered_at)
    until = asyncio.get_running_loop().time() + TOLD_LIMIT
    while await asyncio.to_thread(_not_told, house.store, callers) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    states = await asyncio.to_thread(_store, house.store, callers, found)
    await asyncio.to_thread(_sound, house, callers, states, found)
    found.losses += await _idle(house)
    found.losses += _log(house)
    fresh = [loss for loss in found.losses if loss not in house.found_before]
    house.found_before |= set(found.losses)
    found.losses = fresh
    return found


def _sound(house: House, callers: list[Caller], states: dict[str, CallState], found: Audit) -> None:
    """Of those who talked while the network was rough: what was heard, and what was recorded."""
    by_number = {caller.number: caller for caller in callers}
    while house.mouths.rough_spans:
        span = house.mouths.rough_spans.pop()
        for number, state in states.items():
            found.losses += compare(state, by_number[number], house.trial.state / "recordings", span, found.shares)
        if not found.shares:
            found.losses.append("nobody talked long enough on the rough network")
        means = [round(fmean(side), 2) for side in zip(*found.shares, strict=True)]
        if any(mean < LEAST for mean in means):
            found.losses.append(f"heard by the caller, recorded of caller and agent: {means} of all talks")


def _not_told(store: Path, callers: list[Caller]) -> bool:
    """Whether somebody was answered who is not in the log yet."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        told = {raw[:NUMBER] for (raw,) in connection.execute("SELECT raw FROM call JOIN party USING (party_id)")}
    return any(caller.answered_at and caller.number not in told for caller in callers)


def _store(store: Path, callers: list[Caller], found: Audit) -> dict[str, CallState]:
    """The calls of these callers, by number."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")  # both questions see the same moment: a trace may be taken in between them
        calls = _calls(connection)
        numbers: dict[str, list[str]] = defaultdict(list)
        for call_id, raw in connection.execute("SELECT call_id, raw FROM call JOIN party USING (party_id)"):
            numbers[raw[:NUMBER]].append(call_id)  # odd ones begin with the caller's own
    states = {call_id: CallState.of(call_id, events) for call_id, events in calls.items()}
    seen: set[str] = set()
    theirs: dict[str, CallState] = {}
    for caller in callers:
        mine = list(dict.fromkeys(numbers.get(caller.number, ())))
        seen.update(mine)
        if len(mine) == 1:
            theirs[caller.number] = states[mine[0]]
        if len(mine) > 1 + len(caller.others):
            found.losses.append(f"{caller.number}: {len(mine)} calls in the log: {mine}")
        if caller.answered_at and not mine:
            length = (caller.ended_at or 0.0) - caller.answered_at
            found.losses.append(f"{caller.number}: answered, {length:.2f} s, not in the log (by {caller.ended_by})")
    for call_id in sorted(seen):
        ends = [each for each in calls[call_id] if isinstance(each.event, ev.Ended)]
        if len(ends) != 1:
            found.losses.append(f"{call_id}: {len(ends)} outcomes, stage {states[call_id].stage}")
        found.outcomes[states[call_id].outcome or "none"] += 1
        for talk in states[call_id].talks:
            if talk.started_at:
                found.talks += 1
                _recording(states[call_id], talk, found)
    found.losses += _order(calls, states)
    found.losses += [f"verify: {line}" for line in verify(store)]
    report = rebuild(store)
    if report.changed:
        found.losses.append(f"rebuild changed {report.changed} rows: {report.differences[:5]}")
    return theirs


def _calls(connection: sqlite3.Connection) -> dict[str, list[Recorded]]:
    calls: dict[str, list[Recorded]] = defaultdict(list)
    query = f"SELECT {EVENT_COLUMNS} FROM event WHERE stream = 'call' ORDER BY seq"
    for seq, at, _stream, name, kind, v, data in connection.execute(query):
        calls[name].append(Recorded(seq, at, "call", name, decode(kind, v, data)))
    return calls


def _recording(state: CallState, talk: Talk, found: Audit) -> None:
    """A talk over 3 s has a verified recording, or a reason why not."""
    if not talk.ended_at:
        found.losses.append(f"{talk.talk_id}: a talk without an end")
        return
    if talk.ended_at - talk.started_at <= LONG_TALK:
        return
    found.long_talks += 1
    recording = state.recordings.get("call")
    span = next((span for span in recording.spans if span.talk_id == talk.talk_id), None) if recording else None
    if span is not None and span.verified and not span.note:
        found.verified += 1
        return
    reasons = [part.failed for part in talk.parts if part.failed]
    if span is not None:
        reasons += span.note.split()
    if recording is not None and recording.failed:
        reasons.append(recording.failed)
    if span is not None and span.verified:
        found.verified += 1
        return
    if reasons:
        found.reasons[reasons[0].partition("=")[0][:40]] += 1
    else:
        found.losses.append(f"{talk.talk_id}: a talk of over 3 s without a verified recording and without a reason")


# --- the order of the queue -------------------------------------------------------------------------------------------


SAME_INSTANT = 50_000
"""Microseconds within which two callers have asked at once: each asking must be safe on the disk before the desk hears
of it, and the one that is safe first may find the agent who is free."""


def _order(calls: dict[str, list[Recorded]], states: dict[str, CallState]) -> Iterator[str]:
    """Nobody is served before a caller of the same queue and priority who asked earlier and waited throughout."""
    waits = sorted(_waits(calls))
    for call_id, events in calls.items():
        state = states[call_id]
        if any(isinstance(each.event, ev.HandedOver) for each in events):
            continue  # the lifeboat serves who comes to it, while the queue waits for a daemon
        began: dict[str, int] = {}
        for each in events:
            if isinstance(each.event, ev.RingStarted):
                began[each.event.talk_id] = each.seq
            elif isinstance(each.event, ev.TalkStarted) and each.event.talk_id in began:
                rang = began[each.event.talk_id]
                for first, last, other in waits:
                    if first >= rang:
                        break
                    theirs = states[other]
                    if (
                        other != call_id and last > each.seq and theirs.asked_at < state.asked_at - SAME_INSTANT
                        and (theirs.queue, theirs.priority) == (state.queue, state.priority)
                    ):  # fmt: skip
                        yield f"{call_id} was served before {other}, who had asked {_earlier(theirs, state)} earlier"


def _earlier(first: CallState, second: CallState) -> str:
    return f"{(second.asked_at - first.asked_at) / 1e6:.2f} s"


def _waits(calls: dict[str, list[Recorded]]) -> Iterable[tuple[int, int, str]]:
    """From which event to which (``seq``) each call waited with no phone ringing for it."""
    for call_id, events in calls.items():
        began = 0
        for each in events:
            match each.event:
                case ev.Enqueued() | ev.RingEnded():
                    answered = isinstance(each.event, ev.RingEnded) and each.event.result in ("answered", "caller_gone")
                    if not answered:
                        began = began or each.seq
                case _ if isinstance(each.event, ENDS_A_WAIT):
                    if began:
                        yield began, each.seq, call_id
                    # A new daemon restores the queue: from then on they wait anew, in their old place.
                    began = each.seq if isinstance(each.event, ev.Adopted) and each.event.stage == "queue" else 0
                case _:
                    pass


# --- what is left over ----------------------------------------------------------------------------------------------


async def _idle(house: House) -> list[str]:
    """Tasks and open files are back at their idle level."""
    if not house.idle:
        return []
    over: list[str] = []
    until = asyncio.get_running_loop().time() + IDLE_LIMIT
    while True:
        now = await house.open_files()
        over = [
            f"{what}: {now[what]}, {house.idle[what]} when idle"
            for what, slack in SLACK.items()
            if now[what] > house.idle[what] + slack
        ]
        if not over:
            return []
        if asyncio.get_running_loop().time() > until:
            return [*over, house.open_kinds()]
        await asyncio.sleep(0.5)


def _log(house: House) -> list[str]:
    log: Path = house.trial.log
    with log.open("rb") as file:
        file.seek(house.log_from)
        text = file.read().decode(errors="replace")
        house.log_from = file.tell()
    lines = text.splitlines()
    found = []
    for at, line in enumerate(lines):
        if any(word in line for word in LOGGED):
            found.append("in the daemon's log: " + " / ".join(lines[at : at + 30])[:3000])
    return found[:3]


def leftovers(it: Trial) -> list[str]:
    """Files in the recordings' spool: raw parts whose recording is not finished."""
    spool = it.state / "recordings" / "spool"
    return sorted(file.name for file in spool.iterdir()) if spool.is_dir() else []
