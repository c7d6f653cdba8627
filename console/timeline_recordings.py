"""The words for what is recorded of a call, for :mod:`console.timeline`: its parts and pauses, messages, and the
finished recording. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from calllog import events as ev
from calllog.wording import broke_off_word, category_word, reason_word
from config.catalogue import _, ngettext
from config.lengths import length
from recordings.notes import say, say_fault

RecordingEvent = (
    ev.RecordingRequested | ev.RecordingStarted | ev.RecordingStopped | ev.RecordingFailed | ev.RecordingPaused
    | ev.RecordingResumeAsked | ev.RecordingResumed | ev.RecordingDeclined | ev.VoicemailOffered | ev.VoicemailStarted
    | ev.VoicemailKept | ev.VoicemailDropped | ev.Archived | ev.ArchiveFailed | ev.Measured | ev.RecordingChecked
)  # fmt: skip


AT_ONCE = 1_000_000
"""µs within which a recording that is to go on does so at once: then the wish is not worth a line."""


def without_wishes(events: Iterable[ev.Recorded]) -> Iterator[ev.Recorded]:
    """The events without those wishes to go on recording that were fulfilled at once."""
    asked: ev.Recorded | None = None
    for each in events:
        if asked is not None:
            if not isinstance(each.event, ev.RecordingResumed) or each.at - asked.at > AT_ONCE:
                yield asked
            asked = None
        if isinstance(each.event, ev.RecordingResumeAsked):
            asked = each
        else:
            yield each
    if asked is not None:
        yield asked


def recording_words(event: RecordingEvent) -> str:
    """What happened, as one sentence without a full stop."""
    match event:
        case ev.RecordingRequested(part=part):
            return _("Recording requested (part {part})").format(part=part)
        case ev.RecordingStarted(part=part):
            return _("Recording begins (part {part})").format(part=part)
        case ev.RecordingStopped(part=part, runs_on=True):
            return _("Recording paused (part {part})").format(part=part)
        case ev.RecordingStopped(part=part, why=broke) if broke:
            return _("Recording broke off (part {part}): {why}").format(part=part, why=broke_off_word(broke))
        case ev.RecordingStopped(part=part):
            return _("Recording complete (part {part})").format(part=part)
        case ev.RecordingFailed(part=part, why="declined"):
            return _("Not recorded (part {part}): {why}").format(part=part, why=_("the caller declined"))
        case ev.RecordingFailed(part=part, why=why):
            return _("Not recorded (part {part}): {why}").format(part=part, why=why)
        case ev.RecordingPaused(by=by):
            return _("Recording paused: {who}").format(who=paused_by(by))
        case ev.RecordingResumeAsked(by=by, why=end):
            return _("Recording is to go on, and does not yet: {who}").format(who=pause_end_word(end) or paused_by(by))
        case ev.RecordingResumed(by=by, why=end):
            return _("Recording goes on: {who}").format(who=pause_end_word(end) or paused_by(by))
        case ev.RecordingDeclined():
            return _("The caller does not want to be recorded")
        case ev.VoicemailOffered(why=why):
            return _("Invited to leave a message: {why}").format(why=reason_word(why))
        case ev.VoicemailStarted():
            return _("Begins a message")
        case ev.VoicemailKept(seconds=seconds):
            return _("Left a message of {length}").format(length=length(seconds))
        case ev.VoicemailDropped(why=why, seconds=seconds):
            reason = _("too short") if why == "too_short" else why
            return _("No message kept: {why} ({length})").format(why=reason, length=length(seconds))
        case ev.Archived():
            seconds = event.frames / event.rate if event.rate else 0.0
            return _("Recording finished ({category}): {length}, {file}").format(
                category=category_word(event.category), length=length(seconds), file=event.file
            )
        case ev.ArchiveFailed(why=why):
            return _("Recording not finished: {why}").format(why=" ".join(say(why)))
        case ev.Measured():
            silent, over = event.silences, event.talk_overs
            said = _("Sound measured: {silences} (the longest {length}), {talk_overs}")
            return said.format(
                silences=ngettext("{n} silence", "{n} silences", silent).format(n=silent),
                length=length(event.longest_silence),
                talk_overs=ngettext("both at once {n} time", "both at once {n} times", over).format(n=over),
            )
        case ev.RecordingChecked(fault=fault):
            return say_fault(fault).rstrip(".。") or _("The recording's file is right again")
    assert_never(event)


def paused_by(by: ev.PausedBy) -> str:
    """Who paused a recording or let it go on."""
    return {
        "agent": _("the agent, by their phone"), "command": _("by a command"), "console": _("in the console"),
        "hotline": _("by the hotline"),
    }[by]  # fmt: skip


def pause_end_word(why: ev.PauseEnd) -> str:
    """Why the hotline ended a pause."""
    return {
        "": "", "longest": _("the longest pause was over"), "talk_ended": _("the talk ended"),
        "failed": _("it could not be paused"),
    }[why]  # fmt: skip
