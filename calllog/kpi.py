"""The figures, each by its one formula (DESIGN.md section 6). Pure: counts in, figures out.

A share of nothing is None, never 0 or 1: no call was answered well or badly on a day without calls.
"""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_WITHIN = 15.0
"""Seconds: the service level's T (GB/T 33358-2016, government hotlines)."""

SHORT_ABANDON = 5.0
"""Seconds: who hangs up sooner after asking has hardly waited; listed apart."""

LEAST_TALK = 3.0
"""Seconds: a shorter talk has nothing to be heard, and does not count for recording coverage."""


@dataclass(slots=True)
class Tally:
    """Counts of the calls that asked for a person; every such call is in exactly one of the outcomes.

    ``*_in_time`` are those within T of asking. ``waited`` is the sum of seconds from asking to the talk over the
    answered calls.
    """

    asked: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    called_back_in_time: int = 0
    voicemail: int = 0
    closed: int = 0
    uncovered: int = 0
    waited: float = 0.0

    def add(self, other: Tally) -> None:
        """Count these calls too."""
        for name in Tally.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def answer_rate(self) -> float | None:
        """接听率: answered / asked."""
        return share(self.answered, self.asked)

    @property
    def abandon_rate(self) -> float | None:
        """放弃率: abandoned / asked."""
        return share(self.abandoned, self.asked)

    @property
    def service_level(self) -> float | None:
        """服务水平, the headline: answered within T of asking / asked."""
        return share(self.answered_in_time, self.asked)

    @property
    def service_level_app_queue(self) -> float | None:
        """As Asterisk's app_queue counts: answered within T / answered."""
        return share(self.answered_in_time, self.answered)

    @property
    def service_level_genesys(self) -> float | None:
        """As Genesys counts: answered within T / (answered + abandoned - short abandons)."""
        return share(self.answered_in_time, self.answered + self.abandoned - self.abandoned_short)

    @property
    def service_level_connect(self) -> float | None:
        """As Amazon Connect counts: answered, abandoned or called back within T / asked."""
        return share(self.answered_in_time + self.abandoned_in_time + self.called_back_in_time, self.asked)

    @property
    def average_speed_of_answer(self) -> float | None:
        """平均应答速度: mean seconds from asked to talk, of answered calls."""
        return share(self.waited, self.answered)


SATISFIED = 2
"""Ratings up to this one are satisfied: 1 is very satisfied, 5 very dissatisfied."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Talks whose callers were ``invited`` to rate them, and how many gave each rating, 1 to 5."""

    invited: int = 0
    given: tuple[int, ...] = (0, 0, 0, 0, 0)

    def __add__(self, other: Ratings) -> Ratings:
        """Those of both."""
        return Ratings(self.invited + other.invited, tuple(map(sum, zip(self.given, other.given, strict=True))))

    @property
    def rated(self) -> int:
        """How many were rated."""
        return sum(self.given)

    @property
    def satisfied(self) -> int:
        """How many of them with satisfied or very satisfied."""
        return sum(self.given[:SATISFIED])

    def bad(self, bad_from: int) -> int:
        """How many of them with ``bad_from`` or worse."""
        return sum(self.given[bad_from - 1 :])

    @property
    def satisfaction(self) -> float | None:
        """满意度: satisfied / rated."""
        return share(self.satisfied, self.rated)

    @property
    def participation(self) -> float | None:
        """参评率: rated / invited."""
        return share(self.rated, self.invited)


def record_completeness(complete: int, answered: int) -> float | None:
    """记录完整率: calls with a complete call record / answered."""
    return share(complete, answered)


def occupancy(handling: float, ready: float) -> float | None:
    """占用率: handling / (handling + ready), both in seconds of agents' time."""
    return share(handling, handling + ready)


def recording_coverage(verified: int, talks: int) -> float | None:
    """录音完整率: talks over 3 s with a verified recording / talks over 3 s."""
    return share(verified, talks)


def share(part: float, whole: float) -> float | None:
    """``part / whole``; None of nothing."""
    return part / whole if whole else None
