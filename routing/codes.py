"""功能码: what an agent dials on their own phone to sign in and out, to pause and be ready, or to ask how they stand.

Who dials is known by the phone's SIP account, which had to give its password, never by the number it shows. Such a
call is no caller's: it stands in no row of calls and in no figure. What it changes is journalled as ever, before the
phone hears that it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from calllog.folds import AgentState
from config.settings import Codes, Language
from ivr import sentences
from phone.port import Dialled, LegEnded, LegGone, Line, Phone, PhoneFault, PlayEnded
from routing.agents import MISSED, IllegalTransition
from routing.messages import AgentVerb
from routing.session import in_language

log = structlog.get_logger()

LONGEST = 30.0
"""Seconds that such a call may take: what is said lasts five."""

BREATH = 0.4
"""Seconds between the answer and the first word, which phones would swallow else."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a code asks for; ``reason`` of a pause."""

    verb: AgentVerb | Literal["state"]
    reason: str = ""


class Staff(Protocol):
    """Whom a phone belongs to, and what may be asked for them."""

    @property
    def there(self) -> bool:
        """Whether anybody can be asked; not before the first reading back of a start."""

    def owner(self, account: str) -> str | None:
        """Whose phone this is."""

    def agent(self, agent: str) -> tuple[AgentState, bool]:
        """Their state, and whether they are on duty. Raises LookupError."""

    def command(self, agent: str, verb: AgentVerb, reason: str = "") -> Awaitable[AgentState]:
        """Do it, and return when it is journalled. Raises LookupError, IllegalTransition."""


def meaning(codes: Codes, dialled: str) -> Act | None:
    """What was dialled; None: no code. Pure."""
    plain: dict[str, Act] = {
        codes.state: Act("state"), codes.sign_in: Act("sign_in"), codes.sign_out: Act("sign_out"),
        codes.ready: Act("ready"), codes.extend: Act("extend"),
    }  # fmt: skip
    pauses = {code: Act("pause", reason) for code, reason in codes.pauses.items()}
    return (pauses | plain).get(dialled)


def standing(codes: Codes, state: AgentState, on_duty: bool) -> tuple[str, ...]:
    """The prompts that say how an agent stands, after their number. Pure."""
    match state.mode:
        case "off":
            return ("code_not_signed_in",) if on_duty else ("code_not_on_duty",)
        case "ready":
            return ("code_ready",)
        case "paused":
            return ("code_paused", *_why(codes, state.reason))
        case "wrap_up":
            return ("code_record_first",) if state.free_from else ("code_wrap_up",)
        case "ringing" | "talking":
            return ("code_busy",)


def done(codes: Codes, act: Act, state: AgentState, on_duty: bool) -> tuple[str, ...]:
    """The prompts that confirm what was done, after the agent's number; ``state`` is the one after it. Pure."""
    later: tuple[str, ...] = ("code_afterwards",) if state.mode in ("ringing", "talking", "wrap_up") else ()
    if state.mode == "wrap_up" and state.free_from:
        later = ("code_record_first",)
    match act.verb:
        case "sign_in":
            rest = standing(codes, state, on_duty) if state.mode == "paused" else ()
            return ("code_signed_in" if on_duty else "code_signed_in_early", *rest)
        case "sign_out":
            return ("code_signed_out", *later)
        case "pause":
            return ("code_paused", *_why(codes, act.reason), *later)
        case "extend":
            return ("code_extended",)
        case "ready":
            return ("code_ready",) if state.mode == "ready" else standing(codes, state, on_duty)
        case "state":
            return standing(codes, state, on_duty)


def _why(codes: Codes, reason: str) -> tuple[str, ...]:
    """The prompt of a pause's reason; one that a supervisor typed is not said."""
    return (f"pause_{reason}",) if reason == MISSED or reason in codes.pauses.values() else ()


async def answer(
    phone: Phone, line: Line, dialled: Dialled, staff: Staff, codes: Codes, language: Language
) -> None:
    """The whole of such a call: answer, do, say, hang up. What goes wrong with it harms nobody else."""
    leg = dialled.leg
    try:
        async with asyncio.timeout(LONGEST):
            await phone.guard(leg, 2 * LONGEST)
            await phone.answer(leg)
            words, _ = await asyncio.gather(_carried_out(dialled, staff, codes, language), asyncio.sleep(BREATH))
            await _say(phone, line, leg, in_language(language, words))
    except (LegGone, _Gone):
        pass
    except (PhoneFault, TimeoutError) as fault:
        log.error("a code could not be answered", account=dialled.account, why=str(fault))
    finally:
        try:
            await phone.hang_up(leg)
        except PhoneFault as fault:
            log.warning("cleaning up after a code failed", why=str(fault))


async def _carried_out(dialled: Dialled, staff: Staff, codes: Codes, language: Language) -> Sequence[str]:
    """Do what the code says; returns what the phone is to hear."""
    act, agent = meaning(codes, dialled.code), staff.owner(dialled.account)
    if act is None:
        log.info("no code", account=dialled.account, code=dialled.code)
        return ("code_unknown",)
    if not staff.there:
        return ("code_away",)
    if agent is None:  # the phone of somebody who was taken out of the settings
        return ("code_not_on_duty",)
    who = sentences.staff(language, agent)
    try:
        state, on_duty = staff.agent(agent)
        if act.verb != "state":
            state = await staff.command(agent, act.verb, act.reason)
        log.info("an agent dialled a code", agent=agent, code=dialled.code, mode=state.mode)
        return (*who, *done(codes, act, state, on_duty))
    except IllegalTransition:
        if act.verb == "extend":
            return (*who, "code_no_more_time" if state.free_from else "code_no_record")
        return (*who, "code_not_signed_in" if on_duty else "code_not_on_duty")
    except LookupError:
        return (*who, "code_not_on_duty")


class _Gone(Exception):
    """The phone hung up."""


async def _say(phone: Phone, line: Line, leg: str, sounds: Sequence[str]) -> None:
    play = f"{leg}-said"
    await phone.play(leg, play, sounds)
    while True:
        match await line.next():
            case PlayEnded(play=ended) if ended == play:
                return
            case LegEnded(leg=gone) if gone == leg:
                raise _Gone
            case _:
                pass
