"""卡片: the card that a call is found by. One narrow row per call, folded like all others, in the order of arrival.

``place`` is the card's rowid and its place in every listing: the millisecond of arrival and, below it, a number that
tells apart the calls of one millisecond. So "newest first" is the rowid backwards, a span of time is a span of rowids,
every index on the cards is in order of arrival within each of its values, and a page goes on below the last row of the
page before, whatever has come in since. The writer gives a call its place once; it is no fact of its own, and
``verify`` does not compare it.

Agents stand in the card as a JSON list and, by triggers, one by one in ``card_agent``. Pure: no SQL library, no clock.
"""

from __future__ import annotations

from collections.abc import Collection
from json import dumps

from calllog.folds import CallState

CARD_COLUMNS = (
    "call_id", "arrived_at", "party_id", "outcome", "queue", "subject", "agents", "length_us", "held_us", "talks",
    "messages", "rating",
)  # fmt: skip
"""``length_us``: what was talked, else the message's length. ``talks`` and ``messages``: 1 where there is, or is to be,
a recording of that kind. ``rating``: 0 where there is none."""

PER_MS = 64
"""Places in one millisecond; the calls of a busier one go on in the next."""

PLACE = """
    CASE WHEN NOT EXISTS (SELECT 1 FROM card WHERE place = ?2 / 1000 * 64) THEN ?2 / 1000 * 64
    ELSE (
        SELECT taken.place + 1 FROM card AS taken WHERE taken.place >= ?2 / 1000 * 64
        AND NOT EXISTS (SELECT 1 FROM card AS next WHERE next.place = taken.place + 1) ORDER BY taken.place LIMIT 1
    ) END
"""
"""The first free place from this arrival (the second value of a row) on; so that no call is ever refused one."""

_REST = CARD_COLUMNS[1:]
UPSERT = (
    f"INSERT INTO card ({', '.join(CARD_COLUMNS)}, place)"
    f" VALUES ({', '.join(f'?{n}' for n in range(1, len(CARD_COLUMNS) + 1))}, {PLACE})"
    f" ON CONFLICT (call_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _REST)}"
    f" WHERE ({', '.join(_REST)}) IS NOT ({', '.join(f'excluded.{name}' for name in _REST)})"
)
"""Writes a card where it is new or changed: most events of a call change nothing that it is found by."""


def first_place(at: int) -> int:
    """The lowest place of the calls that arrived at this moment (µs) or later; its own millisecond's first."""
    return at // 1000 * PER_MS


def card_row(state: CallState, recorded: Collection[str]) -> tuple[int | str, ...]:
    """The card of one call, of which there is, or is to be, a recording of these categories."""
    talked = [talk for talk in state.talks if talk.started_at]
    length = sum(talk.ended_at - talk.started_at for talk in talked if talk.ended_at)
    if not length and state.voicemail_kept:
        length = int(min(state.voicemail_seconds, 1e9) * 1e6)
    return (
        state.call_id, state.arrived_at, state.party_id, state.outcome, state.queue,
        state.record.subject if state.record else "",
        dumps(list(dict.fromkeys(talk.agent for talk in talked)), ensure_ascii=False, separators=(",", ":")),
        length, sum(talk.held_us for talk in state.talks), int("call" in recorded), int("voicemail" in recorded),
        state.rating,
    )  # fmt: skip
