"""Numbers as people say them: each number as the prompts that are played one after another. Pure.

The fragments are few, so that a company can record them in an hour: sixteen for Chinese, thirty-one for English.
"""

from __future__ import annotations

from config.settings import Language

LARGEST = 9_999
"""The largest number that can be said."""

FRAGMENTS: dict[Language, tuple[str, ...]] = {
    "zh": (*(f"num_{n}" for n in range(11)), "num_100", "num_1000", "num_liang", "num_yao"),
    "en": (
        *(f"num_{n}" for n in range(21)),
        *(f"num_{n}" for n in range(30, 100, 10)),
        "num_100",
        "num_1000",
        "num_and",
    ),
}
"""By language, every prompt that a number can be said with."""


def number(language: Language, value: int, *, counting: bool = False) -> tuple[str, ...]:
    """The prompts that say ``value``, 0 to LARGEST; ``counting``: before a measure word (两位, 两分钟).

    Raises ValueError for other values.
    """
    if not 0 <= value <= LARGEST:
        raise ValueError(f"no prompts for the number {value}")
    return _chinese(value, counting) if language == "zh" else _english(value)


def digits(language: Language, text: str) -> tuple[str, ...]:
    """The prompts that say a number digit by digit, as a staff number is said; ``text`` holds nothing but 0 to 9.

    In Mandarin 1 is 幺 (yāo), as operators, railways and hotlines say it: 一 (yī) is too like 七 (qī) on a telephone.
    """
    one = "num_yao" if language == "zh" else "num_1"
    return tuple(one if digit == "1" else f"num_{digit}" for digit in text)


def _chinese(value: int, counting: bool) -> tuple[str, ...]:
    """一百零五, 一百一十, 两千零五; 十二, not 一十二.

    Counted, 2, 200 and 2,000 begin with 两; 12 and 22 end with 二 all the same.
    """
    if value < 10:
        return ("num_liang",) if counting and value == 2 else (f"num_{value}",)
    said: list[str] = []
    rest, gap = value, False
    for unit in (1000, 100, 10):
        digit, rest = divmod(rest, unit)
        if digit:
            said += ["num_0"] * gap
            said += [] if digit == 1 and unit == 10 and not said else [_digit(digit, unit, counting)]
            said.append(f"num_{unit}")
            gap = False
        else:
            gap = bool(said)
    if rest:
        said += ["num_0"] * gap + [f"num_{rest}"]
    return tuple(said)


def _digit(digit: int, unit: int, counting: bool) -> str:
    return "num_liang" if counting and digit == 2 and unit > 10 else f"num_{digit}"


def _english(value: int) -> tuple[str, ...]:
    """Twenty-one; one hundred and five; two thousand and five, with "and" before what is below a hundred."""
    said: list[str] = []
    thousands, rest = divmod(value, 1000)
    hundreds, rest = divmod(rest, 100)
    if thousands:
        said += [f"num_{thousands}", "num_1000"]
    if hundreds:
        said += [f"num_{hundreds}", "num_100"]
    if said and rest:
        said.append("num_and")
    if rest > 20 and rest % 10:
        said += [f"num_{rest - rest % 10}", f"num_{rest % 10}"]
    elif rest or not said:
        said.append(f"num_{rest}")
    return tuple(said)
