"""The shape of everything an operator sets: frozen, typed, and refused when a key is unknown.

These models check shape alone. Meaning that needs knowledge of another room (does the menu loop, is the
roster possible) is checked by that room's own ``check(settings)``. Durations are seconds, wall times are
local to ``Hotline.timezone``, numbers a person dials are strings. Single values are in ``config.shapes``,
what concerns Asterisk, phones and trunks in ``config.telephony``.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from config.console import Console as Console
from config.keep import Keep as Keep
from config.record_file import CallRecords as CallRecords, SubjectFile as SubjectFile
from config.review_file import ReviewFile as ReviewFile
from config.roster_file import (
    Break as Break,
    Change as Change,
    Hours as Hours,
    LeaveKind as LeaveKind,
    Limits as Limits,
    Member as Member,
    Requirement as Requirement,
    RosterFile as RosterFile,
    Rotation as Rotation,
    Rule as Rule,
    Shift as Shift,
    Short,
    SpecialDay as SpecialDay,
)
from config.shapes import (
    Code as Code,
    Day as Day,
    DayWord as DayWord,
    DialString as DialString,
    Key as Key,
    Label as Label,
    Language as Language,
    Level as Level,
    Name as Name,
    Part as Part,
    PauseReason as PauseReason,
    Port as Port,
    PromptName as PromptName,
    Seconds as Seconds,
    ShiftName as ShiftName,
    SipAccount as SipAccount,
    StaffNumber as StaffNumber,
    TeamName as TeamName,
    Text as Text,
    Url as Url,
    Wait as Wait,
    WallTime as WallTime,
    Whole as Whole,
    time_zone as time_zone,
)
from config.survey import Survey as Survey
from config.telephony import Asterisk as Asterisk, Trunk as Trunk

# --- hotline.yaml ---------------------------------------------------------------------------------


class Times(Part):
    """How long things may take, in seconds. Each is one wait of the call."""

    digit_timeout: Wait = 5.0
    ring: Wait = 20.0
    confirm: Wait = 12.0
    """Whoever picks up a device that must be confirmed has so long to press 1."""
    wrap_up: Seconds = 30.0
    announce_every: Wait = 30.0
    voicemail_longest: Wait = 180.0
    voicemail_silence: Wait = 5.0
    dead_phone: Annotated[Wait, Field(ge=2, le=3600)] = 60.0
    """An agent's phone that sends no sound at all for so long in a talk is dead: the caller gets another agent."""
    stop_grace: Seconds = 30.0
    """After SIGTERM, waiting callers get the dialplan's apology when no daemon has followed within this."""


class Recording(Part):
    """What is recorded. The notice is journalled with this version when it was played."""

    enabled: bool = True
    notice_version: Label = "1"
    shortest_voicemail: Seconds = 2.0
    unbroken: bool = False
    """One recorder for all talks of a call, paused between them; not on a build with Debian's Opus patch."""
    longest_pause: Wait = 180.0
    """A pause that an agent makes in a recording ends by itself after so long."""
    format: Literal["flac", "opus"] = "flac"
    """Of finished recordings. Opus is lossy: smaller, and proved by length and level instead of sample by sample."""
    encrypt: bool = False
    """Finished recordings are sealed with the newest key of the folder ``keys`` (none: ``keys`` in ``state_dir``)."""
    keys: Text | None = None
    silence_from: Annotated[Wait, Field(ge=0.5, le=600)] = 5.0
    talk_over_from: Annotated[Wait, Field(ge=0.2, le=60)] = 1.0
    """Seconds from which a silence, or both talking at once, counts as one."""
    keep: Keep = Keep()
    free_warning: Annotated[Whole, Field(ge=0, le=1_000_000)] = 10
    """GB: with less room for recordings somebody is told; 0: never."""
    check_at: WallTime = Field(default_factory=lambda: dt.time(4))
    """When files, rows and calls are compared each night; about ``check_sample`` recordings are then read whole."""
    check_sample: Annotated[Whole, Field(ge=0, le=1_000_000)] = 200
    export_hours: Annotated[Whole, Field(ge=1, le=720)] = 24
    """So long an export of the console can be downloaded once it is ready."""


