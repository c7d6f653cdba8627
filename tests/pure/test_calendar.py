"""What kind of day a date is: as announced, as the law says, and as the operator says."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, strategies as st

from config.catalogue import set_language
from config.roster_file import DAY, SpecialDay
from routing.calendar import BY_LAW_FROM, WEEKDAYS, Calendar, _by_law, _official


def calendar(*own: dict[str, Any], country: str = "CN") -> Calendar:
    return Calendar([SpecialDay.model_validate(one) for one in own], country)


def days(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + number * DAY for number in range((dt.date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize(
    ("date", "kind"),
    [
        ("2026-01-01", "festival"), ("2026-01-02", "holiday"), ("2026-01-03", "holiday"), ("2026-01-04", "makeup"),
        ("2026-02-14", "makeup"), ("2026-02-15", "holiday"), ("2026-02-16", "festival"), ("2026-02-19", "festival"),
        ("2026-02-20", "holiday"), ("2026-02-23", "holiday"), ("2026-02-24", "workday"), ("2026-02-28", "makeup"),
        ("2026-04-05", "festival"), ("2026-04-06", "holiday"), ("2026-05-02", "festival"), ("2026-05-03", "holiday"),
        ("2026-06-19", "festival"), ("2026-09-25", "festival"), ("2026-10-03", "festival"), ("2026-10-04", "holiday"),
        ("2026-11-25", "workday"), ("2026-11-28", "restday"),
        # Not announced when this was written: the law alone.
        ("2027-02-04", "workday"), ("2027-02-05", "festival"), ("2027-02-06", "festival"), ("2027-02-08", "festival"),
        ("2027-02-09", "workday"), ("2050-09-30", "festival"),
    ],
)  # fmt: skip
def test_the_state_councils_year(date: str, kind: str) -> None:
    assert calendar().kind(dt.date.fromisoformat(date)) == kind


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_statutory_festival_was_announced_as_a_day_off(year: int) -> None:
    assert len(_by_law(year)) == 13 and _by_law(year).keys() <= set(_official().off)


def test_a_year_has_thirteen_festivals_while_the_moon_is_known() -> None:
    for year in range(BY_LAW_FROM, 2051):
        kinds = Counter(calendar().kind(date) for date in days(year))
        autumn = [date for date, name in _by_law(year).items() if name == "Mid-autumn Festival"]
        assert kinds["festival"] == 13 - (not autumn), year  # none: it falls on the National Day, as in 2031
        spring = min(date for date, name in _by_law(year).items() if name == "Spring Festival")
        assert dt.date(year, 1, 20) <= spring <= dt.date(year, 2, 20)


def test_words_that_fit() -> None:
    found = calendar()
    assert found.fits(dt.date(2026, 2, 28), ["workday"]) and found.fits(dt.date(2026, 2, 28), ["sat"])
    assert not found.fits(dt.date(2026, 2, 28), ["restday", "holiday", "festival"])
    assert found.fits(dt.date(2026, 2, 17), ["holiday"]) and found.fits(dt.date(2026, 2, 17), ["restday"])
    assert not found.fits(dt.date(2026, 2, 17), ["workday", "makeup"]) and not found.fits(dt.date(2026, 2, 17), [])


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)))
def test_a_date_is_either_worked_or_not(date: dt.date) -> None:
    found = calendar()
    assert found.fits(date, ["workday"]) != found.fits(date, ["restday"])
    assert found.fits(date, [WEEKDAYS[date.weekday()]])
    assert not found.fits(date, ["holiday"]) or found.fits(date, ["restday"])


def test_own_dates_hold_over_the_official_ones() -> None:
    own = calendar(
        {"date": "2026-02-17", "is": "ordinary"}, {"date": "2026-11-28", "is": "makeup"},
        {"from": "2026-12-24", "to": "2026-12-26", "is": "holiday", "name": "x"},
    )  # fmt: skip
    kinds = [own.kind(dt.date.fromisoformat(date)) for date in ("2026-02-17", "2026-12-24", "2026-12-26", "2026-11-28")]
    assert kinds == ["workday", "holiday", "holiday", "makeup"]
    assert own.name(dt.date(2026, 12, 25)) == "x" and own.name(dt.date(2026, 2, 17)) == ""


def test_names_in_both_languages() -> None:
    try:
        for language, names in (("zh", ("春节", "国庆节")), ("en", ("Spring Festival", "National Day"))):
            set_language(language)
            assert (calendar().name(dt.date(2027, 2, 6)), calendar().name(dt.date(2026, 10, 10))) == names
    finally:
        set_language("zh")


def test_it_is_said_from_when_nothing_was_announced() -> None:
    last = _official().last_year
    assert calendar().no_data_from == dt.date(last + 1, 1, 1)
    assert calendar({"date": f"{last + 1}-02-09", "is": "holiday"}).no_data_from == dt.date(last + 2, 1, 1)
    assert calendar({"date": f"{last + 1}-02-06", "is": "festival"}).no_data_from == dt.date(last + 1, 1, 1)


def test_another_country_has_weekdays_and_its_own_dates() -> None:
    german = calendar({"date": "2026-10-03", "is": "festival", "name": "Einheit"}, country="DE")
    assert german.kind(dt.date(2026, 10, 1)) == "workday" and german.kind(dt.date(2026, 10, 3)) == "festival"
    assert german.no_data_from is None and german.name(dt.date(2026, 2, 17)) == ""
