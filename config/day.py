"""A stated day for ``hotline simulate``: when calls come, how long they take, how long callers wait.

The file has the shape of :class:`Day`. Rates are calls in a quarter-hour, durations seconds, wall times local to the
hotline's zone. Nothing of it concerns a running hotline.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from config.catalogue import _
from config.explain import did_you_mean, explain
from config.problems import Place, Problem, Refused, shown
from config.shapes import Name, Number, Part, Seconds, WallTime, Whole
from config.tree import read_tree

Amount = Annotated[Number, Field(le=1_000_000)]
Share = Annotated[Number, Field(le=1)]


class Length(Part):
    """A length that varies: ``mean`` seconds; ``spread`` is its standard deviation over its mean.

    0 is always the same, 1 is exponential (as Erlang's formulas assume), all else is log-normal, as handling times
    are in call centres (Brown et al., "Statistical Analysis of a Telephone Call Center", JASA 100, 2005).
    """

    mean: Annotated[Seconds, Field(gt=0)]
    spread: Annotated[Number, Field(le=10)] = 1.0


class QueueShare(Part):
    """How much of the calls a queue gets, and what is different there."""

    share: Amount
    handling: Length | None = None
    patience: Length | None = None


class Staff(Part):
    """So many agents with these skills, on duty daily from ``from`` to ``to`` (the same time: all day)."""

    start: Annotated[WallTime, Field(alias="from")]
    end: Annotated[WallTime, Field(alias="to")]
    agents: Annotated[Whole, Field(ge=1, le=10_000)]
    skills: Annotated[tuple[Name, ...], Field(min_length=1)]


class Day(Part):
    """The day. Without ``staff`` it is the real roster that serves it; without ``patience`` nobody hangs up."""

    arrivals: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[0-9]{2}:[0-9]{2}$")], Amount],
                        Field(min_length=1)]
    """From this quarter-hour on, so many calls in each."""
    queues: Annotated[dict[Name, QueueShare], Field(min_length=1)]
    handling: Length = Length(mean=180.0)
    patience: Length | None = None
    picks_up: Length | None = None
    """From the ring to the agent's answer; without it agents answer at once."""
    record: Length | None = None
    """From the end of the talk until its call record is complete, where that is awaited (``record.required``); without
    it records are complete with the wrap-up."""
    missed: Share = 0.0
    """The share of rings that nobody answers."""
    leaves_message: Share = 0.5
    """The share of callers who leave a message where nobody comes."""
    staff: tuple[Staff, ...] = ()

    @field_validator("arrivals")
    @classmethod
    def _quarters(cls, arrivals: dict[str, float]) -> dict[str, float]:
        for at in arrivals:
            if int(at[:2]) > 23 or at[3:] not in ("00", "15", "30", "45"):
                raise PydanticCustomError("quarter", "a quarter-hour: 00:00, 00:15 … 23:45")
        return dict(sorted(arrivals.items()))

    @model_validator(mode="after")
    def _somebody_calls(self) -> Self:
        if not any(self.arrivals.values()) or not any(queue.share for queue in self.queues.values()):
            raise PydanticCustomError("nobody_calls", "a day with calls")
        return self

    def rate(self, quarter: str) -> float:
        """Calls in the quarter-hour that begins at this wall time (HH:MM); before the first key, as after the last."""
        before = [at for at in self.arrivals if at <= quarter]
        return self.arrivals[before[-1] if before else next(reversed(self.arrivals))]


def load_day(file: Path, queues: set[str]) -> Day:
    """The day that a file states. Raises Refused with every problem of it; ``queues`` are those that there are."""
    tree = read_tree(file.parent, file.name)
    problems = list(tree.problems)
    day: Day | None = None
    if isinstance(tree.value, dict):
        try:
            day = Day.model_validate(tree.value)
        except ValidationError as error:
            problems += explain(error, Day, tree)
    if day is not None:
        for name in day.queues.keys() - queues:
            key = f"queues.{name}"
            what = _("There is no queue {name}.").format(name=shown(name))
            place = Place(tree.file, tree.line(key), key)
            problems.append(Problem("unknown-queue", place, what, did_you_mean(name, sorted(queues))))
    if day is None or problems:
        raise Refused([dataclasses.replace(one, place=dataclasses.replace(one.place, file=str(file)))
                       for one in problems])
    return day
