"""What is said: numbers, places in the queue, telephone numbers, and the texts of the example."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from config.catalogue import set_language
from ivr.prompts import (
    REQUIRED_PROMPTS,
    TONES,
    fill,
    number_prompts,
    position_prompts,
    required,
    text_problems,
)
from tests.pure.prompts_play import EXAMPLE, TEXTS


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def said(prompts: tuple[str, ...]) -> str:
    return "".join(TEXTS[name] for name in prompts)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (35, "三十五"),
        (99, "九十九"),
        (100, "一百"),
    ],
)
def test_numbers(number: int, words: str) -> None:
    assert said(number_prompts(number)) == words


@given(st.integers(0, 100), st.booleans())
def test_every_number_is_said_as_it_is(number: int, counting: bool) -> None:
    digits = {
        "零": 0,
        "一": 1,
        "二": 2,
        "两": 2,
        "三": 3,
        "四": 4,
        "五": 5,
        "六": 6,
        "七": 7,
        "八": 8,
        "九": 9,
    }
    value = last = 0
    for word in said(number_prompts(number, counting)):
        if word in digits:
            value, last = value + digits[word], digits[word]
        else:
            times = {"十": 10, "百": 100}[word]
            value += (last * times - last) if last else times
            last = 0
    assert value == number
    assert ("两" in said(number_prompts(number, counting))) == (counting and number == 2)


@pytest.mark.parametrize("number", [-1, 101])
def test_other_numbers_are_refused(number: int) -> None:
    with pytest.raises(ValueError):
        number_prompts(number)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, "您是下一位，请稍候。"),
        (1, "您排在第二位，前面还有一位在等候。"),
        (2, "您排在第三位，前面还有两位在等候。"),
        (12, "您排在第十三位，前面还有十二位在等候。"),
        (99, "您排在第一百位，前面还有九十九位在等候。"),
        (100, "您前面的来电较多，请您耐心等候。"),
        (10**9, "您前面的来电较多，请您耐心等候。"),
    ],
)
def test_position(ahead: int, words: str) -> None:
    assert said(position_prompts(ahead)) == words


@given(st.integers(0, 10_000))
def test_every_position_can_be_said(ahead: int) -> None:
    assert set(position_prompts(ahead)) <= set(REQUIRED_PROMPTS)


def test_nobody_can_have_fewer_than_none_ahead() -> None:
    with pytest.raises(ValueError):
        position_prompts(-1)


def test_a_telephone_number_is_said_digit_by_digit() -> None:
    text = fill("{company}：{emergency_number}", EXAMPLE.hotline, "zh")
    assert text == "示例公司：零 二 幺, 幺 二 三 四, 五 六 七 八"
    hotline = EXAMPLE.hotline.model_copy(update={"emergency_number": "+86110"})
    assert fill("{emergency_number}", hotline, "en") == "8, 6 1 1 0"


def test_example_texts_are_right() -> None:
    assert text_problems(EXAMPLE) == []
    assert set(REQUIRED_PROMPTS) - set(TONES) <= set(TEXTS)
    assert "menu_main" in required(EXAMPLE) and len(set(required(EXAMPLE))) == len(required(EXAMPLE))


def test_missing_and_unused_texts() -> None:
    prompts = EXAMPLE.prompts["zh"]
    texts = {("greting" if name == "greeting" else name): text for name, text in prompts.prompts.items()}
    settings = EXAMPLE.model_copy(update={"prompts": {"zh": prompts.model_copy(update={"prompts": texts})}})
    missing, unused = text_problems(settings)
    assert (missing.code, unused.code, unused.warning) == ("prompt-without-text", "prompt-unused", True)
    assert "greeting" in missing.what and "greting" in missing.fix
    assert unused.place.key == "prompts.greting" and "greeting" in unused.fix
