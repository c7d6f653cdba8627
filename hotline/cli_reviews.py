"""``hotline reviews …``: grades, graders' lists, forms, and how far graders agree."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calllog.wording import BAD, DIM, GOOD, WARN, Names
from config.catalogue import _, ngettext
from hotline.cli_calls import find_call
from hotline.cli_options import (
    STORE,
    Command,
    ConfigFolder,
    FormatOption,
    Group,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    tell,
    when,
)
from hotline.show import Column, Format, clock, console, iso, moment, show, show_json

if TYPE_CHECKING:
    from calllog.list_pages import ListedRow
    from calllog.review_pages import ReviewRow
    from config.review_file import Form
    from config.settings import Settings
    from recordings.agreement import Agreement, PointAgreement

reviews_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("Grades of conversations, and graders' lists."))

Since = Annotated[str | None, typer.Option(metavar="WHEN", help=_("Given from this moment on."))]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help=_("Given before this moment."))]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help=_("At most so many, the newest."))]
CallId = Annotated[str, typer.Argument(metavar="CALL_ID", help=_("Its beginning is enough; 'last': the newest."))]


@reviews_app.command("list", cls=Command, help=_("Grades, the newest first."))
@one_line_each()
def list_command(
    since: Since = None,
    until: Until = None,
    grader: Annotated[str | None, typer.Option(help=_("Given by this user."))] = None,
    agent: Annotated[str | None, typer.Option(help=_("Of this staff number."))] = None,
    of: Annotated[str | None, typer.Option("--form", help=_("By this form."))] = None,
    score: Annotated[str | None, typer.Option(metavar="SPAN", help=_("0-59, or 90 for at least that."))] = None,
    result: Annotated[str | None, typer.Option(metavar="RESULT", help="passed, failed, fatal")] = None,
    appeals: Annotated[bool, typer.Option("--appeals", help=_("Only those with an open appeal."))] = False,
    every: Annotated[bool, typer.Option("--all", help=_("Also those that were replaced by another."))] = False,
    limit: Limit = 50,
    after: Annotated[
        str | None, typer.Option(metavar="REVIEW_ID", help=_("Older than this grade: the next page."))
    ] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Those that count; with ``--all`` every one that was ever given."""
    settings, state = house(config)
    from calllog.paging import Page
    from calllog.review_pages import GradeWish, find_grades
    from console.finding import question_of
    from console.grade_lists import RESULTS

    if result is not None and result not in RESULTS:
        raise typer.BadParameter(_("Write one of: {known}.").format(known=", ".join(RESULTS)), param_hint="--result")
    question = question_of({"score": score or ""}, settings, dt.datetime.now(settings.hotline.zone))
    if "score" in question.faults:
        raise typer.BadParameter(question.faults["score"], param_hint="--score")
    span = question.wanted.score
    wish = GradeWish(
        since=micros(when(since, "--since", settings)), until=micros(when(until, "--until", settings)), grader=grader,
        agent=agent, form=of, appeal="open" if appeals else None, standing=not every,
        result=result,  # type: ignore[arg-type]
        least=span.least if span else None, most=span.most if span else None,
    )  # fmt: skip
    rows = answer(find_grades(state / STORE, wish, limit=limit, after=after), Page(())).rows
    show(form, _review_columns(settings), rows, empty=_("No grades."))


def _review_columns(settings: Settings) -> list[Column[ReviewRow]]:
    from recordings.review_words import appeal_word, total

    zone, names = settings.hotline.zone, Names.of(settings)
    prefix, now = f"{settings.hotline.asterisk.systemname}-", dt.datetime.now(zone)

    def how(row: ReviewRow) -> tuple[str, str]:
        if not row.standing:
            return _("replaced"), DIM
        if row.fatal:
            return _("fatal"), BAD
        return (_("passed"), GOOD) if row.passed else (_("not passed"), BAD)

    return [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column("review_id", lambda row: row.review_id),
        Column("given_at", lambda row: iso(row.given_at, zone), _("Given"),
               lambda row: moment(row.given_at, zone, now)),
        Column("grader", lambda row: row.grader, _("Grader")),
        Column("agent", lambda row: row.agent, _("Agent"), lambda row: names.agent(row.agent)),
        Column("form", lambda row: row.form, _("Form")),
        Column("version", lambda row: row.version, _("Version"), wide=True),
        Column("score", lambda row: row.score / 10, _("Score"), lambda row: total(row.score), right=True),
        Column("passed", lambda row: row.passed, _("Result"), how),
        Column("fatal", lambda row: row.fatal),
        Column("standing", lambda row: row.standing),
        Column("appeal", lambda row: row.appeal, _("Appeal"),
               lambda row: (appeal_word(row.appeal), WARN if row.appeal == "open" else ""), wide=True),
        Column("decided_by", lambda row: row.decided_by),
        Column("arrived_at", lambda row: iso(row.arrived_at, zone)),
    ]  # fmt: skip


