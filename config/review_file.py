"""reviews.yaml: the forms by which conversations are graded (质检评分表), and the plans that choose what is graded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from config.shapes import Label, Name, Part, Seconds, Text, Whole

Ask = Annotated[Text, StringConstraints(max_length=200)]
"""What a point asks, in the graders' own words."""

Weight = Annotated[Whole, Field(ge=1, le=100)]
Share = Annotated[Whole, Field(ge=0, le=100)]
Grader = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
"""The name with which somebody signs in to the console."""

FULL = 100
"""What the weights of a form's groups add up to: the best total."""


class Point(Part):
    """评分项: what is looked at, and how much it is worth. ``steps`` 1: yes or no; more: 0 to ``steps``."""

    ask: Ask
    weight: Weight
    steps: Annotated[Whole, Field(ge=1, le=10)] = 1
    optional: bool = False
    """It may not apply to a call (不适用): it is then left out, and the rest counts for the whole."""


class Group(Part):
    """A group of points; ``weight`` is the sum of theirs."""

    title: Label
    weight: Weight
    points: Annotated[dict[Name, Point], Field(min_length=1)]


class Form(Part):
    """评分表: groups of points that add up to 100, and fatal points (一票否决), any of which makes the total 0."""

    title: Label
    pass_mark: Annotated[Whole, Field(ge=1, le=100)] = 80
    groups: Annotated[dict[Name, Group], Field(min_length=1)]
    fatal: dict[Name, Ask] = Field(default_factory=dict)

    @property
    def points(self) -> dict[str, Point]:
        """Every point of every group, in order."""
        return {name: point for group in self.groups.values() for name, point in group.points.items()}


class Plan(Part):
    """抽检计划: which calls of a week come onto whose list. Every rule that is set adds its calls, each call once."""

    form: Name
    graders: Annotated[tuple[Grader, ...], Field(min_length=1)]
    per_agent: Annotated[Whole, Field(ge=0, le=100)] = 0
    """So many calls of each agent a week, at random."""
    all_of_queues: tuple[Name, ...] = ()
    """Every call that asked in one of these queues; that of complaints above all."""
    all_of_subjects: tuple[Label, ...] = ()
    """Every call whose record (来电登记) names one of these subjects, or one below it."""
    bad_ratings: bool = False
    """Every call that its caller rated badly: ``survey.bad_from`` of hotline.yaml or worse."""
    silence: Seconds | None = None
    """Every call with a silence of both sides of at least so many seconds."""
    shortest: Seconds = 15.0
    """A call whose talks last less in all is never chosen at random."""
    double: Share = 0
    """Of 100 calls so many come onto a second list too, so that the graders can be compared."""
    within: Annotated[Whole, Field(ge=1, le=90)] = 7
    """Days after which a call that was drawn is overdue; a week, since then the next ones come."""
    seed: Label = "1"
    """Another seed, other random calls; the same seed, the same."""


class ReviewFile(Part):
    """reviews.yaml. It need not be there: then nothing is graded."""

    forms: dict[Name, Form] = Field(default_factory=dict)
    plans: dict[Name, Plan] = Field(default_factory=dict)
