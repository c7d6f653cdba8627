"""Calls in virtual time, with everything in them going wrong, and not one whole number in the log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CODE = """
from contextlib import suppress
from hotline import logs
logs.configure()
from calllog.errors import StoreLost
from tests.virtual import scripts
from tests.virtual.sweep import play
from tests.virtual.test_faults import with_fault
from tests.virtual.virtual_time import run

def fault(number):
    def breaks(request):
        if request.number == number:
            raise RuntimeError("no answer for 13800000000, +8613800000000, sip:013800000000@10.0.0.1")
        return ""
    return breaks

for number in range(2, 32, 3):
    with suppress(AssertionError):  # the script waits in vain for what the fault has ended
        run(play(with_fault(scripts.three_agents, phone=fault(number)), scripts.served))
run(play(with_fault(scripts.nobody, journal=lambda event: True), scripts.leaves_message))
"""


def test_no_log_line_holds_a_whole_number() -> None:
    # In a process of its own: loggers that another test has used write elsewhere.
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300,
        env={**os.environ, "HOTLINE_LOG": "json"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stderr.splitlines()
    assert len(lines) > 10 and sum("138****0000" in line for line in lines) > 5
    assert [line for line in lines if re.search(r"13800000000", line)] == []
