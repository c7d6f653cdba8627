"""The short form: each module has a house of its own and strikes its faults once, one after the other."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.every import FAULTS
from tests.chaos.house import House, house
from tests.chaos.round import Row, one_round, settle

SEED = os.environ.get("SEED") or "1"
RATE, AGENTS = 2.5, 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The module's house, after a little of a crowd."""
    async with house(tmp_path_factory.mktemp("chaos"), SEED, agents=AGENTS) as it:
        await settle(it, RATE, leave=True)
        yield it


async def strike(at: House, name: str) -> Row:
    """Strike once. Raises AssertionError with everything that was lost, and how to see it again."""
    row = Row(name)
    await one_round(at, row, lambda it: FAULTS[name].strike(it, True), rate=RATE, after=1.0, leave=True)
    lost = "\n".join(row.losses)
    assert not row.losses, f"{name}, seed {SEED} (again: make chaos SEED={SEED} ONLY={name}): {lost}"
    return row