class Announce(Part):
    """What callers are told while they wait (every ``times.announce_every`` seconds), and before they are put
    through."""

    position: bool = True
    wait: bool = True
    agent: bool = False
    """「8001号客服为您服务」, to caller and agent at once, before the two are connected."""


class Alerts(Part):
    """Who is told of what needs a person now: a ``command`` that is run, a ``url`` that is posted to."""

    command: tuple[Text, ...] = ()
    url: Url | None = None


class Codes(Part):
    """功能码: what agents dial on their own phones. ``pauses`` gives each code its reason; the prompt ``pause_REASON``
    says it."""

    state: Code = "*10"
    sign_in: Code = "*11"
    sign_out: Code = "*12"
    ready: Code = "*20"
    extend: Code = "*29"
    """More time for the call record that is awaited (``record.required``)."""
    record_pause: Code = "*81"
    """In the middle of a talk: its recording is paused, and goes on by ``record_resume``."""
    record_resume: Code = "*82"
    pauses: dict[Code, PauseReason] = Field(
        default_factory=lambda: {"*21": "meal", "*22": "rest", "*23": "training", "*24": "other"}
    )


class Hotline(Part):
    """hotline.yaml: the company, its numbers, and the machine."""

    company: Label
    numbers: Annotated[tuple[DialString, ...], Field(min_length=1)]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"
    emergency_number: DialString
    timezone: Annotated[str, AfterValidator(time_zone)] = "Asia/Shanghai"
    language: Language = "zh"
    apology_languages: tuple[Language, ...] = ()
    """In which the dialplan apologises while no daemon is there, in this order; none: in ``language``."""
    state_dir: Text = "var"
    """Relative to the working folder, or absolute."""
    asterisk: Asterisk = Asterisk()
    trunks: Annotated[tuple[Trunk, ...], Field(min_length=1)]
    times: Times = Times()
    announce: Announce = Announce()
    recording: Recording = Recording()
    misses_before_pause: Annotated[Whole, Field(ge=1, le=20)] = 2
    sign_in: Literal["automatic", "required"] = "automatic"
    """Whether an agent is ready when the shift begins, or only once they have signed in."""
    codes: Codes = Codes()
    backup_after: Wait | None = None
    """Seconds that a caller waits before backups are rung though somebody of the first line is there; none: never."""
    alerts: Alerts = Alerts()
    console: Console = Console()
    record: CallRecords = CallRecords()
    survey: Survey = Survey()

    @property
    def has_carrier(self) -> bool:
        """Whether a trunk is set besides the example's: until then nobody can call."""
        return not all(trunk.is_example for trunk in self.trunks)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the roster's wall times are meant."""
        return ZoneInfo(self.timezone)


# --- menu.yaml ------------------------------------------------------------------------------------


class Option(Part):
    """What one key does: opens a menu, asks for a person in a queue, or says the menu again. Exactly one.

    ``language``: the caller hears everything in it from then on; alone it says the same menu in it.
    ``decline_recording``: nothing of this call is recorded; alone it says the same menu again.
    """

    label: Label
    menu: Name | None = None
    queue: Name | None = None
    repeat: bool = False
    language: Language | None = None
    decline_recording: bool = False

    @property
    def meaning(self) -> Literal["repeat", "menu", "queue"]:
        """Which of the three it is."""
        return "queue" if self.queue is not None else "menu" if self.menu is not None else "repeat"


class Offer(Part):
    """A prompt that is spoken in a stated language, to callers who hear another: "For English, press nine"."""

    language: Language
    prompt: PromptName


class Menu(Part):
    """One level of the menu: what is said, then in other languages, and what each key does."""

    prompt: PromptName
    offers: tuple[Offer, ...] = ()
    options: dict[Key, Option]


class MenuFile(Part):
    """menu.yaml."""

    start: Name
    retries: Annotated[Whole, Field(ge=0, le=5)] = 2
    person_queue: Name
    menus: dict[Name, Menu]

    @property
    def languages(self) -> frozenset[Language]:
        """The languages that callers can choose."""
        options = (option for menu in self.menus.values() for option in menu.options.values())
        return frozenset(option.language for option in options if option.language is not None)

    @property
    def offered(self) -> dict[Language, tuple[str, ...]]:
        """By language, the prompts that are spoken in it to callers who hear another."""
        offers = [offer for menu in self.menus.values() for offer in menu.offers]
        return {
            offer.language: tuple(dict.fromkeys(each.prompt for each in offers if each.language == offer.language))
            for offer in offers
        }


