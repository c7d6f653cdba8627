"""How fast the lifeboat takes callers: from INVITE to 200 OK, which its script sends; one alone, and many at once.

Starts a private Asterisk without a daemon in a folder of its own. Prints JSON: ``alone_ms`` (the median and the most of
some single calls), ``at_once_ms`` (median and most of ``--calls`` calls sent in one instant), and how many it served.

    .venv/bin/python scripts/bench_lifeboat.py --calls 50
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hotline import duty_file
from tests.real.private_asterisk import PrivateAsterisk, private_asterisk, write_tone

ALONE = 10
"""Single calls of which the median is taken."""

LIMIT = 20.0
"""Seconds for one answer."""


def request(method: str, number: str, call: int, ours: int, theirs: int, to_tag: str, body: str = "") -> bytes:
    """One SIP request of call number ``call``."""
    sequence = {"INVITE": 1, "ACK": 1}.get(method, 2)
    uri = f"sip:{number}@127.0.0.1:{theirs}"
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{ours};branch=z9hG4bK{call}{method};rport",
        f"From: <sip:1391234{call:04}@127.0.0.1>;tag=bench{call}",
        f"To: <{uri}>{to_tag}",
        f"Call-ID: bench{call}@127.0.0.1",
        f"CSeq: {sequence} {method}",
        f"Contact: <sip:bench@127.0.0.1:{ours}>",
        "Max-Forwards: 70",
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def run(asterisk: PrivateAsterisk, first: int, calls: int) -> list[float]:
    """So many calls in one instant, numbered from ``first``; their times from INVITE to 200 in ms."""
    ours, theirs = asterisk.carrier_port, asterisk.sip_port
    sound = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
    began: dict[int, float] = {}
    times: dict[int, float] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        line.bind(("127.0.0.1", ours))
        line.settimeout(LIMIT)
        for call in range(first, first + calls):
            began[call] = time.monotonic()
            line.sendto(request("INVITE", asterisk.number, call, ours, theirs, "", sound), ("127.0.0.1", theirs))
        while len(times) < calls:
            text = line.recv(65536).decode("utf-8", "replace")
            found = re.search(r"Call-ID: bench(\d+)@", text)
            if found is None or not text.startswith("SIP/2.0 200") or "CSeq: 1 INVITE" not in text:
                continue
            call = int(found[1])
            times.setdefault(call, 1000 * (time.monotonic() - began[call]))
            tagged = re.search(r"To: [^\r]*(;tag=[^;\r]+)", text)
            tag = tagged[1] if tagged else ""
            line.sendto(request("ACK", asterisk.number, call, ours, theirs, tag), ("127.0.0.1", theirs))
            line.sendto(request("BYE", asterisk.number, call, ours, theirs, tag), ("127.0.0.1", theirs))
        time.sleep(0.3)
    return list(times.values())


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
            run(asterisk, 0, 1)  # the first reads Python from the disk
            alone = [took for one in range(1, ALONE + 1) for took in run(asterisk, one, 1)]
            at_once = run(asterisk, 100, calls)
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
