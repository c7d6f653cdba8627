"""The agent's state, as one table: state, event, next state.

Theory of operation. An agent is in exactly one of six states. What happens to them is one of the events below; the
table says for each state which events may come and where each leads. An event that the table does not have for a
state raises :class:`IllegalTransition`, and nothing has happened.

                 rung            answered           talk ended          wrap-up ended
     ready ─────────────► ringing ────────► talking ───────────► wrap_up ─────────────► ready
       ▲ ◄── ring ended ─────┘ ▲ ◄── never bridged ─┘
       │
     paused ◄── pause, or missed too often

What leads to ``ready`` asks three further things, in this order (h11 calls such steps state-triggered):
 - no longer on duty: ``off`` instead. So a shift's end waits for the ring, the talk and the wrap-up;
 - the agent has signed out meanwhile: ``off`` instead. That stands in ``reason`` (:data:`SIGNED_OUT`) until then;
 - a pause was asked for meanwhile: ``paused`` instead. Such a pause stands in ``reason`` until it begins.
A wrap-up of no length is skipped: ``talking`` leads to ``ready`` at once.

A wrap-up that waits for the call's record has a limit in ``until`` and, in ``free_from``, the instant from which the
agent is free once the record is complete: the end of the ordinary wrap-up, or sooner where they have said that they
want to be ready or paused. ``record complete`` lets it end there, ``extended`` moves the limit, and at the limit they
are ready (``wrap-up ended``) or paused for it (``record missing``). Ready and pause do not end such a wrap-up.

Signing in. Where it is ``required`` a shift that begins brings nobody in who has not signed in: they stay ``off``
until they do (:func:`by_duty`). Whoever does so before the shift is ``off`` with the reason :data:`SIGNED_IN`, and in
when it begins. A break, or a change of the roster in the middle of a shift, asks for no second sign-in; the end of the
duty signs out. Who signs out in a shift stays ``off`` (:data:`SIGNED_OUT`) until they sign in or, where signing in is
``automatic``, until their next shift begins.

The turn. ``since`` says since when the agent is ready; the longest ready rings first. How a ring ended decides
whether they keep it, whether it counts as missed, and whether they get a cool-down before their next ring:

     result        counts as missed   turn    cool-down   because
     missed        yes                lost    no          they had the whole ring
     busy          yes                lost    yes         a phone that is in use, or set to "do not disturb", is theirs
     rejected      yes                lost    yes         they said no
     unreachable   no                 lost    yes         the phone or the way to it is broken, not the person
     failed        no                 kept    yes         our fault or Asterisk's
     caller_gone   no                 kept    no          the caller hung up first

A cool-down keeps a ring that fails within milliseconds from being tried a hundred times a second. A shift that began
after the agent was paused ends the pause. The state itself is :class:`calllog.folds.AgentState`, the fold of the
journalled events, so that what runs and what a restart reads cannot differ.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from calllog.events import AgentChanged, AgentMode, RingResult
from calllog.folds import AgentState

SECOND = 1_000_000
"""Microseconds in a second."""

COOL_DOWN = 5 * SECOND
"""µs without a ring after one that came back at once: long enough for a phone to register again, and not hammering."""

MISSED = "missed"
"""The reason of a pause after too many missed rings."""

SIGNED_IN, SIGNED_OUT = "signed_in", "signed_out"
"""Reasons of ``off``: signed in before the shift; signed out in it. The second also waits in ``reason`` for the end of
a ring, talk or wrap-up, as a pause does."""

NO_RECORD = "no_record"
"""The reason of a pause because a call record was not completed in time."""

RESERVED = frozenset({MISSED, SIGNED_IN, SIGNED_OUT, NO_RECORD})
"""Reasons that nobody can give for a pause."""

EARLY = 4 * 3600 * SECOND
"""µs before a shift's beginning from which one can sign in to it."""


class AgentEvent(StrEnum):
    """What happens to an agent."""

    SHIFT_BEGAN = "shift began"
    SHIFT_ENDED = "shift ended"
    RUNG = "rung"
    ANSWERED = "answered"
    RING_MISSED = "ring missed"
    MISSED_TOO_OFTEN = "missed too often"
    RING_FAILED = "ring failed, turn lost"
    RING_LOST = "ring lost, turn kept"
    NEVER_BRIDGED = "answered, never bridged"
    TALK_ENDED = "talk ended"
    WRAP_UP_ENDED = "wrap-up ended"
    RECORD_COMPLETE = "record complete"
    EXTENDED = "time for the record extended"
    RECORD_MISSING = "record missing at the limit"
    PAUSE = "pause"
    READY = "ready"
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    ADOPTED = "found in talk at a start"


E = AgentEvent

