"""Do two graders agree more than by chance? Cohen's kappa over the calls that both have graded. Pure.

For each point, with n calls that both graded on the same version of the form:

    κ = (p_o − p_e) ÷ (1 − p_e)

p_o is the share of calls with the same answer; p_e the share that chance alone would give, Σ over the answers k of
(share of k with the first grader) × (share of k with the second). (J. Cohen, "A coefficient of agreement for nominal
scales", Educational and Psychological Measurement 20, 1960.) Where a point has more than two steps, answers that lie
near each other agree more than those that lie far apart, so the weighted kappa is given too, with linear weights
(J. Cohen, "Weighted kappa", Psychological Bulletin 70, 1968):

    κ_w = 1 − Σ |i − j| × observed share of (i, j)  ÷  Σ |i − j| × share of (i, j) by chance

over the calls where the point applied for both. Kappa is not defined with no call in common, nor where both always gave
one and the same answer (1 − p_e = 0): it is then None, with the reason, never 0 or 1. Everything is worked out in
fractions and rounded only when shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from config.review_file import Form
from recordings.forms import DOES_NOT_APPLY

Undefined = Literal["", "none", "one_answer"]
"""Why there is no kappa: there is one; no call in common; both gave the same single answer every time."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """How far two graders agree on one thing. ``observed`` is p_o, ``chance`` p_e; None where ``undefined``."""

    n: int
    observed: Fraction | None
    chance: Fraction | None
    value: Fraction | None
    undefined: Undefined = ""


@dataclass(frozen=True, slots=True)
class PointAgreement:
    """The agreement on one point; ``weighted`` only where it has more than two steps."""

    point: str
    plain: Kappa
    weighted: Kappa | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """One grader's grade of one call."""

    call_id: str
    grader: str
    answers: Mapping[str, int]
    fatal: tuple[str, ...]
    total: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two graders and one version of a form: the calls that both graded, the verdict (passed, failed, fatal), each
    point, and by how many tenths their totals lie apart on average."""

    first: str
    second: str
    n: int
    verdict: Kappa
    points: tuple[PointAgreement, ...]
    apart: Fraction | None


def kappa(pairs: Sequence[tuple[int | str, int | str]]) -> Kappa:
    """Cohen's kappa of these pairs of answers."""
    n = len(pairs)
    if not n:
        return Kappa(0, None, None, None, "none")
    observed = Fraction(sum(one == other for one, other in pairs), n)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = Fraction(sum(many * second[answer] for answer, many in first.items()), n * n)
    if chance == 1:
        return Kappa(n, observed, chance, None, "one_answer")
    return Kappa(n, observed, chance, (observed - chance) / (1 - chance))


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> Kappa:
    """Cohen's kappa with linear weights. ``observed`` and ``chance`` are 1 minus the mean distance over the longest."""
    n = len(pairs)
    if not n:
        return Kappa(0, None, None, None, "none")
    longest = max(max(pair) for pair in pairs) - min(min(pair) for pair in pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    apart = Fraction(sum(abs(one - other) for one, other in pairs), n)
    by_chance = Fraction(
        sum(abs(one - other) * many * often for one, many in first.items() for other, often in second.items()), n * n
    )
    if not by_chance:
        return Kappa(n, Fraction(1), Fraction(1), None, "one_answer")
    return Kappa(n, 1 - apart / longest, 1 - by_chance / longest, 1 - apart / by_chance)


def agreement(form: Form, grades: Sequence[Grade], first: str, second: str) -> Agreement:
    """How far these two agree on the calls of ``grades`` that both graded (one grade of each per call)."""
    by = {(grade.grader, grade.call_id): grade for grade in grades}
    calls = {grade.call_id for grade in grades}
    common = sorted(call for call in calls if (first, call) in by and (second, call) in by)
    pairs = [(by[first, call], by[second, call]) for call in common]
    points = []
    for name, point in form.points.items():
        answers = [(one.answers[name], other.answers[name]) for one, other in pairs]
        both = [pair for pair in answers if DOES_NOT_APPLY not in pair]
        points.append(PointAgreement(name, kappa(answers), weighted_kappa(both) if point.steps > 1 else None))
    for name in form.fatal:
        points.append(PointAgreement(name, kappa([(name in one.fatal, name in other.fatal) for one, other in pairs])))
    apart = Fraction(sum(abs(one.total - other.total) for one, other in pairs), len(pairs)) if pairs else None
    verdicts = [(_verdict(one), _verdict(other)) for one, other in pairs]
    return Agreement(first, second, len(pairs), kappa(verdicts), tuple(points), apart)


def couples(grades: Sequence[Grade]) -> list[tuple[str, str]]:
    """Every two graders who have a call in common, by name."""
    by_call: dict[str, set[str]] = {}
    for grade in grades:
        by_call.setdefault(grade.call_id, set()).add(grade.grader)
    return sorted({(one, other) for names in by_call.values() for one in names for other in names if one < other})


def _verdict(grade: Grade) -> str:
    return "fatal" if grade.fatal else "passed" if grade.passed else "failed"
