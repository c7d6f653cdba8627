"""What can happen, as one typed event each: the words of the journal.

An event says what happened, never what it means for a figure; every row and every figure is computed from events.
Events name people by ``party_id`` only; numbers and names live in the ``party`` table, which can be erased without
touching the journal. Times stand in the envelope (:class:`Recorded`), as microseconds since 1970 UTC; ``seq`` orders
events, not time. An event is never edited: a changed shape gets a new version ``v`` and is upcast on reading. The
events of agents, roster and system are written in ``calllog.house_events``, those of recordings in
``calllog.part_events`` and ``calllog.recording_events``, those of what is written and graded about a call in
``calllog.quality_events``, those of its survey in ``calllog.survey_events``; all are known by the names of this module.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from calllog.house_events import (
    AgentChanged as AgentChanged,
    AgentMode as AgentMode,
    Alarm as Alarm,
    AsteriskBack as AsteriskBack,
    AsteriskLost as AsteriskLost,
    ClockStepped as ClockStepped,
    ConfigRefused as ConfigRefused,
    ConfigTookEffect as ConfigTookEffect,
    DaemonStarted as DaemonStarted,
    DaemonStopped as DaemonStopped,
    Degraded as Degraded,
    Event as Event,
    RollCalled as RollCalled,
    RosterTookEffect as RosterTookEffect,
    SystemEvent as SystemEvent,
)  # fmt: skip
from calllog.keep_events import (
    Accessed as Accessed,
    Erased as Erased,
    HoldLifted as HoldLifted,
    HoldSet as HoldSet,
    KeepEvent as KeepEvent,
    RecordingPurged as RecordingPurged,
)
from calllog.part_events import (
    BrokeOff as BrokeOff,
    PausedBy as PausedBy,
    PauseEnd as PauseEnd,
    RecordingDeclined as RecordingDeclined,
    RecordingFailed as RecordingFailed,
    RecordingPaused as RecordingPaused,
    RecordingRequested as RecordingRequested,
    RecordingResumeAsked as RecordingResumeAsked,
    RecordingResumed as RecordingResumed,
    RecordingStarted as RecordingStarted,
    RecordingStopped as RecordingStopped,
)
from calllog.quality_events import (
    QualityEvent as QualityEvent,
    RecordExtended as RecordExtended,
    RecordWritten as RecordWritten,
    Solved as Solved,
)
from calllog.recording_events import (
    Archived as Archived,
    ArchiveFailed as ArchiveFailed,
    Category as Category,
    Measured as Measured,
    RecordingChecked as RecordingChecked,
    RecordingFault as RecordingFault,
    Span as Span,
)
from calllog.review_events import (
    AppealDecided as AppealDecided,
    AppealMade as AppealMade,
    Commented as Commented,
    CommentRemoved as CommentRemoved,
    Drawn as Drawn,
    ExemplaryMarked as ExemplaryMarked,
    FormPublished as FormPublished,
    ListDrawn as ListDrawn,
    ReviewEvent as ReviewEvent,
    ReviewGiven as ReviewGiven,
)
from calllog.survey_events import (
    Rated as Rated,
    Rating as Rating,
    SurveyEvent as SurveyEvent,
    SurveyInvited as SurveyInvited,
)

Stream = Literal["call", "agent", "roster", "system", "access", "review", "form", "drawing"]
Direction = Literal["in", "out", "callback"]
Outcome = Literal[
    "answered", "callback", "voicemail", "overflowed", "failed", "closed", "uncovered", "abandoned",
    "menu", "refused", "test",
]  # fmt: skip
RingResult = Literal["answered", "missed", "busy", "rejected", "unreachable", "caller_gone", "failed"]
DeviceResult = Literal["missed", "busy", "rejected", "unreachable", "failed", "unconfirmed", "elsewhere"]
"""Why one of an agent's devices did not get the call. ``unconfirmed``: somebody (or a voicemail) picked up and did not
press 1; ``elsewhere``: another device of theirs accepted."""

Side = Literal["caller", "agent", "hotline"]
AskedVia = Literal["menu", "retries", "away"]
Spoken = Literal["zh", "en"]
WaitCause = Literal["", "agents", "priority"]
KeyMeaning = Literal["none", "repeat", "menu", "queue"]


# --- stream "call", stream_id = call_id ---------------------------------------------------------------------------


class Arrived(Event, frozen=True, kw_only=True, tag="arrived"):
    """A call came in. ``leg`` is its first channel; ``party_id`` is filled in by the journal's writer."""

    leg: str
    direction: Direction = "in"
    did: str = ""
    trunk: str = ""
    party_id: str = ""


