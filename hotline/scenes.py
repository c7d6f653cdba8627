"""The calls of the demo: what caller and agents do, and what must have come of it, measured in the recording."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calllog.events import Span
from calllog.queries import CallDetail
from config.catalogue import _
from hotline.outside import Caller, NotHeard, NotSeen, Ring
from hotline.trial import Trial
from recordings import keys
from recordings.measure import ChannelMeasure, measure, tones

ON_DUTY = ("8001", "8002")
TONES = {"8001": 660, "8002": 880}
"""The tone in Hz that each agent speaks, so that it can be found again in the recording."""

CALLER_HZ = 440
NEAR = 5.0
"""Hz by which a measured tone may be off."""

SPOKEN = 2.5
"""Seconds that each side talks."""


CHANGES: dict[str, Any] = {
    "hotline": {"times": {"ring": 5, "wrap_up": 1, "announce_every": 10, "digit_timeout": 2}},
    "queues": {"queues": {"complaint": {"wrap_up": None}}},
    "menu": {"retries": 1},
    "prompts.zh": {"speed": 230},
    "prompts.en": {"speed": 230},
    "agents": {
        "agents": {
            # Nobody on duty knows business: whoever presses 4 can leave a message.
            agent: {"skills": ["inquiry", "complaint", "general"]}
            for agent in ON_DUTY
        }
    },
    "roster": {
        "shifts": {"全天": {"from": "00:00", "to": "00:00"}},
        "rotations": None,
        "rules": [{"shift": "全天", "agents": list(ON_DUTY)}],
        "changes": [],
    },
    # Who grades is the demo's user of this name (hotline/demo_console.py).
    "reviews": {"plans": {"weekly": {"graders": ["quality"]}}},
}
"""What the demo's copy of the configuration has otherwise: two agents at any hour, a grader, and shorter waits."""

