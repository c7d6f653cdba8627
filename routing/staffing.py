"""How many agents a load needs, by Erlang C: Poisson arrivals, exponential handling, nobody hangs up. Pure.

Source: A. K. Erlang, 1917; Erlang B by its recursion in the number of agents, which cannot overflow as factorials do.
``load`` is in erlangs: calls per second times seconds of handling (ring, talk and wrap-up).
"""

from __future__ import annotations

import math


def erlang_b(agents: int, load: float) -> float:
    """The probability that all agents are busy where nobody waits."""
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(agents: int, load: float) -> float:
    """The probability that a caller must wait; 1 where the agents cannot carry the load."""
    if load >= agents:
        return 1.0
    blocked = erlang_b(agents, load)
    return blocked / (1 - load / agents * (1 - blocked))


def mean_wait(agents: int, load: float, handling: float) -> float:
    """Mean seconds that callers wait, those who need not included; infinite where the load cannot be carried."""
    if load >= agents:
        return math.inf
    return erlang_c(agents, load) * handling / (agents - load)


def service_level(agents: int, load: float, handling: float, within: float) -> float:
    """The share of callers answered within so many seconds."""
    if load >= agents:
        return 0.0
    return 1 - erlang_c(agents, load) * math.exp(-(agents - load) * within / handling)


def agents_needed(load: float, handling: float, *, level: float, within: float) -> int:
    """The fewest agents with which the share ``level`` (below 1) of callers is answered within so many seconds."""
    agents = max(1, math.floor(load) + 1)
    while service_level(agents, load, handling, within) < level:
        agents += 1
    return agents
