"""A fake Asterisk on the other end of the lifeboat's standard input and output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.pure.test_duty_file import LIFEBOAT


@dataclass
class FakeAgi:
    """Answers commands by ``values`` (what ``${…}`` is) and ``results`` (what an application returns).

    ``hang_up_at``: the number of the command instead of whose answer Asterisk closes the pipe.
    """

    arguments: dict[str, str]
    values: dict[str, str | Callable[[], str]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    hang_up_at: int = 10**9
    said: list[str] = field(default_factory=list)
    now: float = 1_790_000_000.0

    def __post_init__(self) -> None:
        self._lines = [f"{key}: {value}\n".encode() for key, value in self.arguments.items()] + [b"\n"]

    def readline(self, *_limit: int) -> bytes:
        return self._lines.pop(0) if self._lines else b""

    def write(self, data: bytes) -> None:
        assert data.endswith(b"\n") and data.count(b"\n") == 1, "one command is one line"
        command = data.decode().strip()
        self.said.append(command)
        lasts = {"EXEC Dial": 20.0, "EXEC Bridge": 60.0, "WAIT FOR": 1.0}
        self.now += lasts.get(" ".join(command.split(" ")[:2]), 0.01)
        if len(self.said) >= self.hang_up_at:
            self._lines.append(b"HANGUP\n")
            return
        self._lines.append(self._answer(command).encode() + b"\n")

    def flush(self) -> None:
        pass

    def _answer(self, command: str) -> str:
        if found := re.fullmatch(r'GET FULL VARIABLE "\$\{(.*)\}"', command):
            value = next((value for name, value in self.values.items() if re.fullmatch(name, found[1])), None)
            text = value() if callable(value) else value
            return "200 result=0" if text is None else f"200 result=1 ({text})"
        if command.startswith("GET DATA"):
            return "200 result= (timeout)"
        word = command.split(" ")[1] if command.startswith("EXEC") else command.split(' "')[0]
        return f"200 result={self.results.get(word, '0')}"

    def ran(self, application: str) -> list[str]:
        """What was given to each run of this application."""
        start = f"EXEC {application} "
        return [said.removeprefix(start) for said in self.said if said.startswith(start)]


def environment(duty: Path, **about: str) -> dict[str, str]:
    return {
        "agi_request": "lifeboat.py", "agi_channel": "PJSIP/carrier-00000001", "agi_uniqueid": "hotline-1.1",
        "agi_callerid": "13912345678", "agi_calleridname": "unknown", "agi_arg_1": str(duty), "agi_arg_2": "4001234567",
        "agi_arg_3": "down",
    } | about  # fmt: skip


def visit(agi: FakeAgi, monkeypatch: Any) -> int:
    """Run the script against it; returns the exit status."""
    clock = SimpleNamespace(time=lambda: agi.now, monotonic=lambda: agi.now, time_ns=lambda: int(agi.now * 1e9))
    real = LIFEBOAT.Agi
    with monkeypatch.context() as patch:
        patch.setattr(LIFEBOAT, "time", clock)
        patch.setattr(LIFEBOAT.signal, "signal", lambda *_about: None)
        patch.setattr(LIFEBOAT, "Agi", lambda _source, _sink: real(agi, agi))
        status: int = LIFEBOAT.main()
    return status


def written(folder: Path, call_id: str = "hotline-1.1") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{call_id}.jsonl").read_text().splitlines()]
