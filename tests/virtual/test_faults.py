"""Everything fails once, at every place of a call; then for good: one outcome all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calllog.events import Adopted, AnyEvent
from tests.virtual import scripts
from tests.virtual.fake_phone import Failure, Request
from tests.virtual.sweep import Opening, Script, play
from tests.virtual.virtual_time import run
from tests.virtual.world import World, answers

CALLS = pytest.mark.parametrize(
    ("opening", "script", "outcome"),
    [(scripts.three_agents, scripts.served, "answered"), (scripts.nobody, scripts.leaves_message, "voicemail")],
    ids=["served", "message"],
)


def with_fault(
    opening: Opening,
    phone: Callable[[Request], Failure] = lambda request: "",
    journal: Callable[[AnyEvent], bool] = lambda event: False,
) -> Opening:
    """The same house with something broken; agents who are left alone on a line hang up."""

    async def broken() -> World:
        world = await opening()
        world.phone.fault, world.journal.fault = phone, journal
        world.answers = dict.fromkeys(world.settings.agents.agents, answers(12))
        return world

    return broken


def at(number: int, failure: str) -> Callable[[Request], Failure]:
    """This request fails; ``bug``: something of our own raises what nobody foresaw."""

    def fault(request: Request) -> Failure:
        if request.number != number:
            return ""
        if failure == "bug":
            raise RuntimeError("a bug")
        return "refused" if failure == "refused" else "unanswered"

    return fault


@CALLS
@pytest.mark.parametrize("failure", ["refused", "unanswered", "bug"])
def test_every_request_to_asterisk_fails_once(
    opening: Opening, script: Script, outcome: str, failure: str
) -> None:
    world, _caller, _turns = run(play(opening, script))
    requests = len(world.phone.requests)
    assert requests > 10
    for number in range(2, requests + 1):  # the first is the snapshot
        try:
            house = with_fault(opening, at(number, failure))
            world, caller, _turns = run(play(house, script, blow=lambda *_: None, mended=failure == "bug"))
            assert world.state(caller).outcome in (outcome, "uncovered")
        except BaseException as error:
            error.add_note(f"request {number}: {world.phone.requests[number - 1]}")
            raise


@CALLS
def test_every_barrier_fails_once(opening: Opening, script: Script, outcome: str) -> None:
    world, _caller, _turns = run(play(opening, script))
    for number in range(1, world.journal.barriers + 1):
        seen: list[AnyEvent] = []

        def lost(event: AnyEvent, seen: list[AnyEvent] = seen, number: int = number) -> bool:
            seen.append(event)
            return len(seen) == number

        try:
            world, caller, _turns = run(play(with_fault(opening, journal=lost), script, blow=lambda *_: None))
            assert world.state(caller).outcome in (outcome, "uncovered")
        except BaseException as error:
            error.add_note(f"barrier {number}: {seen[number - 1]}")
            raise


VERBS = ("play", "stop_play", "wait_with_music", "keep_music", "ring", "connect", "record_talk", "stop_recording",
         "record_message", "message_open", "guard", "hand_over", "answer", "stop_music", "disconnect")  # fmt: skip


@CALLS
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_fails_for_good(opening: Opening, script: Script, outcome: str, verb: str) -> None:
    """The call is served without it, handed over, or ended; and the next start finds nothing it must end."""
    house = with_fault(opening, lambda request: "refused" if request.verb == verb else "")
    world, caller, _turns = run(play(house, script, blow=lambda *_: None, mended=True))
    if verb in ("stop_play", "keep_music", "record_talk", "stop_recording", "message_open", "disconnect"):
        assert world.state(caller).outcome == outcome
    assert not any(isinstance(event, Adopted) for event in world.events(caller))


@CALLS
def test_the_store_takes_nothing_for_hours(opening: Opening, script: Script, outcome: str) -> None:
    world, caller, _turns = run(play(with_fault(opening, journal=lambda event: True), script, blow=lambda *_: None))
    assert world.state(caller).outcome == outcome
