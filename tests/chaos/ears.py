"""What callers hear while the network is bad, and what the recording then holds, measured by the tones of both sides.

The crowd's own socket is the bad network (``tests.chaos.mouths``): a packet that it does not send is to Asterisk one
that was lost on the way, one that it sends late has the sequence number and timestamp of its own tick, and what it
throws away of Asterisk's packets never reached the caller. A relay between the two would pass on the very same packets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from calllog.folds import CallState
from hotline.outside import g711
from recordings.measure import measure
from tests.chaos.mouths import ALAW, FRAME, TICK
from tests.chaos.sip import Caller

CALLER_HZ, AGENT_HZ = 440, 660

LEAST = 0.75
"""The share of a talk's time in which its tones must be heard and recorded. Two ways of 5 % loss leave 0.90 of the
agent's packets to the caller, and 0.95 to the recording."""

EDGE = 300_000
"""µs at both ends of a talk that do not count: the tones begin and end with the people."""

LONG = 8 * EDGE
"""µs from which a talk is long enough."""

TEARS = 0.5
"""The same for one call alone: a machine that stalls may tear one, but not all of them."""


def talked(store: Path, since: int) -> bool:
    """Whether a talk that is long enough has begun and ended since then (µs)."""
    query = "SELECT 1 FROM talk WHERE started_at >= ? AND ended_at - started_at > ? LIMIT 1"
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=1)) as connection:
            return connection.execute(query, (since, LONG)).fetchone() is not None
    except sqlite3.Error:
        return False


def heard_in(caller: Caller, begins: int, ends: int) -> float:
    """The share of this time (µs) in which the caller heard the agent's tone."""
    wave = np.exp(-2j * np.pi * AGENT_HZ * np.arange(FRAME) / g711.RATE)
    found = 0
    for at, packet in caller.mouth.heard:
        if begins <= at <= ends and packet[1] & 0x7F == ALAW and len(packet) == 12 + FRAME:
            sound = g711.decode(packet[12:]).astype(np.float64)
            energy = float(np.sum(sound**2))
            found += energy > 1e-6 and 2 * abs(np.sum(sound * wave)) ** 2 / FRAME > 0.6 * energy
    return found * TICK * 1e6 / (ends - begins)


def compare(
    state: CallState, caller: Caller, recordings: Path, rough: tuple[int, int], shares: list[tuple[float, float, float]]
) -> Iterator[str]:
    """What is missing of this call's talks within the ``rough`` time (µs); ``shares`` gets what was heard by the
    caller, and recorded of caller and agent."""
    talks = [talk for talk in state.talks if talk.started_at]
    recording = state.recordings.get("call")
    if not talks or recording is None or not recording.file or not all(
        rough[0] <= talk.started_at and talk.ended_at <= rough[1] and talk.ended_at - talk.started_at > LONG
        for talk in talks
    ):  # fmt: skip
        return
    spans = [(talk.started_at + EDGE, talk.ended_at - EDGE) for talk in talks]
    heard = min(heard_in(caller, *span) for span in spans)
    length = sum(last - first for first, last in spans) / 1e6
    left, right = measure(recordings / recording.file)
    shares.append((heard, left.sound_seconds / length, right.sound_seconds / length))
    if heard < TEARS:
        yield f"{state.call_id}: the caller heard the agent for {heard:.0%} of the talk"
    for side, channel, hz in (("caller", left, CALLER_HZ), ("agent", right, AGENT_HZ)):
        if channel.sound_seconds < TEARS * length or abs(channel.dominant_hz - hz) > 10:
            yield (
                f"{state.call_id}: {channel.sound_seconds:.1f} of {length:.1f} s of the {side}'s tone are recorded, "
                f"at {channel.dominant_hz:.0f} Hz"
            )
