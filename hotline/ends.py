"""When a call ended whose caller went away while no daemon looked. Pure; times in µs since 1970 UTC."""

from __future__ import annotations

from calllog.folds import CallState

DIFFERENCE = 1_000_000
"""By how much Asterisk's clock may differ from ours (µs), and still be believed: ours is steady, NTP slews theirs."""


class At:
    """A clock that stands still: what is noted now happened then."""

    def __init__(self, at: int) -> None:
        self._at = at

    def now(self) -> int:
        """That moment."""
        return self._at


def latest(state: CallState) -> int:
    """The last moment at which this call is known to have been there."""
    times = [state.arrived_at, state.answered_at, state.greeted_at, state.asked_at, state.enqueued_at, state.told_at]
    times.append(state.voicemail_started_at)
    for talk in state.talks:
        times += [talk.rung_at, talk.ring_ended_at, talk.started_at, talk.held_since, talk.ended_at]
        times += [at for part in talk.parts for at in (part.requested_at, part.started_at, part.stopped_at)]
    return max(times)


def believed(end: int, state: CallState, now: int) -> int:
    """The end that was told, where it can be true: after all that is known of the call, and not after ``now``.

    What lies clearly beyond was told by a clock that has been stepped since, or 0 for nothing told: then it is ``now``,
    the one moment at which the call was surely over.
    """
    known = latest(state)
    if not known - DIFFERENCE <= end <= now + DIFFERENCE:
        return now
    return min(max(end, known), now)
