"""Which of several free agents rings first.

A strategy gives an agent a rank among the free agents of a skill; the smallest rings first, equal ranks by staff
number. It is asked once, when the agent becomes free, so it may look only at what cannot change while they are free.
"""

from __future__ import annotations

from collections.abc import Callable

from calllog.folds import AgentState

Rank = tuple[int, ...]
Strategy = Callable[[AgentState, str], Rank]
"""Takes a free agent's state and the skill, gives the rank."""


def longest_ready(state: AgentState, skill: str) -> Rank:
    """The one who has been ready longest: the fairest, and what Asterisk's ``leastrecent`` comes closest to."""
    return (state.since,)
