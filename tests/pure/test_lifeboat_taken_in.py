"""What the lifeboat wrote becomes a call in the journal: whole, broken off, or gone on with the dialplan's apology."""

from __future__ import annotations

import json
import os
import wave
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from calllog.events import Answered, Arrived, Ended, HungUp
from calllog.folds import CallState
from calllog.queries import CallRow
from calllog.wording import reason_word
from config.load import load_settings
from hotline.away import LAST_WORD, Away, micros
from hotline.cli_calls import _columns
from hotline.lifeboat import VIA, engaged, read
from recordings.folders import Folders
from tests.pure.test_review_away import Noted, nowhere

CALL = "hotline-1.1"
T0 = 1_767_225_600_000_000


def lines(*words: tuple[str, dict[str, Any]]) -> bytes:
    """One second between two lines."""
    said = ({"at": T0 + 1_000_000 * place, "do": word, **about} for place, (word, about) in enumerate(words))
    return b"".join(json.dumps(line).encode() + b"\n" for line in said)


GREETED = [
    ("arrived", {"number": "13912345678", "did": "4001234567", "trunk": "carrier"}), ("answered", {}), ("greeted", {}),
    ("notice", {"version": "1"}), ("asked", {"queue": "person", "priority": 4}),
]  # fmt: skip
RUNG = [*GREETED, ("ring", {"talk": f"{CALL}-b1", "agent": "8001", "device": "8001"})]
TALKS = [*RUNG, ("talk", {"talk": f"{CALL}-b1", "agent": "8001", "device": "8001", "part": 1,
                          "file": f"{CALL}-b1.1.raw", "recorded": True})]  # fmt: skip
MESSAGE = [*GREETED, ("offered", {"why": "uncovered"}), ("voicemail", {"file": f"{CALL}.wav"})]


