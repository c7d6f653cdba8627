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

    So the field does it: Genesys Cloud and Avaya choose by the skill's level and then by who is idle longest, VICIdial
    by the agent's rank; among equals it is the fairest, and what Asterisk's ``leastrecent`` comes closest to.
    """
    return -level, state.since
