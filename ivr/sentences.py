"""Sentences that are put together from prompts: the place in the queue, the wait, who answers, when it opens. Pure.

Each language has its own order of words, so each sentence has its own pieces in each.
"""

from __future__ import annotations

import datetime as dt

from config.settings import Language
from ivr.numbers import FRAGMENTS, LARGEST, digits, number

WEEKDAYS = tuple(f"weekday_{number}" for number in range(1, 8))
"""Monday is the first."""

MOST_AHEAD = 99
"""With more callers ahead no figure is said: it would be out of date before it is understood."""

PIECES: dict[Language, tuple[str, ...]] = {
    "zh": (
        "position_you_are", "position_ahead", "position_waiting", "wait_about", *FRAGMENTS["zh"],
        "opens_again", "day_today", "day_tomorrow", "day_after_tomorrow", "day_month", "day_date", *WEEKDAYS,
        "time_small_hours", "time_morning", "time_noon", "time_afternoon", "time_evening", "time_hour", "time_half",
        "time_minute",
    ),
    "en": (
        "position_you_are", "agent_number", "wait_about", *FRAGMENTS["en"],
        "opens_again", "day_today", "day_tomorrow", "day_in", "day_days", *WEEKDAYS, "time_at", "time_oh",
    ),
}  # fmt: skip
"""Prompts that are played one right after another as one sentence, so without a pause at their end."""

PARTS: dict[Language, tuple[str, ...]] = {
    "zh": (*PIECES["zh"], "staff", "wait_minutes", "agent_serves", "opens_end"),
    "en": (
        *PIECES["en"], "position_in_line", "wait_minute", "wait_minutes", "agent_serves",
        "time_am", "time_pm", "time_noon", "time_midnight",
    ),
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


def opens(language: Language, now: dt.datetime, at: dt.datetime) -> tuple[str, ...]:
    """The prompts that tell when the hotline, closed at ``now``, opens again; both in its own zone, ``at`` the later.

    人工服务将于明天上午九点恢复 / We open again tomorrow at nine thirty a.m.
    """
    days = (at.date() - now.date()).days
    if language == "zh":
        return ("opens_again", *_day_chinese(days, at.date()), *_time_chinese(at.hour, at.minute), "opens_end")
    return ("opens_again", *_day_english(days, at.date()), *_time_english(at.hour, at.minute))


def _day_chinese(days: int, date: dt.date) -> tuple[str, ...]:
    """今天, 明天, 后天; from then on 二月十七号星期三."""
    if days < 3:
        return (("day_today", "day_tomorrow", "day_after_tomorrow")[days],)
    month, day = number("zh", date.month), number("zh", date.day)
    return (*month, "day_month", *day, "day_date", WEEKDAYS[date.weekday()])


def _day_english(days: int, date: dt.date) -> tuple[str, ...]:
    """Today, tomorrow, on Wednesday; from a week on: in nine days, on Friday."""
    if days < 2:
        return (("day_today", "day_tomorrow")[days],)
    weekday = WEEKDAYS[date.weekday()]
    return (weekday,) if days < 7 else ("day_in", *number("en", min(days, LARGEST)), "day_days", weekday)


def _time_chinese(hour: int, minute: int) -> tuple[str, ...]:
    """凌晨零点, 上午九点, 中午十二点半, 下午两点零五分, 晚上八点."""
    part = ("time_small_hours" if hour < 6 else "time_morning" if hour < 12 else "time_noon" if hour == 12
            else "time_afternoon" if hour < 18 else "time_evening")  # fmt: skip
    said = (part, *number("zh", hour if hour <= 12 else hour - 12, counting=True), "time_hour")
    if minute == 30:
        return (*said, "time_half")
    if minute:
        return (*said, *(("num_0",) if minute < 10 else ()), *number("zh", minute), "time_minute")
    return said


def _time_english(hour: int, minute: int) -> tuple[str, ...]:
    """At nine a.m., at two oh five p.m.; at noon, at midnight."""
    if minute == 0 and hour in (0, 12):
        return ("time_at", "time_noon" if hour else "time_midnight")
    minutes = ((("time_oh",) if minute < 10 else ()) + number("en", minute)) if minute else ()
    return ("time_at", *number("en", hour % 12 or 12), *minutes, "time_am" if hour < 12 else "time_pm")


def staff(language: Language, staff_number: str) -> tuple[str, ...]:
    """The prompts that say who is meant, before what is said of them: 八零零幺号 / Agent eight zero zero one."""
    said = digits(language, staff_number)
    return (*said, "staff") if language == "zh" else ("agent_number", *said)
