"""The daemon killed, frozen, stopped with a bad configuration; its clock stepped."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import strike
from tests.chaos.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "fault",
    [
        "daemon_killed",
        "killed_at_an_arrival",
        "daemon_frozen",
        "configuration_at_restart",
        "configuration_edited",
        "clock_stepped",
        "clock_stepped_and_killed",
    ],
)
async def test_nothing_is_lost(at: House, fault: str) -> None:
    await strike(at, fault)
