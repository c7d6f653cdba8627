"""Free ports of the loopback interface."""

from __future__ import annotations

import random
import socket

SINGLE, RUNS = (20_000, 23_000), (23_000, 32_500)
"""Where single ports and runs of ports are taken from: apart, so that single ones do not break the runs up; below
Linux's ephemeral range (32768 and up), so that no outgoing connection takes one before we do."""


def free_ports(count: int, *, run: bool = False) -> list[int]:
    """So many ports of 127.0.0.1 that are free for UDP and TCP at this moment.

    ``run``: one run of successive ports, as an RTP range is. Random, so that several test processes side by side
    hardly ever choose the same. Raises OSError when there are none.
    """
    found: list[int] = []
    lowest, highest = RUNS if run else SINGLE
    for _ in range(2_000):
        if run:
            first = random.randrange(lowest, highest - count, 2)
            if all(_free(port) for port in range(first, first + count)):
                return list(range(first, first + count))
        else:
            port = random.randrange(lowest, highest)
            if port not in found and _free(port):
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free ports between {lowest} and {highest}")


def _free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
