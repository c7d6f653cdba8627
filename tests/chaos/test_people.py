"""Phones, callers and networks at their worst."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import strike
from tests.chaos.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "fault",
    ["phones_flapping", "phones_without_audio", "phones_rejecting", "phones_silent"],
)
async def test_nothing_is_lost(at: House, fault: str) -> None:
    await strike(at, fault)