WAIT = 30.0
"""Seconds for anything in a scene: the longest is two phones ringing one after the other."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene. ``tones`` are those that each channel of the recording must hold, in order."""

    title: str
    play: Callable[[Trial, list[str]], Awaitable[None]]
    outcome: str
    tones: tuple[tuple[int, ...], ...]
    """Of the left channel (the caller's), then of the right one; 0 stands for whichever agent answered."""
    callers: int = 1


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording of a scene's call, and a line for each of its channels."""

    category: str
    path: Path
    channels: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """What came of a scene."""

    scene: Scene
    outcome: str = ""
    reason: str = ""
    recorded: list[Recorded] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether all was as expected."""
        return not self.faults


async def play(it: Trial, scene: Scene) -> Result:
    """Play the scene and hold what came of its (last) call against what was expected."""
    result = Result(scene)
    numbers = [it.fresh_number() for _number in range(scene.callers)]
    for phone in it.world.handsets.values():
        phone.by_hand()
        phone.forget()
    try:
        async with asyncio.timeout(4 * WAIT):
            await scene.play(it, numbers)
        details = [await it.ended(number) for number in numbers]
    except (NotSeen, NotHeard, TimeoutError, AssertionError) as fault:
        result.faults.append(str(fault) or _("It took too long."))
        for caller in it.world.callers:
            await caller.hang_up()
        return result
    await asyncio.to_thread(_judge, it, details[-1], result)
    return result


def _judge(it: Trial, detail: CallDetail, result: Result) -> None:
    state = detail.state
    result.outcome, result.reason = state.outcome, state.reason
    if state.outcome != result.scene.outcome:
        result.faults.append(_("The outcome should be {what}.").format(what=result.scene.outcome))
    ring = keys.load_ring(keys.key_folder(it.settings.hotline.recording, it.state))
    if not detail.recordings:
        result.faults.append(_("There is no recording."))
    for row in detail.recordings:
        if row.state != "finished":
            result.faults.append(_("The recording is not finished."))
            continue
        path = it.state / "recordings" / row.file
        spans = state.recordings["call"].spans if row.category == "call" else ()
        result.recorded.append(Recorded(row.category, path, _channels(path, spans, detail, row.file, ring)))
        for channel, wanted in enumerate(result.scene.tones):
            found = [tone.hz for tone in tones(path, channel, shortest=0.8, name=row.file, ring=ring)]
            expected = [hz or TONES[talk.agent] for hz, talk in _zip(wanted, detail)]
            if len(found) < len(expected) or any(
                abs(hz - want) > NEAR for hz, want in zip(found, expected, strict=False)
            ):
                what = _("Channel {n} should hold {wanted} Hz, and holds {found} Hz.")
                shown = ", ".join(f"{hz:.0f}" for hz in found) or "0"
                result.faults.append(
                    what.format(n=channel + 1, wanted=", ".join(map(str, expected)), found=shown)
                )


def _zip(wanted: tuple[int, ...], detail: CallDetail) -> list[tuple[int, Any]]:
    talks = [talk for talk in detail.state.talks if talk.started_at]
    return [(hz, talks[n] if n < len(talks) else None) for n, hz in enumerate(wanted)]


def _channels(
    path: Path, spans: Sequence[Span], detail: CallDetail, name: str, ring: keys.Ring
) -> tuple[str, ...]:
    """A line for each channel; with several talks, for each channel of each talk."""
    if len(spans) < 2:
        return tuple(_channel(line) for line in measure(path, name=name, ring=ring))
    agents = {talk.talk_id: talk.agent for talk in detail.state.talks}
    return tuple(_channel(line, agents[line.talk_id]) for line in measure(path, spans, name=name, ring=ring))


def _channel(line: ChannelMeasure, agent: str = "") -> str:
    side = _("left, caller") if line.channel == 0 else _("right, agent")
    side = f"{agent} {side}" if agent else side
    if not line.sound_seconds:
        return _("{side}: silence").format(side=side)
    return _("{side}: {hz} Hz, {level} dBFS, sound for {sound} of {length} s").format(
        side=side, hz=f"{line.dominant_hz:.0f}", level=f"{line.rms_dbfs:.0f}", sound=f"{line.sound_seconds:.1f}",
        length=f"{line.seconds:.1f}",
    )  # fmt: skip


# --- the scenes -------------------------------------------------------------------------------------------------------


async def _first_ring(it: Trial) -> tuple[str, Ring]:
    """The agent whose phone rings first, and the ring."""
    waits = {agent: asyncio.ensure_future(it.world.handsets[agent].rings(WAIT)) for agent in ON_DUTY}
    done, rest = await asyncio.wait(waits.values(), return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    task = done.pop()
    return next(agent for agent, wait in waits.items() if wait is task), task.result()


async def _talk(it: Trial, caller: Caller, after: float = 1.0) -> Ring:
    """The first phone that rings is answered; both sides speak for a while."""
    agent, ring = await _first_ring(it)
    await asyncio.sleep(after)
    await ring.answer()
    caller.say(tone_hz=CALLER_HZ)
    ring.say(tone_hz=TONES[agent])
    await caller.heard(tone_hz=TONES[agent], within=WAIT)
    await ring.heard(tone_hz=CALLER_HZ, within=WAIT)
    await asyncio.sleep(SPOKEN)
    return ring


async def _straight_through(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("greeting", within=WAIT)
    await caller.heard("recording_notice", within=WAIT)
    await caller.heard("menu_main", within=WAIT)
    await caller.press("2")
    await _talk(it, caller)
    await caller.hang_up()


async def _next_agent(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("menu_main", within=WAIT)
    await caller.press("1")
    _agent, ring = await _first_ring(it)
    await ring.cancelled(WAIT)
    await _talk(it, caller)
    await caller.hang_up()


async def _two_agents(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("menu_main", within=WAIT)
    await caller.press("1")
    ring = await _talk(it, caller)
    await ring.hang_up()
    await caller.heard("farewell", within=WAIT)
    await caller.press("0")
    await _talk(it, caller)
    await caller.hang_up()


async def _in_the_queue(it: Trial, numbers: list[str]) -> None:
    others = []
    for number in numbers[:2]:
        other = await it.world.call(it.number, number=number)
        await other.answered(WAIT)
        await other.press("1")
        others.append(other)
    talks = []
    for other in others:
        talks.append(await _talk(it, other, after=0.2))
    caller = await it.world.call(it.number, number=numbers[2])
    await caller.heard("menu_main", within=WAIT)
    await caller.press("2")
    await caller.heard("queue_wait", within=WAIT)
    await caller.heard("position_next", within=WAIT)
    await asyncio.sleep(3)
    await others[0].hang_up()
    await _talk(it, caller)
    await caller.hang_up()
    await others[1].hang_up()


async def _a_person(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("menu_main", within=WAIT)
    await caller.press("8")
    await caller.heard("menu_to_person", within=2 * WAIT)
    await _talk(it, caller)
    await caller.hang_up()


async def _in_english(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("en/menu_language", within=WAIT)
    await caller.press("9")
    await caller.heard("en/recording_notice", within=WAIT)
    await caller.heard("en/menu_main", within=WAIT)
    await caller.press("1")
    await _talk(it, caller)
    await caller.hang_up()


async def _voicemail(it: Trial, numbers: list[str]) -> None:
    caller = await it.world.call(it.number, number=numbers[0])
    await caller.heard("menu_main", within=WAIT)
    await caller.press("4")
    await caller.heard("nobody_on_duty", within=WAIT)
    await caller.heard("beep", within=WAIT, whole=True)
    caller.say(tone_hz=CALLER_HZ)
    await asyncio.sleep(SPOKEN + 1)
    caller.hush()
    await caller.press("#")
    await caller.heard("voicemail_thanks", within=WAIT)
    await caller.gone(WAIT)


def scenes() -> tuple[Scene, ...]:
    """The demo's calls in their order."""
    return (
        Scene(_("A complaint (key 2), put straight through"), _straight_through, "answered", ((CALLER_HZ,), (0,))),
        Scene(_("The first agent does not answer; the next one does"), _next_agent, "answered", ((CALLER_HZ,), (0,))),
        Scene(
            _("The first agent hangs up; the caller presses 0 and gets the second"),
            _two_agents, "answered", ((CALLER_HZ,), (0, 0)),
        ),
        Scene(
            _("Both agents talk; the third caller waits and is served next"),
            _in_the_queue, "answered", ((CALLER_HZ,), (0,)), callers=3,
        ),
        Scene(_("A wrong key, then none: a person comes all the same"), _a_person, "answered", ((CALLER_HZ,), (0,))),
        Scene(_("Key 9: the rest of the call is in English"), _in_english, "answered", ((CALLER_HZ,), (0,))),
        Scene(_("Nobody on duty knows this (key 4): a message"), _voicemail, "voicemail", ((CALLER_HZ,),)),
    )  # fmt: skip
