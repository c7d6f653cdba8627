"""Events folded into the present: what a call and an agent are, from their events alone.

The same fold serves the live call (``routing.call`` runs on it), adoption after a crash, and the rows of the store, so
that the three cannot disagree. Pure: no clock, no I/O. Times are microseconds since 1970 UTC, 0 for "not yet".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, assert_never

from calllog.events import (
    Adopted,
    AgentAnnounced,
    AgentChanged,
    AgentMode,
    Answered,
    Archived,
    ArchiveFailed,
    Arrived,
    Asked,
    CallEvent,
    Category,
    ConfirmAsked,
    DeviceEnded,
    DeviceRung,
    Direction,
    Ended,
    Enqueued,
    Erased,
    Fault,
    Greeted,
    HandedOver,
    Held,
    HoldLifted,
    HoldSet,
    HungUp,
    KeyPressed,
    KeyTimedOut,
    LanguageChosen,
    Measured,
    MenuEntered,
    NoticeGiven,
    Outcome,
    PositionTold,
    Rated,
    Recorded,
    RecordExtended,
    RecordingChecked,
    RecordingDeclined,
    RecordingFailed,
    RecordingPaused,
    RecordingPurged,
    RecordingRequested,
    RecordingResumeAsked,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
    RecordWritten,
    RingEnded,
    RingStarted,
    Side,
    Spoken,
    SurveyInvited,
    TalkEnded,
    TalkStarted,
    Unheld,
    VoicemailDropped,
    VoicemailKept,
    VoicemailOffered,
    VoicemailStarted,
)  # fmt: skip
from calllog.kept import KeptState
from calllog.record import Record, written
from calllog.talk import Part, Pause, Recording, Rung, Talk

Stage = Literal[
    "arrived", "greeting", "menu", "queue", "ringing", "talk", "survey", "offer", "voicemail", "away", "ended"
]  # fmt: skip


@dataclass(slots=True)
class CallState:
    """通话: all that the journal knows of one call."""

    call_id: str
    leg: str = ""
    direction: Direction = "in"
    did: str = ""
    trunk: str = ""
    party_id: str = ""
    stage: Stage = "arrived"
    arrived_at: int = 0
    answered_at: int = 0
    greeted_at: int = 0
    notice_version: str = ""
    notice_languages: list[Spoken | Literal[""]] = field(default_factory=list)
    declined_at: int = 0
    """When the caller chose not to be recorded."""
    language: Spoken | Literal[""] = ""
    """In which the caller hears us; empty: in the hotline's own."""
    menu: str = ""
    menu_path: str = ""
    menu_tries: int = 0
    menu_repeats: int = 0
    asked_at: int = 0
    queue: str = ""
    label: str = ""
    priority: int = 5
    enqueued_at: int = 0
    told_at: int = 0
    told: PositionTold | None = None
    told_wait: PositionTold | None = None
    """What was told last in this wait, and what was told last with a time."""
    talks: list[Talk] = field(default_factory=list)
    offered_why: str = ""
    offered_opens: int = 0
    """When the queue, which is closed, opens again (µs; 0: not known)."""
    voicemail_file: str = ""
    voicemail_started_at: int = 0
    voicemail_seconds: float = 0.0
    voicemail_kept: bool = False
    voicemail_open: bool = False
    messages: int = 0
    dropped_files: list[str] = field(default_factory=list)
    hung_up_at: int = 0
    hung_up_by: Side | Literal[""] = ""
    faults: int = 0
    adopted: int = 0
    ended_at: int = 0
    outcome: Outcome | Literal[""] = ""
    reason: str = ""
    recordings: dict[str, Recording] = field(default_factory=dict)
    """By category: a call whose agent was lost can have both its talks and a voicemail."""
    measures: dict[str, Measured] = field(default_factory=dict)
    kept: KeptState = field(default_factory=KeptState)

    record: Record | None = None
    """来电登记."""

    @classmethod
    def of(cls, call_id: str, events: Iterable[Recorded]) -> CallState:
        """The state after these events of one call."""
        state = cls(call_id)
        for recorded in events:
            if isinstance(recorded.event, CallEvent):
                state.apply(recorded.at, recorded.event)
        return state

    @property
    def asked(self) -> bool:
        """Whether the caller asked for a person."""
        return self.asked_at > 0

    @property
    def served(self) -> bool:
        """Whether an agent talked with the caller."""
        return any(talk.started_at for talk in self.talks)

    @property
    def talk(self) -> Talk | None:
        """The latest talk, rung or begun."""
        return self.talks[-1] if self.talks else None

    @property
    def rating(self) -> int:
        """满意度: what the caller said of the last talk that they rated; 0: of none."""
        return next((talk.rating for talk in reversed(self.talks) if talk.rating), 0)

    @property
    def parts(self) -> list[Part]:
        """Every file of the recording, in the order of their requests."""
        return [part for talk in self.talks for part in talk.parts]

    @property
    def archives_wanted(self) -> tuple[Category, ...]:
        """The recordings that this call has or shall have, by its raw files."""
        call = any(part.started_at or not part.failed for part in self.parts) or "call" in self.recordings
        voicemail = self.voicemail_kept or "voicemail" in self.recordings
        return (*(("call",) if call else ()), *(("voicemail",) if voicemail else ()))

    @property
    def archives_due(self) -> tuple[Category, ...]:
        """The recordings that an ended call still lacks; one whose archive failed is not due by itself."""
        if not self.ended_at:
            return ()
        return tuple(category for category in self.archives_wanted if category not in self.recordings)

    @property
    def archives_failed(self) -> tuple[Category, ...]:
        """The recordings whose last try to finish them failed."""
        return tuple(each.category for each in self.recordings.values() if each.failing)

    @property
    def archive_failed(self) -> str:
        """Why a recording could not be finished; empty where none failed, or a later try did it."""
        return next((recording.failed for recording in self.recordings.values() if recording.failed), "")

    def _talk(self, talk_id: str) -> Talk:
        for talk in reversed(self.talks):
            if talk.talk_id == talk_id:
                return talk
        raise LookupError(f"call {self.call_id}: no talk {talk_id} was rung")

    def _part(self, talk_id: str, number: int) -> Part:
        for part in reversed(self._talk(talk_id).parts):
            if part.part == number:
                return part
        raise LookupError(f"call {self.call_id}: no part {number} of talk {talk_id} was requested")

    def apply(self, at: int, event: CallEvent) -> None:
        """Fold one event in. Raises LookupError for an event of a talk or part that never began."""
        match event:
            case Arrived():
                self.arrived_at, self.leg, self.direction = at, event.leg, event.direction
                self.did, self.trunk, self.party_id = event.did, event.trunk, event.party_id
            case Answered():
                self.answered_at, self.stage = at, "greeting"
            case Greeted():
                self.greeted_at = at
            case NoticeGiven():
                self.notice_version = event.version
                self.notice_languages.append(event.language)
            case LanguageChosen():
                self.language = event.language
            case MenuEntered():
                self.stage, self.menu = "menu", event.menu
            case KeyPressed():
                self.menu_tries += event.meaning == "none"
                self.menu_repeats += event.meaning == "repeat"
                if event.meaning in ("menu", "queue"):
                    self.menu_path += event.key
            case KeyTimedOut():
                self.menu_tries += 1
            case Asked():
                self.asked_at = self.asked_at or at
                self.queue, self.label = event.queue, event.label
                self.stage = "queue"
            case Enqueued():
                self.enqueued_at, self.told_at, self.told, self.told_wait = at, 0, None, None
                self.queue, self.priority, self.stage = event.queue, event.priority, "queue"
            case PositionTold():
                self.told_at, self.told = at, event
                self.told_wait = self.told_wait if event.wait is None else event
            case AgentAnnounced():
                pass
            case RingStarted():
                talk = Talk(event.talk_id, self.call_id, event.agent, event.device, event.leg, at)
                talk.rung.append(Rung(event.leg, event.device, event.trunk))
                self.talks.append(talk)
                self.stage = "ringing"
            case DeviceRung():
                self._talk(event.talk_id).rung.append(Rung(event.leg, event.device, event.trunk))
            case ConfirmAsked():
                pass
            case DeviceEnded():
                for rung in self._talk(event.talk_id).rung:
                    if rung.leg == event.leg:
                        rung.result = event.result
            case RingEnded():
                talk = self._talk(event.talk_id)
                talk.ring_result, talk.ring_ended_at = event.result, at
                if event.leg:
                    talk.leg = event.leg
                    talk.device = next((rung.device for rung in talk.rung if rung.leg == event.leg), talk.device)
                if event.result != "answered" and self.stage == "ringing":
                    self.stage = "queue"
            case TalkStarted():
                talk = self._talk(event.talk_id)
                talk.started_at, talk.bridge, self.stage = at, event.bridge, "talk"
            case Held():
                talk = self._talk(event.talk_id)
                talk.held_since = talk.held_since or at
            case Unheld():
                self._end_hold(self._talk(event.talk_id), at)
            case TalkEnded():
                talk = self._talk(event.talk_id)
                self._end_hold(talk, at)
                talk.ended_at, talk.ended_by, talk.lost = at, event.by, event.lost
            case SurveyInvited():
                talk = self._talk(event.talk_id)
                talk.invited_at, self.stage = talk.invited_at or at, "survey"
            case Rated():
                self._talk(event.talk_id).rating = event.rating
            case RecordingRequested():
                self._talk(event.talk_id).parts.append(Part(event.part, event.file, at))
            case RecordingStarted():
                part = self._part(event.talk_id, event.part)
                part.started_at, part.monitor = at, event.monitor
            case RecordingStopped():
                part = self._part(event.talk_id, event.part)
                part.stopped_at, part.runs_on = at, event.runs_on
                part.end_pause(at)
            case RecordingFailed():
                self._part(event.talk_id, event.part).failed = event.why
            case RecordingPaused():
                part = self._part(event.talk_id, event.part)
                part.asked_on = None
                if not part.paused_since:
                    part.pauses.append(Pause(at, event.by))
            case RecordingResumeAsked():
                self._part(event.talk_id, event.part).asked_on = (event.by, event.why)
            case RecordingResumed():
                self._part(event.talk_id, event.part).end_pause(at)
            case RecordingDeclined():
                self.declined_at = self.declined_at or at
            case VoicemailOffered():
                self.stage, self.offered_why, self.offered_opens = "offer", event.why, event.opens
            case VoicemailStarted():
                self.stage, self.voicemail_file, self.voicemail_started_at = "voicemail", event.file, at
                self.voicemail_open, self.messages = True, self.messages + 1
            case VoicemailKept():
                self.voicemail_kept, self.voicemail_open, self.voicemail_file = True, False, event.file
                self.voicemail_seconds = event.seconds
            case VoicemailDropped():
                self.voicemail_open, self.voicemail_seconds = False, event.seconds
                self.dropped_files.append(self.voicemail_file)
            case HungUp():
                if not self.hung_up_at:
                    self.hung_up_at, self.hung_up_by = at, event.by
            case Adopted():
                self.adopted += 1
            case HandedOver():
                self.stage = "away"
            case Fault():
                self.faults += 1
            case Ended():
                if not self.ended_at:
                    self.ended_at, self.outcome, self.reason = at, event.outcome, event.reason
                self.stage = "ended"
            case Archived():
                self.recordings.pop(event.category, None)
                self.recordings[event.category] = Recording(
                    event.category,
                    event.file,
                    event.sha256,
                    event.frames,
                    event.rate,
                    event.channels,
                    event.spans,
                    size=event.size,
                )
            case ArchiveFailed():
                category = event.category or ("call" if self.parts else "voicemail")
                self.recordings.setdefault(category, Recording(category)).failed = event.why
            case Measured():
                self.measures[event.category] = event
            case RecordingChecked():
                if event.category in self.recordings:
                    self.recordings[event.category].fault = event.fault
            case RecordWritten():
                self.record = written(self.record, at, event)
            case RecordExtended():
                pass
            case RecordingPurged():
                self.recordings.setdefault(event.category, Recording(event.category)).purged = True
                self.kept.apply(at, event)
            case HoldSet() | HoldLifted() | Erased():
                self.kept.apply(at, event)
            case _:
                assert_never(event)
        if self.ended_at:
            self.stage = "ended"

    @staticmethod
    def _end_hold(talk: Talk, at: int) -> None:
        if talk.held_since:
            talk.held_us += at - talk.held_since
            talk.held_since = 0


@dataclass(slots=True)
class AgentState:
    """座席: the agent's latest state, since when, and what it is about."""

    agent: str
    mode: AgentMode = "off"
    reason: str = ""
    call_id: str = ""
    talk_id: str = ""
    missed: int = 0
    since: int = 0
    until: int = 0
    changed_at: int = 0
    free_from: int = 0
    """From when the agent is free once the call's record is complete (µs); 0: no record is awaited."""
    extended: int = 0

    def apply(self, at: int, event: AgentChanged) -> None:
        """Fold one event in."""
        self.mode, self.reason, self.call_id, self.talk_id = (
            event.mode,
            event.reason,
            event.call_id,
            event.talk_id,
        )
        self.missed, self.since, self.until, self.changed_at = event.missed, event.since, event.until, at
        self.free_from, self.extended = event.free_from, event.extended
