"""Erlang C against published tables and against its own definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from routing.staffing import agents_needed, erlang_b, erlang_c, mean_wait, service_level


@pytest.mark.parametrize(
    ("agents", "load", "waits"),
    # One agent waits with the probability of the load; two: a^2 / (2 + a), both by hand.
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (2, 1.5, 9 / 14), (14, 10.0, 0.174)],
)
def test_the_share_who_must_wait(agents: int, load: float, waits: float) -> None:
    assert erlang_c(agents, load) == pytest.approx(waits, abs=5e-4)


@given(st.integers(1, 60), st.floats(0.01, 59))
def test_against_the_sums_of_the_definition(agents: int, load: float) -> None:
    if load >= agents * 0.999:
        return
    terms = [load**n / math.factorial(n) for n in range(agents)]
    last = load**agents / math.factorial(agents) * agents / (agents - load)
    assert erlang_c(agents, load) == pytest.approx(last / (sum(terms) + last), rel=1e-9)


@given(st.floats(0.01, 400), st.floats(1, 3600), st.floats(0.1, 0.99), st.floats(0, 120))
def test_the_fewest_agents_that_reach_the_goal(load: float, handling: float, level: float, within: float) -> None:
    agents = agents_needed(load, handling, level=level, within=within)
    assert service_level(agents, load, handling, within) >= level
    assert agents == 1 or service_level(agents - 1, load, handling, within) < level


def test_a_load_that_cannot_be_carried() -> None:
    assert erlang_c(3, 3.0) == 1 and service_level(3, 4, 60, 20) == 0 and mean_wait(3, 3, 60) == math.inf


def test_large_rooms_do_not_overflow() -> None:
    assert 0 < erlang_b(5000, 4900) < 1 and 0 < mean_wait(5000, 4900, 240) < 10
