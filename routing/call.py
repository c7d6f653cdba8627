"""The story of one call, from the first ring to its one outcome; read it from top to bottom.

One asyncio task per call runs :func:`run`: a loop over short stages, each of which ends by naming the next. The stage
a call begins in is read from its state, the fold of its events; so a new call and one adopted after a crash take the
same path. The stages speak to telephones through ``phone.port`` and to the other calls through the desk; nothing else
is shared. When the caller hangs up (or the dialplan takes them), the stage ends where it stands with
``CallerGone`` or ``CallerTaken``, and :func:`finish` tidies up by the state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from calllog import events as ev
from calllog.folds import CallState
from ivr import menu as ivr_menu
from phone.port import LegEnded, LegGone, LegHeld, PhoneFault
from routing.announce import apology, hear, introduce
from routing.messages import CancelRing, GiveUp, Ring
from routing.outcome import outcome_of
from routing.plan import Accept, Nobody
from routing.recorder import end_recorder
from routing.recording import Recording
from routing.ringing import hang_up_all, ring_devices
from routing.session import Call, CallerGone, CallerTaken
from routing.steps import (
    GUARD_SLACK,
    asked,
    begin_message,
    decline,
    end_talk,
    give_notice,
    guard_wait,
    left,
    message_closed,
    message_ended,
    message_of,
    record_message,
    speak,
    take_message,
    welcome,
)
from routing.survey import PERSON_KEY, ask_rating, is_asked

Stage = Callable[[Call], Awaitable["Stage | None"]]

MENU_GUARD = 300.0
"""Seconds that greeting, notice and menu may take together; the menu itself ends sooner (``ivr.menu``)."""

TALK_AGAIN = 10.0
"""Seconds until the guard is taken off again that could not be at the beginning of a talk: it would cut the talk off.
"""

MESSAGES_TRIED = 2
"""How often a caller may try to leave a message of the shortest length."""

FAULTS_RESUMED = 2
"""How many faults of ours a call goes on from before the dialplan takes the caller."""


async def run(call: Call) -> None:
    """Live through the call. Returns when its outcome is committed, or when the dialplan has the caller.

    Cancellation writes nothing: the next start adopts the call. A fault of ours resumes the call from its state, as
    a new start would; when that does not help, the dialplan takes the caller.
    """
    if call.state.adopted:
        await take_over(call)
    stage: Stage | None = first_stage(call.state)
    while stage is not None:
        try:
            stage = await stage(call)
        except (CallerGone, CallerTaken, LegGone) as gone:
            await left(call, gone)
            break
        except Exception as fault:  # the one catch-all of a call: it must touch no other, nor end in silence
            if not await call.outage(fault):
                call.note(ev.Fault(where=call.state.stage, what=f"{type(fault).__name__}: {fault}"[:300]))
            await end_ring(call, "failed")
            stage = first_stage(call.state) if call.state.faults <= FAULTS_RESUMED else None
            if stage is None:
                await hand_over(call)
    await finish(call)


async def take_over(call: Call) -> None:
    """The daemon before is gone, not what it began: its prompt ends, and so does the guard that it set when it stopped
    (the other stages set theirs anew)."""
    now = call.state.talk
    if now is None or not now.live:
        await call.silence()
    if call.state.stage in ("greeting", "menu"):
        await call.quietly(call.phone.guard(call.leg, MENU_GUARD))


async def close(call: Call, *, lost: bool) -> None:
    """End a call whose caller went away while nobody looked; ``lost``: Asterisk died with it."""
    call.failed = lost
    call.note(ev.HungUp(by="hotline" if lost else "caller"))
    await finish(call)


def first_stage(state: CallState) -> Stage | None:
    """Where a call goes on, from its state alone."""
    match state.stage:
        case "arrived":
            return arrive
        case "greeting":
            return greet
        case "menu":
            return menu
        case "queue" | "ringing":
            return queue
        case "talk":
            return talk
        case "survey":
            return survey
        case "offer":
            return offer
        case "voicemail":
            return voicemail
        case "away" | "ended":
            return None


# --- the stages -----------------------------------------------------------------------------------------------------


async def arrive(call: Call) -> Stage:
    """The phone rings: answer it, unless the dialplan has. Nothing is waited for before."""
    if not call.up:
        await call.phone.answer(call.leg)
    call.note(ev.Answered())
    await call.phone.guard(call.leg, MENU_GUARD)
    return greet


async def greet(call: Call) -> Stage:
    """Greet the caller, and say that the conversation is recorded before anything is."""
    if call.state.greeted_at:
        await give_notice(call)
    else:
        await welcome(call)
    return menu


async def menu(call: Call) -> Stage:
    """Let the caller choose what it is about, by keys; whoever cannot gets a person."""
    rules, patience = call.settings.menu, call.settings.hotline.times.digit_timeout
    known = call.state
    if known.menu in rules.menus:
        place = ivr_menu.MenuState(
            known.menu, known.menu_path, known.menu_tries, known.menu_repeats, language=call.language
        )
        commands = ivr_menu.resume(rules, place)
        await give_notice(call)  # we may have died while it was said in a language chosen here
    else:
        place, commands = ivr_menu.start(rules, call.language)
    while True:
        if not place.done and (known.menu, known.stage) != (place.menu, "menu"):
            call.note(ev.MenuEntered(menu=place.menu))
        sounds = [name for command in commands if isinstance(command, ivr_menu.Say) for name in command.prompts]
        for command in commands:
            if isinstance(command, ivr_menu.Speak):
                await speak(call, command.language)
            elif isinstance(command, ivr_menu.Decline):
                await decline(call, command)
            elif isinstance(command, ivr_menu.Ask):
                via: ev.AskedVia = "menu" if command.reason == "chosen" else "retries"
                call.note(ev.Asked(queue=command.queue, label=command.label, via=via))
                if sounds:
                    await call.say(*sounds)
                return queue
        key = await call.ask_key(sounds, patience)
        if key:
            option = rules.menus[place.menu].options.get(key)
            call.note(ev.KeyPressed(menu=place.menu, key=key, meaning=option.meaning if option else "none"))
        else:
            call.note(ev.KeyTimedOut(menu=place.menu))
        place, commands = ivr_menu.step(rules, place, ivr_menu.KeyPressed(key) if key else ivr_menu.TimedOut())


async def queue(call: Call) -> Stage:
    """Wait for an agent with music, told from time to time how many are ahead."""
    state, rules = call.state, call.settings.queues.queues.get(call.state.queue)
    await guard_wait(call)
    if not state.enqueued_at or state.stage not in ("queue", "ringing"):
        await call.keep(ev.Enqueued(queue=state.queue, priority=rules.priority if rules else state.priority))
    call.desk.ask(asked(state), call.line)  # at once: a slow request in between would cost the caller their place
    await call.phone.wait_with_music(call.leg)
    return waiting


async def waiting(call: Call) -> Stage:
    """The wait itself, again after each ring that brought nobody."""
    while True:
        match await hear(call):
            case Ring() as wanted:
                call.ring_next = wanted
                return ring
            case GiveUp(why=why, opens=opens):
                call.note(ev.VoicemailOffered(why=why, opens=opens))
                return offer
            case _:
                pass


async def ring(call: Call) -> Stage:
    """Ring the agent's devices while the caller goes on waiting; whoever does not accept is followed by the next."""
    wanted, call.ring_next = call.ring_next, None
    if wanted is None:
        return waiting
    match await ring_devices(call, wanted):
        case Accept(leg=leg):
            return await connect(call, wanted, leg)
        case GiveUp(why=why, opens=opens):
            ring_failed(call, wanted.talk_id, wanted.agent, "failed")
            call.note(ev.VoicemailOffered(why=why, opens=opens))
            return offer
        case Nobody(result=result, cause=cause):
            return ring_failed(call, wanted.talk_id, wanted.agent, result, cause)


