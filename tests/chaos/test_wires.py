"""The wires between daemon and Asterisk cut, stalled, half open."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import strike
from tests.chaos.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "fault",
    ["ari_cut", "ari_stalled", "ari_half_open", "ami_cut", "ami_stalled"],
)
async def test_nothing_is_lost(at: House, fault: str) -> None:
    await strike(at, fault)