class House:
    """The intake on folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folders = Folders(folder)
        self.folders.make()
        self.away = folder / "away"
        self.away.mkdir()
        self.journal = Noted()
        self.ended: list[CallState] = []
        self.intake = Away(
            self.away, self.folders, cast(Any, self.journal), country="CN", shortest=2.0, ended=self.ended.append
        )

    def put(self, data: bytes, age: float = 60.0, kind: str = ".jsonl") -> Path:
        file = self.away / f"{CALL}{kind}"
        file.write_bytes(data)
        moment = file.stat().st_mtime - age
        os.utime(file, (moment, moment))
        return file

    def message(self, seconds: float) -> None:
        with wave.open(str(self.away / f"{CALL}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(bytes(round(16_000 * seconds)))

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.journal.events]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def taken(house: House) -> CallState:
    assert await house.intake.take_in(nowhere) == 1
    (state,) = house.ended
    assert house.kinds().count("Ended") == 1 and not list(house.away.glob(f"{CALL}*"))
    return state


async def test_a_talk_is_a_call_like_any_other_and_marked(house: House) -> None:
    house.put(lines(*TALKS, ("talk_ended", {"talk": f"{CALL}-b1", "agent": "8001", "by": "agent"}), ("ended", {})))
    state = await taken(house)
    assert (state.outcome, state.reason) == ("answered", f"{VIA}agent_hung_up")
    assert house.kinds() == [
        "Arrived", "HandedOver", "Answered", "Greeted", "NoticeGiven", "Asked", "Enqueued", "RingStarted", "RingEnded",
        "TalkStarted", "RecordingRequested", "RecordingStarted", "RecordingStopped", "TalkEnded", "HungUp", "Ended",
    ]  # fmt: skip
    assert (state.arrived_at, state.talks[0].started_at, state.ended_at) == (T0, T0 + 6_000_000, T0 + 8_000_000)
    assert state.archives_due == ("call",) and reason_word(state.reason) not in (state.reason, "")


async def test_killed_in_mid_talk_the_recording_tells_when_it_ended(house: House) -> None:
    house.put(lines(*TALKS)[:-3] + b'\x00\x00{"at')  # a power cut: the last line is torn
    state = await taken(house)
    assert state.outcome == "failed"  # the talk's line was not whole: that they talked is not known
    house = House(house.away.parent / "second")
    house.put(lines(*TALKS) + b'{"at": 17672')
    raw = house.folders.raw(f"{CALL}-b1.1.raw")
    raw.touch()
    os.utime(raw, (T0 / 1e6 + 95, T0 / 1e6 + 95))
    os.utime(house.away / f"{CALL}.jsonl", (T0 / 1e6 + 6, T0 / 1e6 + 6))
    state = await taken(house)
    assert state.outcome == "answered" and state.talks[0].ended_at == T0 + 95_000_000
    assert state.parts[0].stopped_at


async def test_a_message_is_kept_or_was_too_short(house: House) -> None:
    house.put(lines(*MESSAGE, ("gone", {})))
    house.message(3.0)
    state = await taken(house)
    assert (state.outcome, state.reason, state.voicemail_seconds) == ("voicemail", f"{VIA}uncovered", 3.0)
    house = House(house.away.parent / "second")
    house.put(lines(*MESSAGE, ("gone", {})))
    house.message(0.5)
    assert (await taken(house)).outcome == "uncovered"


@pytest.mark.parametrize("words, outcome, why", [
    ([*GREETED[:2], ("gone", {})], "menu", "caller_hung_up_in_greeting"),
    ([*RUNG, ("gone", {})], "abandoned", "waiting"),
    (RUNG, "failed", "queue"),
    ([*RUNG, ("fault", {"what": "Unfit: …"})], "failed", "queue"),
    ([], "failed", "away"),
])  # fmt: skip
async def test_every_end_has_its_outcome(house: House, words: list[Any], outcome: str, why: str) -> None:
    house.put(lines(*words))
    state = await taken(house)
    assert (state.outcome, state.reason) == (outcome, f"{VIA}{why}")


async def test_when_the_apology_went_on_its_message_is_the_end(house: House) -> None:
    house.put(lines(*RUNG, ("fault", {"what": "OSError"})))
    text = f"begin={T0 // 10**6 + 9}.0\nanswered={T0 // 10**6 + 9}.1\nnumber=139\nend={T0 // 10**6 + 20}.0\n"
    house.put(text.encode(), kind=".txt")
    house.message(4.0)
    state = await taken(house)
    assert (state.outcome, state.reason, state.ended_at) == ("voicemail", f"{VIA}away", T0 + 20_000_000)
    assert state.faults == 1 and house.kinds().count("Arrived") == 1


async def test_nothing_is_taken_in_while_they_talk_or_the_last_word_is_being_written(house: House) -> None:
    async def here(leg: str) -> bool:
        return True

    house.put(lines(*TALKS))
    assert await house.intake.take_in(here) == 0 and house.intake.engaged() == {"8001"}
    house.put(lines(*TALKS), age=LAST_WORD / 2)
    assert await house.intake.take_in(nowhere) == 0 and not house.journal.events
    house.put(lines(*TALKS, ("gone", {})), age=0.0)
    assert house.intake.engaged() == set()
    await taken(house)


async def test_what_comes_too_late_for_an_ended_call_is_kept(house: House) -> None:
    known = CallState(CALL)
    for event in (Arrived(leg=CALL), Answered(), HungUp(by="caller"), Ended(outcome="menu")):
        known.apply(T0, event)
    house.intake.handed_over(known)
    house.put(lines(*TALKS, ("gone", {})))
    assert await house.intake.take_in(nowhere) == 1
    assert not house.journal.events and (house.away / f"{CALL}.late").exists()


async def test_what_a_daemon_took_in_and_was_killed_before_it_removed_the_file_is_removed(house: House) -> None:
    known = CallState(CALL)
    for event in (Arrived(leg=CALL), Answered(), HungUp(by="caller"),
                  Ended(outcome="menu", reason=f"{VIA}caller_hung_up_in_greeting")):  # fmt: skip
        known.apply(T0, event)
    house.intake.handed_over(known)
    house.put(lines(*GREETED[:2], ("gone", {})))
    assert await house.intake.take_in(nowhere) == 1
    assert not house.journal.events and not list(house.away.glob(f"{CALL}.*"))


def test_odd_lines_are_passed_over() -> None:
    odd = b'[]\n{}\n{"at":-1,"do":"ring"}\n{"at":9e99,"do":"x"}\n\xff\xfe\nnull\n{"at":5,"do":"ended"}\n'
    assert [line.do for line in read(CALL, odd).lines] == ["ended"]
    assert engaged([read(CALL, odd)]) == set()


@pytest.mark.parametrize("kind", [".jsonl", ".txt"])
@pytest.mark.parametrize("planted", ["link", "dangling", "pipe", "folder", "gbk", "stars", "line break"])
async def test_what_somebody_planted_among_the_files_stays_and_holds_no_other_up(
    house: House, kind: str, planted: str
) -> None:
    secret = house.away.parent / "secret"
    secret.write_bytes(lines(*GREETED, ("gone", {})))
    file = house.away / f"a{kind}"
    match planted:
        case "link":
            file.symlink_to(secret)
        case "dangling":
            file.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "stars":
            file = house.away / f"**{kind}"
            file.write_bytes(b"")
            os.utime(file, (1, 1))
        case "line break":
            file = house.away / f"a\n\x1b[31m{kind}"
            file.write_bytes(secret.read_bytes())
        case _:
            file = Path(os.fsdecode(os.fsencode(house.away) + b"/" + "甲".encode("gbk") + kind.encode()))
            file.write_bytes(secret.read_bytes())
    house.put(lines(*GREETED, ("gone", {})))
    house.intake.engaged()
    expected = 2 if planted == "stars" else 1
    assert await house.intake.take_in(nowhere) == expected
    assert CALL in [state.call_id for state in house.ended] and secret.exists()
    assert (file.exists() or file.is_symlink()) == (planted != "stars")
    assert await house.intake.take_in(nowhere) == 0


async def test_a_message_that_is_a_link_is_nobodys_voice(house: House) -> None:
    secret = house.away.parent / "secret"
    secret.write_bytes(bytes(100_000))
    (house.away / f"{CALL}.wav").symlink_to(secret)
    house.put(lines(*MESSAGE, ("gone", {})))
    assert await house.intake.take_in(nowhere) == 1
    assert "VoicemailKept" not in house.kinds() and not list(house.folders.spool.iterdir())


@pytest.mark.parametrize("at", [0, -1, 1 << 61, 1 << 70])
def test_a_time_that_no_calendar_can_show_costs_its_line(at: int) -> None:
    good = lines(("arrived", {}))
    assert len(read(CALL, good + json.dumps({"at": at, "do": "answered"}).encode() + b"\n" + good).lines) == 2
    assert (micros("9" * 11), micros("9" * 12)) == (99_999_999_999_000_000, 0)


@pytest.mark.parametrize("odd", [{"priority": 1 << 70}, {"cause": -(1 << 70)}, {"part": 1 << 40}])
def test_a_number_that_no_store_takes_costs_its_line_alone(odd: dict[str, int]) -> None:
    assert [line.do for line in read(CALL, lines(("arrived", {}), ("asked", odd), ("gone", {}))).lines] == [
        "arrived", "gone",
    ]  # fmt: skip


@pytest.mark.parametrize("file", [f"{CALL}-b1/../other-1.1.raw", f"{CALL}-b1.2.raw", f"../{CALL}-b1.1.raw", ""])
async def test_a_talk_names_no_recording_but_its_own(house: House, file: str) -> None:
    about = {"talk": f"{CALL}-b1", "agent": "8001", "device": "8001", "part": 1, "file": file, "recorded": True}
    house.put(lines(*RUNG, ("talk", about), ("gone", {})))
    await taken(house)
    assert "TalkStarted" in house.kinds() and "RecordingRequested" not in house.kinds()


@pytest.mark.parametrize("talk", [f"{CALL}-b1/../x", f"{CALL}-b", f"{CALL}-b1-b1", "other-b1"])
async def test_a_ring_is_of_its_own_call(house: House, talk: str) -> None:
    house.put(lines(*GREETED, ("ring", {"talk": talk, "agent": "8001", "device": "8001"}), ("gone", {})))
    await taken(house)
    assert "RingStarted" not in house.kinds()


def test_the_list_of_calls_says_which_the_lifeboat_served() -> None:
    settings = load_settings(Path(__file__).resolve().parents[2] / "config")
    (about,) = [column for column in _columns(settings) if column.key == "label"]
    blank: dict[str, Any] = {field.name: "" for field in fields(CallRow)}
    served = CallRow(**blank | {"reason": f"{VIA}caller_hung_up"})
    assert "救生艇" in about.text(served).plain
    assert about.text(CallRow(**blank | {"reason": "caller_hung_up"})).plain == ""