TABLE: MappingProxyType[AgentMode, MappingProxyType[AgentEvent, AgentMode]] = MappingProxyType({
    "off": MappingProxyType({
        E.SHIFT_BEGAN: "ready", E.SIGN_IN: "ready", E.SIGN_OUT: "off", E.ADOPTED: "talking",
    }),
    "ready": MappingProxyType({
        E.RUNG: "ringing", E.PAUSE: "paused", E.READY: "ready",
        E.SHIFT_BEGAN: "ready", E.SHIFT_ENDED: "off", E.SIGN_IN: "ready", E.SIGN_OUT: "off", E.ADOPTED: "talking",
    }),
    "ringing": MappingProxyType({
        E.ANSWERED: "talking", E.RING_MISSED: "ready", E.MISSED_TOO_OFTEN: "paused", E.RING_FAILED: "ready",
        E.RING_LOST: "ready", E.PAUSE: "ringing", E.READY: "ringing",
        E.SHIFT_BEGAN: "ringing", E.SHIFT_ENDED: "ringing", E.SIGN_IN: "ringing", E.SIGN_OUT: "ringing",
        E.ADOPTED: "talking",
    }),
    "talking": MappingProxyType({
        E.TALK_ENDED: "wrap_up", E.NEVER_BRIDGED: "ready", E.PAUSE: "talking", E.READY: "talking",
        E.SHIFT_BEGAN: "talking", E.SHIFT_ENDED: "talking", E.SIGN_IN: "talking", E.SIGN_OUT: "talking",
        E.ADOPTED: "talking",
    }),
    "wrap_up": MappingProxyType({
        E.WRAP_UP_ENDED: "ready", E.RECORD_COMPLETE: "wrap_up", E.EXTENDED: "wrap_up", E.RECORD_MISSING: "paused",
        E.PAUSE: "paused", E.READY: "ready",
        E.SHIFT_BEGAN: "wrap_up", E.SHIFT_ENDED: "wrap_up", E.SIGN_IN: "wrap_up", E.SIGN_OUT: "wrap_up",
        E.ADOPTED: "talking",
    }),
    "paused": MappingProxyType({
        E.READY: "ready", E.PAUSE: "paused",
        E.SHIFT_BEGAN: "ready", E.SHIFT_ENDED: "off", E.SIGN_IN: "paused", E.SIGN_OUT: "off", E.ADOPTED: "talking",
    }),
})  # fmt: skip

RING_ENDS: MappingProxyType[RingResult, AgentEvent] = MappingProxyType({
    "answered": E.ANSWERED, "missed": E.RING_MISSED, "busy": E.RING_MISSED, "rejected": E.RING_MISSED,
    "unreachable": E.RING_FAILED, "failed": E.RING_LOST, "caller_gone": E.RING_LOST,
})  # fmt: skip
"""What a ring's result is to the agent; one miss too many is ``MISSED_TOO_OFTEN`` instead."""

COOLS_DOWN: frozenset[RingResult] = frozenset({"busy", "rejected", "unreachable", "failed"})
"""Results that come back at once, so that the next ring must wait :data:`COOL_DOWN`."""

_KEEP_TURN = frozenset({E.RUNG, E.ANSWERED, E.RING_LOST, E.NEVER_BRIDGED})
_OF_RECORDS = frozenset({E.RECORD_COMPLETE, E.EXTENDED, E.RECORD_MISSING})
_FORGIVE = frozenset({E.ANSWERED, E.READY, E.SHIFT_BEGAN, E.ADOPTED})


class IllegalTransition(Exception):
    """This event cannot happen to an agent in this state. Nothing has changed."""

    def __init__(self, agent: str, mode: AgentMode, event: AgentEvent) -> None:
        super().__init__(f"agent {agent}: {event!r} while {mode}")
        self.agent, self.mode, self.event = agent, mode, event


