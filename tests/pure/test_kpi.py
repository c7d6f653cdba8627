"""The figures by their formulas, with the worked example of DESIGN.md section 6."""

from __future__ import annotations

from hypothesis import given, strategies as st

from calllog.kpi import Ratings, Tally, occupancy
from calllog.rating_queries import summed

counts = st.integers(0, 1000)


def test_the_four_service_levels_of_the_worked_example() -> None:
    """80 answered (60 within 20 s) and 20 abandoned (10 within 20 s, 5 of those within 5 s)."""
    day = Tally(
        asked=100, answered=80, answered_in_time=60, abandoned=20, abandoned_in_time=10, abandoned_short=5
    )
    found = (
        day.service_level, day.service_level_app_queue, day.service_level_genesys, day.service_level_connect
    )  # fmt: skip
    assert [f"{share:.1%}" for share in found if share is not None] == ["60.0%", "75.0%", "63.2%", "70.0%"]
    assert (day.answer_rate, day.abandon_rate) == (0.8, 0.2)


def test_a_share_of_nothing_is_unknown() -> None:
    day = Tally()
    assert day.service_level is None and day.answer_rate is None and day.average_speed_of_answer is None
    assert occupancy(0, 0) is None and occupancy(30, 10) == 0.75


@given(st.lists(st.tuples(counts, counts, st.floats(0, 1e6)), max_size=20))
def test_tallies_add_up(parts: list[tuple[int, int, float]]) -> None:
    whole = Tally()
    for asked, answered, waited in parts:
        whole.add(Tally(asked=asked, answered=answered, waited=waited))
    assert whole.asked == sum(asked for asked, _, _ in parts)
    assert whole.answered == sum(answered for _, answered, _ in parts)
    assert whole.waited == sum(waited for _, _, waited in parts)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=60), st.integers(2, 5))
def test_ratings_are_counted_once_and_their_shares_follow(asked: list[tuple[str, int]], bad_from: int) -> None:
    """Every invited talk stands in exactly one line, whole or not rated (0); figures add up to those of all."""
    lines = summed((key, rating, 1) for key, rating in asked)
    whole = sum(lines.values(), Ratings())
    said = [rating for _key, rating in asked if rating]
    assert (whole.invited, whole.rated) == (len(asked), len(said))
    assert whole.given == tuple(said.count(rating) for rating in range(1, 6))
    assert (whole.satisfied, whole.bad(bad_from)) == (
        sum(rating <= 2 for rating in said), sum(rating >= bad_from for rating in said)
    )
    assert whole.satisfaction == (whole.satisfied / len(said) if said else None)
    assert whole.participation == (len(said) / len(asked) if asked else None)
    for line in lines.values():
        assert line.rated <= line.invited and line.satisfied + line.bad(max(3, bad_from)) <= line.rated
