"""The sorted collection against a sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

import routing.ranked
from routing.ranked import Ranked


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60))), st.integers(2, 6))
def test_like_a_sorted_list(plays: list[tuple[bool, int]], chunk: int) -> None:
    before, routing.ranked.CHUNK = routing.ranked.CHUNK, chunk
    try:
        ranked: Ranked[tuple[int]] = Ranked()
        plain: list[tuple[int]] = []
        for add, number in plays:
            key = (number,)
            if add and key not in plain:
                ranked.add(key)
                plain.append(key)
            elif key in plain:
                ranked.remove(key)
                plain.remove(key)
            else:
                with pytest.raises(KeyError):
                    ranked.remove(key)
            plain.sort()
            assert list(ranked) == plain and len(ranked) == len(plain)
            if plain:
                assert ranked.first() == plain[0]
            for other in range(0, 61, 7):
                assert ranked.rank((other,)) == sum(one < (other,) for one in plain)
    finally:
        routing.ranked.CHUNK = before
