"""How long recent talks took their agents, with what they took for the call's record where that was awaited. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from calllog.events import AgentChanged, Recorded


@dataclass(frozen=True, slots=True)
class HandledTalk:
    """A talk that is over; times in µs. ``free_at``: when its agent was done with the record that was awaited; 0: none
    was."""

    queue: str
    agent: str
    talk_id: str
    rung_at: int
    ended_at: int
    free_at: int = 0


def with_records(talks: Iterable[HandledTalk], changes: Iterable[Recorded]) -> list[HandledTalk]:
    """The talks with their ``free_at``, by what became of their agents since (in order); without those whose record is
    awaited still."""
    awaited: dict[str, str] = {}
    """The talk whose record an agent writes, by agent."""
    free: dict[str, int] = {}
    for each in changes:
        event, agent = each.event, each.stream_id
        if not isinstance(event, AgentChanged):
            continue
        if event.mode == "wrap_up" and event.free_from:
            awaited[agent] = event.talk_id
        elif (talk := awaited.pop(agent, "")) != "":
            free[talk] = max(each.at, event.until) if event.mode == "wrap_up" else each.at
    still = set(awaited.values())
    return [replace(talk, free_at=free.get(talk.talk_id, 0)) for talk in talks if talk.talk_id not in still]
