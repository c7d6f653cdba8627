"""The shape of everything an operator sets: frozen, typed, and refused when a key is unknown.

These models check shape alone. Meaning that needs knowledge of another room (does the menu loop, is the
roster possible) is checked by that room's own ``check(settings)``. Durations are seconds, wall times are
local to ``Hotline.timezone``, numbers a person dials are strings. Text that is rendered into Asterisk's files
is held to what cannot break them.
"""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("time_zone", "a time zone")
    return value


def _wall_time(value: object) -> object:
    """Only HH:MM: left alone, pydantic would take ``0600`` for 600 seconds past midnight."""
    if isinstance(value, dt.time) or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", value)):
        text = str(value)
        return "00:00" if text == "24:00" else text.zfill(5)
    raise PydanticCustomError("wall_time", "a wall time")


def _date(value: object) -> object:
    """Only YYYY-MM-DD: left alone, pydantic would take ``20260101`` for seconds since 1970."""
    is_written = isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    if is_written or isinstance(value, dt.date):
        return value
    raise PydanticCustomError("calendar_date", "a date")


def _ip(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise PydanticCustomError("ip_address", "an IP address") from None


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise PydanticCustomError("ip_network", "a network") from None


_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*\.?")


def _host(value: str) -> str:
    """An IP address or a host name; four numbers with dots must be an address."""
    if re.fullmatch(r"[0-9.]+", value) or ":" in value:
        return _ip(value)
    if not _HOST.fullmatch(value):
        raise PydanticCustomError("host", "a host")
    return value


def _peer(value: str) -> str:
    """host, host:port or network/prefix."""
    if "/" in value:
        return _network(value)
    host, colon, port = value.rpartition(":")
    if not colon or ":" in host:
        return _host(value)
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise PydanticCustomError("host", "a host")
    return f"{_host(host)}:{int(port)}"


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
"""A key that also becomes part of a file name or of Asterisk's configuration."""

StaffNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,12}$")]
"""工号: 2 to 12 digits; an agent's immutable name."""

DialString = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,20}$")]
"""A telephone number as it is dialled."""

SipAccount = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""The user part of a phone's SIP address; most phones are simply their extension's number."""

Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]
"""One key of a telephone."""

Text = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$")
]
"""One line of text for people."""

Label = Annotated[Text, StringConstraints(max_length=60)]
Whole = Annotated[int, BeforeValidator(_not_bool)]
Port = Annotated[Whole, Field(ge=1, le=65535)]
Seconds = Annotated[float, BeforeValidator(_not_bool), Field(ge=0, le=86_400, allow_inf_nan=False)]
Wait = Annotated[Seconds, Field(ge=0.1)]
"""A time that must pass, in seconds; with 0 two rings or announcements would have no pause between them."""

WallTime = Annotated[dt.time, BeforeValidator(_wall_time)]
"""HH:MM; 24:00 is the midnight that ends the day."""

Day = Annotated[dt.date, BeforeValidator(_date)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PromptName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
ShiftName = Annotated[Text, StringConstraints(max_length=20)]
Language = Literal["zh", "en"]


class Part(BaseModel):
    """Base of every model: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, coerce_numbers_to_str=True)


# --- hotline.yaml ---------------------------------------------------------------------------------


class Sip(Part):
    """Where phones and trunks reach Asterisk by SIP (UDP)."""

    bind: Annotated[str, AfterValidator(_ip)] = "127.0.0.1"
    port: Port = 5060
    external_address: Annotated[str, AfterValidator(_host)] | None = None
    local_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()


class RtpPorts(Part):
    """The UDP ports of the audio, first and last."""

    first: Port = 10_000
    last: Port = 10_999


class Asterisk(Part):
    """The Asterisk that carries the calls. ARI and AMI always listen on loopback only."""

    systemname: Name = "hotline"
    sip: Sip = Sip()
    rtp: RtpPorts = RtpPorts()
    ari_port: Port = 8088
    ami_port: Port = 5038
    application: Name = "hotline"


