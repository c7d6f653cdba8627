"""Do the forms of reviews.yaml add up, and do its plans name what there is?"""

from __future__ import annotations

from collections.abc import Iterator

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path
from config.review_file import FULL, Form, Plan, ReviewFile
from config.settings import QueueFile

FILE = "reviews.yaml"

_Path = tuple[str | int, ...]


def check_reviews(reviews: ReviewFile, queues: QueueFile | None) -> Iterator[Problem]:
    """Every problem of the file; ``queues`` None: that file could not be read. The problems have no line."""
    for name, form in reviews.forms.items():
        yield from _form(("forms", name), form)
    for name, plan in reviews.plans.items():
        yield from _plan(("plans", name), plan, reviews, queues)


def _problem(code: str, path: _Path, what: str, fix: str, *, warning: bool = False) -> Problem:
    return Problem(code, Place(FILE, 0, key_path(path)), what, fix, warning)


def _form(path: _Path, form: Form) -> Iterator[Problem]:
    total = sum(group.weight for group in form.groups.values())
    if total != FULL:
        what = _("The groups' weights add up to {total}, not to {full}.").format(total=total, full=FULL)
        yield _problem("weights-do-not-add-up", (*path, "groups"), what, _("Change the groups' weights."))
    seen: dict[str, str] = {}
    for name, group in form.groups.items():
        here = (*path, "groups", name)
        inside = sum(point.weight for point in group.points.values())
        if inside != group.weight:
            what = _("The points of this group add up to {total}, but its weight is {weight}.")
            yield _problem(
                "weights-do-not-add-up", (*here, "weight"), what.format(total=inside, weight=group.weight),
                _("Change the points' weights, or the group's."),
            )  # fmt: skip
        for point in group.points:
            if point in seen:
                what = _("The point {point} stands in the group {group} already.")
                yield _problem(
                    "point-doubled", (*here, "points", point), what.format(point=point, group=seen[point]),
                    _("Give each point of a form its own name."),
                )  # fmt: skip
            seen.setdefault(point, name)
    if all(point.optional for point in form.points.values()):
        what = _("Every point of this form may be left out, so a call could be graded by nothing.")
        yield _problem("all-optional", (*path, "groups"), what, _("Make at least one point not optional."))
    for fatal in form.fatal:
        if fatal in seen:
            what = _("The fatal point {point} has the name of a point in the group {group}.")
            yield _problem(
                "point-doubled", (*path, "fatal", fatal), what.format(point=fatal, group=seen[fatal]),
                _("Give each point of a form its own name."),
            )  # fmt: skip


def _plan(path: _Path, plan: Plan, reviews: ReviewFile, queues: QueueFile | None) -> Iterator[Problem]:
    if plan.form not in reviews.forms:
        what = _("There is no form {form}.").format(form=plan.form)
        yield _problem("unknown-form", (*path, "form"), what, did_you_mean(plan.form, reviews.forms))
    for index, grader in enumerate(plan.graders):
        if grader in plan.graders[:index]:
            what = _("{name} stands here twice.").format(name=grader)
            yield _problem("grader-doubled", (*path, "graders", index), what, _("Name each grader once."))
    if plan.double and len(set(plan.graders)) < 2:
        what = _("Grading twice needs two graders.")
        yield _problem("too-few-graders", (*path, "double"), what, _("Name another grader, or take this line out."))
    if not (plan.per_agent or plan.all_of_queues or plan.all_of_subjects or plan.bad_ratings
            or plan.silence is not None):
        what = _("This plan chooses nothing.")
        fix = _("Set per_agent, all_of_queues, all_of_subjects, bad_ratings or silence.")
        yield _problem("empty-plan", path, what, fix, warning=True)
    for index, queue in enumerate(plan.all_of_queues):
        if queues is not None and queue not in queues.queues:
            what = _("There is no queue {queue}.").format(queue=queue)
            yield _problem(
                "unknown-queue", (*path, "all_of_queues", index), what, did_you_mean(queue, queues.queues)
            )  # fmt: skip
