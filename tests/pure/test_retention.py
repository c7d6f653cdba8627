"""How long recordings stay: by kind, by hold, and never by a wrong clock alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from config.keep import Keep
from config.load import load_settings
from recordings.check_keep import check_keep
from recordings.retention import DATED, DAY, FEW, Kept, due, keep_of, kinds, rule, shortest, too_many

NOW = 1_800_000_000_000_000
ROOT = Path(__file__).parents[2]

days = st.none() | st.integers(1, 2000)
keeps = st.builds(Keep, call=days, complaint=days, voicemail=days)
kept = st.builds(
    Kept, st.text("abc", min_size=1, max_size=3), st.sampled_from(["call", "voicemail"]),
    st.integers(0, NOW + 400 * DAY), st.just("f"), st.just("s"),
    st.sampled_from([(), ("inquiry",), ("complaint",), ("x", "complaint")]), st.booleans(),
)  # fmt: skip


@given(st.lists(kept, max_size=20), keeps)
def test_what_goes_is_over_by_every_kind_that_it_is_of(recordings: list[Kept], keep: Keep) -> None:
    limits = {"call": keep.call, "complaint": keep.complaint, "voicemail": keep.voicemail}
    going = due(recordings, keep, NOW)
    for each in recordings:
        of = [limits[kind] for kind in kinds(each, keep)]
        over = all(limit is not None and each.began_at + limit * DAY <= NOW for limit in of)
        assert (each in [one.kept for one in going]) == (over and not each.held and each.began_at >= DATED)
    for one in going:
        assert one.days == max(limits[kind] or 0 for kind in kinds(one.kept, keep)) == limits[one.kind]
        least = shortest(keep)
        assert least is not None and one.kept.began_at <= NOW - least * DAY


@given(st.lists(kept, max_size=20), keeps, st.integers(0, 3000))
def test_time_only_ever_adds_to_what_goes(recordings: list[Kept], keep: Keep, later: int) -> None:
    now = {one.kept for one in due(recordings, keep, NOW)}
    assert now <= {one.kept for one in due(recordings, keep, NOW + later * DAY)}


def test_a_whole_day_is_24_hours() -> None:
    one = Kept("c", "call", NOW - 180 * DAY, "f", "s")
    assert due([one], Keep(), NOW) and not due([one], Keep(), NOW - 1)
    assert rule(one, Keep(call=None)) is None


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 100))
def test_a_share_too_large_is_refused(going: int, rest: int, most: int) -> None:
    refused = too_many(going, going + rest, most)
    assert refused == (going > FEW and going / (going + rest) > most / 100)
    assert not too_many(going, going + rest, 100)


def test_subjects_below_a_complaint_are_complaints_and_a_slip_is_told() -> None:
    settings = load_settings(ROOT / "config")
    keep = keep_of(settings)
    assert {"complaint", "complaint-refund"} <= set(keep.complaints) and "consult" not in keep.complaints
    assert kinds(Kept("c", "voicemail", NOW, "f", "s", ("complaint-refund",)), keep) == ("voicemail", "complaint")
    assert check_keep(settings) == []
    recording = settings.hotline.recording.model_copy(update={"keep": Keep(complaints=("投诉", "complant"))})
    hotline = settings.hotline.model_copy(update={"recording": recording})
    (found,) = check_keep(settings.model_copy(update={"hotline": hotline}))
    assert found.warning and found.place.key.endswith("[1]") and "complaint" in found.fix


@pytest.mark.parametrize("wrong", [0, -1, 40_000, True, "x"])
def test_days_that_are_none(wrong: object) -> None:
    with pytest.raises(ValueError):
        Keep.model_validate({"call": wrong})
