"""Asterisk killed and frozen; the disk full, locked, read-only, gone."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import strike
from tests.chaos.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "fault",
    [
        "store_locked",
        "nothing_can_be_written",
        "store_read_only",
        "recordings_gone",
        "asterisk_frozen",
        "asterisk_killed",
    ],
)
async def test_nothing_is_lost(at: House, fault: str) -> None:
    await strike(at, fault)
