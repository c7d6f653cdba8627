"""No page of the console is without its visit by a person (``make screens``)."""

from __future__ import annotations

from tests.real.visits import unvisited


def test_every_page_is_visited() -> None:
    assert not unvisited(), "tests/real/visits.py: a page without a visit, or a visit without a page"
