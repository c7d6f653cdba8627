"""Callers and networks at their worst."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import strike
from tests.chaos.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "fault",
    ["rough_audio", "same_instant", "key_floods", "odd_names"],
)
async def test_nothing_is_lost(at: House, fault: str) -> None:
    await strike(at, fault)
