"""Numbers as far as somebody may see them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from config.masking import at_home, masked, masked_text, shown


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("13800008000", "138****8000"),
        ("138 0000 8000", "138****8000"),
        ("+8613800008000", "+86138****8000"),
        ("１３８００００８０００", "138****8000"),
        ("021-12345678", "021****5678"),
        ("4001234567", "40****4567"),
        ("+12125550123", "+121****0123"),
        ("12345678", "12****78"),
        ("95588", "9****88"),
        ("8001", "****"),
        ("110", "****"),
        ("", ""),
        ("  ", ""),
        ("zhang.san@pbx.example", "z****"),
        ("sip:13800008000@10.0.0.1:5060", "138****8000"),
        ("tel:+8613800008000", "+86138****8000"),
        ("张敏", "张****"),
        ("sip:", ""),
    ],
)
def test_one_number(number: str, expected: str) -> None:
    assert masked(number) == expected


def test_on_a_screen_by_permission() -> None:
    assert shown("+8613800008000", "CN", whole=False) == "138****8000"
    assert shown("+8613800008000", "CN", whole=True) == "13800008000"
    assert shown("+862112345678", "CN", whole=False) == "021****5678"
    assert shown("", "CN", whole=True) == shown("", "CN", whole=False) == ""
    assert at_home("+4930123456", "CN") == "+4930123456"


@given(st.text("0123456789", min_size=5, max_size=15), st.sampled_from(["", "+"]))
def test_no_number_is_left_whole_and_at_least_four_of_a_long_one_are_hidden(digits: str, plus: str) -> None:
    number = plus + digits
    left = re.sub(r"[^0-9]", "", masked(number))
    assert digits.startswith(masked(number).removeprefix("+").partition("*")[0])
    assert len(left) <= max(3, len(digits) - 4)
    if len(digits) >= 10:
        assert digits not in masked_text(f"from={number}@10.0.0.1: no answer.")


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
def test_a_digest_in_a_text_stays_whole(digest: str) -> None:
    assert masked_text(f"anchor 12:{digest}") == f"anchor 12:{digest}"


def test_a_party_in_a_line_of_the_spool() -> None:
    line = '{"seq":1,"party":{"raw":"95588","e164":"+8613800008000","name":"x"}}'
    assert masked_text(line) == '{"seq":1,"party":{"raw":"9****88","e164":"+86138****8000","name":"x"}}'
