"""Reading Asterisk back: a caller whose call is over, but whose leg could not be hung up, begins no second life."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hotline.calls import Calls
from phone import port
from routing.session import House

CALL = "hotline-1.1"


class OneLeg:
    """An Asterisk with one caller in our application, and what was asked of it."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []

    async def snapshot(self) -> port.Snapshot:
        arrival = port.Arrival(CALL, "13912345678", "", "4001234567", "carrier")
        return port.Snapshot({CALL: port.LiveLeg(CALL, CALL, True, True, arrival)}, {})

    async def hang_up(self, leg: str) -> None:
        self.hung_up.append(leg)


@pytest.mark.parametrize("over", [True, False])
async def test_a_call_that_is_over_is_hung_up_and_an_unknown_one_begins(
    monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    phone, begun = OneLeg(), list[str]()
    house = House(cast(Any, phone), cast(Any, None), cast(Any, None), cast(Any, None), lambda file: 0.0)
    calls = Calls(house, cast(Any, None), lambda state: None, lambda state: None)
    monkeypatch.setattr(calls, "arrive", lambda arrival, found: begun.append(arrival.leg))

    async def is_over(call_id: str) -> bool:
        return over and call_id == CALL

    adoption = await calls.read_back([], asterisk_started=0, was_away=lambda call: False, is_over=is_over)
    assert not begun, "nobody may speak to the desk before it is restored"
    calls.adopt(adoption)
    assert (phone.hung_up, begun) == (([CALL], []) if over else ([], [CALL]))
