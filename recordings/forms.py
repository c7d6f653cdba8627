"""A grading form and the total that answers have by it. Pure.

A form's version is its content: the first digits of the SHA-256 of the form written as canonical JSON. So a form that
is changed is another version, one that is changed back is the old one again, and a grade always knows what was asked.
The total is worked out in whole numbers, without any float:

    total = 100 × Σ weight × answer / steps  ÷  Σ weight        over the points that apply

rounded half up to a tenth (so 84.25 is 84.3), and 0 where a fatal point (一票否决) is hit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from config.catalogue import _
from config.review_file import Form

DOES_NOT_APPLY = -1
"""The answer 不适用 of an optional point."""

TENTHS = 1000
"""The best total, in tenths."""

_DIGITS = 12
"""Hex digits of a version: two contents of a form share them once in 2**48."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a set of answers comes to; ``total`` in tenths, 0 to 1000."""

    total: int
    fatal: tuple[str, ...]
    passed: bool


class WrongAnswers(ValueError):
    """Answers that the form does not ask for, or that it lacks; ``reasons`` are sentences, by point ("" for all)."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(" ".join(reasons.values()))
        self.reasons = reasons


def content(form: Form) -> str:
    """The form as canonical JSON, defaults left out. The order of groups and points counts: a grader sees it."""
    return msgspec.json.encode(form.model_dump(mode="json", exclude_defaults=True)).decode()


def version(form: Form) -> str:
    """Which version of the form this is."""
    return hashlib.sha256(content(form).encode()).hexdigest()[:_DIGITS]


def form_of(text: str) -> Form:
    """The form again, from its canonical JSON. Raises ValueError."""
    return Form.model_validate_json(text)


def score(form: Form, answers: Mapping[str, int], fatal: Collection[str]) -> Score:
    """The total of these answers. Raises WrongAnswers, with every reason."""
    points = form.points
    wrong: dict[str, str] = {}
    for name, point in points.items():
        given = answers.get(name)
        if given is None:
            wrong[name] = _("“{ask}” is not answered.").format(ask=point.ask)
        elif given == DOES_NOT_APPLY and not point.optional:
            wrong[name] = _("“{ask}” applies to every call.").format(ask=point.ask)
        elif given != DOES_NOT_APPLY and not 0 <= given <= point.steps:
            wrong[name] = _("“{ask}” is answered with 0 to {steps}.").format(ask=point.ask, steps=point.steps)
    for name in [*(answers.keys() - points.keys()), *(set(fatal) - form.fatal.keys())]:
        wrong[name] = _("The form has no point {point}.").format(point=name)
    if wrong:
        raise WrongAnswers(wrong)
    counted = {name: point for name, point in points.items() if answers[name] != DOES_NOT_APPLY}
    if not counted:
        raise WrongAnswers({"": _("Not one point applies: there is nothing to grade.")})
    hit = tuple(name for name in form.fatal if name in set(fatal))
    earned = sum((Fraction(point.weight * answers[name], point.steps) for name, point in counted.items()), Fraction())
    total = 0 if hit else half_up(TENTHS * earned / sum(point.weight for point in counted.values()))
    return Score(total, hit, total >= 10 * form.pass_mark)


def half_up(value: Fraction) -> int:
    """The nearest whole number; of two equally near the larger."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
