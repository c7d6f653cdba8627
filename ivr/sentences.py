"""Sentences that are put together from prompts: the place in the queue, the wait, who answers. Pure.

Each language has its own order of words, so each sentence has its own pieces in each.
"""

from __future__ import annotations

from config.settings import Language
from ivr.numbers import FRAGMENTS, digits, number

MOST_AHEAD = 99
"""With more callers ahead no figure is said: it would be out of date before it is understood."""

PIECES: dict[Language, tuple[str, ...]] = {
    "zh": ("position_you_are", "position_ahead", "position_waiting", "wait_about", *FRAGMENTS["zh"]),
    "en": ("position_you_are", "agent_number", "wait_about", *FRAGMENTS["en"]),
}
"""Prompts that are played one right after another as one sentence, so without a pause at their end."""

PARTS: dict[Language, tuple[str, ...]] = {
    "zh": (*PIECES["zh"], "wait_minutes", "agent_serves"),
    "en": (*PIECES["en"], "position_in_line", "wait_minute", "wait_minutes", "agent_serves"),
}
"""Every prompt that is only part of a sentence: the pieces and the ends."""


def position(language: Language, ahead: int) -> tuple[str, ...]:
    """The prompts that tell a caller's place, with ``ahead`` callers (0 or more) before them.

    0: 您是下一位. 2: 您排在第三位，前面还有两位在等候 / You are number three in line. Raises ValueError below 0.
    """
    if ahead < 0:
        raise ValueError(f"{ahead} callers cannot be ahead")
    if ahead == 0:
        return ("position_next",)
    if ahead > MOST_AHEAD:
        return ("position_many",)
    place = ("position_you_are", *number(language, ahead + 1))
    if language == "en":
        return (*place, "position_in_line")
    return (*place, "position_ahead", *number(language, ahead, counting=True), "position_waiting")


def wait(language: Language, minutes: int) -> tuple[str, ...]:
    """The prompts that tell a wait: 0 is less than a minute, more is 大约两分钟 / about two minutes."""
    if minutes == 0:
        return ("wait_under_minute",)
    end = "wait_minute" if language == "en" and minutes == 1 else "wait_minutes"
    return ("wait_about", *number(language, minutes, counting=True), end)


def agent(language: Language, staff_number: str) -> tuple[str, ...]:
    """The prompts that announce who answers: 八零零幺号客服为您服务 / Agent eight zero zero one at your service."""
    said = (*digits(language, staff_number), "agent_serves")
    return said if language == "zh" else ("agent_number", *said)
