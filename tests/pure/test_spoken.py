"""Numbers, places, waits and staff numbers as people say them, against tables written by hand and read back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, strategies as st

from config.settings import Language
from ivr import sentences
from ivr.numbers import FRAGMENTS, LARGEST, digits, number
from ivr.prompts import required
from tests.pure.prompts_play import EXAMPLE

ZH = dict(zip("零一二三四五六七八九", range(10), strict=True)) | {"两": 2}
ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
EN = {word: value for value, word in enumerate(re.findall(r"\w+", ONES))}
EN |= {word: 10 * tens for tens, word in enumerate(re.findall(r"\w+", TENS), 2)}


def said(language: Language, prompts: tuple[str, ...]) -> str:
    """The words of these prompts, as the example's files have them."""
    texts = EXAMPLE.prompts[language].prompts
    assert set(prompts) <= set(required(EXAMPLE, language)), "a prompt that nobody builds"
    return ("" if language == "zh" else " ").join(texts[name] for name in prompts)


@pytest.mark.parametrize(
    ("value", "words", "counted"),
    [
        (0, "零", "零"),
        (1, "一", "一"),
        (2, "二", "两"),
        (10, "十", "十"),
        (11, "十一", "十一"),
        (12, "十二", "十二"),
        (20, "二十", "二十"),
        (21, "二十一", "二十一"),
        (22, "二十二", "二十二"),
        (99, "九十九", "九十九"),
        (100, "一百", "一百"),
        (102, "一百零二", "一百零二"),
        (105, "一百零五", "一百零五"),
        (110, "一百一十", "一百一十"),
        (115, "一百一十五", "一百一十五"),
        (200, "二百", "两百"),
        (222, "二百二十二", "两百二十二"),
        (1000, "一千", "一千"),
        (1005, "一千零五", "一千零五"),
        (1010, "一千零一十", "一千零一十"),
        (1100, "一千一百", "一千一百"),
        (2002, "二千零二", "两千零二"),
        (2050, "二千零五十", "两千零五十"),
        (9999, "九千九百九十九", "九千九百九十九"),
    ],
)
def test_chinese(value: int, words: str, counted: str) -> None:
    assert said("zh", number("zh", value)) == words
    assert said("zh", number("zh", value, counting=True)) == counted


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (2, "two"),
        (13, "thirteen"),
        (20, "twenty"),
        (21, "twenty one"),
        (40, "forty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (120, "one hundred and twenty"),
        (121, "one hundred and twenty one"),
        (1000, "one thousand"),
        (1005, "one thousand and five"),
        (1100, "one thousand one hundred"),
        (2222, "two thousand two hundred and twenty two"),
    ],
)
def test_english(value: int, words: str) -> None:
    assert said("en", number("en", value)) == words


def test_every_number_can_be_said_and_is_heard_as_what_it_is() -> None:
    for value in range(LARGEST + 1):
        for counting in (False, True):
            assert chinese(said("zh", number("zh", value, counting=counting))) == value
        assert english(said("en", number("en", value))) == value


def chinese(words: str) -> int:
    """What a listener understands."""
    total = last = 0
    for word in words:
        if word in ZH:
            last = ZH[word]
        else:
            total += (last or 1) * {"十": 10, "百": 100, "千": 1000}[word]
            last = 0
    return total + last


def english(words: str) -> int:
    total = part = 0
    for word in words.replace(" and ", " ").split():
        if word == "thousand":
            total, part = total + part * 1000, 0
        else:
            part = part * 100 if word == "hundred" else part + EN[word]
    return total + part


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("value", [-1, LARGEST + 1])
def test_other_numbers_are_refused(language: Language, value: int) -> None:
    with pytest.raises(ValueError):
        number(language, value)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_fragment_is_recorded_for_nothing(language: Language) -> None:
    used = {name for value in range(LARGEST + 1) for name in number(language, value, counting=True)}
    used |= {name for value in range(100) for name in number(language, value)}
    assert used | set(digits(language, "0123456789")) == set(FRAGMENTS[language])


