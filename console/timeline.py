"""A call's events as a story: one line each, in the words of the field, with what passed between them.

:func:`words` has a sentence for every event there is; :func:`timeline` adds the lengths (waited, rang, talked) that
take two events, and how far each line is indented. Pure: no clock, no screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from calllog import events as ev
from calllog.keep_words import access_words, kept_words
from calllog.quality_words import quality_words
from calllog.survey_words import RATING_STYLES, survey_words
from calllog.wording import (
    BAD,
    DIM,
    GOOD,
    MODE_STYLES,
    OUTCOME_STYLES,
    WARN,
    Names,
    device_result_word,
    device_word,
    hung_up_by,
    language_word,
    mode_word,
    outcome_word,
    pause_word,
    reason_word,
    ring_word,
    side_word,
    stage_word,
    with_why,
)
from config.catalogue import _, ngettext
from config.lengths import length
from console.timeline_recordings import recording_words, without_wishes
from console.timeline_reviews import review_words

QUIET_CAUSES = (0, 16)
"""Q.850 causes that say nothing: none, and normal clearing."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when (µs UTC), how deep it stands below its talk, what happened, and the style of its words."""

    at: int
    depth: int
    text: str
    style: str = ""


def timeline(events: Iterable[ev.Recorded], names: Names) -> list[Line]:
    """The lines of one call, in the journal's order."""
    return list(_lines(events, names))


def _lines(events: Iterable[ev.Recorded], names: Names) -> Iterator[Line]:
    asked = 0
    rung: dict[str, int] = {}
    devices: dict[str, str] = {}
    """Of the latest ring, by leg; the first also by no leg."""
    talked: dict[str, int] = {}
    held: dict[str, int] = {}
    for recorded in without_wishes(events):
        at, event = recorded.at, recorded.event
        text = words(event, names)
        match event:
            case ev.Asked():
                asked = asked or at
            case ev.RingStarted(talk_id=talk, leg=leg, device=device, trunk=trunk):
                rung[talk], devices = at, {"": device_word(device, trunk)}
                devices[leg] = devices[""]
            case ev.DeviceRung(leg=leg, device=device, trunk=trunk):
                devices[leg] = device_word(device, trunk)
            case ev.ConfirmAsked(leg=leg) | ev.DeviceEnded(leg=leg):
                text = _("{device}: {what}").format(device=devices.get(leg, leg), what=text)
            case ev.RingEnded(talk_id=talk, result=result, leg=leg) if talk in rung:
                if result == "answered" and len(devices) > 2:
                    text = _("{device}: {what}").format(device=devices.get(leg, leg), what=text)
                text = _("{what}, rang {length}").format(what=text, length=_between(rung[talk], at))
            case ev.TalkStarted(talk_id=talk):
                if asked and not talked:
                    text = _("{what}, waited {length}").format(what=text, length=_between(asked, at))
                talked[talk] = at
            case ev.Held(talk_id=talk):
                held.setdefault(talk, at)
            case ev.Unheld(talk_id=talk) if talk in held:
                text = _("{what}, held {length}").format(what=text, length=_between(held.pop(talk), at))
            case ev.TalkEnded(talk_id=talk) if talk in talked:
                text = _("{what}, talked {length}").format(what=text, length=_between(talked[talk], at))
            case _:
                pass
        yield Line(at, _depth(event), text, _style(event))


def _between(first: int, last: int) -> str:
    return length(max(0, last - first) / 1e6)


def _depth(event: ev.AnyEvent) -> int:
    """Everything of a talk stands below its ring; what belongs to its recording a step deeper."""
    match event:
        case ev.RingEnded() | ev.AgentAnnounced() | ev.TalkStarted() | ev.TalkEnded():
            return 1
        case ev.DeviceRung() | ev.ConfirmAsked() | ev.DeviceEnded() | ev.SurveyInvited() | ev.Rated():
            return 1
        case ev.Held() | ev.Unheld():
            return 2
        case ev.RecordingRequested() | ev.RecordingStarted() | ev.RecordingStopped() | ev.RecordingFailed():
            return 2
        case ev.RecordingPaused() | ev.RecordingResumeAsked() | ev.RecordingResumed():
            return 2
    return 0


