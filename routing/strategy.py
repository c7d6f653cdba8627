"""Which of several free agents rings first.

A strategy gives an agent a rank among the free agents of a skill; the smallest rings first, equal ranks by staff
number. It is asked once, when the agent becomes free, so it may look only at what cannot change while they are free.
"""

from __future__ import annotations

from collections.abc import Callable

from calllog.folds import AgentState

Rank = tuple[int, ...]
Strategy = Callable[[AgentState, int], Rank]
"""Takes a free agent's state and their level of the skill, gives the rank."""


def best_first(state: AgentState, level: int) -> Rank:
    """The higher level first, and of one level the one who has been ready longest.

    Avaya documents the same order as EAD-MIA (Call Center Elite Feature Reference): the most idle of the most expert.
    Among equals it is the fairest.
    """
    return -level, state.since