class Answered(Event, frozen=True, kw_only=True, tag="answered"):
    """We answered the caller's leg."""


class Greeted(Event, frozen=True, kw_only=True, tag="greeted"):
    """The greeting was played to its end (or the caller cut it short with a key)."""


class NoticeGiven(Event, frozen=True, kw_only=True, tag="notice_given"):
    """The recording notice was played whole; PIPL art. 17 asks for it before recording starts.

    Version 2 says in which ``language``; before, there was only the hotline's own, which stands as empty.
    """

    version: str
    language: Spoken | Literal[""] = ""


class LanguageChosen(Event, frozen=True, kw_only=True, tag="language_chosen"):
    """The caller hears everything in this language from now on."""

    language: Spoken


class MenuEntered(Event, frozen=True, kw_only=True, tag="menu_entered"):
    """The caller hears this menu."""

    menu: str


class KeyPressed(Event, frozen=True, kw_only=True, tag="key_pressed"):
    """The caller pressed a key in the menu, and what it did there (``none``: a wrong key)."""

    menu: str
    key: str
    meaning: KeyMeaning = "none"


class KeyTimedOut(Event, frozen=True, kw_only=True, tag="key_timed_out"):
    """The caller pressed nothing within the digit time-out."""

    menu: str


class Asked(Event, frozen=True, kw_only=True, tag="asked"):
    """The caller asked for a person (人工请求), written before anyone looks who is on duty."""

    queue: str
    label: str = ""
    via: AskedVia = "menu"


class Enqueued(Event, frozen=True, kw_only=True, tag="enqueued"):
    """The caller waits in the queue; the place is by priority, then by the time of asking."""

    queue: str
    priority: int = 5


class PositionTold(Event, frozen=True, kw_only=True, tag="position_told"):
    """The caller was told how many wait ahead (``place``: that was said), and how long it may take.

    Version 2 adds the wait: ``wait`` in minutes as they were said, 0 for less than one, None where none was; how many
    ``agents`` could serve at that moment, and how many callers of all queues they share were ``before`` this one; and
    the ``cause`` that was stated for a wait that has grown.
    """

    ahead: int
    place: bool = True
    wait: int | None = None
    agents: int = 0
    before: int = 0
    cause: WaitCause = ""


class AgentAnnounced(Event, frozen=True, kw_only=True, tag="agent_announced"):
    """The caller was told the staff number of the agent who has just answered."""

    talk_id: str
    agent: str


class RingStarted(Event, frozen=True, kw_only=True, tag="ring_started"):
    """An agent is reserved for this call and the first of their devices rings: one ring, however many devices.

    ``device`` is a SIP account, or the end of an outside number (``*5678``), which is then rung through ``trunk``.
    """

    talk_id: str
    agent: str
    device: str
    leg: str
    trunk: str = ""


class DeviceRung(Event, frozen=True, kw_only=True, tag="device_rung"):
    """Within the same ring: another device of the agent rings, or the same one through the next trunk."""

    talk_id: str
    agent: str
    device: str
    leg: str
    trunk: str = ""


class ConfirmAsked(Event, frozen=True, kw_only=True, tag="confirm_asked"):
    """This device was picked up; who did is asked to press 1. Nobody is connected to it before they do."""

    talk_id: str
    leg: str


class DeviceEnded(Event, frozen=True, kw_only=True, tag="device_ended"):
    """This device did not get the call, and why; a ring of one device without key 1 says so in its own end alone."""

    talk_id: str
    leg: str
    result: DeviceResult
    cause: int = 0


class RingEnded(Event, frozen=True, kw_only=True, tag="ring_ended"):
    """The ringing ended; ``cause`` is the Q.850 cause, 0 where there is none.

    ``leg`` is that of the device that accepted; empty: the first one, or none.
    """

    talk_id: str
    agent: str
    result: RingResult
    cause: int = 0
    leg: str = ""