def _style(event: ev.AnyEvent) -> str:
    match event:
        case ev.Ended(outcome=outcome):
            return f"bold {OUTCOME_STYLES.get(outcome, '')}".strip()
        case ev.TalkStarted():
            return f"bold {GOOD}"
        case ev.Arrived() | ev.Asked():
            return "bold"
        case ev.AgentChanged(mode=mode):
            return MODE_STYLES[mode]
        case ev.RecordingFailed(why="declined"):
            return WARN
        case ev.Fault() | ev.ArchiveFailed() | ev.RecordingFailed() | ev.Alarm() | ev.AsteriskLost():
            return BAD
        case ev.Degraded(on=True) | ev.ConfigRefused():
            return BAD
        case ev.RecordingChecked(fault=fault):
            return BAD if fault else DIM
        case ev.RingEnded(result=result) if result != "answered":
            return WARN
        case ev.DeviceEnded(result=device_result):
            return DIM if device_result == "elsewhere" else WARN
        case ev.KeyPressed(meaning="none") | ev.KeyTimedOut() | ev.VoicemailOffered() | ev.VoicemailDropped():
            return WARN
        case ev.RecordingPaused() | ev.RecordingResumeAsked() | ev.RecordingDeclined():
            return WARN
        case ev.Rated(rating=rating):
            return RATING_STYLES.get(rating, "")
        case ev.Adopted() | ev.HandedOver() | ev.ClockStepped():
            return WARN
        case ev.RecordingStopped(why=broke) if broke:
            return BAD
        case ev.RecordingRequested() | ev.RecordingStarted() | ev.RecordingStopped() | ev.Archived() | ev.Measured():
            return DIM
    return ""


def words(event: ev.AnyEvent, names: Names) -> str:
    """What happened, as one sentence without a full stop."""
    match event:
        case ev.RosterTookEffect(sha256=sha256):
            return _("A roster took effect ({version})").format(version=sha256[:12])
        case ev.RollCalled():
            return roll_words(event)
        case ev.AgentChanged():
            return _agent_words(event)
        case ev.Accessed():
            return access_words(event)
        case (
            ev.DaemonStarted()
            | ev.DaemonStopped()
            | ev.AsteriskLost()
            | ev.AsteriskBack()
            | ev.ClockStepped()
            | ev.Alarm()
            | ev.Degraded()
            | ev.ConfigTookEffect()
            | ev.ConfigRefused()
        ):
            return _system_words(event)
        case (
            ev.ReviewGiven() | ev.AppealMade() | ev.AppealDecided() | ev.ExemplaryMarked() | ev.Commented()
            | ev.CommentRemoved() | ev.FormPublished() | ev.ListDrawn()
        ):  # fmt: skip
            return review_words(event, names)
        case _:
            return _call_words(event, names)


def _call_words(event: ev.CallEvent, names: Names) -> str:
    match event:
        case ev.Arrived():
            return _arrived(event)
        case ev.Answered():
            return _("Answered")
        case ev.Greeted():
            return _("Greeting played")
        case ev.NoticeGiven(version=version):
            return _("Recording notice (version {version})").format(version=version)
        case ev.LanguageChosen(language=language):
            return _("Language: {language}").format(language=language_word(language))
        case ev.MenuEntered(menu=menu):
            return _("Menu {menu}").format(menu=menu)
        case ev.KeyPressed():
            return _key(event, names)
        case ev.KeyTimedOut():
            return _("No key pressed")
        case ev.Asked():
            return _asked(event, names)
        case ev.Enqueued(queue=queue, priority=priority):
            return _("Enters the queue {queue} (priority {priority})").format(
                queue=names.queue(queue), priority=priority
            )
        case ev.PositionTold():
            return _told(event)
        case ev.AgentAnnounced(agent=agent):
            return _("Told: {agent} answers").format(agent=agent)
        case ev.RingStarted(agent=agent, device=device, trunk=trunk):
            return _("Rings {agent} ({device})").format(agent=names.agent(agent), device=device_word(device, trunk))
        case ev.DeviceRung(device=device, trunk=trunk):
            return _("Rings {device}").format(device=device_word(device, trunk))
        case ev.ConfirmAsked():
            return _("Picked up, asked to press 1")
        case ev.DeviceEnded(result=device_result, cause=cause):
            return _with_cause(device_result_word(device_result), cause)
        case ev.RingEnded(result=result, cause=cause):
            return _with_cause(ring_word(result), cause)
        case ev.TalkStarted(agent=agent):
            return _("Connected with {agent}").format(agent=names.agent(agent))
        case ev.Held(by=by):
            return _("Held by the {side}").format(side=side_word(by))
        case ev.Unheld(by=by):
            return _("Taken back by the {side}").format(side=side_word(by))
        case ev.TalkEnded(by=by):
            return _("Talk ended: {who}").format(who=hung_up_by(by))
        case ev.Ended(outcome=outcome, reason=reason):
            why = reason_word(reason) if reason else ""
            return _("Outcome: {what}").format(what=with_why(outcome_word(outcome), why))
        case ev.HungUp(by=by, cause=cause):
            return _with_cause(_sentence(hung_up_by(by)), cause)
        case ev.Adopted(stage=stage):
            return _("A new daemon takes the call over in the stage: {stage}").format(stage=stage_word(stage))
        case ev.HandedOver(why="lifeboat"):
            return _("The lifeboat takes the caller (no daemon was there)")
        case ev.HandedOver(why=why):
            return _("The dialplan takes the caller ({why})").format(
                why=_("a fault") if why == "fault" else _("no daemon looked after them")
            )
        case ev.Fault(where=where, what=what):
            return _("Fault in the stage {stage}: {what}").format(stage=stage_word(where), what=what)
        case _ if isinstance(event, ev.QualityEvent):
            return quality_words(event, names)
        case ev.HoldSet() | ev.HoldLifted() | ev.RecordingPurged() | ev.Erased():
            return kept_words(event, names)
        case ev.SurveyInvited() | ev.Rated():
            return survey_words(event)
        case _:
            return recording_words(event)


