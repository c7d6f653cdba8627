"""Every text is spoken once, as Asterisk wants it; what cannot be spoken or played is found early."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped,unused-ignore]

from config.catalogue import set_language
from ivr import build as building, sound
from ivr.prompts import (
    TONES,
    check,
    required,
    text_problems,
)
from tests.pure.prompts_play import CHINESE, TEXTS, Studio, codes, samples


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "prompt-empty"),
        (" ，。", "prompt-empty"),
        ("您好{compony}", "prompt-placeholder"),
        ("您好{}", "prompt-placeholder"),
        ("您好{company.__class__}", "prompt-placeholder"),
        ("您好{company!r}", "prompt-placeholder"),
        ("您好{company:>{company}}", "prompt-placeholder"),
        ("您好{company", "prompt-braces"),
        ("您好}", "prompt-braces"),
    ],
)
def test_wrong_texts(studio: Studio, text: str, code: str) -> None:
    studio.change("greeting", text)
    expected = [(code, "prompts.greeting")]
    assert codes(text_problems(studio.settings)) == expected
    before = studio.file("greeting").read_bytes()
    assert codes(studio.build()) == expected and studio.spoken() == []
    assert studio.file("greeting").read_bytes() == before


def test_every_prompt_is_built_as_asterisk_wants_it(studio: Studio) -> None:
    assert check(CHINESE, studio.config, studio.state) == []
    for name in required(CHINESE, "zh"):
        with wave.open(str(studio.file(name)), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        data, _rate = samples(studio.file(name))
        assert 0.01 < np.max(np.abs(data)) <= 0.9, name
    assert not list(studio.state.rglob("*.tmp")) and not list(studio.state.rglob(".build-*"))


def test_length_level_and_pause(studio: Studio) -> None:
    data, rate = samples(studio.file("connecting"))
    seconds = len(TEXTS["connecting"]) / 8
    assert abs(len(data) / rate - seconds - building.PAUSE) < 0.03, "the 0.2 s after the words are cut"
    voice = data[: int(seconds * rate)]
    assert abs(20 * np.log10(np.sqrt(np.mean(voice**2))) + 20) < 1
    piece, rate = samples(studio.file("position_ahead"))
    assert abs(len(piece) / rate - len(TEXTS["position_ahead"]) / 8 - building.PIECE_PAUSE) < 0.03


def test_what_the_speaker_is_asked(studio: Studio) -> None:
    studio.change("greeting", "-w x; $(reboot) `id` {company}")
    assert studio.build() == []
    ((arguments, text),) = [eval(line) for line in studio.log.read_text(encoding="utf-8").splitlines()]
    assert text == "-w x; $(reboot) `id` 示例公司"
    assert arguments[:6] == ["-b", "1", "-v", "cmn", "-s", "160"] and text not in arguments


def test_only_what_changed_is_built_again(studio: Studio) -> None:
    assert studio.build() == [] and studio.spoken() == []
    studio.change("greeting", "喂，{company}。")
    assert studio.build() == [] and studio.spoken() == ["喂，示例公司。"]
    studio.file("connecting").unlink()
    studio.file("num_1").write_bytes(b"RIFF, damaged")
    assert studio.build() == [] and sorted(studio.spoken()) == sorted(["一", TEXTS["connecting"]])
    assert studio.build() == [] and studio.spoken() == []
    hotline = CHINESE.hotline.model_copy(update={"company": "另一公司"})
    studio.settings = studio.settings.model_copy(update={"hotline": hotline})
    assert studio.build() == [] and studio.spoken() == ["喂，另一公司。"]


def test_another_voice_builds_everything(studio: Studio) -> None:
    prompts = CHINESE.prompts["zh"].model_copy(update={"speed": 200})
    studio.settings = CHINESE.model_copy(update={"prompts": {"zh": prompts}})
    assert studio.build() == [] and len(studio.spoken()) == len(required(CHINESE, "zh")) - len(TONES)


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"greeting": 1}', b'{"greeting": ["x"]}', b"\xff"])
def test_a_damaged_manifest_only_costs_time(studio: Studio, manifest: bytes) -> None:
    (studio.file("greeting").parent / "manifest.json").write_bytes(manifest)
    assert studio.build() == [] and len(studio.spoken()) == len(required(CHINESE, "zh")) - len(TONES)
    assert "greeting" in json.loads((studio.file("greeting").parent / "manifest.json").read_bytes())


@pytest.mark.parametrize(
    ("text", "words"), [("FAIL", "cannot say that"), ("NOFILE", "exit status 0"), ("SILENT", "silent")]
)
def test_a_text_that_cannot_be_spoken(studio: Studio, text: str, words: str) -> None:
    before = studio.file("greeting").read_bytes()
    studio.change("greeting", text)
    (problem,) = studio.build()
    assert (
        problem.code == "prompt-unspoken"
        and problem.place.key == "prompts.greeting"
        and words in problem.what
    )
    assert studio.file("greeting").read_bytes() == before
    assert codes(studio.build()) == [("prompt-unspoken", "prompts.greeting")], (
        "tried again, not taken for built"
    )


def test_a_speaker_that_hangs_is_ended(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "ESPEAK_TIMEOUT", 0.5)
    studio.change("greeting", "HANG")
    (problem,) = studio.build()
    assert problem.code == "prompt-unspoken" and "longer than 0.5 s" in problem.what


def test_a_missing_speaker_is_one_problem(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.espeak = ["/nowhere/espeak-ng"]
    assert [problem.code for problem in studio.build()] == ["espeak-missing"]


def test_a_folder_that_cannot_be_written(studio: Studio) -> None:
    shutil.rmtree(studio.state / "sounds")
    (studio.state / "sounds").write_text("in the way")
    assert [problem.code for problem in studio.build()] == ["sounds-unwritable"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(b"RIFF and then nothing that is a sound"), "cannot be read"),
        (lambda path: soundfile.write(path, np.zeros(8_000), 8_000), "silent"),
        (lambda path: soundfile.write(path, np.full(10, 0.5), 8_000), "silent"),
        (lambda path: soundfile.write(path, np.full(8_000, 0.5), 16_000), "8000 Hz"),
        (lambda path: soundfile.write(path, np.full((8_000, 2), 0.5), 8_000), "8000 Hz"),
        (lambda path: soundfile.write(path, np.full(8_000, 0.5), 8_000, subtype="PCM_24"), "8000 Hz"),
        (lambda path: soundfile.write(path, np.full(8_000, 0.5), 8_000, subtype="ALAW"), "cannot be read"),
    ],
)
def test_check_finds_a_spoilt_file(studio: Studio, spoil: Any, words: str) -> None:
    spoil(studio.file("menu_main"))
    (problem,) = check(CHINESE, studio.config, studio.state)
    assert (
        problem.code == "prompt-unplayable"
        and problem.place.key == "prompts.menu_main"
        and words in problem.what
    )


def test_check_before_anything_is_built(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    found = check(CHINESE, studio.config, studio.state)
    assert len(found) == len(required(CHINESE, "zh")) and {problem.code for problem in found} == {
        "prompt-unplayable"
    }


def test_check_tells_a_wrong_text_once(studio: Studio) -> None:
    studio.change("greeting", "")
    studio.file("greeting").unlink()
    assert codes(check(studio.settings, studio.config, studio.state)) == [
        ("prompt-empty", "prompts.greeting")
    ]


def test_trim_keeps_all_that_is_loud() -> None:
    data = np.zeros(8_000, np.float32)
    data[3_000:5_000] = 0.5
    kept = sound.trim(data)
    assert 2_000 <= len(kept) <= 2_000 + 320 and np.count_nonzero(kept) == 2_000