class Trunk(Part):
    """A carrier, known by the addresses its SIP comes from (host, host:port or network/prefix)."""

    name: Name
    addresses: Annotated[tuple[Annotated[str, AfterValidator(_peer)], ...], Field(min_length=1)]
    codecs: Annotated[tuple[Literal["alaw", "ulaw"], ...], Field(min_length=1)] = ("alaw", "ulaw")


class Times(Part):
    """How long things may take, in seconds. Each is one wait of the call."""

    digit_timeout: Wait = 5.0
    ring: Wait = 20.0
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


class Hotline(Part):
    """hotline.yaml: the company, its numbers, and the machine."""

    company: Label
    numbers: Annotated[tuple[DialString, ...], Field(min_length=1)]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"
    emergency_number: DialString
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    language: Language = "zh"
    state_dir: Text = "var"
    """Relative to the working folder, or absolute."""
    asterisk: Asterisk = Asterisk()
    trunks: Annotated[tuple[Trunk, ...], Field(min_length=1)]
    times: Times = Times()
    recording: Recording = Recording()
    misses_before_pause: Annotated[Whole, Field(ge=1, le=20)] = 2

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the roster's wall times are meant."""
        return ZoneInfo(self.timezone)


# --- menu.yaml ------------------------------------------------------------------------------------


class Option(Part):
    """What one key does: opens a menu, asks for a person in a queue, or says the menu again. Exactly one."""

    label: Label
    menu: Name | None = None
    queue: Name | None = None
    repeat: bool = False

    @property
    def meaning(self) -> Literal["repeat", "menu", "queue"]:
        """Which of the three it is."""
        return "queue" if self.queue is not None else "menu" if self.menu is not None else "repeat"


class Menu(Part):
    """One level of the menu: what is said, and what each key does."""

    prompt: PromptName
    options: dict[Key, Option]


class MenuFile(Part):
    """menu.yaml."""

    start: Name
    retries: Annotated[Whole, Field(ge=0, le=5)] = 2
    person_queue: Name
    menus: dict[Name, Menu]


# --- queues.yaml ----------------------------------------------------------------------------------


class Queue(Part):
    """Callers waiting for agents with the skill; a smaller ``priority`` number goes first."""

    label: Label
    skill: Name
    priority: Annotated[Whole, Field(ge=0, le=9)] = 5
    longest_wait: Seconds = 300.0
    wrap_up: Seconds | None = None


class QueueFile(Part):
    """queues.yaml."""

    queues: Annotated[dict[Name, Queue], Field(min_length=1)]


# --- agents.yaml ----------------------------------------------------------------------------------


class Device(Part):
    """How an agent is reached: a SIP account on this Asterisk (its password is generated)."""

    sip: SipAccount


class Agent(Part):
    """A person who answers."""

    name: Annotated[Text, StringConstraints(max_length=40)]
    skills: Annotated[tuple[Name, ...], Field(min_length=1)]
    devices: Annotated[tuple[Device, ...], Field(min_length=1)]


class AgentFile(Part):
    """agents.yaml, by staff number."""

    agents: Annotated[dict[StaffNumber, Agent], Field(min_length=1)]


# --- roster.yaml ----------------------------------------------------------------------------------


class Shift(Part):
    """A named span of the day in wall time, half-open; ``to`` at or before ``from`` means the next day."""

    start: Annotated[WallTime, Field(alias="from")]
    end: Annotated[WallTime, Field(alias="to")]


class Weekly(Part):
    """These agents work this shift on these weekdays (the day on which the shift begins)."""

    shift: ShiftName
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    agents: Annotated[tuple[StaffNumber, ...], Field(min_length=1)]
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None
    """Half-open like every interval: the first day no longer worked."""


class Change(Part):
    """On this date the agent works exactly these shifts instead of the pattern's; ``off`` means none."""

    date: Day
    agent: StaffNumber
    shifts: tuple[ShiftName, ...] = ()
    off: bool = False
    note: Annotated[str, StringConstraints(max_length=200)] = ""


class RosterFile(Part):
    """roster.yaml: the shifts by name, the weekly pattern, and dated changes on top."""

    shifts: Annotated[dict[ShiftName, Shift], Field(min_length=1)]
    weekly: tuple[Weekly, ...] = ()
    changes: tuple[Change, ...] = ()


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