def _arrived(event: ev.Arrived) -> str:
    match event.direction:
        case "in":
            text = _("Call comes in")
        case "out":
            text = _("Call goes out")
        case "callback":
            text = _("Callback")
        case _ as unknown:
            assert_never(unknown)
    to = f" → {event.did}" if event.did else ""
    through = _(" (trunk {trunk})").format(trunk=event.trunk) if event.trunk else ""
    return f"{text}{to}{through}"


def _key(event: ev.KeyPressed, names: Names) -> str:
    meaning = names.keys.get((event.menu, event.key), "")
    match event.meaning:
        case "none":
            meaning = _("no such choice")
        case "repeat":
            meaning = meaning or _("repeat")
        case _:
            meaning = meaning or event.meaning
    return _("Key {key} → {meaning}").format(key=event.key, meaning=meaning)


def _asked(event: ev.Asked, names: Names) -> str:
    match event.via:
        case "menu":
            text = _("Asks for a person")
        case "retries":
            text = _("A person, after too many wrong keys")
        case "away":
            text = _("Asks for a person while the system is out of order")
        case _ as unknown:
            assert_never(unknown)
    about = event.label or (names.queue(event.queue) if event.queue else "")
    return _("{what}: {about}").format(what=text, about=about) if about else text


def roll_words(event: ev.RollCalled) -> str:
    """A roll call in one line."""
    says = {
        "asked": _("Roll call for {shift}: {agent} is rung"),
        "answered": _("Roll call for {shift}: {agent} is there"),
        "missed": _("Roll call for {shift}: {agent} did not answer"),
        "unfilled": _("Roll call for {shift}: nobody could be woken in the place of {agent}"),
    }[event.what].format(shift=event.shift, agent=event.agent)
    return with_why(says, _("as backup for {agent}").format(agent=event.instead_of)) if event.instead_of else says


def _agent_words(event: ev.AgentChanged) -> str:
    text = mode_word(event.mode)
    if event.mode in ("paused", "off") and (why := pause_word(event.reason)):
        return with_why(text, why)
    return text


def _system_words(event: ev.SystemEvent) -> str:
    match event:
        case ev.DaemonStarted(version=version, pid=pid):
            return _("Hotline {version} starts (pid {pid})").format(version=version, pid=pid)
        case ev.DaemonStopped(reason=reason):
            return _("Hotline stops: {reason}").format(reason=_("in good order") if reason == "stopped" else reason)
        case ev.AsteriskLost(connection=connection, why=why):
            return _("Connection to Asterisk lost ({connection}): {why}").format(connection=connection.upper(), why=why)
        case ev.AsteriskBack(connection=connection):
            return _("Connection to Asterisk stands ({connection})").format(connection=connection.upper())
        case ev.ClockStepped(seconds=seconds):
            return _("The wall clock was stepped by {seconds:+.3f} s").format(seconds=seconds)
        case ev.Alarm(code=code, what=what):
            return _("Alarm {code}: {what}").format(code=code, what=what)
        case ev.Degraded(on=True, why=why):
            return _("The store fails, events go to the spool: {why}").format(why=why)
        case ev.Degraded():
            return _("The store works again")
        case ev.ConfigTookEffect(version=version):
            return _("Version {version} of the configuration took effect").format(version=version)
        case ev.ConfigRefused(errors=errors, what=what):
            return ngettext(
                "The changed files have {n} error: {what}", "The changed files have {n} errors: {what}", errors
            ).format(n=errors, what=what)
    assert_never(event)


def _told(event: ev.PositionTold) -> str:
    said: list[str] = []
    if event.place and event.ahead:
        said.append(ngettext("{n} ahead", "{n} ahead", event.ahead).format(n=event.ahead))
    elif event.place:
        said.append(_("you are next"))
    if event.wait == 0:
        said.append(_("less than a minute"))
    elif event.wait is not None:
        said.append(ngettext("about {n} minute", "about {n} minutes", event.wait).format(n=event.wait))
    match event.cause:
        case "agents":
            said.append(_("longer, since fewer agents are on duty"))
        case "priority":
            said.append(_("longer, since urgent calls went ahead"))
    return _("Told: {what}").format(what=", ".join(said) or _("please wait"))


def _with_cause(text: str, cause: int) -> str:
    return text if cause in QUIET_CAUSES else _("{what} (cause {cause})").format(what=text, cause=cause)


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]