# --- queues.yaml ----------------------------------------------------------------------------------


class Queue(Part):
    """Callers waiting for agents with the skill; a smaller ``priority`` number goes first.

    ``level``: the least level of the skill that may answer. ``hours``: of service; none: day and night.
    """

    label: Label
    skill: Name
    level: Level = 1
    hours: tuple[Hours, ...] = ()
    priority: Annotated[Whole, Field(ge=0, le=9)] = 5
    longest_wait: Seconds = 300.0
    wrap_up: Seconds | None = None


class QueueFile(Part):
    """queues.yaml."""

    queues: Annotated[dict[Name, Queue], Field(min_length=1)]


# --- agents.yaml ----------------------------------------------------------------------------------


class Device(Part):
    """How an agent is reached: a SIP account on this Asterisk (its password is generated), or a telephone number
    through the trunk. Exactly one of the two (checked in ``phone.devices``).

    ``confirm``: whoever picks up must press 1; a number always, since its voicemail may pick up. ``ring_time`` in
    seconds, ``times.ring`` where there is none. ``name``: by which a shift's ``ring`` chooses it.
    """

    sip: SipAccount | None = None
    number: DialString | None = None
    name: Name | None = None
    confirm: bool | None = None
    ring_time: Wait | None = None

    @property
    def confirms(self) -> bool:
        """Whether it counts as answered only when 1 is pressed."""
        return self.number is not None or bool(self.confirm)

    @property
    def named(self) -> str:
        """By which a shift's ``ring`` chooses it; several devices of one agent can have the same."""
        return self.name or ("desk" if self.number is None else "mobile")

    @property
    def label(self) -> str:
        """Its name in the journal and on screens: of a number only the end, ``*5678``; it is a person's own."""
        return f"*{self.number[-4:]}" if self.number is not None else self.sip or ""


class Skill(Short):
    """A skill of an agent, at a level, from the first day to the last, both included."""

    skill: Name
    level: Level = 1
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None

    def holds(self, date: dt.date) -> bool:
        """Whether the agent has it on this date."""
        return (self.since is None or self.since <= date) and (self.until is None or date <= self.until)


class Agent(Part):
    """A person who answers; ``ring``: several devices one after the other, or all at once."""

    name: Annotated[Text, StringConstraints(max_length=40)]
    skills: Annotated[tuple[Skill, ...], Field(min_length=1)]
    devices: Annotated[tuple[Device, ...], Field(min_length=1)]
    ring: Literal["in_order", "at_once"] = "in_order"

    def skills_at(self, date: dt.date) -> dict[str, int]:
        """The skills on this date and the level of each, in their order; of one that stands there twice the higher."""
        found: dict[str, int] = {}
        for one in self.skills:
            if one.holds(date):
                found[one.skill] = max(one.level, found.get(one.skill, 0))
        return found

    @property
    def skill_names(self) -> tuple[str, ...]:
        """Every skill that the agent has at any time, each once."""
        return tuple(dict.fromkeys(one.skill for one in self.skills))


class AgentFile(Part):
    """agents.yaml, by staff number."""

    agents: Annotated[dict[StaffNumber, Agent], Field(min_length=1)]


# --- prompts.<language>.yaml ----------------------------------------------------------------------


class PromptFile(Part):
    """prompts.zh.yaml: the text of each prompt; ``{company}`` and ``{emergency_number}`` are filled in."""

    voice: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+-]{0,39}$")] = "cmn"
    speed: Annotated[Whole, Field(ge=80, le=400)] = 160
    prompts: dict[PromptName, Annotated[str, StringConstraints(max_length=1000)]]


class Settings(Part):
    """All of ``config/``, read and checked for shape."""

    hotline: Hotline
    menu: MenuFile
    queues: QueueFile
    agents: AgentFile
    roster: RosterFile
    prompts: dict[Language, PromptFile]
    subjects: SubjectFile = SubjectFile()
    reviews: ReviewFile = ReviewFile()
