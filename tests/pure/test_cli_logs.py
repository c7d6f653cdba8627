"""The log: JSON where no person reads, numbers masked, no credential, the standard library's lines too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hotline.logs import mask, masking
from tests.pure.cli_play import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800008000", "138****8000"),
        ("from +8613800008000 to 4001234567", "from +86138****8000 to 40****4567"),
        ("sip:02112345678@10.0.0.1:5060", "sip:021****5678@10.0.0.1:5060"),
        ("call hotline-1770321600.12-1-agent", "call hotline-1770321600.12-1-agent"),
        ("018f3c2e-7b1a-7000-8000-123456789012", "018f3c2e-7b1a-7000-8000-123456789012"),
        ("2026-02-06T03:00:00.123456+00:00", "2026-02-06T03:00:00.123456+00:00"),
        ("http://user:word@127.0.0.1:8088/ari", "http://***@127.0.0.1:8088/ari"),
        ("pid 20073, port 5060, 1770321600000000 µs", "pid 20073, port 5060, 1770321600000000 µs"),
    ],
)
def test_numbers_are_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


def test_fields() -> None:
    event = {
        "event": "x", "number": "95588", "password": "p", "caller": 13800008000, "legs": ["13800008000"],
        "more": {"secret": "s", "e164": "+8613800008000"}, "seconds": 1.5, "ok": True, "none": None, "pid": 7,
    }  # fmt: skip
    assert masking(None, "info", event) == {
        "event": "x", "number": "9****88", "password": "***", "caller": "138****8000", "legs": ["138****8000"],
        "more": {"secret": "***", "e164": "+86138****8000"}, "seconds": 1.5, "ok": True, "none": None, "pid": 7,
    }  # fmt: skip


CODE = """
import logging, structlog
from hotline import logs
logs.configure()
structlog.get_logger("routing").info("a call", number="13800008000", call="hotline-1.2")
logging.getLogger("ari").warning("lost %s", "+8613800008000")
logging.getLogger("aiohttp.access").info("GET /")
try:
    raise ValueError("13800008000")
except ValueError:
    structlog.get_logger().exception("a fault")
"""


def logged(**env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", **env},
    )  # fmt: skip
    assert done.stdout == ""
    return done.stderr


def test_json_lines() -> None:
    first, second, third = [json.loads(line) for line in logged().splitlines()]
    assert first["number"] == "138****8000" and first["call"] == "hotline-1.2" and first["logger"] == "routing"
    assert first["time"].endswith("Z") and list(first)[:4] == ["time", "level", "logger", "event"]
    assert second["event"] == "lost +86138****8000" and second["level"] == "warning"
    assert "ValueError: 138****8000" in third["exception"]


def test_lines_for_a_person() -> None:
    text = logged(HOTLINE_LOG="text")
    assert "a call" in text and "138****8000" in text and "13800008000" not in text and "\x1b" not in text
