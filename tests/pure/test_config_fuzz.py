"""Whatever stands in the files: settings, or problems that a person can act on, never a traceback."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings, strategies as st

from config.load import FILES, load
from config.problems import Refused
from ivr import menu, prompts

EXAMPLE = Path(__file__).parents[2] / "config"
NAMES = [*FILES, "prompts.zh.yaml", "prompts.en.yaml"]
TEXTS = {name: (EXAMPLE / name).read_bytes() for name in NAMES}

TOKENS = [
    *(
        "\t",
        "\r",
        "\0",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud7ff",
        "𝕏",
        "'",
        '"',
        "#",
        "|",
        ">",
        "%",
        "@",
        "`",
        "\\",
    ),
    *(
        "*",
        "&a ",
        "*a",
        "!",
        "!!int ",
        "!!binary ",
        "!!set ",
        "!!omap ",
        "<<: ",
        "? ",
        "- ",
        ": ",
        "--- ",
        "...\n",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\n  ",
        "~",
        "null",
        "true",
        "no",
        "0x1F",
        "0o17",
        "1e999",
        ".inf",
        "-.nan",
    ),
    *(
        "%YAML 1.1\n---\n",
        "%YAML 9.9\n---\n",
        "%TAG ! x\n---\n",
        "2026-02-30",
        "2026-01-01T00:00:00Z",
        "08",
        "1_0",
    ),
    *(
        "9" * 5000,
        "{" * 50,
        "[" * 2000,
        "=",
        "!!timestamp x",
        "!!float x",
        "!!bool x",
        "\x1b[31m",
        "{company",
        "{0}",
    ),
]


def answer(folder: Path) -> None:
    try:
        loaded = load(folder)
    except Refused as refused:
        found = refused.problems
        assert any(not problem.warning for problem in found)
    else:
        found = loaded.warnings
        found += loaded.places.located(menu.check(loaded.settings))
        found += loaded.places.located(prompts.text_problems(loaded.settings))
    for problem in found:
        assert problem.what and problem.code and "\n" not in str(problem) and str(problem).isprintable()
        assert problem.fix or problem.warning
        assert problem.place.file in NAMES or problem.place.file.startswith("sounds/")
        lines = (folder / problem.place.file).read_bytes().count(b"\n") + 1
        assert 0 <= problem.place.line <= lines * 3, (
            "beyond the file (YAML breaks lines at NEL and the like too)"
        )


def example_with(name: str, data: bytes) -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        for each in NAMES:
            shutil.copy(EXAMPLE / each, folder / each)
        (folder / name).write_bytes(data)
        answer(folder)


def mutated(data: bytes, seed: int, times: int) -> bytes:
    """The text with some of its pieces cut, doubled, exchanged or replaced by awkward ones."""
    dice = random.Random(seed)
    text = data.decode()
    for _ in range(times):
        at = dice.randrange(len(text) + 1)
        to = min(len(text), at + dice.randrange(1, 30))
        match dice.randrange(6):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:to] + text[at:to] + text[to:]
            case 2:
                text = text[:at] + dice.choice(TOKENS) + text[at:]
            case 3:
                text = text[:at] + dice.choice(TOKENS) + text[to:]
            case 4:
                lines = text.split("\n")
                dice.shuffle(lines)
                text = "\n".join(lines) if dice.random() < 0.1 else text
            case 5:
                start = text.rfind(" ", 0, at) + 1
                end = text.find(" ", at)
                text = text[:start] + dice.choice(TOKENS) + (text[end:] if end > 0 else "")
    return text.encode("utf-8", "surrogatepass")


TIMES = int(os.environ.get("HOTLINE_FUZZ", "60"))
"""Examples per test; 5,000 take some ten minutes and are for those who change config/."""

SLOW = settings(max_examples=TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(1, 4))
def test_mutated_examples(name: str, seed: int, times: int) -> None:
    example_with(name, mutated(TEXTS[name], seed, times))


@SLOW
@given(st.sampled_from(NAMES), st.binary(max_size=200))
def test_arbitrary_bytes(name: str, data: bytes) -> None:
    example_with(name, data)


@SLOW
@given(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*TOKENS, "a", "start", "menus", "x: y\n"]), max_size=12)
)
def test_arbitrary_yaml(name: str, tokens: list[str]) -> None:
    example_with(name, "".join(tokens).encode("utf-8", "surrogatepass"))
