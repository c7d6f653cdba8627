"""A company's own recordings replace the spoken prompts; unusable ones are named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped,unused-ignore]

from config.catalogue import set_language
from ivr.prompts import (
    file_problems,
    fill,
)
from tests.pure.prompts_play import CHINESE, TEXTS, Studio, samples


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All prompts built once; each test gets a copy."""
    folder = tmp_path_factory.mktemp("studio")
    assert Studio(folder).build() == []
    return folder


@pytest.fixture
def studio(tmp_path: Path, built: Path) -> Studio:
    set_language("en")
    studio = Studio(tmp_path)
    shutil.copytree(built / "var", studio.state)
    return studio


def test_names_of_own_recordings(studio: Studio) -> None:
    studio.record("greetin.wav")
    studio.record("connecting.wav")
    studio.record("connecting.flac")
    (studio.own / "notes.docx").write_text("x")
    (studio.own / "README.md").write_text("x")
    (studio.own / ".hidden.wav").write_text("x")
    found = file_problems(CHINESE, studio.config)
    assert [(problem.code, problem.place.file, problem.warning) for problem in found] == [
        ("sound-doubled", "sounds/zh/connecting.wav", False),
        ("sound-unknown", "sounds/zh/greetin.wav", True),
        ("sound-unknown", "sounds/zh/notes.docx", True),
    ]
    assert found[1].fix == "Did you mean greeting?"


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [
        ("greeting.wav", 44_100, 2),
        ("greeting.wav", 8_000, 1),
        ("greeting.WAV", 16_000, 1),
        ("greeting.flac", 48_000, 2),
        ("greeting.ogg", 48_000, 1),
        ("greeting.mp3", 44_100, 2),
        ("beep.wav", 8_000, 1),
    ],
)
def test_an_own_recording_replaces_the_text(studio: Studio, name: str, rate: int, channels: int) -> None:
    studio.record(name, rate=rate, channels=channels)
    assert studio.build() == [] and studio.spoken() == []
    data, built_rate = samples(studio.file(name.split(".")[0]))
    assert built_rate == 8_000 and data.ndim == 1 and abs(len(data) / 8_000 - 1) < 0.1
    spectrum = np.abs(np.fft.rfft(data * np.hanning(len(data))))
    assert abs(np.argmax(spectrum) * 8_000 / len(data) - 440) < 2
    assert abs(np.sqrt(np.mean(data**2)) * np.sqrt(2) - 0.3) < 0.03, "its loudness stays"
    assert studio.build() == []


def test_without_the_own_recording_the_text_comes_back(studio: Studio) -> None:
    path = studio.record("greeting.wav")
    studio.build()
    path.unlink()
    assert studio.build() == [] and studio.spoken() == [fill(TEXTS["greeting"], CHINESE.hotline, "zh")]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda studio: (studio.own / "greeting.wav").write_bytes(b""), "cannot be read"),
        (lambda studio: (studio.own / "greeting.wav").write_bytes(b"RIFF" + b"x" * 500), "cannot be read"),
        (lambda studio: (studio.own / "greeting.mp3").write_bytes(bytes(range(256)) * 40), "cannot be read"),
        (lambda studio: (studio.own / "greeting.wav").mkdir(), "cannot be read"),
        (lambda studio: (studio.own / "greeting.wav").symlink_to("nowhere"), "cannot be read"),
        (lambda studio: studio.record("greeting.wav", seconds=0), "empty"),
        (lambda studio: studio.record("greeting.wav", seconds=0.005), "empty"),
        (lambda studio: studio.record("greeting.wav", level=0), "silent"),
        (lambda studio: studio.record("greeting.wav", level=0.001), "silent"),
        (lambda studio: studio.record("greeting.flac", seconds=121, rate=8_000, channels=1), "too long"),
        (lambda studio: studio.record("greeting.wav", seconds=2, rate=1_000), "sample rate"),
    ],
)
def test_an_own_recording_that_cannot_be_used(studio: Studio, make: Any, words: str) -> None:
    before = studio.file("greeting").read_bytes()
    make(studio)
    (problem,) = studio.build()
    assert problem.code == "sound-unusable" and not problem.warning and words in problem.what
    assert problem.place.file.startswith("sounds/zh/greeting.")
    assert studio.file("greeting").read_bytes() == before


def test_a_recording_of_gigabytes_is_not_even_read(studio: Studio) -> None:
    with (studio.own / "greeting.wav").open("wb") as file:
        file.truncate(50_000_000_000)
    (problem,) = studio.build()
    assert problem.code == "sound-unusable" and "too long" in problem.what


def test_a_recording_of_not_a_number(studio: Studio) -> None:
    tone = np.full(8_000, np.nan, np.float32)
    soundfile.write(studio.own / "greeting.wav", tone, 8_000, subtype="FLOAT")
    assert [problem.code for problem in studio.build()] == ["sound-unusable"]


def test_a_recording_that_is_too_loud_does_not_clip(studio: Studio) -> None:
    tone = 4 * np.sin(np.arange(8_000) * 0.3).astype(np.float32)
    soundfile.write(studio.own / "greeting.wav", tone, 8_000, subtype="FLOAT")
    assert studio.build() == []
    data, _rate = samples(studio.file("greeting"))
    assert 0.75 < np.max(np.abs(data)) < 0.85 and np.mean(np.abs(data) > 0.999) == 0


def test_a_pipe_in_place_of_a_recording_holds_nobody_up_and_is_named(studio: Studio) -> None:
    studio.own.mkdir(parents=True, exist_ok=True)
    os.mkfifo(studio.own / "greeting.wav")
    (problem,) = studio.build()
    assert problem.place.file == "sounds/zh/greeting.wav"
    assert problem.what == "The recording cannot be read: it is no plain file."
