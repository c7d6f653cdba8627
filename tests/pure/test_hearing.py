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
