"""The words a person reads for what the journal writes in codes: outcomes, reasons, states, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from config.catalogue import _

if TYPE_CHECKING:
    from calllog.events import AgentMode, Category, DeviceResult, Outcome, RingResult
    from calllog.folds import Stage
    from config.settings import Settings

VIA = "via_lifeboat:"
"""Before the reason of a call whose talk or message the lifeboat brought about."""

GOOD, BAD, WARN, DIM = "green", "red", "yellow", "dim"
"""Styles, the same on every screen."""

OUTCOME_STYLES: Mapping[str, str] = {
    "answered": GOOD, "callback": GOOD, "voicemail": WARN, "overflowed": WARN, "failed": BAD, "closed": WARN,
    "uncovered": BAD, "abandoned": BAD, "menu": DIM, "refused": DIM, "test": DIM,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """How the settings of today call agents, queues, menus and keys; what is no longer there keeps its code."""

    agents: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    """The names shown of the console's users, where these are known."""

    @classmethod
    def of(cls, settings: Settings) -> Names:
        """The names in these settings."""
        return cls(
            {number: agent.name for number, agent in settings.agents.agents.items()},
            {name: queue.label for name, queue in settings.queues.queues.items()},
            {
                (name, key): option.label
                for name, menu in settings.menu.menus.items()
                for key, option in menu.options.items()
            },
        )

    def agent(self, number: str) -> str:
        """``8001 张敏``."""
        return f"{number} {self.agents[number]}" if number in self.agents else number

    def person(self, name: str) -> str:
        """A user by the name shown; a staff number as :meth:`agent`."""
        return self.people.get(name) or self.agent(name)

    def queue(self, name: str) -> str:
        """The queue's label."""
        return self.queues.get(name, name)


def broke_off_word(why: str) -> str:
    """Why a part of a recording ended before its talk."""
    words = {
        "still": _("nothing was written any more"), "muted": _("after a pause the recorder did not go on"),
    }  # fmt: skip
    return words.get(why, why)


NOT_YET: frozenset[Outcome] = frozenset({"callback", "overflowed", "refused", "test"})
"""Outcomes that no call of this version can have: nobody is offered them to choose from."""


def outcome_word(outcome: str) -> str:
    """The outcome in a word or two; empty: the call goes on."""
    words: dict[Outcome, str] = {
        "answered": _("answered"),
        "callback": _("callback"),
        "voicemail": _("voicemail"),
        "overflowed": _("overflowed"),
        "failed": _("failed"),
        "closed": _("closed"),
        "uncovered": _("uncovered"),
        "abandoned": _("abandoned"),
        "menu": _("menu only"),
        "refused": _("refused"),
        "test": _("self-call"),
    }
    return words.get(outcome, outcome)  # type: ignore[call-overload, no-any-return]


def stage_word(stage: str) -> str:
    """Where in its course a call is."""
    words: dict[Stage, str] = {
        "arrived": _("arriving"),
        "greeting": _("greeting"),
        "menu": _("menu"),
        "queue": _("waiting"),
        "ringing": _("ringing"),
        "talk": _("talking"),
        "survey": _("being asked for a rating"),
        "offer": _("invited to leave a message"),
        "voicemail": _("leaving a message"),
        "away": _("with the stand-in"),
        "ended": _("ended"),
    }
    return words.get(stage, stage)  # type: ignore[call-overload, no-any-return]


def reason_word(reason: str) -> str:
    """Why a call ended as it did (``routing.outcome``), as a clause; a code unknown here stays as it is."""
    if reason.startswith(VIA):
        return _("{why}, in the lifeboat").format(why=reason_word(reason.removeprefix(VIA)))
    by, hung_up, rest = reason.partition("_hung_up")
    if hung_up:
        stage = rest.removeprefix("_in_")
        if not stage:
            return hung_up_by(by)
        return _("{who} in the stage: {stage}").format(who=hung_up_by(by), stage=stage_word(stage))
    words = {
        "uncovered": _("nobody was on duty"),
        "longest_wait": _("nobody came within the longest wait"),
        "closed": _("outside service hours"),
        "away": _("the system was out of order"),
        "fault": _("a fault"),
        "no_message": _("no message was left"),
        "after_longest_wait": _("hung up after the longest wait"),
        "waiting": _("the caller hung up while waiting"),
    }
    return words.get(reason) or stage_word(reason)


def with_why(what: str, why: str) -> str:
    """``answered (the caller hung up)``."""
    return _("{what} ({why})").format(what=what, why=why) if why else what


def hung_up_by(side: str) -> str:
    """Who hung up."""
    match side:
        case "caller":
            return _("the caller hung up")
        case "agent":
            return _("the agent hung up")
        case "hotline":
            return _("the hotline hung up")
    return _("ended by a fault")


def language_word(language: str) -> str:
    """A language that callers hear."""
    words = {"zh": _("Chinese"), "en": _("English")}
    return words.get(language, language)


def side_word(side: str) -> str:
    """One of the three sides of a call."""
    words = {"caller": _("caller"), "agent": _("agent"), "hotline": _("hotline")}
    return words.get(side, side)


def ring_word(result: RingResult) -> str:
    """What came of a ring."""
    match result:
        case "answered":
            return _("Picked up")
        case "missed":
            return _("Not answered")
        case "busy":
            return _("Busy")
        case "rejected":
            return _("Rejected")
        case "unreachable":
            return _("Unreachable")
        case "caller_gone":
            return _("The caller went first")
        case "failed":
            return _("The ring failed")
    assert_never(result)


def device_result_word(result: DeviceResult) -> str:
    """Why a device did not get the call."""
    match result:
        case "unconfirmed":
            return _("Picked up, but 1 was not pressed")
        case "elsewhere":
            return _("Another device was quicker")
        case _:
            return ring_word(result)


def device_word(device: str, trunk: str) -> str:
    """A device by its name in the journal."""
    return _("number {device}, trunk {trunk}").format(device=device, trunk=trunk) if trunk else (
        _("phone {device}").format(device=device)
    )


def mode_word(mode: AgentMode) -> str:
    """An agent's state."""
    match mode:
        case "off":
            return _("off duty")
        case "ready":
            return _("ready")
        case "ringing":
            return _("ringing")
        case "talking":
            return _("talking")
        case "wrap_up":
            return _("wrap-up")
        case "paused":
            return _("paused")
    assert_never(mode)


MODE_STYLES: Mapping[AgentMode, str] = {
    "off": DIM, "ready": GOOD, "ringing": WARN, "talking": "cyan", "wrap_up": "cyan", "paused": WARN,
}  # fmt: skip


def pause_word(reason: str) -> str:
    """Why an agent is paused; an agent's own reason as they gave it."""
    match reason:
        case "missed":
            return _("missed too many rings")
        case "paused":
            return ""
        case "no_record":
            return _("the call record was not completed")
        case "signed_in":
            return _("signed in for the next shift")
        case "signed_out":
            return _("signed out")
        case "meal":
            return _("meal")
        case "rest":
            return _("rest")
        case "training":
            return _("training")
        case "other":
            return _("other work")
    return reason


def category_word(category: Category | str) -> str:
    """What a recording is of."""
    return _("voicemail") if category == "voicemail" else _("talk")
