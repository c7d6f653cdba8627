"""The survey after a talk: what each key means, who is asked at all, what a bad rating is. Pure."""

from __future__ import annotations

from itertools import product

from hypothesis import given, strategies as st

from calllog import events as ev
from calllog.folds import CallState
from config.settings import Settings
from config.survey import Survey
from ivr.prompts import SURVEY_PROMPTS, required, text_problems
from routing.survey import is_asked, meaning_of
from tests.pure.journal_play import UNHURRIED, call_events
from tests.pure.prompts_play import EXAMPLE

C = "hotline-1.1"
ALL = Survey(enabled=True)
RULES = st.builds(
    Survey, enabled=st.booleans(), queues=st.sampled_from([None, ("advice",), ("other",), ("other", "advice")]),
    bad_from=st.integers(2, 5),
)  # fmt: skip


def test_every_key_has_one_meaning() -> None:
    assert {key: meaning_of(key) for key in ("", *"0123456789*#ABCD", "12", "一", "¹")} == {
        "": "silence", "0": "person", **dict.fromkeys("12345", "rating"),
        **dict.fromkeys([*"6789*#ABCD", "12", "一", "¹"], "wrong"),
    }  # fmt: skip


def test_who_is_asked_was_served_to_the_agents_end_and_has_not_been_asked() -> None:
    queues: tuple[tuple[str, ...] | None, ...] = (None, ("advice",), ("other",))
    sides: tuple[ev.Side, ...] = ("caller", "agent", "hotline")
    asked = set()
    for enabled, some, by, lost, begun, invited in product(
        (True, False), queues, sides, (True, False), (True, False), (True, False)
    ):
        state = CallState(C)
        events: list[ev.CallEvent] = [
            ev.Arrived(leg=C),
            ev.Enqueued(queue="advice"),
            ev.RingStarted(talk_id="t", agent="8001", device="d", leg="l"),
            *([ev.TalkStarted(talk_id="t", agent="8001", bridge="b")] if begun else []),
            ev.TalkEnded(talk_id="t", agent="8001", by=by, lost=lost),
            *([ev.SurveyInvited(talk_id="t")] if invited else []),
        ]
        for at, event in enumerate(events, 1):
            state.apply(at, event)
            assert isinstance(event, ev.TalkEnded | ev.SurveyInvited) or not is_asked(ALL, state)
        if is_asked(Survey(enabled=enabled, queues=some), state):
            asked.add((enabled, some, by, lost, begun, invited))
    assert asked == {(True, some, "agent", False, True, False) for some in (None, ("advice",))}


@UNHURRIED
@given(call_events(C))
def test_a_call_is_found_by_the_rating_that_stands_in_its_last_rated_talk(events: list[ev.CallEvent]) -> None:
    state = CallState(C)
    given_: list[int] = []
    for at, event in enumerate(events, 1):
        state.apply(at, event)
        given_ += [event.rating] if isinstance(event, ev.Rated) else []
        assert state.rating == (given_ or [0])[-1]


@given(RULES)
def test_whatever_is_worse_than_a_bad_rating_is_bad_and_none_is_not(rules: Survey) -> None:
    bad = [rating for rating in range(6) if rules.is_bad(rating)]
    assert bad == list(range(rules.bad_from, 6)) and 5 in bad and not {0, 1} & {*bad}


def without_survey(settings: Settings, *, enabled: bool, leave: tuple[str, ...] = ()) -> Settings:
    """The settings whose Mandarin has no words for the survey, but these."""
    prompts = settings.prompts["zh"]
    texts = {name: text for name, text in prompts.prompts.items() if name in leave or not name.startswith("survey_")}
    hotline = settings.hotline.model_copy(update={"survey": Survey(enabled=enabled)})
    changed = {**settings.prompts, "zh": prompts.model_copy(update={"prompts": texts})}
    return settings.model_copy(update={"prompts": changed, "hotline": hotline})


def test_a_company_without_a_survey_needs_no_words_for_it() -> None:
    off = without_survey(EXAMPLE, enabled=False)
    assert text_problems(off) == [] and not set(SURVEY_PROMPTS) & set(required(off, "zh"))
    some = without_survey(EXAMPLE, enabled=False, leave=("survey_invite",))
    assert text_problems(some) == [] and "survey_invite" in required(some, "zh")  # built, and no stranger
    missing = text_problems(without_survey(EXAMPLE, enabled=True, leave=("survey_invite",)))
    assert [problem.code for problem in missing] == ["prompt-without-text"] * (len(SURVEY_PROMPTS) - 1)
    assert {problem.place.file for problem in missing} == {"prompts.zh.yaml"}
