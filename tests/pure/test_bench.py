"""The bench's own parts: figures and targets, the pages, the receivers' ears. ``make bench`` itself measures."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from calllog.access import faults
from calllog.codec import decode
from calllog.search import Wanted, find
from hotline.bench import figures, finding, inside, page, rosters
from hotline.bench.__main__ import about
from hotline.bench.cost import Cost, resident_mb, tree
from hotline.bench.many_calls import RARE, many_calls
from hotline.bench.measure import Busy, Rate, Talks
from hotline.bench.sound import EVENT, KEY_PACKETS, SETTLED, Side
from hotline.bench.stage import Heard
from hotline.outside.ports import free_ports
from tests.pure.journal_play import stored


def busy(asterisk: float, daemon: float = 0.0, workers: float = 0.0, slowest: float = 0.01) -> Busy:
    answer = [0.002] * 98 + [slowest, slowest]
    return Busy(20.0, 100, 100, 100, 3.5, Cost(asterisk, daemon, workers), answer, 0.0, 0.001)


def measured(**other: object) -> figures.Measured:
    found = figures.Measured(
        plain=[busy(0.050), busy(0.052)],
        hotline=[busy(0.045, 0.006, 0.003), busy(0.046, 0.006, 0.002, 0.03)],
        queue_free=[[0.6, 0.7], [0.65]],
        hotline_free=[[0.004, 0.005], [0.006]],
        idle_mb=(75.0, 0.0),
        talks_plain=Talks(200, True, 0.0, 0.0),
        talks_hotline=Talks(210, True, 0.0, 0.0, daemon_mb=90.0),
        rate_plain=Rate(30.0, "failed"),
        rate_hotline=Rate(35.0, "slow"),
        journal=inside.JournalSpeed(2_000.0, 20_000, 0.02, 0.03, 15_000.0),
        decisions=inside.decisions((50, 200), 60),
        roster=rosters.rosters(40, 20, 50),
        finding=finding.FindSpeed(1_000_000, 0.05, 0.1, 0.12, ("a", "b", "c")),
        screens={"calls": 1_000_000, "agents": 1_000, "paint_s": 0.4, "heaviest_bytes": 226_216, "late_p99_s": 0.004,
                 "calm_p99_s": 0.002, "rooms": {"agent": {"/desk": {"paint": 0.4}}}},
        simulate={"seconds": 40.0},
        lifeboat={"alone_ms": {"median": 60.0}, "at_once_ms": {"most": 900.0}},
    )
    for name, value in other.items():
        setattr(found, name, value)
    return found


def test_ratios_are_means_of_the_rounds_with_their_spread() -> None:
    table = {line.key: line for line in figures.lines(measured())}
    cpu = table["cpu_per_call_ratio"]
    assert cpu.seen == pytest.approx((0.054 / 0.050 + 0.054 / 0.052) / 2)
    assert cpu.spread == (pytest.approx(0.054 / 0.052), pytest.approx(0.054 / 0.050))
    assert cpu.holds is True
    answer = table["answer_delay_p99_ratio"]
    assert answer.seen == pytest.approx((1 + 3) / 2)
    assert answer.holds is False
    assert table["free_to_ring_p99_s"].seen == 0.006
    assert table["queue_free_to_ring_p99_s"].holds is None


def test_the_file_has_the_keys_that_others_read() -> None:
    found = measured()
    whole = figures.as_json(found, figures.lines(found), about("22.10.1", False))
    for key in (
        "cpu_per_call_ratio", "answer_delay_p99_ratio", "free_to_ring_p99_s", "queue_free_to_ring_p99_s",
        "rss_idle_mb", "rss_200_calls_mb", "paint_s", "first_load_kb", "find_one_s",
    ):  # fmt: skip
        assert isinstance(whole[key], float), key
    assert json.loads(json.dumps(whole)) == whole


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_quantiles_are_values_that_were_seen(share: float, wanted: int) -> None:
    assert figures.quantile(list(range(100, 0, -1)), share) == wanted
    assert figures.quantile([7.0], share) == 7.0


def test_both_pages_get_the_same_figures(tmp_path: Path) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "bench"
    for name in ("README.md", "README.zh-CN.md"):
        shutil.copy(docs / name, tmp_path)
    found = measured()
    whole = figures.as_json(found, figures.lines(found), about("Asterisk 22.10.1", False))
    for _again in range(2):
        page.write(tmp_path, found, whole)
    english, chinese = ((tmp_path / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    ratio = "| 1.06 × | 1.04 – 1.08 |"  # with its spread: what is really measured here may be 1.06, too
    assert english.count(ratio) == chinese.count(ratio) == 1
    assert english.count("Asterisk 22.10.1") == chinese.count("Asterisk 22.10.1") == 1
    assert "Asterisk Asterisk" not in english + chinese
    assert "does not hold" in english
    assert "未达到" in chinese
    for language in ("en", "zh"):
        ElementTree.parse(tmp_path / f"figures.{language}.svg")


async def test_a_made_up_store_has_what_people_did_with_its_calls(tmp_path: Path) -> None:
    path = many_calls(tmp_path, 400)
    assert many_calls(tmp_path, 400) == path  # as it is: made once
    assert len((await find(path, Wanted(words=RARE))).call_ids) == 2  # the third is in a larger store
    ((reviews, listed, heard),) = stored(
        path, "SELECT (SELECT count(*) FROM reviewed), (SELECT count(*) FROM review_list), count(*) FROM event"
        " WHERE stream = 'access'"
    )  # fmt: skip
    assert 0 < reviews <= listed and heard == 400
    rows = stored(path, "SELECT seq, at, kind, v, data FROM event WHERE stream = 'access' ORDER BY seq")
    assert list(faults((seq, at, decode(*event)) for seq, at, *event in rows)) == []  # type: ignore[misc]


def test_sound_suffers_in_two_bad_seconds_on_end() -> None:
    good, bad = [100, 100, 0, 0], [100, 97, 2, 1]
    assert Heard({1: good, 2: bad, 3: good, 4: bad}).suffered_at(0.01) is None
    assert Heard({1: good, 2: bad, 3: bad}).suffered_at(0.01) == 2
    assert Heard({1: bad, 2: good}).lost == pytest.approx(0.015)


def test_time_and_memory_of_processes_are_read() -> None:
    import os

    own, _children = tree(os.getpid())
    assert own > 0
    assert 5 < resident_mb(os.getpid()) < 5_000


# --- what the receivers hear --------------------------------------------------------------------------------------


@pytest.fixture
def ear() -> Iterator[tuple[Side, socket.socket]]:
    """A side that presses 7 on its third packet, and a peer of it on an even port."""
    with ExitStack() as open_ones:
        port, _other = free_ports(2)
        side = Side(port, np.full((50, 160), 0x55, np.uint8), key=7, key_at=2, talk_from=0)
        open_ones.callback(side.batches.socket.close)
        peer = open_ones.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        peer.bind(("127.0.0.1", next(one for one in free_ports(20) if one % 2 == 0)))
        peer.settimeout(30.0)
        yield side, peer


def packet(number: int, ssrc: int = 1) -> bytes:
    return struct.pack(">BBHII", 0x80, 8, number, number * 160, ssrc) + bytes(160)


def test_gaps_are_counted_by_the_timestamps(ear: tuple[Side, socket.socket]) -> None:
    side, peer = ear
    at = side.batches.socket.getsockname()
    for number in range(SETTLED + 40):
        if number not in (SETTLED + 20, SETTLED + 21):
            peer.sendto(packet(number), at)
    time.sleep(0.05)
    side.take()
    promised, heard, _late, missing = (sum(row[place] for row in side.heard.values()) for place in range(4))
    assert side.streams == 1
    assert (promised - heard, missing) == (2, 2)


def test_who_speaks_gets_speech_and_one_key(ear: tuple[Side, socket.socket]) -> None:
    side, peer = ear
    peer.sendto(packet(0), side.batches.socket.getsockname())
    time.sleep(0.02)
    side.take()
    heard = []
    for tick in range(KEY_PACKETS + 6):
        assert side.speak(tick) == 1
        heard.append(peer.recv(400))
    keys = [one for one in heard if one[1] & 127 == EVENT]
    assert [one[1] & 127 for one in heard] == [8, 8, *[EVENT] * KEY_PACKETS, 8, 8, 8, 8]
    assert len({one[4:8] for one in keys}) == 1, "one key has one timestamp"
    assert {one[12] for one in keys} == {7}
    assert [bool(one[13] & 0x80) for one in keys] == [False] * (KEY_PACKETS - 3) + [True] * 3
    assert [struct.unpack(">H", one[2:4])[0] for one in heard] == list(range(len(heard)))
