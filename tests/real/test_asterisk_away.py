"""The dialplan without a daemon: an apology is heard, a message can be left, and both are on record."""

from __future__ import annotations

import shutil
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hotline.asterisk.process import log_problems
from hotline.outside.callers import hangs_up, refused, waits
from tests.real.private_asterisk import (
    CALLER,
    NOWHERE,
    Mouth,
    PrivateAsterisk,
    call,
    private_asterisk,
    strength,
    wait_for,
    write_tone,
)


@pytest.fixture(scope="module")
def asterisk() -> Iterator[PrivateAsterisk]:
    """One for all tests here, in a folder with a space and Chinese letters in its name."""
    folder = Path(tempfile.mkdtemp(prefix="hot line 热线 "))
    try:
        with private_asterisk(folder, voicemail_silence=2.0, voicemail_longest=8.0) as running:
            prompts = folder / "sounds/zh"
            write_tone(prompts / "away_apology.wav", 440, 1.0)
            write_tone(prompts / "voicemail_thanks.wav", 520, 0.6)
            yield running
    finally:
        shutil.rmtree(folder)


def record_of(asterisk: PrivateAsterisk, known: set[Path]) -> dict[str, str]:
    """The finished record of the one call since ``known``."""
    wait_for(lambda: [file for file in fresh(asterisk, known) if "end=" in file.read_text()])
    (file,) = fresh(asterisk, known)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert all("=" in line for line in lines)
    record = dict(line.split("=", 1) for line in lines)
    assert len(record) == len(lines)
    record["uniqueid"] = file.stem
    return record


def fresh(asterisk: PrivateAsterisk, known: set[Path]) -> list[Path]:
    return sorted(set(asterisk.home.away.glob("*.txt")) - known)


@pytest.fixture
def known(asterisk: PrivateAsterisk) -> set[Path]:
    return set(asterisk.home.away.glob("*.txt"))


def test_a_message_is_left(asterisk: PrivateAsterisk, known: set[Path], tmp_path: Path) -> None:
    with Mouth(speak=2.0, after=1.1) as mouth:  # the apology has one second: that long is within the beep
        call(tmp_path, asterisk, waits(CALLER, str(mouth.port), 30.0))
    record = record_of(asterisk, known)
    assert record["number"] == "13912345678"
    assert record["did"] == asterisk.number
    assert record["why"] == "down"
    assert float(record["begin"]) <= float(record["answered"]) < float(record["end"])
    assert len(record["begin"].split(".")[1]) == 6
    assert record["uniqueid"].startswith(asterisk.settings.hotline.asterisk.systemname + "-")
    with wave.open(str(asterisk.home.away / record["voicemail"])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        message = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert 1.5 <= message.size / 8000 <= 8.0
    assert strength(message, 700) > 0.9
    assert strength(mouth.sound[: 8000 * 14 // 10], 440) > 0.9, "the apology was not heard first"
    assert strength(mouth.sound[-4000:], 520) > 0.8, "no thanks were heard"
    assert [line for line in log_problems(asterisk.home) if "ERROR" in line] == []


def test_hanging_up_in_the_message_keeps_it(asterisk: PrivateAsterisk, known: set[Path], tmp_path: Path) -> None:
    with Mouth(speak=5.0, after=0.2) as mouth:
        call(tmp_path, asterisk, hangs_up(CALLER, str(mouth.port), 5.0), to="+86" + asterisk.number)
    record = record_of(asterisk, known)
    assert record["did"] == asterisk.number
    with wave.open(str(asterisk.home.away / record["voicemail"])) as file:
        assert 0.5 <= file.getnframes() / 8000 <= 4.5


@pytest.mark.parametrize(
    "caller, number",
    [
        ("<sip:[local_ip]>", ""),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', ""),
        ('"a\\"b\\\\, ${SHELL(touch x)} ; )${1/0} \'x" <sip:+86-139;x=1@[local_ip]>', "+86139"),
        (f'"{"长" * 160}{"n" * 500}" <sip:{"7" * 500}@[local_ip]>', "7" * 32),
        ('"x" <sip:1%0Aend%3D1%2C%22%24%7BUNIQUEID%7D2@[local_ip]>', "112"),
    ],
)
def test_odd_callers(asterisk: PrivateAsterisk, known: set[Path], tmp_path: Path, caller: str, number: str) -> None:
    # After the half second in which Answer() waits for sound, and long before the end of the beep.
    call(tmp_path, asterisk, hangs_up(caller, NOWHERE, 1.2))
    record = record_of(asterisk, known)
    assert record["number"] == number
    assert "voicemail" not in record
    assert set(record) == {"begin", "why", "number", "did", "answered", "end", "uniqueid"}


def test_missing_prompts_are_no_silence(asterisk: PrivateAsterisk, known: set[Path], tmp_path: Path) -> None:
    prompt = asterisk.home.state / "sounds/zh/away_apology.wav"
    prompt.rename(prompt.with_suffix(".gone"))
    try:
        with Mouth() as mouth:
            call(tmp_path, asterisk, hangs_up(CALLER, str(mouth.port), 2.5))
    finally:
        prompt.with_suffix(".gone").rename(prompt)
    record_of(asterisk, known)
    assert np.abs(mouth.sound.astype(np.int32)).max() > 3000


@pytest.mark.parametrize("to", ["5551234", "h", "T", "s", "hotline-away"])
def test_other_numbers_are_refused(asterisk: PrivateAsterisk, known: set[Path], tmp_path: Path, to: str) -> None:
    call(tmp_path, asterisk, refused(CALLER, NOWHERE, 404), to=to)
    assert fresh(asterisk, known) == []