def ring_failed(call: Call, talk_id: str, agent: str, result: ev.RingResult, cause: int = 0) -> Stage:
    """This ring brought nobody: the desk finds the next."""
    call.note(ev.RingEnded(talk_id=talk_id, agent=agent, result=result, cause=cause))
    call.desk.ring_ended(call.call_id, talk_id, agent, result)
    return waiting


async def connect(call: Call, ring: Ring, leg: str) -> Stage:
    """The agent accepted: let the two hear each other."""
    bridge = f"{ring.talk_id}-bridge"
    if (lost := await introduce(call, ring, leg)) is not None:
        return ring_failed(call, ring.talk_id, ring.agent, lost.result, lost.cause)
    try:
        await call.quietly(call.stop_play())
        await call.phone.connect(bridge, call.leg, leg)
    except (LegGone, PhoneFault) as failed:
        await call.surely(lambda: call.phone.disconnect(bridge))
        if isinstance(failed, LegGone) and failed.leg == call.leg:
            raise
        await call.surely(lambda: call.phone.hang_up(leg))
        if isinstance(failed, PhoneFault):
            call.log.error("caller and agent could not be connected", agent=ring.agent, why=str(failed))
        await call.phone.wait_with_music(call.leg)
        return ring_failed(call, ring.talk_id, ring.agent, "failed")
    other = "" if call.state.talk is not None and call.state.talk.leg == leg else leg
    call.note(ev.RingEnded(talk_id=ring.talk_id, agent=ring.agent, result="answered", leg=other))
    call.note(ev.TalkStarted(talk_id=ring.talk_id, agent=ring.agent, bridge=bridge))
    for on_hold in sorted(call.on_hold & {call.leg, leg}):  # pressed before the two were connected
        call.note(ev.Held(talk_id=ring.talk_id, by="agent" if on_hold == leg else "caller"))
    call.desk.ring_ended(call.call_id, ring.talk_id, ring.agent, "answered")
    call.desk.talk_began(call.call_id, ring.talk_id)
    return talk


