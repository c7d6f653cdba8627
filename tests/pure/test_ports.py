"""Ports for tests and demos: processes side by side get different ones, and none is given again soon."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from hotline.bench.sides import RTP
from hotline.outside.ports import BLOCK, FIRST, LAST, SINGLES, free_ports

OTHER = "from hotline.outside.ports import free_ports as f; print(*f(50), *f(800, run=True), flush=True); input()"


def test_two_processes_never_get_the_same_though_none_is_bound_yet() -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        given = [set(free_ports(50)) | set(free_ports(800, run=True))]
        for other in others:
            assert other.stdout is not None
            given.append({int(port) for port in other.stdout.readline().split()})
    finally:
        for other in others:
            other.communicate("\n")
    assert [len(ports) for ports in given] == [850] * 3
    assert len(set().union(*given)) == 3 * 850


def test_a_port_is_given_again_only_after_all_the_others() -> None:
    last = free_ports(1)[0]
    for _ in range(10):
        ports = free_ports(20)
        assert last not in ports
    first, second = free_ports(400, run=True), free_ports(800, run=True)
    assert not set(first) & set(second) and first[0] % 2 == second[0] % 2 == 0


def test_what_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports(1)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first))
        assert first not in free_ports(SINGLES - 50)
    with pytest.raises(OSError, match="ports"):
        free_ports(BLOCK, run=True)


def test_no_port_that_is_given_lies_where_the_bench_has_its_sound() -> None:
    assert not set(RTP) & set(range(FIRST, LAST))
