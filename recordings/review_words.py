"""The words a person reads for what grading writes in codes: rules, appeals, answers, totals, agreement."""

from __future__ import annotations

from fractions import Fraction

from config.catalogue import _
from config.review_file import Point
from recordings.agreement import Kappa
from recordings.forms import DOES_NOT_APPLY


def total(tenths: int) -> str:
    """A total as it is read: ``84.3``; ``–`` where there is none (-1)."""
    return "–" if tenths < 0 else f"{tenths // 10}.{tenths % 10}"


def rule_word(rule: str) -> str:
    """Why a call is on a list."""
    words = {
        "random": _("at random"),
        "queue": _("all of this queue"),
        "subject": _("all of this subject"),
        "rating": _("bad rating"),
        "silence": _("long silence"),
        "double": _("graded twice"),
    }
    return words.get(rule, rule)


def appeal_word(appeal: str) -> str:
    """What became of an appeal; empty: there is none."""
    words = {"": "", "open": _("appeal open"), "kept": _("appeal: kept"), "changed": _("appeal: changed")}
    return words.get(appeal, appeal)


def answer_word(point: Point, answer: int) -> str:
    """An answer as the form shows it."""
    if answer == DOES_NOT_APPLY:
        return _("does not apply")
    if point.steps == 1:
        return _("yes") if answer else _("no")
    return f"{answer}/{point.steps}"


def kappa_word(found: Kappa) -> str:
    """Kappa with two decimals, or why there is none."""
    if found.value is not None:
        return f"{float(round(found.value, 2)):.2f}"
    return _("no call in common") if found.undefined == "none" else _("always the same answer")


def strength_word(value: Fraction | None) -> str:
    """How strong an agreement is, in the words of Landis and Koch (Biometrics 33, 1977); empty where there is none."""
    if value is None:
        return ""
    for least, word in (
        (Fraction(81, 100), _("almost perfect")),
        (Fraction(61, 100), _("substantial")),
        (Fraction(41, 100), _("moderate")),
        (Fraction(21, 100), _("fair")),
        (Fraction(0), _("slight")),
    ):
        if value >= least:
            return word
    return _("worse than chance")
