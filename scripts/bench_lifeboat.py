"""How fast the lifeboat takes callers: from INVITE to 200 OK, which its script sends; one alone, and many at once.

Starts a private Asterisk without a daemon in a folder of its own. Prints JSON: ``alone_ms`` (the median and the most of
some single calls), ``at_once_ms`` (median and most of ``--calls`` calls sent within 0.1 s), and how many it served.

    .venv/bin/python scripts/bench_lifeboat.py --calls 50
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hotline import duty_file
from hotline.asterisk.install import sipp_command
from tests.real.private_asterisk import (
    ACK,
    CALLER,
    HANGS_UP,
    PrivateAsterisk,
    private_asterisk,
    write_tone,
)

ALONE = 10
"""Single calls of which the median is taken."""

STAYS = 2500
"""Milliseconds that each caller stays: longer than all need to be answered."""


def scenario(folder: Path, asterisk: PrivateAsterisk) -> Path:
    """A SIPp scenario that measures the time from INVITE to 200."""
    number, caller = asterisk.number, '"A" <sip:13912345678@[local_ip]>'
    ack = ACK.replace("{to}", number).replace("{caller}", caller)
    text = CALLER.replace("{then}", HANGS_UP).replace("{ack}", ack)
    for key, value in (("to", number), ("caller", caller), ("audio", 40_000), ("milliseconds", STAYS)):
        text = text.replace("{" + key + "}", str(value))
    text = text.replace('<send retrans="500"><![CDATA[\nINVITE', '<send retrans="500" start_rtd="1"><![CDATA[\nINVITE')
    text = text.replace('<recv response="200"/>', '<recv response="200" rtd="1"/>', 1)
    file = folder / "caller.xml"
    file.write_text(text, encoding="utf-8")
    return file


def run(asterisk: PrivateAsterisk, folder: Path, calls: int) -> list[float]:
    """So many calls in one instant; their times in ms."""
    for old in folder.glob("caller_*_rtt.csv"):
        old.unlink()
    done = subprocess.run(
        [
            *sipp_command(), f"127.0.0.1:{asterisk.sip_port}", "-sf", str(scenario(folder, asterisk)), "-m", str(calls),
            "-r", str(calls), "-rp", "100", "-i", "127.0.0.1", "-p", str(asterisk.carrier_port), "-nostdin",
            "-trace_rtt", "-rtt_freq", "1", "-timeout", "60",
        ],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    (file,) = folder.glob("caller_*_rtt.csv")
    with file.open(encoding="utf-8") as rows:
        times = [float(row[1]) for row in csv.reader(rows, delimiter=";") if row[1:] and row[1][:1].isdigit()]
    if done.returncode or len(times) != calls:
        raise SystemExit(f"{calls} calls: {len(times)} were answered (status {done.returncode}): {done.stderr[-500:]}")
    return times


def figures(times: list[float]) -> dict[str, float]:
    """The median and the most."""
    return {"median": round(statistics.median(times), 1), "most": round(max(times), 1)}


def measure(calls: int) -> dict[str, object]:
    """All figures, on an Asterisk of its own."""
    folder = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    try:
        with private_asterisk(folder / "var") as asterisk:
            for name in ("greeting", "recording_notice", "connecting", "away_apology", "beep", "voicemail_thanks"):
                write_tone(asterisk.home.state / "sounds/zh" / f"{name}.wav", 440, 3.0)
            duty_file.write(asterisk.settings, asterisk.home, time.time())
            alone = [time for _ in range(ALONE) for time in run(asterisk, folder, 1)]
            at_once = run(asterisk, folder, calls)
            served = len(list(asterisk.home.away.glob("*.jsonl")))
            left = len(list(asterisk.home.away.glob("*.txt")))
        return {
            "alone_ms": figures(alone), "calls": calls, "at_once_ms": figures(at_once),
            "served_by_lifeboat": served, "left_to_the_apology": left,
        }  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--calls", type=int, default=50, help="how many at once")
    print(json.dumps(measure(arguments.parse_args().calls), indent=1))
