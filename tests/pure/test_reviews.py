"""Forms and totals, kappa, sampling, and who may grade what: the decisions, without a store."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, strategies as st

from calllog.events import Recorded, ReviewGiven
from calllog.review_folds import ReviewState
from config.review_file import Form, Group, Plan, Point
from recordings import reviews
from recordings.agreement import Grade, Kappa, agreement, couples, kappa, weighted_kappa
from recordings.forms import DOES_NOT_APPLY, WrongAnswers, content, form_of, half_up, score, version
from recordings.reviews import CallFacts, Filled, Refused, Who
from recordings.sampling import Candidate, Graders, draw, lot, span_of, week_of
from tests.pure.journal_play import UNHURRIED

SHANGHAI = ZoneInfo("Asia/Shanghai")
FORM = Form(
    title="服务", pass_mark=80,
    groups={
        "manner": Group(title="态度", weight=40, points={
            "greet": Point(ask="问候", weight=10), "listen": Point(ask="倾听", weight=30, steps=5)}),
        "matter": Group(title="业务", weight=60, points={
            "right": Point(ask="准确", weight=45, steps=3), "hold": Point(ask="请等", weight=15, optional=True)}),
    },
    fatal={"abuse": "辱骂", "leak": "泄密"},
)  # fmt: skip
ALL = {"greet": 1, "listen": 5, "right": 3, "hold": 1}


# --- totals -----------------------------------------------------------------------------------------------------------


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Forms that add up: 100 is cut into points, the points into groups."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=7)))
    weights = [after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)]
    points = {
        f"p{n}": Point(ask=f"问{n}", weight=weight, steps=draw(st.integers(1, 10)), optional=draw(st.booleans()))
        for n, weight in enumerate(weights)
    }
    middle = draw(st.integers(1, len(points)))
    split = [dict(list(points.items())[:middle]), dict(list(points.items())[middle:])]
    groups = {f"g{n}": Group(title="组", weight=sum(each.weight for each in some.values()), points=some)
              for n, some in enumerate(split) if some}  # fmt: skip
    return Form(title="表", groups=groups, fatal={"worst": "最差"})


@st.composite
def answered(draw: st.DrawFn) -> tuple[Form, dict[str, int]]:
    form = draw(forms())
    answers = {
        name: draw(st.sampled_from([*range(point.steps + 1), *([DOES_NOT_APPLY] if point.optional else [])]))
        for name, point in form.points.items()
    }
    assume(any(answer != DOES_NOT_APPLY for answer in answers.values()))
    return form, answers


@UNHURRIED
@given(answered())
def test_a_total_is_the_exact_share_rounded_half_up_to_a_tenth(case: tuple[Form, dict[str, int]]) -> None:
    form, answers = case
    found = score(form, answers, ())
    counted = {name: point for name, point in form.points.items() if answers[name] >= 0}
    exact = 1000 * sum(Fraction(point.weight * answers[name], point.steps) for name, point in counted.items())
    exact /= sum(point.weight for point in counted.values())
    assert 0 <= found.total <= 1000
    assert -Fraction(1, 2) < found.total - exact <= Fraction(1, 2)
    assert found.passed == (found.total >= 10 * form.pass_mark)
    for name, point in counted.items():
        if answers[name] < point.steps:
            assert score(form, answers | {name: answers[name] + 1}, ()).total >= found.total
    worst = score(form, answers, ["worst"])
    assert (worst.total, worst.fatal, worst.passed) == (0, ("worst",), False)
    best = {name: point.steps if answers[name] >= 0 else DOES_NOT_APPLY for name, point in form.points.items()}
    assert score(form, best, ()).total == 1000


def test_a_total_of_the_example_by_hand() -> None:
    assert score(FORM, ALL, ()).total == 1000
    assert score(FORM, ALL | {"listen": 4, "hold": 0}, ()).total == 790
    # 10 + 30·3/5 + 45·2/3 = 58 of 85 = 68.235…
    assert score(FORM, ALL | {"listen": 3, "right": 2, "hold": DOES_NOT_APPLY}, ()).total == 682
    assert (half_up(Fraction(5, 2)), half_up(Fraction(7, 2)), half_up(Fraction(12, 5))) == (3, 4, 2)


def test_every_wrong_answer_is_told_at_once() -> None:
    with pytest.raises(WrongAnswers) as told:
        score(FORM, {"greet": 2, "listen": -1, "right": 0, "tea": 1}, ["spite"])
    assert set(told.value.reasons) == {"greet", "listen", "hold", "tea", "spite"}
    only = Form(title="表", groups={"g": Group(title="组", weight=100, points={
        "a": Point(ask="问", weight=100, optional=True)})})  # fmt: skip
    with pytest.raises(WrongAnswers):
        score(only, {"a": DOES_NOT_APPLY}, ())


@UNHURRIED
@given(forms())
def test_a_form_is_its_content(form: Form) -> None:
    assert form_of(content(form)) == form
    assert version(form_of(content(form))) == version(form)
    assert version(form) != version(form.model_copy(update={"title": "另一表"}))
    order = Form(title=form.title, groups=dict(reversed(form.groups.items())), fatal=form.fatal)
    assert (version(order) == version(form)) == (len(form.groups) == 1)


# --- agreement --------------------------------------------------------------------------------------------------------


def test_kappa_of_the_textbook() -> None:
    # 20 both yes, 15 both no, 5 and 10 apart: p_o = 0.7, p_e = 0.5, κ = 0.4
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    found = kappa(pairs)
    assert (found.observed, found.chance, found.value) == (Fraction(7, 10), Fraction(1, 2), Fraction(2, 5))
    assert weighted_kappa(pairs).value == found.value, "with two answers the weights are the same"


def test_kappa_is_not_defined_without_calls_or_with_one_answer() -> None:
    assert kappa([]) == Kappa(0, None, None, None, "none") == weighted_kappa([])
    assert (kappa([(1, 1)] * 9).value, kappa([(1, 1)] * 9).undefined) == (None, "one_answer")
    assert (weighted_kappa([(3, 3)] * 9).value, weighted_kappa([(3, 3)] * 9).undefined) == (None, "one_answer")
    assert kappa([(1, 0)] * 9).value == 0, "each always the same, but not the same as the other"


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_kappa_is_symmetric_bounded_and_blind_to_order_and_names(pairs: list[tuple[int, int]]) -> None:
    for measure in (kappa, weighted_kappa):
        found = measure(pairs)
        turned = measure([(other, one) for one, other in pairs])
        assert found.value == turned.value == measure(pairs[::-1]).value
        if found.value is not None:
            assert -1 <= found.value <= 1
            assert (found.value == 1) == all(one == other for one, other in pairs)
    assert kappa(pairs).value == kappa([(f"a{one}", f"a{other}") for one, other in pairs]).value


def test_agreement_is_by_point_and_by_verdict_over_the_calls_in_common() -> None:
    def grade(call: str, grader: str, **answers: int) -> Grade:
        found = score(FORM, ALL | answers, ())
        return Grade(call, grader, ALL | answers, (), found.total, found.passed)

    grades = [grade("1", "a"), grade("1", "b", listen=0), grade("2", "a"), grade("2", "b"), grade("3", "b"),
              grade("3", "c"), grade("4", "a", greet=0)]  # fmt: skip
    assert couples(grades) == [("a", "b"), ("b", "c")]
    found = agreement(FORM, grades, "a", "b")
    assert (found.n, found.apart) == (2, Fraction(300, 2))
    assert [each.point for each in found.points] == ["greet", "listen", "right", "hold", "abuse", "leak"]
    assert found.points[1].plain.observed == Fraction(1, 2) and found.points[1].weighted is not None
    assert found.points[0].weighted is None and found.verdict.observed == Fraction(1, 2)


# --- sampling ---------------------------------------------------------------------------------------------------------

PLAN = Plan(form="service", graders=("ann", "ben"), per_agent=2, all_of_queues=("complaint",), silence=30, double=50)


@st.composite
def weeks(draw: st.DrawFn) -> list[Candidate]:
    agents = st.lists(st.sampled_from(["8001", "8002", "8003"]), min_size=1, max_size=2, unique=True).map(tuple)
    build = st.builds(Candidate, st.just(""), agents, st.sampled_from([5.0, 60.0]), st.sampled_from(["", "complaint"]),
                      st.just(""), st.sampled_from([0.0, 31.0]))  # fmt: skip
    calls = draw(st.lists(build, max_size=15))
    return [Candidate(f"c{n}", one.agents, one.seconds, one.queue, "", one.silence) for n, one in enumerate(calls)]


@UNHURRIED
@given(weeks(), st.randoms(), st.sampled_from([{}, {"ann": "8001"}, {"ann": "8001", "ben": "8001"}]), st.integers(0, 9))
def test_a_draw_is_repeatable_doubles_nothing_and_gives_nobody_their_own(
    calls: list[Candidate], chance: object, bound: dict[str, str], early: int
) -> None:
    graders = Graders(PLAN.graders, bound)
    found = draw(PLAN, "2026-W48", calls, (), graders)
    shuffled = calls[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draw(PLAN, "2026-W48", shuffled, (), graders) == found
    assert draw(PLAN, "2026-W48", calls, found.picks, graders).picks == ()
    first = draw(PLAN, "2026-W48", calls[:early], (), graders)
    both = [*first.picks, *draw(PLAN, "2026-W48", calls, first.picks, graders).picks]
    by_id = {call.call_id: call for call in calls}
    for picks in (found.picks, both):
        on_lists = [(pick.grader, pick.call_id) for pick in picks]
        assert len(on_lists) == len(set(on_lists))
        assert all(bound.get(pick.grader) not in by_id[pick.call_id].agents for pick in picks)
        wanted = {call.call_id for call in calls if call.queue or call.silence}
        got = {pick.call_id for pick in picks}
        nobody = {call.call_id for call in calls if not any(graders.may(name, call.agents) for name in PLAN.graders)}
        assert wanted - got <= nobody
        for agent in ("8001", "8002", "8003"):
            at_random = [pick for pick in picks if pick.agent == agent and pick.rule == "random"]
            own = [call for call in calls if agent in call.agents and call.seconds >= 15 and call.call_id not in nobody]
            assert len(at_random) <= PLAN.per_agent
            if len(at_random) < PLAN.per_agent:
                assert {call.call_id for call in own} <= got
        assert all(by_id[pick.call_id].seconds >= 15 for pick in picks if pick.rule == "random")
    assert set(found.nobody) <= {call.call_id for call in calls if all(bound.values())}


def test_another_agents_calls_change_nothing_and_the_lots_are_sha256() -> None:
    calls = [Candidate(f"c{n}", ("8001",), 60.0) for n in range(50)]
    more = [*calls, *(Candidate(f"d{n}", ("8002",), 60.0) for n in range(50))]
    mine = {pick.call_id for pick in draw(PLAN, "2026-W48", calls, (), Graders(("ann",))).picks}
    assert mine == {pick.call_id for pick in draw(PLAN, "2026-W48", more, (), Graders(("ann",))).picks
                    if pick.agent == "8001"}  # fmt: skip
    other = PLAN.model_copy(update={"seed": "2"})
    assert mine != {pick.call_id for pick in draw(other, "2026-W48", calls, (), Graders(("ann",))).picks}
    # printf '1\n2026-W48\n8001\nc0' | sha256sum
    assert f"{lot('1', '2026-W48', '8001', 'c0'):064x}".startswith("8e1d1ca4ee32")


def test_lists_are_even_and_the_double_share_goes_onto_two() -> None:
    calls = [Candidate(f"c{n}", (f"8{n % 200:03}",), 60.0) for n in range(400)]
    picks = draw(PLAN, "2026-W48", calls, (), Graders(("ann", "ben"))).picks
    twice = [pick for pick in picks if pick.rule == "double"]
    assert 150 < len(twice) < 250
    each = [sum(pick.grader == name for pick in picks) for name in ("ann", "ben")]
    assert abs(each[0] - each[1]) <= 1


def test_weeks_are_iso_weeks_of_local_time() -> None:
    assert week_of(dt.datetime(2026, 11, 22, 15, 59, tzinfo=dt.UTC), SHANGHAI) == "2026-W47"
    assert week_of(dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC), SHANGHAI) == "2026-W48"
    begins, ends = span_of("2026-w48", SHANGHAI)
    assert (begins.isoformat(), ends - begins) == ("2026-11-23T00:00:00+08:00", dt.timedelta(days=7))
    for wrong in ("48", "2026-W60", "2026-48", "", "2026-Wx"):
        with pytest.raises(ValueError):
            span_of(wrong, SHANGHAI)


# --- who may ----------------------------------------------------------------------------------------------------------

CALL = CallFacts("c1", ("8001", "8002"), True, 60.0)
ANN, BEN, MIN = Who("ann"), Who("ben", "8009"), Who("zhang.min", "8001")
FULL = Filled(ALL)


def state(*events: object) -> ReviewState:
    return ReviewState.of("c1", [Recorded(n, n + 1, "review", "c1", event) for n, event in enumerate(events)])  # type: ignore[arg-type]


def graded(who: Who = ANN, *, agent: str = "8001") -> ReviewGiven:
    return reviews.give(who, CALL, state(), "service", FORM, Filled(ALL, agent=agent))


def test_one_grade_per_grader_form_version_and_call() -> None:
    first = graded()
    with pytest.raises(Refused):
        reviews.give(ANN, CALL, state(first), "service", FORM, FULL)
    changed = FORM.model_copy(update={"title": "新表"})
    for again in (reviews.give(ANN, CALL, state(first), "service", changed, FULL),
                  reviews.give(BEN, CALL, state(first), "service", FORM, FULL),
                  reviews.give(ANN, CALL, state(first), "other", FORM, FULL)):  # fmt: skip
        assert len(state(first, again).standing) == 2


def test_nobody_grades_own_calls_nor_what_was_not_recorded_or_not_talked() -> None:
    for who, call in ((MIN, CALL), (ANN, CallFacts("c1", ("8001",), False)), (ANN, CallFacts("c1", (), True))):
        with pytest.raises(Refused):
            reviews.give(who, call, state(), "service", FORM, FULL)
    with pytest.raises(Refused):
        reviews.give(ANN, CALL, state(), "service", FORM, Filled(ALL, agent="8003"))
    assert reviews.give(ANN, CALL, state(), "service", FORM, FULL).agent == "8001"


def test_a_correction_is_a_new_grade_and_only_its_graders() -> None:
    first = graded()
    second = reviews.correct(ANN, CALL, state(first), first.review_id, FORM, Filled(ALL | {"right": 0}))
    now = state(first, second)
    assert (second.corrects, [each.given for each in now.standing], now.score) == (first.review_id, [second], 550)
    assert now.reviews[0].given == first, "the first grade is as it was"
    for who, about, review_id in ((BEN, state(first), first.review_id), (ANN, now, first.review_id),
                                  (ANN, now, "nothing")):  # fmt: skip
        with pytest.raises(Refused):
            reviews.correct(who, CALL, about, review_id, FORM, FULL)
    with pytest.raises(Refused):
        reviews.give(ANN, CALL, now, "service", FORM, FULL)


def test_an_appeal_is_the_graded_agents_and_another_decides_it() -> None:
    first = graded()
    asked = reviews.appeal(MIN, state(first), first.review_id, "没有打断")
    now = state(first, asked)
    for who in (ANN, BEN, Who("li", "8002")):
        with pytest.raises(Refused):
            reviews.appeal(who, state(first), first.review_id, "why")
    refused = [
        lambda: reviews.appeal(MIN, now, first.review_id, "again"),
        lambda: reviews.appeal(MIN, state(first), first.review_id, " "),
        lambda: reviews.correct(ANN, CALL, now, first.review_id, FORM, FULL),
        lambda: reviews.keep(ANN, CALL, now, first.review_id, "no"),
        lambda: reviews.keep(MIN, CALL, now, first.review_id, "no"),
        lambda: reviews.keep(Who("li", "8002"), CALL, now, first.review_id, "no"),
        lambda: reviews.keep(BEN, CALL, state(first), first.review_id, "no"),
        lambda: reviews.keep(BEN, CALL, now, first.review_id, ""),
    ]
    for attempt in refused:
        with pytest.raises(Refused):
            attempt()
    for call in (CALL, replace(CALL, recorded=False)):  # its time may be over meanwhile
        kept = state(first, asked, reviews.keep(BEN, call, now, first.review_id, "听了两遍"))
    assert (kept.reviews[0].appeal, kept.reviews[0].decided_by, kept.reviews[0].standing) == ("kept", "ben", True)
    with pytest.raises(Refused):
        reviews.appeal(MIN, kept, first.review_id, "again")
    theirs = reviews.change(BEN, CALL, now, first.review_id, FORM, Filled(ALL | {"right": 1}))
    changed = state(first, asked, theirs)
    assert (changed.reviews[0].appeal, changed.reviews[0].decided_by, changed.score) == ("changed", "ben", 700)
    for attempt in (lambda: reviews.appeal(MIN, changed, theirs.review_id, "again"),
                    lambda: reviews.correct(BEN, CALL, changed, theirs.review_id, FORM, FULL)):  # fmt: skip
        with pytest.raises(Refused):
            attempt()


def test_comments_lie_within_the_recording_and_are_their_authors() -> None:
    said = reviews.comment(ANN, CALL, 4000, "这里打断", 60_000)
    for at, text in ((-1, "x"), (60_001, "x"), (5, "  ")):
        with pytest.raises(Refused):
            reviews.comment(ANN, CALL, at, text, 60_000)
    with pytest.raises(Refused):
        reviews.uncomment(BEN, state(said), said.comment_id)
    gone = state(said, reviews.uncomment(ANN, state(said), said.comment_id))
    assert gone.comments[0].removed
    with pytest.raises(Refused):
        reviews.uncomment(ANN, gone, said.comment_id)


def test_a_score_is_the_mean_of_the_grades_that_count() -> None:
    one, two = graded(), reviews.give(BEN, CALL, state(), "service", FORM, Filled(ALL | {"hold": 0, "listen": 4}))
    assert (state().score, state(one).score, state(one, two).score) == (-1, 1000, 895)
    assert state(one, reviews.mark(BEN, CALL, state(), True, "说得清楚")).exemplary
