"""Numbers as carriers write them, both ways, and where calls to the outside go."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from config.load import load_settings
from config.settings import Hotline
from config.telephony import Incoming, NumberFormat, Outgoing, Trunk
from phone.numbers import e164, exchanged, read, write
from phone.trunks import OutsideTarget, caller_e164, check, outside_targets

HOTLINE = load_settings(Path(__file__).resolve().parents[2] / "config").hotline
FORMATS: tuple[NumberFormat, ...] = get_args(NumberFormat)
MOBILES = st.from_regex(r"\A\+861(3[0-9]|5[0-35-9]|8[0-9])[0-9]{8}\Z")
SHANGHAI = st.from_regex(r"\A\+8621[56][0-9]{7}\Z")
ELSEWHERE = st.from_regex(r"\A\+86(10[68][0-9]{7}|755[28][0-9]{7})\Z")
ABROAD = st.from_regex(r"\A\+(1212555[0-9]{4}|8522[0-9]{7}|4930[2-8][0-9]{6})\Z")
ANY = MOBILES | SHANGHAI | ELSEWHERE | ABROAD


def with_trunks(*trunks: Trunk) -> Hotline:
    return HOTLINE.model_copy(update={"trunks": trunks})


def a_trunk(name: str = "carrier", **changed: object) -> Trunk:
    return Trunk.model_validate({"name": name, "addresses": ["192.0.2.1"], **changed})


@pytest.mark.parametrize(
    "form, mobile, own_area, other_area, abroad",
    [
        ("e164", "+8613912345678", "+862162345678", "+861062345678", "+12125550100"),
        ("e164_digits", "8613912345678", "862162345678", "861062345678", "12125550100"),
        ("international", "008613912345678", "00862162345678", "00861062345678", "0012125550100"),
        ("national", "13912345678", "02162345678", "01062345678", "0012125550100"),
        ("national_zero", "013912345678", "02162345678", "01062345678", "0012125550100"),
        ("local", "13912345678", "62345678", "01062345678", "0012125550100"),
    ],
)
def test_every_format_as_its_carrier_writes_it(
    form: NumberFormat, mobile: str, own_area: str, other_area: str, abroad: str
) -> None:
    numbers = ("+8613912345678", "+862162345678", "+861062345678", "+12125550100")
    assert [write(number, form, "CN", "021") for number in numbers] == [mobile, own_area, other_area, abroad]


@given(ANY, st.sampled_from(FORMATS), st.sampled_from(["", "021", "21"]))
def test_what_is_written_in_a_format_is_read_back_as_the_same(number: str, form: NumberFormat, area: str) -> None:
    assert read(write(number, form, "CN", area), form, "CN", area) == number


@given(ANY, st.sampled_from(FORMATS))
def test_writing_knows_every_way_in_which_a_number_stands_in_the_settings(number: str, form: NumberFormat) -> None:
    if form != "as_sent":
        ways = {write(number, each, "CN", "021") for each in FORMATS if each not in ("local", "e164_digits")}
        assert {write(way, form, "CN", "021") for way in ways} == {write(number, form, "CN", "021")}


@given(st.text(max_size=40), st.sampled_from(FORMATS), st.sampled_from(["", "021"]))
def test_anything_a_stranger_sends_is_read_as_a_number_or_as_none(text: str, form: NumberFormat, area: str) -> None:
    number = read(text, form, "CN", area)
    assert number == "" or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())
    written = write(text, form, "CN", area)
    assert set(written) <= set("+0123456789") and "+" not in written[1:]


@given(ANY)
def test_a_number_as_sent_is_read_however_it_is_written_but_for_bare_foreign_digits(number: str) -> None:
    ways = [form for form in FORMATS if form != "e164_digits" or number.startswith("+86")]
    assert {read(write(number, way, "CN", "021"), "as_sent", "CN", "021") for way in ways} == {number}


@given(st.from_regex(r"\A[0-9]{3,15}\Z"), st.from_regex(r"\A[0-9]{0,4}\Z"), st.from_regex(r"\A[0-9]{0,4}\Z"))
def test_a_prefix_is_exchanged_both_ways(number: str, ours: str, theirs: str) -> None:
    assert exchanged(exchanged(ours + number, ours, theirs), theirs, ours) == ours + number


def test_bare_foreign_digits_are_read_by_the_format_alone() -> None:
    assert read("14155550100", "e164_digits", "CN") == "+14155550100"
    assert read("14155550100", "as_sent", "CN") == "+8614155550100"


def test_short_codes_stay_as_they_are() -> None:
    assert {write("10086", form, "CN", "021") for form in FORMATS} == {"10086"}
    assert read("10086", "e164", "CN", "021") == e164("10086", "CN", "021")


def test_targets_are_in_the_trunks_order_each_in_its_format() -> None:
    first = a_trunk("one", outgoing={"present": "02162345678", "called": "national_zero", "add": "9"})
    silent = a_trunk("two")
    third = a_trunk("three", outgoing={"present": "02162345678", "present_as": "e164", "called": "international"})
    assert outside_targets("13912345678", with_trunks(first, silent, third)) == [
        OutsideTarget("PJSIP/9013912345678@one", "02162345678", "one"),
        OutsideTarget("PJSIP/008613912345678@three", "+862162345678", "three"),
    ]


@given(ANY, st.sampled_from(FORMATS), st.sampled_from(FORMATS))
def test_a_target_is_an_endpoint_and_nothing_else(number: str, called: NumberFormat, shown: NumberFormat) -> None:
    out = Outgoing(present="02162345678", called=called, present_as=shown)
    trunk = a_trunk(area_code="021").model_copy(update={"outgoing": out})
    (target,) = outside_targets(number, with_trunks(trunk))
    tech, _slash, rest = target.endpoint.partition("/")
    digits, _at, name = rest.partition("@")
    assert (tech, name, target.trunk) == ("PJSIP", "carrier", "carrier")
    assert digits.removeprefix("+").isdigit() and target.caller_id.removeprefix("+").isdigit()
    assert e164(target.caller_id, "CN", "021") == "+862162345678"


def test_callers_are_read_as_their_trunk_writes_them() -> None:
    came = Incoming(caller="local", strip="17951")
    hotline = with_trunks(a_trunk(area_code="021").model_copy(update={"incoming": came}), a_trunk("other"))
    assert caller_e164("62345678", "carrier", hotline) == "+862162345678"
    assert caller_e164("1795113912345678", "carrier", hotline) == "+8613912345678"
    assert {caller_e164("13912345678", name, hotline) for name in ("other", "gone")} == {"+8613912345678"}
    assert caller_e164("anonymous", "carrier", hotline) == ""


@pytest.mark.parametrize("shown", ["4001234567", "+864001234567", "8008201234", "04001234567"])
def test_the_400_number_is_never_shown(shown: str) -> None:
    found = check(with_trunks(a_trunk(), a_trunk("second", outgoing={"present": shown})))
    assert [(problem.code, problem.place.key) for problem in found] == [
        ("present-service-number", "trunks[1].outgoing.present")
    ]


def test_a_geographic_number_may_be_shown_and_nonsense_may_not() -> None:
    assert check(with_trunks(a_trunk(outgoing={"present": "02162345678"}))) == []
    found = check(with_trunks(a_trunk(outgoing={"present": "12", "called": "local"})))
    assert {problem.code for problem in found} == {"present-no-number", "area-code-missing"}
