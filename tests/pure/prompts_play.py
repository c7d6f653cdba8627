"""Building prompts in tests: a studio with its folders, and a speaker that stands in for espeak-ng."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped,unused-ignore]

from config.load import load_settings
from config.problems import Problem
from config.settings import Language, Offer, Settings
from ivr.build import build
from ivr.prompts import sound_file

EXAMPLE: Settings = load_settings(Path(__file__).parents[2] / "config")
TEXTS = EXAMPLE.prompts["zh"].prompts


def spoken(*, choice: bool = True, offer: bool = True, apology: tuple[Language, ...] = ()) -> Settings:
    """The example, with or without its key for English and the prompt that offers it."""
    menu = EXAMPLE.menu.menus["main"]
    options = {key: option for key, option in menu.options.items() if choice or not option.language}
    offers = (Offer(language="en", prompt="menu_language"),) if offer else ()
    level = menu.model_copy(update={"options": options, "offers": offers})
    return EXAMPLE.model_copy(update={
        "menu": EXAMPLE.menu.model_copy(update={"menus": {"main": level}}),
        "hotline": EXAMPLE.hotline.model_copy(update={"apology_languages": apology}),
    })  # fmt: skip


CHINESE = spoken(choice=False, offer=False)
"""The example without its second language."""

SPEAKER = """
import math, struct, sys, wave
log, arguments = sys.argv[1], sys.argv[2:]
text = sys.stdin.buffer.read().decode()
open(log, "a", encoding="utf-8").write(repr((arguments, text)) + "\\n")
if "FAIL" in text: sys.exit("cannot say that")
if "HANG" in text: import time; time.sleep(60)
if "NOFILE" in text: sys.exit(0)
level = 0 if "SILENT" in text else 9000
count = 22050 * len(text) // 8
with wave.open(arguments[arguments.index("-w") + 1], "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(22050)
    turns = struct.pack("<6283h", *(int(level * math.sin(n * 0.1)) for n in range(6283)))  # a hundred, to a sample
    tone = (turns * (count // 6283 + 1))[: 2 * count]
    out.writeframes(tone + bytes(2 * 4410))
"""
"""Stands in for espeak-ng: a tone of 1/8 s for each character, then 0.2 s of silence."""


class Studio:
    """A configuration folder, a state folder, and a speaker that writes down what it was asked to say."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config"
        self.state = folder / "var"
        self.own = self.config / "sounds" / "zh"
        self.own.mkdir(parents=True)
        self.log = folder / "log"
        (folder / "speaker.py").write_text(SPEAKER, encoding="utf-8")
        # Without its site-packages Python starts three times as fast; it is started for every prompt.
        self.espeak = [sys.executable, "-I", "-S", str(folder / "speaker.py"), str(self.log)]
        self.settings = CHINESE

    def change(self, name: str, text: str) -> None:
        prompts = self.settings.prompts["zh"]
        changed = prompts.model_copy(update={"prompts": {**prompts.prompts, name: text}})
        self.settings = self.settings.model_copy(update={"prompts": {"zh": changed}})

    def build(self) -> list[Problem]:
        self.log.write_text("")
        return build(self.settings, self.config, self.state, self.espeak)

    def spoken(self) -> list[str]:
        """The texts that were spoken in the last build."""
        return [eval(line)[1] for line in self.log.read_text(encoding="utf-8").splitlines()]

    def file(self, name: str) -> Path:
        return sound_file(self.state, "zh", name)

    def record(
        self, name: str, seconds: float = 1.0, rate: int = 44_100, channels: int = 2, level: float = 0.3
    ) -> Path:
        """An own recording of 440 Hz in the left channel, the same in the right."""
        tone = level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
        soundfile.write(self.own / name, np.column_stack([tone] * channels), rate)
        return self.own / name


def codes(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.place.key or problem.place.file) for problem in problems]


def samples(path: Path) -> tuple[Any, int]:
    data, rate = soundfile.read(path, dtype="float32")
    return data, rate