@pytest.mark.parametrize(
    ("language", "ahead", "words"),
    [
        ("zh", 0, "您是下一位，请稍候。"),
        ("zh", 1, "您排在第二位，前面还有一位在等候。"),
        ("zh", 2, "您排在第三位，前面还有两位在等候。"),
        ("zh", 12, "您排在第十三位，前面还有十二位在等候。"),
        ("zh", 99, "您排在第一百位，前面还有九十九位在等候。"),
        ("zh", 100, "您前面的来电较多，请您耐心等候。"),
        ("zh", 10**9, "您前面的来电较多，请您耐心等候。"),
        ("en", 0, "You are next in line."),
        ("en", 20, "You are number twenty one in line."),
        ("en", 100, "There are many callers ahead of you. Thank you for your patience."),
    ],
)
def test_place(language: Language, ahead: int, words: str) -> None:
    assert said(language, sentences.position(language, ahead)) == words


@pytest.mark.parametrize(
    ("language", "minutes", "words"),
    [
        ("zh", 0, "预计一分钟以内为您接通。"),
        ("zh", 1, "预计还需等候大约一分钟。"),
        ("zh", 2, "预计还需等候大约两分钟。"),
        ("zh", 12, "预计还需等候大约十二分钟。"),
        ("zh", 22, "预计还需等候大约二十二分钟。"),
        ("en", 0, "We expect to connect you in less than a minute."),
        ("en", 1, "The expected wait is about one minute."),
        ("en", 2, "The expected wait is about two minutes."),
    ],
)
def test_wait(language: Language, minutes: int, words: str) -> None:
    assert said(language, sentences.wait(language, minutes)) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", "八零零幺号客服为您服务。"), ("en", "Agent eight zero zero one at your service.")],
)
def test_the_agent_is_announced_digit_by_digit(language: Language, words: str) -> None:
    assert said(language, sentences.agent(language, "8001")) == words


@given(st.from_regex(r"[0-9]{2,12}", fullmatch=True), st.sampled_from(["zh", "en"]))
def test_every_staff_number_can_be_said(staff_number: str, language: Language) -> None:
    words = said(language, digits(language, staff_number))
    heard = re.findall(r"\w+", words) if language == "en" else list(words.replace("幺", "一"))
    assert "".join(str((ZH | EN)[word]) for word in heard) == staff_number


@given(st.integers(0, 10_000))
def test_every_place_and_wait_can_be_said(value: int) -> None:
    for language in ("zh", "en"):
        said(language, sentences.position(language, value))
        said(language, sentences.wait(language, min(value, LARGEST)))


def test_nobody_can_have_fewer_than_none_ahead() -> None:
    with pytest.raises(ValueError):
        sentences.position("zh", -1)


NOW = dt.datetime(2026, 11, 25, 19, 30)


@pytest.mark.parametrize(
    ("language", "at", "words"),
    [
        ("zh", "2026-11-25 21:00", "人工服务将于今天晚上九点恢复。"),
        ("zh", "2026-11-26 00:00", "人工服务将于明天凌晨零点恢复。"),
        ("zh", "2026-11-26 08:30", "人工服务将于明天上午八点半恢复。"),
        ("zh", "2026-11-27 14:05", "人工服务将于后天下午两点零五分恢复。"),
        ("zh", "2026-11-30 12:00", "人工服务将于十一月三十号星期一中午十二点恢复。"),
        ("zh", "2027-02-02 13:15", "人工服务将于二月二号星期二下午一点十五分恢复。"),
        ("en", "2026-11-25 21:00", "We open again today at nine p.m."),
        ("en", "2026-11-26 00:00", "We open again tomorrow at midnight."),
        ("en", "2026-11-26 08:30", "We open again tomorrow at eight thirty a.m."),
        ("en", "2026-11-27 14:05", "We open again on Friday at two oh five p.m."),
        ("en", "2026-12-04 12:00", "We open again in nine days, on Friday at noon."),
        ("en", "2026-11-27 12:10", "We open again on Friday at twelve ten p.m."),
    ],
)
def test_when_it_opens_again(language: Language, at: str, words: str) -> None:
    assert said(language, sentences.opens(language, NOW, dt.datetime.fromisoformat(at))) == words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_minute_and_day_can_be_said_and_no_piece_is_there_for_nothing(language: Language) -> None:
    used = set()
    for day in range(400):
        for minute in range(60):
            at = NOW + dt.timedelta(days=day, hours=(minute + day) % 24, minutes=30 + minute)
            used |= set(sentences.opens(language, NOW, at))
    assert used <= set(sentences.PARTS[language])
    own = {name for name in sentences.PARTS[language] if name.startswith(("opens", "day", "weekday", "time"))}
    assert own <= used