async def talk(call: Call) -> Stage:
    """Caller and agent talk, and are recorded, until one hangs up."""
    now = call.state.talk
    if now is None or now.ended_at:
        return after(call)
    unguarded = await call.quietly(call.phone.guard(call.leg, 0))
    recording, lost = Recording(call, now), False
    await recording.begin()
    while True:
        try:
            event = await call.next(recording.wait(None if unguarded else TALK_AGAIN))
        except TimeoutError:
            unguarded = unguarded or await call.quietly(call.phone.guard(call.leg, 0))
            await recording.look()
            continue
        if await recording.hears(event):
            continue
        match event:
            case LegEnded(leg=leg, cause=cause) if leg == now.leg:
                lost = cause not in (0, 16)
                break
            case LegHeld(leg=leg, on=on) if leg in (now.leg, call.leg):
                side: ev.Side = "agent" if leg == now.leg else "caller"
                call.note((ev.Held if on else ev.Unheld)(talk_id=now.talk_id, by=side))
            case CancelRing(talk_id=talk_id) if talk_id == now.talk_id:
                call.desk.gone(call.call_id)  # taken back in the instant of the answer: it must ring nobody else for us
            case _:
                pass
    await end_talk(call, now, "agent", lost=lost)
    return after(call)


def after(call: Call) -> Stage:
    """What follows a talk whose agent has left."""
    if call.state.talk is not None and call.state.talk.lost:
        return agent_lost
    return survey if is_asked(call.settings.hotline.survey, call.state) else farewell


async def agent_lost(call: Call) -> Stage:
    """The agent's phone died in mid-sentence: say so, and find another agent in the caller's old place."""
    await call.quietly(call.phone.guard(call.leg, GUARD_SLACK))
    await call.say("agent_lost")
    return queue


async def survey(call: Call) -> Stage:
    """The agent hung up first: ask how it was, once for each talk; the caller may also ask for a person again."""
    now = call.state.talk
    return queue if now is not None and await ask_rating(call, now) else farewell


async def farewell(call: Call) -> Stage:
    """The agent hung up first: thank the caller, who may still ask for a person again by key."""
    patience = call.settings.hotline.times.digit_timeout
    await call.phone.guard(call.leg, patience + GUARD_SLACK)
    await call.forget_keys()
    key = await call.ask_key(["farewell"], patience)
    return queue if key == PERSON_KEY else hang_up


async def offer(call: Call) -> Stage:
    """Nobody comes: say why, and invite a message."""
    call.desk.gone(call.call_id)
    await call.stop_play()
    await call.phone.stop_music(call.leg)
    await call.phone.guard(call.leg, 2 * call.settings.hotline.times.voicemail_longest + 2 * GUARD_SLACK)
    await call.say(*apology(call), "voicemail_invite", "beep")
    return voicemail


async def voicemail(call: Call) -> Stage:
    """Take a message; one that is too short may be tried once more, one that is kept never."""
    state, times = call.state, call.settings.hotline.times
    if state.voicemail_open:
        going_on = await call.phone.message_open(message_of(state))
        if not going_on and not call.house.message_seconds(state.voicemail_file):
            await record_message(call)  # we died before it began
            going_on = True
        if going_on:
            await message_ended(call, times.voicemail_longest + GUARD_SLACK)
        await take_message(call)
    elif not state.voicemail_kept and state.messages < MESSAGES_TRIED:
        await begin_message(call)
        await message_ended(call, times.voicemail_longest + GUARD_SLACK)
        await take_message(call)
    if call.state.voicemail_kept:
        await call.say("voicemail_thanks")
        return hang_up
    if call.state.messages < MESSAGES_TRIED:
        await call.say("voicemail_too_short", "beep")
        return voicemail
    await call.say("sorry_goodbye")
    return hang_up


async def hang_up(call: Call) -> None:
    """We end the call."""
    call.note(ev.HungUp(by="hotline", cause=16))


# --- the end --------------------------------------------------------------------------------------------------------


async def hand_over(call: Call) -> None:
    """Give the caller to the dialplan's apology, emergency number and voicemail: better than silence."""
    try:
        await call.phone.hand_over(call.leg)
        call.note(ev.HandedOver(why="fault"))
    except LegGone as gone:
        await left(call, gone)
    except PhoneFault as fault:
        call.log.error("the caller could not be handed over", why=str(fault))
        call.failed = True
        call.note(ev.HungUp(by="hotline"))


async def end_ring(call: Call, result: ev.RingResult) -> None:
    """The ring that is on, if any, is over for a reason of the call's own."""
    now = call.state.talk
    if now is not None and now.ringing:
        await hang_up_all(call, now.open_legs)
        ring_failed(call, now.talk_id, now.agent, result)


async def finish(call: Call) -> None:
    """Leave nothing behind, and write the one outcome (the dialplan's voicemail has its own end)."""
    state, now = call.state, call.state.talk
    await end_ring(call, "caller_gone")
    if now is not None and now.live:
        await end_talk(call, now, state.hung_up_by or "hotline")
    await end_recorder(call)
    call.desk.gone(call.call_id)
    if state.voicemail_open:
        await message_closed(call)
        await take_message(call)
    if state.stage == "away":
        return
    await call.surely(lambda: call.phone.hang_up(call.leg))
    outcome, reason = outcome_of(state, failed=call.failed)
    await call.keep(ev.Ended(outcome=outcome, reason=reason), hurry=False)
