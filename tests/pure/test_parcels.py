"""Files to be fetched for a while: by whom, until when, and gone with what they tell of."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.parcels import VALID_FOR, Parcels, forget_beside
from console.permits import Role, Who


async def test_a_parcel_is_there_for_one_session_and_a_while_unless_a_command_takes_it(tmp_path: Path) -> None:
    now = [1]
    parcels = Parcels(tmp_path, lambda: now[0])
    who = Who("u", "u", "u", frozenset({Role.SUPERVISOR}), key="one")
    file = parcels.new(["a", "b"]) / "copy.zip"
    file.write_bytes(b"zip")
    token = parcels.offer(who, file, "copy.zip", "application/zip", frozenset("ab")).token
    forget_beside(tmp_path, ["c"])
    assert parcels.get(who, token).path == file
    with pytest.raises(LookupError):
        parcels.get(Who("u", "u", "u", frozenset({Role.SUPERVISOR}), key="other"), token)
    now[0] += VALID_FOR * 1_000_000
    with pytest.raises(LookupError):
        parcels.get(who, token)
    now[0] = 1
    forget_beside(tmp_path, ["b"])
    assert not file.parent.exists()
    with pytest.raises(LookupError):
        parcels.get(who, token)
