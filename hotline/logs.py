"""The log: lines for a person on a terminal, JSON lines elsewhere, on standard error, with numbers masked.

Everything goes through here: our own structlog loggers and the standard library's (ari, aiohttp, asyncio …). Times
are UTC, ISO 8601. A caller's number is never written whole (138****8000, ``config.masking``), and what is named like a
credential (:data:`_SECRET`) never at all. ``HOTLINE_LOG=json`` or ``text`` overrules the choice.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.masking import masked, masked_text

_QUIET = ("aiohttp.access", "panoramisk", "asyncio")
"""Libraries whose informative lines say nothing to an operator; their warnings do."""

_SECRET = re.compile(r"passw|secret|credential|authorization|api_?key|token", re.IGNORECASE)
_NUMBER_KEY = re.compile(r"^(number|raw|e164|caller|callerid|caller_id|party|phone)$", re.IGNORECASE)

_DIGITS = re.compile(r"\+?[0-9]{5,}")
_ALL_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{4,}")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)")


def mask(text: str) -> str:
    """The text without a whole telephone number, and without the password of an address."""
    return _LOGIN.sub("***", masked_text(text))


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {key: _of_key(key, each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(each) for each in value]
        case bool() | float() | None:
            return value
        case int():
            return value if (shown := mask(str(value))) == str(value) else shown
        case _:
            return mask(repr(value))


def _of_key(key: Any, value: Any) -> Any:
    if _SECRET.search(str(key)):
        return "***"
    if _NUMBER_KEY.match(str(key)) and isinstance(value, str | int):
        text = str(value)
        return masked(text) if _ALL_NUMBER.fullmatch(text) else _DIGITS.sub(lambda found: masked(found[0]), text)
    return _masked(value)


def masking(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that hides numbers and credentials in every field of a line."""
    return {key: _of_key(key, value) for key, value in event.items()}


def _ordered(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When, how grave and what stand first, for the eye."""
    first = {key: event[key] for key in ("time", "level", "logger", "event") if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def configure(*, level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error. May be called again."""
    wanted = os.environ.get("HOTLINE_LOG", "").lower()
    as_json = wanted == "json" or (wanted != "text" and not sys.stderr.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                masking,
                _ordered,
                _renderer(as_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # where a line cannot be written, a complaint of that cannot either


def _renderer(as_json: bool) -> Processor:
    if as_json:
        return structlog.processors.JSONRenderer(serializer=partial(json.dumps, ensure_ascii=False))
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )
