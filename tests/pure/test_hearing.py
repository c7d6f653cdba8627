"""How the outside world recognises what it hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hotline.outside import PromptBook, g711, tone_wav


def test_a_beep_that_two_languages_share_is_heard_as_the_beep(tmp_path: Path) -> None:
    first, english = tmp_path / "zh", tmp_path / "en"
    for folder, tune in ((first, 500), (english, 700)):
        folder.mkdir()
        tone_wav(folder / "beep.wav", 1000, 0.5)
        tone_wav(folder / "greeting.wav", tune, 0.5)
    pause = np.zeros(g711.RATE // 2, np.float32)
    files = (first / "beep.wav", english / "beep.wav", first / "greeting.wav", english / "greeting.wav")
    sounds = [g711.decode(g711.encode(g711.read_sound(path))) for path in files]
    heard = np.concatenate([part for sound in sounds for part in (pause, sound)] + [pause]).astype(np.float32)
    found = PromptBook(first, english).find(heard)
    assert [(prompt.name, prompt.whole) for prompt in found] == [
        ("beep", True), ("beep", True), ("greeting", True), ("en/greeting", True),
    ]  # fmt: skip


def test_a_prompt_that_a_stall_tore_is_heard_and_one_that_was_cut_off_is_not_whole(tmp_path: Path) -> None:
    dice = np.random.default_rng(5)
    for name in ("menu", "other"):
        sound = np.cumsum(dice.normal(0, 0.02, g711.RATE * 86 // 100))
        sound -= np.convolve(sound, np.ones(80) / 80, "same")
        g711.write_wav(tmp_path / f"{name}.wav", sound.astype(np.float32))
    files = (tmp_path / "menu.wav", tmp_path / "other.wav")
    menu, other = (g711.decode(g711.encode(g711.read_sound(file))) for file in files)
    pause, first, second = np.zeros(4000, np.float32), 3520, 4480

    def stall(seconds: float) -> np.ndarray:
        return np.zeros(int(seconds * g711.RATE), np.float32)

    torn = [menu[:first], stall(0.22), menu[first:second], stall(0.14), menu[second:]]
    cut = [menu[:first], stall(0.22), other]
    for parts, expected in ((torn, [("menu", True)]), (cut, [("menu", False), ("other", True)])):
        heard = np.concatenate([pause, *parts, pause]).astype(np.float32)
        assert [(found.name, found.whole) for found in PromptBook(tmp_path).find(heard)] == expected
