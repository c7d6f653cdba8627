"""Are the graders of the plans people who can grade? Their users stand in the console's file, which no check of the
settings reads: so it is asked here, by ``hotline check``, at each draw, in the status and the quality room. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from config.catalogue import _
from config.review_file import ReviewFile
from console.accounts import User, plain_name
from console.permits import TABLE, Verb

Why = Literal["unknown", "disabled", "no_role"]

MENDED = 3
"""Commands that are named."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A grader of a plan who cannot grade: no user, one who cannot sign in, or one without the role, whose ``roles``
    stay."""

    plan: str
    grader: str
    why: Why
    roles: Sequence[str] = ()


def absent(file: ReviewFile, users: Iterable[User]) -> list[Absent]:
    """Every grader of a plan onto whose list nothing may be drawn, plan by plan."""
    known = {user.name: user for user in users}
    return [
        Absent(name, grader, why, sorted(user.roles) if user and why == "no_role" else ())
        for name, plan in file.plans.items() for grader in dict.fromkeys(plan.graders)
        if (why := _why(user := known.get(plain_name(grader))))
    ]  # fmt: skip


def _why(user: User | None) -> Why | Literal[""]:
    if user is None:
        return "unknown"
    if user.disabled_at:
        return "disabled"
    return "" if user.roles & TABLE[Verb.REVIEW_GRADE] else "no_role"


def begun(users: Iterable[User]) -> bool:
    """Whether anybody is, or was, of the quality staff. Before that nobody is alarmed for graders who are not there:
    the plan of the example names some whom nobody has made yet."""
    return any(user.roles & TABLE[Verb.REVIEW_GRADE] for user in users)


def with_those_there(file: ReviewFile, users: Sequence[User]) -> ReviewFile:
    """The file with those plans alone that have graders who can grade, and these graders, as they sign in."""
    gone = {(one.plan, one.grader) for one in absent(file, users)}
    left = {
        name: tuple(plain_name(one) for one in plan.graders if (name, one) not in gone)
        for name, plan in file.plans.items()
    }
    plans = {name: plan.model_copy(update={"graders": left[name]}) for name, plan in file.plans.items() if left[name]}
    return file.model_copy(update={"plans": plans})


def bound(users: Iterable[User]) -> dict[str, str]:
    """The staff number of each who answers calls too, by name."""
    return {user.name: user.agent for user in users if user.agent and not user.disabled_at}


def absent_word(one: Absent) -> str:
    """What is wrong, in a sentence without its end."""
    words = {
        "unknown": _("{grader} of plan {plan} is no user of the console"),
        "disabled": _("{grader} of plan {plan} can no longer sign in"),
        "no_role": _("{grader} of plan {plan} is not of the quality staff"),
    }
    return words[one.why].format(grader=one.grader, plan=one.plan)


def what_to_do(gone: Iterable[Absent]) -> str:
    """How that is mended, as one can type it: of the first three."""
    doing = list(dict.fromkeys(_mended(one) for one in gone))
    said = _(", ").join(f"'{one}'" for one in doing[:MENDED]) + (" …" if len(doing) > MENDED else "")
    return _("Give {commands}, or name another grader in reviews.yaml.").format(commands=said)


def _mended(one: Absent) -> str:
    name = shlex.quote(plain_name(one.grader))
    if one.why == "disabled":
        return f"hotline users enable {name}"
    if one.why == "unknown":
        return f"hotline users add {name} --role quality"
    roles = "".join(f" --role {role}" for role in (*one.roles, "quality"))
    return f"hotline users change {name}{roles}"
