"""Virtual time for every async test here, and a log that is kept to be looked at instead of printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import structlog
from structlog._config import BoundLoggerLazyProxy

from tests.virtual.virtual_time import VirtualLoop

Logged = list[dict[str, Any]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], VirtualLoop]]:
    """Every async test runs in a virtual time of its own."""
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """What the product logged at level error."""
    lines: Logged = []

    def keep(logger: Any, method: str, entry: Any) -> Any:
        if method in ("error", "exception", "critical"):
            lines.append(dict(entry))
        raise structlog.DropEvent

    _forget_cached_loggers()
    structlog.configure(processors=[keep])
    yield lines
    structlog.reset_defaults()


def _forget_cached_loggers() -> None:
    """A test of ``hotline.logs`` in this process lets loggers keep their first configuration: they would be deaf."""
    for module in list(sys.modules.values()):
        logger = getattr(module, "log", None)
        if isinstance(logger, BoundLoggerLazyProxy):
            vars(logger).pop("bind", None)
