"""No text becomes a formula in a sheet."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from config.cells import plain_cell


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_what_a_sheet_would_take_for_a_formula_is_a_text(sign: str) -> None:
    text = f"{sign}HYPERLINK(1)"
    assert plain_cell(text) == plain_cell([text]) == f"'{text}"


@given(st.text(max_size=20))
def test_all_else_stays_as_it_is(text: str) -> None:
    assert plain_cell(f"a{text}") == f"a{text}"
    assert plain_cell(text).removeprefix("'") == text.removeprefix("'")


def test_numbers_are_numbers() -> None:
    assert [plain_cell(value) for value in ("+8613800001111", -1.5, None, True)] == ["+8613800001111", "-1.5", "", "1"]
