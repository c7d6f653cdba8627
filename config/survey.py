"""What is set of the survey after a talk (满意度调查): ``survey`` in hotline.yaml; and whether its queues exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated

from pydantic import Field

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path
from config.shapes import Name, Part, Whole


class Survey(Part):
    """When the agent hangs up first the caller is asked how it was: 1 very satisfied to 5 very dissatisfied."""

    enabled: bool = False
    queues: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Only the callers of these queues are asked; none: those of all."""
    bad_from: Annotated[Whole, Field(ge=2, le=5)] = 4
    """This rating and every worse one is bad: the caller hears an apology, and reviews and lists can ask for them."""

    def asks(self, queue: str) -> bool:
        """Whether the callers of this queue are asked."""
        return self.enabled and (self.queues is None or queue in self.queues)

    def is_bad(self, rating: int) -> bool:
        """Whether this rating is bad; none (0) is not."""
        return rating >= self.bad_from


def check_survey(survey: Survey, queues: Collection[str]) -> Iterator[Problem]:
    """The queues that are not there, without lines."""
    for index, queue in enumerate(survey.queues or ()):
        if queue not in queues:
            what = _("There is no queue {queue} in queues.yaml.").format(queue=queue)
            place = Place("hotline.yaml", 0, key_path(("survey", "queues", index)))
            yield Problem("unknown-queue", place, what, did_you_mean(queue, queues))
