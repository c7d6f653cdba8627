"""The survey after a talk (满意度调查): whether this caller is asked, what a key means, and the asking itself."""

from __future__ import annotations

from typing import Literal

from calllog import events as ev
from calllog.folds import CallState
from calllog.talk import Talk
from config.survey import Survey
from routing.session import Call
from routing.steps import GUARD_SLACK

PERSON_KEY = "0"
"""The key by which a caller whose agent hung up asks for a person again, here and in the farewell."""

TRIES = 2
"""How often the question is put to a caller who presses a key that is no answer."""

QUESTION = 60.0
"""Seconds that putting it once may take, with a company's own recordings: the guard outlasts all tries."""

Answer = Literal["rating", "person", "wrong", "silence"]

QUESTION_SOUNDS = ("survey_invite", "survey_ratings", "survey_person")


def meaning_of(key: str) -> Answer:
    """What a key says here, or none. Pure."""
    if not key:
        return "silence"
    if key == PERSON_KEY:
        return "person"
    return "rating" if key in ("1", "2", "3", "4", "5") else "wrong"


def is_asked(rules: Survey, state: CallState) -> bool:
    """Whether the caller is to be asked about the latest talk: the agent hung up first, and nobody has asked yet. Pure.

    A caller whose agent's phone died is not asked: they have not been served yet, and get another agent.
    """
    talk = state.talk
    if talk is None or not talk.started_at or talk.ended_by != "agent" or talk.lost or talk.invited_at:
        return False
    return rules.asks(state.queue)


async def ask_rating(call: Call, talk: Talk) -> bool:
    """Ask, unless the answer is known, and thank for it. Returns whether the caller wants a person again.

    The question is put anew when a daemon has died since; an answer is safe before anything is said to it.
    """
    patience = call.settings.hotline.times.digit_timeout
    await call.phone.guard(call.leg, TRIES * (QUESTION + patience) + GUARD_SLACK)
    await call.forget_keys()  # pressed in the talk, or before it
    if not talk.invited_at:
        call.note(ev.SurveyInvited(talk_id=talk.talk_id))
    before: tuple[str, ...] = ()
    for _try in range(0 if talk.rating else TRIES):
        key = await call.ask_key([*before, *QUESTION_SOUNDS], patience)
        match meaning_of(key):
            case "person":
                return True
            case "rating":
                await call.keep(ev.Rated(talk_id=talk.talk_id, rating=int(key)))
                break
            case "silence":
                return False
            case "wrong":
                before = ("menu_wrong_key",)
    if talk.rating:
        await call.say("survey_sorry" if call.settings.hotline.survey.is_bad(talk.rating) else "survey_thanks")
    return False