def change(
    state: AgentState,
    event: AgentEvent,
    now: int,
    *,
    on_duty: bool = True,
    reason: str = "",
    call_id: str = "",
    talk_id: str = "",
    wrap_up_until: int = 0,
    free_from: int = 0,
) -> AgentChanged:
    """What becomes of the agent, as the event to be journalled; ``state`` is not touched.

    ``now``, ``wrap_up_until`` and ``free_from`` in µs since 1970 UTC; a wrap-up that would end at or before ``now`` is
    skipped. ``wrap_up_until`` belongs to ``TALK_ENDED`` and ``EXTENDED``, ``free_from`` to the former, where the
    wrap-up waits for a record; ``reason`` to ``PAUSE``, ``call_id`` and ``talk_id`` to ``RUNG`` and ``ADOPTED``. Raises
    IllegalTransition, also for ``RECORD_COMPLETE`` and ``EXTENDED`` where no record is awaited.
    """
    mode = TABLE[state.mode].get(event)
    awaited = state.free_from if state.mode == "wrap_up" else 0
    if mode is None or (event in _OF_RECORDS and not awaited):
        raise IllegalTransition(state.agent, state.mode, event)
    about = (call_id, talk_id) if event in (E.RUNG, E.ADOPTED) else (state.call_id, state.talk_id)
    missed = 0 if event in _FORGIVE else state.missed + (event in (E.RING_MISSED, E.MISSED_TOO_OFTEN))
    until, extended = (state.until, state.extended) if state.mode == "wrap_up" else (0, 0)
    if event is E.TALK_ENDED:
        until, awaited = wrap_up_until, free_from
    elif event is E.EXTENDED:
        until, extended = wrap_up_until, extended + 1
    elif event is E.RECORD_COMPLETE:
        until, awaited, extended = awaited, 0, 0
    elif awaited and event in (E.READY, E.PAUSE):
        mode, awaited = "wrap_up", max(1, min(awaited, now))
    if mode == "wrap_up" and event in (E.TALK_ENDED, E.RECORD_COMPLETE) and until <= now:
        mode = "ready"
    pause = _pause_asked(state, event, reason)
    if mode in ("ready", "paused") and (not on_duty or pause == SIGNED_OUT):
        mode = "off"
    elif mode == "ready" and pause:
        mode = "paused"
    kept = mode == state.mode or event in _KEEP_TURN
    since = state.since if kept and state.since else now
    if mode == "off":
        pause = SIGNED_IN if event is E.SIGN_IN else pause if on_duty and pause == SIGNED_OUT else ""
    return _shaped(mode, pause, about, missed, since, (until, awaited, extended))


def by_duty(state: AgentState, begun: int | None, *, must_sign_in: bool) -> AgentEvent | None:
    """What the roster asks of an agent now; None: nothing. ``begun`` (µs) is when the shift that they are on duty in
    began, None off duty; ``must_sign_in``: this shift asks for it."""
    if begun is None:
        return None if state.mode == "off" else AgentEvent.SHIFT_ENDED
    if state.mode != "off":
        stays = must_sign_in and state.reason == SIGNED_OUT
        return AgentEvent.SHIFT_BEGAN if state.reason and begun > state.changed_at and not stays else None
    if state.reason == SIGNED_OUT:
        comes = not must_sign_in and begun > state.changed_at
    elif state.reason == SIGNED_IN:
        comes = not must_sign_in or begun - state.changed_at <= EARLY
    else:  # off since the shift began: a break, or a change of the roster, had taken them out of it
        comes = not must_sign_in or state.changed_at > begun
    return AgentEvent.SHIFT_BEGAN if comes else None


def _pause_asked(state: AgentState, event: AgentEvent, reason: str) -> str:
    """The reason of the pause that is on, or that begins when the present ring, talk or wrap-up is over."""
    if event is E.PAUSE:
        return reason or "paused"
    if event is E.MISSED_TOO_OFTEN:
        return state.reason or MISSED
    if event is E.RECORD_MISSING:
        return state.reason or NO_RECORD
    if event is E.SIGN_OUT:
        return SIGNED_OUT
    if event in (E.READY, E.SHIFT_BEGAN) or state.reason == SIGNED_IN:
        return ""
    if event is E.SIGN_IN and state.reason == SIGNED_OUT:
        return ""
    return state.reason


def _shaped(
    mode: AgentMode, pause: str, about: tuple[str, str], missed: int, since: int, wrap_up: tuple[int, int, int]
) -> AgentChanged:
    """Only what belongs to the mode: an agent who is off has no turn, a paused one no call."""
    (call_id, talk_id), (until, free_from, extended) = about, wrap_up
    match mode:
        case "off":
            return AgentChanged(mode=mode, reason=pause)
        case "ready":
            return AgentChanged(mode=mode, missed=missed, since=since)
        case "paused":
            return AgentChanged(mode=mode, reason=pause or "paused", missed=missed)
        case "ringing" | "talking":
            return AgentChanged(
                mode=mode, reason=pause, call_id=call_id, talk_id=talk_id, missed=missed, since=since
            )
        case "wrap_up":
            return AgentChanged(
                mode=mode, reason=pause, call_id=call_id, talk_id=talk_id, missed=missed, until=until,
                free_from=free_from, extended=extended,
            )  # fmt: skip


def same(state: AgentState, event: AgentChanged) -> bool:
    """Whether the event would change nothing, and so need not be journalled."""
    return (
        (state.mode, state.reason, state.call_id, state.talk_id)
        == (event.mode, event.reason, event.call_id, event.talk_id)
        and (state.missed, state.since, state.until) == (event.missed, event.since, event.until)
        and (state.free_from, state.extended) == (event.free_from, event.extended)
    )  # fmt: skip
