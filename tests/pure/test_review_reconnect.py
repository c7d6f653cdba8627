"""A reconnect while the store cannot be read: the hotline goes on answering; only a first start must wait for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from calllog.errors import StoreError
from config.load import load_settings
from hotline.asterisk.install import OLDEST
from hotline.daemon import Daemon

SETTINGS = load_settings(Path(__file__).resolve().parents[2] / "config")


class Broken:
    """A journal whose disk gives nothing back."""

    def append(self, *_event: Any, **_about: Any) -> None:
        pass

    async def flush(self) -> None:
        pass

    async def agent_states(self) -> dict[str, Any]:
        raise StoreError("disk I/O error")


async def info() -> Any:
    version = ".".join(map(str, OLDEST))
    return SimpleNamespace(system=SimpleNamespace(version=version), status=SimpleNamespace(startup_time=None))


@pytest.mark.parametrize("first", [True, False])
async def test_a_store_that_cannot_be_read_keeps_a_first_start_waiting_but_no_reconnect(first: bool) -> None:
    daemon = Daemon.__new__(Daemon)
    daemon._adopted = not first
    daemon.settings = SETTINGS
    daemon.journal = cast(Any, Broken())
    daemon.client = cast(Any, SimpleNamespace(asterisk=SimpleNamespace(info=info)))
    if first:
        with pytest.raises(OSError, match="disk I/O error"):  # ari drops the connection and tries again
            await daemon._back(False)
    else:
        await daemon._back(False)
    assert daemon._adopted is not first
