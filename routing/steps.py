"""The small things that the stages of a call do: giving the notice, ending a talk, taking a message."""

from __future__ import annotations

import asyncio

from calllog import events as ev
from calllog.folds import CallState
from calllog.talk import Talk
from config.settings import Language
from ivr.menu import Decline
from phone.port import LegGone, MessageEnded
from routing.messages import CallAsked
from routing.recorder import end_parts, noticed
from routing.session import Call, CallerGone, CallerTaken

MESSAGE_END = 2.0
"""Longest wait, in seconds, for the end of a message whose caller hung up; Asterisk closes the file within 21 ms."""

TOLD_HOW = 2.0
"""Seconds to wait for the word of a leg's end after a verb found it gone: the phone asks Asterisk once more before it
says that the dialplan has the caller (``phone.lines``)."""


GUARD_SLACK = 60.0
"""Seconds added to a stage's own longest time before the dialplan may take a caller whom no daemon looks after."""


def asked(state: CallState) -> CallAsked:
    """The call's request for a person, as the desk hears it, from the state alone."""
    return CallAsked(
        state.call_id,
        state.queue,
        state.asked_at,
        state.priority,
        waiting_since=state.enqueued_at,
        rings=len(state.talks),
    )


async def guard_wait(call: Call) -> None:
    """Should we die, the dialplan takes this caller once the longest wait, by the settings of now, must be over."""
    rules = call.settings.queues.queues.get(call.state.queue)
    longest = rules.longest_wait if rules else 0.0
    await call.phone.guard(call.leg, longest + call.desk.longest_ring + GUARD_SLACK)


async def welcome(call: Call) -> None:
    """Greet the caller and give the notice in one breath: one play ends as its last prompt does, the notice."""
    if not _notice_due(call):
        await call.say("greeting")
        call.note(ev.Greeted())
        return
    told = await call.say("greeting", "recording_notice")
    call.note(ev.Greeted())
    if told:
        _noticed(call)
    else:
        await give_notice(call)


async def give_notice(call: Call) -> None:
    """Say that the conversation is recorded, unless it was said; where it cannot be said nothing is recorded."""
    if _notice_due(call) and await call.say("recording_notice"):
        _noticed(call)


def _notice_due(call: Call) -> bool:
    return call.settings.hotline.recording.enabled and not noticed(call)


def _noticed(call: Call) -> None:
    call.note(ev.NoticeGiven(version=call.settings.hotline.recording.notice_version, language=call.language))


async def speak(call: Call, language: Language) -> None:
    """Speak this language to the caller from now on, beginning with what they must have understood."""
    call.note(ev.LanguageChosen(language=language))
    await give_notice(call)


async def decline(call: Call, wish: Decline) -> None:
    """The caller does not want to be recorded: so it is for this call, and they are told."""
    if not call.state.declined_at:
        call.note(ev.RecordingDeclined(menu=wish.menu, key=wish.key))
    await call.say("recording_declined")


async def end_talk(call: Call, now: Talk, by: ev.Side, *, lost: bool = False) -> None:
    """Close the recording's part, take the bridge away, let the agent go; ``lost``: their phone was."""
    await end_parts(call, now, by)
    call.note(ev.TalkEnded(talk_id=now.talk_id, agent=now.agent, by=by, lost=lost))
    if by == "agent":  # their leg is gone: the next caller need not wait for our tidying up
        call.desk.talk_ended(call.call_id, now.talk_id)
    await call.surely(lambda: call.phone.disconnect(now.bridge))
    await call.surely(lambda: call.phone.hang_up(now.leg))
    if by != "agent":
        call.desk.talk_ended(call.call_id, now.talk_id)


async def left(call: Call, why: CallerGone | CallerTaken | LegGone) -> None:
    """The caller's leg is no longer ours: note how it went. A verb only knows that it did; the line tells how."""
    if isinstance(why, LegGone):
        why = await _told_how(call)
    if isinstance(why, CallerTaken):
        call.note(ev.HandedOver(why="guard"))
    else:
        call.failed = why.lost
        call.note(ev.HungUp(by="hotline" if why.lost else "caller", cause=why.cause))


async def _told_how(call: Call) -> CallerGone | CallerTaken:
    """How the caller's leg went. An Asterisk that has just started knows no leg of before, and while it is being read
    back nobody can tell yet that the caller was lost with the one that died."""
    while True:
        try:
            async with asyncio.timeout(TOLD_HOW):
                while True:
                    await call.next()
        except (CallerGone, CallerTaken) as told:
            return told
        except TimeoutError:
            if not await call.phone.connection():
                call.log.warning("how the caller's leg went was never told")
                return CallerGone()


def message_of(state: CallState) -> str:
    """The name of the message being taken."""
    return state.voicemail_file.removesuffix(".wav")


async def begin_message(call: Call) -> None:
    """Begin a new message."""
    await call.keep(ev.VoicemailStarted(file=f"{call.call_id}.m{call.state.messages + 1}.wav"))
    await record_message(call)


async def record_message(call: Call) -> None:
    """Start recording what the caller says."""
    times = call.settings.hotline.times
    await call.phone.record_message(
        call.leg, message_of(call.state), longest=times.voicemail_longest, silence=times.voicemail_silence
    )


async def message_ended(call: Call, longest: float) -> None:
    """Wait for the end of the message, for ``longest`` seconds at most."""
    message = message_of(call.state)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + longest
    try:
        while True:
            match await call.next(max(0.0, deadline - loop.time())):
                case MessageEnded(message=ended) if ended == message:
                    return
                case _:
                    pass
    except TimeoutError:
        call.log.error("the end of a message was never reported", message=message)


async def message_closed(call: Call) -> None:
    """After the caller's hang-up: wait until Asterisk has closed the message's file."""
    try:
        async with asyncio.timeout(MESSAGE_END):
            while not isinstance(await call.line.next(), MessageEnded):
                pass
    except TimeoutError:
        pass


async def take_message(call: Call) -> None:
    """Keep the message, if it is one."""
    taken = message_taken(call)
    if isinstance(taken, ev.VoicemailKept):
        await call.keep(taken)
    else:
        call.note(taken)


def message_taken(call: Call) -> ev.VoicemailKept | ev.VoicemailDropped:
    """What becomes of the message that was being taken."""
    file = call.state.voicemail_file
    seconds = round(call.house.message_seconds(file), 3)
    if seconds >= call.settings.hotline.recording.shortest_voicemail:
        return ev.VoicemailKept(file=file, seconds=seconds)
    return ev.VoicemailDropped(why="too_short", seconds=seconds)
