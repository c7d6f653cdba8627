"""Everything fails once, at every place of a call; then for good: one outcome all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calllog.events import AnyEvent
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


def at(number: int, failure: Failure) -> Callable[[Request], Failure]:
    return lambda request: failure if request.number == number else ""


@CALLS
@pytest.mark.parametrize("failure", ["refused", "unanswered"])
def test_every_request_to_asterisk_fails_once(
    opening: Opening, script: Script, outcome: str, failure: Failure
) -> None:
    world, _caller, _turns = run(play(opening, script))
    requests = len(world.phone.requests)
    assert requests > 10
    for number in range(2, requests + 1):  # the first is the snapshot
        try:
            world, caller, _turns = run(play(with_fault(opening, at(number, failure)), script, blow=lambda *_: None))
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