@reviews_app.command("todo", cls=Command, help=_("What is on the graders' lists."))
@one_line_each()
def todo_command(
    grader: Annotated[str | None, typer.Option(help=_("On this user's list."))] = None,
    week: Annotated[str | None, typer.Option(metavar="WEEK", help=_("Drawn for this week: 2026-W48."))] = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also what is graded already."))] = False,
    limit: Limit = 200,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The calls that are to be graded, and by whom."""
    settings, state = house(config)
    from calllog.list_pages import ListWish, find_listed
    from calllog.paging import Page

    rows: list[ListedRow] = []
    for done in (False, True) if every else (False,):
        wish = ListWish(grader, week.upper() if week else None, done)
        rows += answer(find_listed(state / STORE, wish, limit=limit - len(rows)), Page(())).rows
    show(form, _list_columns(settings), rows, empty=_("The lists are empty."))


def _list_columns(settings: Settings) -> list[Column[ListedRow]]:
    from recordings.review_words import rule_word, total

    zone, names = settings.hotline.zone, Names.of(settings)
    prefix, now = f"{settings.hotline.asterisk.systemname}-", dt.datetime.now(zone)
    return [
        Column("week", lambda row: row.week, _("Week")),
        Column("grader", lambda row: row.grader, _("Grader")),
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column("arrived_at", lambda row: iso(row.arrived_at, zone), _("Time"),
               lambda row: moment(row.arrived_at, zone, now)),
        Column("agent", lambda row: row.agent, _("Agent"), lambda row: names.agent(row.agent)),
        Column("talked_s", lambda row: round(row.talk_us / 1e6, 3), _("Talk"),
               lambda row: clock(row.talk_us / 1e6), right=True),
        Column("queue", lambda row: row.queue, _("Queue"), lambda row: names.queue(row.queue), wide=True),
        Column("rule", lambda row: row.rule, _("Why"), lambda row: rule_word(row.rule)),
        Column("plan", lambda row: row.plan, _("Plan"), wide=True),
        Column("form", lambda row: row.form, _("Form"), wide=True),
        Column("score", lambda row: row.score / 10 if row.score >= 0 else None, _("Score"),
               lambda row: total(row.score), right=True),
        Column("review_id", lambda row: row.review_id),
        Column("drawn_at", lambda row: iso(row.drawn_at, zone)),
    ]  # fmt: skip


@reviews_app.command("draw", cls=Command, help=_("Fill the graders' lists for a week. Can be given again."))
@one_line_each()
def draw_command(
    week: Annotated[
        str | None, typer.Option(metavar="WEEK", help=_("2026-W48; the last one that is over if left out."))
    ] = None,
    plan: Annotated[str | None, typer.Option(help=_("Only this plan."))] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """What is drawn stays drawn; only what is missing is added."""
    settings, state = house(config)
    from console.graders import what_to_do
    from hotline import control, logs, reviewing
    from hotline.ledger import user_name

    logs.configure()
    if not settings.reviews.plans:
        refuse(_("There is no plan: reviews.yaml says what is drawn."))
    sudo = os.environ.get("SUDO_USER", "")
    request = {"week": (week or reviewing.last_week(dt.datetime.now(dt.UTC), settings)).upper(), "plan": plan,
               "by": user_name(os.getuid(), sudo), "sudo": sudo}  # fmt: skip
    try:
        found = control.ask(state, "draw_reviews", **request)
    except control.NotRunning:
        if not (state / STORE).exists():
            refuse(_("No calls yet."))
        found = asyncio.run(reviewing.draw_alone(state / STORE, settings, request, reviewing.users(state)))
    gone = reviewing.absent_of(found)
    _show_drew(found["drew"], form, _("Nothing was drawn.") if gone else _("Nothing is missing on the lists."))
    for line in reviewing.said_absent(found):
        tell(_("Nothing is drawn for them: {who}.").format(who=line))
    if gone:
        tell(what_to_do(gone))


def _show_drew(drew: list[dict[str, Any]], form: Format, empty: str) -> None:
    if form is Format.JSON:
        show_json(drew)
        return
    from recordings.review_words import rule_word

    rows = [{"plan": one["plan"], "week": one["week"], **call} for one in drew for call in one["calls"]]
    columns: list[Column[dict[str, Any]]] = [
        Column("week", lambda row: row["week"], _("Week")),
        Column("plan", lambda row: row["plan"], _("Plan")),
        Column("grader", lambda row: row["grader"], _("Grader")),
        Column("call_id", lambda row: row["call_id"], _("Call")),
        Column("agent", lambda row: row["agent"], _("Agent")),
        Column("rule", lambda row: row["rule"], _("Why"), lambda row: rule_word(row["rule"])),
    ]
    show(form, columns, rows, empty=empty)
    for one in drew:
        if n := len(one["nobody"]):
            text = ngettext(
                "{plan}: {n} call has nobody who may grade it.", "{plan}: {n} calls have nobody who may grade them.", n
            )
            tell(text.format(plan=one["plan"], n=n))


@reviews_app.command("kappa", cls=Command, help=_("How far graders agree: Cohen's kappa, by point."))
@one_line_each()
def kappa_command(
    of: Annotated[str | None, typer.Option("--form", help=_("By this form; every form if left out."))] = None,
    since: Since = None,
    until: Until = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Over the calls that two graders both graded by the same version of a form."""
    settings, state = house(config)
    from calllog import review_queries
    from recordings.review_figures import agreements

    known = {one.form for one in answer(review_queries.forms(state / STORE), [])}
    every = sorted(known | settings.reviews.forms.keys())
    if of is not None and of not in every:
        said = _("There is no form {form}; there are: {forms}.")
        refuse(said.format(form=of, forms=_(", ").join(every) or "–"))
    since_at, until_at = micros(when(since, "--since", settings)), micros(when(until, "--until", settings))
    lines = [
        _Line(name, content, pair, point)
        for name in sorted(known if of is None else {of})
        for content, pair in answer(agreements(state / STORE, name, since=since_at, until=until_at), [])
        for point in _with_verdict(pair)
    ]
    show(form, _kappa_columns(), lines, empty=_("No call was graded by two."))


class _Line:
    """One point of one pair of graders."""

    def __init__(self, name: str, form: Form, pair: Agreement, point: PointAgreement) -> None:
        self.name, self.form, self.pair, self.point = name, form, pair, point

    @property
    def ask(self) -> str:
        """What the point asks."""
        points = self.form.points
        if self.point.point in points:
            return points[self.point.point].ask
        return self.form.fatal.get(self.point.point) or _("the verdict")


def _with_verdict(pair: Agreement) -> list[PointAgreement]:
    from recordings.agreement import PointAgreement

    return [PointAgreement("", pair.verdict), *pair.points]


def _kappa_columns() -> list[Column[_Line]]:
    from recordings.forms import version
    from recordings.review_words import kappa_word, strength_word

    def plain(value: Any) -> float | None:
        return None if value is None else round(float(value), 4)

    def weighted(line: _Line) -> str:
        return kappa_word(line.point.weighted) if line.point.weighted else ""

    return [
        Column("form", lambda line: line.name, _("Form")),
        Column("version", lambda line: version(line.form), _("Version"), wide=True),
        Column("graders", lambda line: [line.pair.first, line.pair.second], _("Graders"),
               lambda line: f"{line.pair.first} / {line.pair.second}"),
        Column("point", lambda line: line.point.point),
        Column("ask", lambda line: line.ask, _("Point"), shrinks=True),
        Column("n", lambda line: line.point.plain.n, _("Calls"), right=True),
        Column("observed", lambda line: plain(line.point.plain.observed), _("Agree"),
               lambda line: "" if line.point.plain.observed is None else f"{float(line.point.plain.observed):.0%}",
               right=True),
        Column("chance", lambda line: plain(line.point.plain.chance)),
        Column("kappa", lambda line: plain(line.point.plain.value), "κ", lambda line: kappa_word(line.point.plain)),
        Column("undefined", lambda line: line.point.plain.undefined),
        Column("strength", lambda line: strength_word(line.point.plain.value), _("Which is")),
        Column("weighted_kappa", lambda line: plain(line.point.weighted.value) if line.point.weighted else None,
               _("weighted κ"), weighted, wide=True),
    ]  # fmt: skip


@reviews_app.command("forms", cls=Command, help=_("The forms in force, and every version that was ever used."))
@one_line_each()
def forms_command(form: FormatOption = Format.TABLE, config: ConfigFolder = Path("config")) -> None:
    """A version is its content; a grade keeps the version it was given by."""
    settings, state = house(config)
    from calllog import review_queries
    from recordings.forms import form_of, version

    zone = settings.hotline.zone
    in_force = {(name, version(one)): one for name, one in settings.reviews.forms.items()}
    used = {(one.form, one.version): one for one in answer(review_queries.forms(state / STORE), [])}
    rows = [
        (name, this, in_force.get((name, this)) or form_of(used[name, this].text), used.get((name, this)))
        for name, this in [*in_force, *(key for key in used if key not in in_force)]
    ]
    columns: list[Column[Any]] = [
        Column("form", lambda row: row[0], _("Form")),
        Column("version", lambda row: row[1], _("Version")),
        Column("title", lambda row: row[2].title, _("Title"), shrinks=True),
        Column("in_force", lambda row: (row[0], row[1]) in in_force, _("In force"),
               lambda row: "●" if (row[0], row[1]) in in_force else ""),
        Column("points", lambda row: len(row[2].points), _("Points"), right=True),
        Column("fatal", lambda row: len(row[2].fatal), _("Fatal"), right=True),
        Column("pass_mark", lambda row: row[2].pass_mark, _("Passed from"), right=True),
        Column("first_used", lambda row: iso(row[3].published_at, zone) if row[3] else None, _("First used"),
               lambda row: moment(row[3].published_at, zone) if row[3] else ""),
    ]  # fmt: skip
    show(form, columns, rows, empty=_("There is no form: reviews.yaml has them."))


@reviews_app.command("show", cls=Command, help=_("Everything that was graded and said of one call."))
@one_line_each()
def show_command(call_id: CallId, form: FormatOption = Format.TABLE, config: ConfigFolder = Path("config")) -> None:
    """Grades with each answer and remark, appeals, comments."""
    settings, state = house(config)
    if form is Format.CSV:
        raise typer.BadParameter(_("A call's grades are a text, or JSON."), param_hint="--format")
    from hotline.review_page import as_json, lines, read
    from hotline.show import show_lines

    page = answer(read(state / STORE, find_call(call_id, settings, state / STORE)), None)
    if page is None or not (page.state.reviews or page.state.comments or page.state.exemplary):
        console().print(_("Nothing was graded or said of this call."))
    elif form is Format.JSON:
        show_json(as_json(page, settings))
    else:
        show_lines(lines(page, settings))


@reviews_app.command("exemplary", cls=Command, help=_("Calls that others can learn from."))
@one_line_each()
def exemplary_command(
    limit: Limit = 50, form: FormatOption = Format.TABLE, config: ConfigFolder = Path("config")
) -> None:
    """The newest first."""
    settings, state = house(config)
    from calllog import review_queries
    from calllog.paging import Page
    from recordings.review_words import total

    zone, names = settings.hotline.zone, Names.of(settings)
    prefix, now = f"{settings.hotline.asterisk.systemname}-", dt.datetime.now(zone)
    rows = answer(review_queries.examples(state / STORE, limit=limit), Page(())).rows
    columns: list[Column[Any]] = [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column("arrived_at", lambda row: iso(row.arrived_at, zone), _("Time"),
               lambda row: moment(row.arrived_at, zone, now)),
        Column("agents", lambda row: list(row.agents), _("Agent"), lambda row: " ".join(map(names.agent, row.agents))),
        Column("talked_s", lambda row: round(row.talk_us / 1e6, 3), _("Talk"),
               lambda row: clock(row.talk_us / 1e6), right=True),
        Column("label", lambda row: row.label, _("About")),
        Column("score", lambda row: row.score / 10 if row.score >= 0 else None, _("Score"),
               lambda row: total(row.score), right=True),
        Column("why", lambda row: row.why, _("What others can learn"), shrinks=True),
        Column("by", lambda row: row.by, _("By"), wide=True),
        Column("marked_at", lambda row: iso(row.marked_at, zone)),
    ]  # fmt: skip
    show(form, columns, rows, empty=_("No call is marked as exemplary."))