class TalkStarted(Event, frozen=True, kw_only=True, tag="talk_started"):
    """Caller and agent are bridged."""

    talk_id: str
    agent: str
    bridge: str


class Held(Event, frozen=True, kw_only=True, tag="held"):
    """One side put the other on hold."""

    talk_id: str
    by: Side


class Unheld(Event, frozen=True, kw_only=True, tag="unheld"):
    """The hold ended."""

    talk_id: str
    by: Side


class TalkEnded(Event, frozen=True, kw_only=True, tag="talk_ended"):
    """Caller and agent are no longer bridged; ``by`` hung up (``hotline``: a fault or a stop of ours). ``lost``, since
    version 2: the agent's phone was, in mid-sentence; the caller gets another agent."""

    talk_id: str
    agent: str
    by: Side
    lost: bool = False


class VoicemailOffered(Event, frozen=True, kw_only=True, tag="voicemail_offered"):
    """The caller heard why nobody comes, and may leave a message. Closed until ``opens`` (µs; 0: not known)."""

    why: Literal["uncovered", "longest_wait", "closed", "away", "fault"]
    opens: int = 0


class VoicemailStarted(Event, frozen=True, kw_only=True, tag="voicemail_started"):
    """The message is being recorded into ``file`` (relative to the recordings' spool folder)."""

    file: str


class VoicemailKept(Event, frozen=True, kw_only=True, tag="voicemail_kept"):
    """A message of at least the shortest length was left."""

    file: str
    seconds: float


class VoicemailDropped(Event, frozen=True, kw_only=True, tag="voicemail_dropped"):
    """Too short to be a message, or it could not be recorded (``why``)."""

    why: str
    seconds: float = 0.0


class HungUp(Event, frozen=True, kw_only=True, tag="hung_up"):
    """The caller's leg is gone; ``by`` ended it. ``cause`` is the Q.850 cause, 0 where unknown."""

    by: Side
    cause: int = 0


class Adopted(Event, frozen=True, kw_only=True, tag="adopted"):
    """A new daemon took over this call in mid-course."""

    stage: str


class HandedOver(Event, frozen=True, kw_only=True, tag="handed_over"):
    """Asterisk took the caller itself, because of ``why``: a fault of ours, a guard that no daemon took away (its
    apology, emergency number and voicemail), or ``lifeboat``: no daemon was there, and the lifeboat served them."""

    why: Literal["fault", "guard", "lifeboat"]


class Fault(Event, frozen=True, kw_only=True, tag="fault"):
    """Something of ours, of Asterisk's or of the trunk's went wrong in this call."""

    where: str
    what: str


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The one outcome of the call."""

    outcome: Outcome
    reason: str = ""


CallEvent = (
    Arrived | Answered | Greeted | NoticeGiven | LanguageChosen | MenuEntered | KeyPressed | KeyTimedOut | Asked
    | Enqueued | PositionTold | RingStarted | DeviceRung | ConfirmAsked | DeviceEnded | AgentAnnounced | RingEnded
    | TalkStarted | Held | Unheld | TalkEnded | RecordingRequested | RecordingStarted | RecordingStopped
    | RecordingFailed | RecordingPaused | RecordingResumeAsked | RecordingResumed | RecordingDeclined | VoicemailOffered
    | VoicemailStarted | VoicemailKept | VoicemailDropped | HungUp | Adopted | HandedOver | Fault | Ended | Archived
    | ArchiveFailed | Measured | RecordingChecked | QualityEvent | KeepEvent | SurveyEvent
)  # fmt: skip
AnyEvent = (
    CallEvent | AgentChanged | RosterTookEffect | RollCalled | SystemEvent | Accessed | ReviewEvent | FormPublished
    | ListDrawn
)  # fmt: skip


class Party(msgspec.Struct, frozen=True):
    """A person's number and name as the trunk gave them; kept outside the journal so that it can be erased.

    ``e164`` is empty where the raw number cannot be read as one; all empty: the caller hid the number.
    """

    raw: str = ""
    e164: str = ""
    name: str = ""


class Recorded(msgspec.Struct, frozen=True):
    """An event in its envelope. ``at`` is in microseconds since 1970 UTC."""

    seq: int
    at: int
    stream: Stream
    stream_id: str
    event: AnyEvent
