"""Files that are missing, damaged, enormous or not YAML at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from config.catalogue import set_language
from config.load import load
from tests.pure.config_play import EXAMPLE, NAMES, edit, problems


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


# The YAML of a whole file: bytes, the problem's code, its line.
FILES_WITH_FAULTS = [
    (b"", "empty-file", 0),
    (b"# nothing but this\n", "empty-file", 0),
    (b"- a\n- b\n", "wrong-type", 1),
    (b"just words\n", "wrong-type", 1),
    (b"~\n", "wrong-type", 1),
    (b"start: main\nmenus: \xc4\xe3\n", "not-utf-8", 2),
    ("start: 主".encode("utf-16"), "not-utf-8", 1),
    (b"start: main\n\tretries: 2\n", "yaml-syntax", 2),
    (b"start: main\nmenus:\n\tmain: 2\n", "yaml-syntax", 3),
    (b"start: 'main\n", "yaml-syntax", 1),
    (b"start: main: x\n", "yaml-syntax", 1),
    (b"start: main\nretries: \x07\n", "yaml-syntax", 2),
    (b"start: main\n---\nstart: main\n", "yaml-syntax", 2),
    (b"start: *nobody\n", "yaml-syntax", 1),
    (b"start: !!python/object:os.system x\n", "yaml-tag", 1),
    (b"start: main\nmenus: !secret x\n", "yaml-tag", 2),
    (b"a: &a [x, *a]\n", "yaml-too-deep", 1),
    (b"x: " + b"[" * 3000 + b"]" * 3000, "yaml-too-deep", 1),
    (b"base: &b {start: main}\nmenus:\n  <<: *b\n", "yaml-merge", 3),
    (b'start: "\\UFFFFFFFF"\n', "yaml-syntax", 0),  # OverflowError in ruamel.yaml
    (b"%YAML 9.9\n---\nstart: main\n", "yaml-syntax", 0),  # KeyError in ruamel.yaml
    (b"[a, b]: 1\n", "wrong-key", 1),
    (b"? {a: 1}\n: 1\n", "wrong-key", 1),
    (b"x: 1\n" * 300_000, "file-too-large", 0),
    (
        b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 10)) for n in range(98, 108)),
        "yaml-too-many",
        0,
    ),
]


@pytest.mark.parametrize(("data", "code", "line"), FILES_WITH_FAULTS, ids=range(len(FILES_WITH_FAULTS)))
def test_a_file_with_a_fault(folder: Path, data: bytes, code: str, line: int) -> None:
    (folder / "menu.yaml").write_bytes(data)
    found = [problem for problem in problems(folder) if problem.code == code]
    assert found and found[0].place.file == "menu.yaml"
    if line:
        assert found[0].place.line == line
    assert all(problem.place.file == "menu.yaml" for problem in problems(folder)), "the other files are right"


def test_a_flood_of_problems_is_cut_and_said_so(folder: Path) -> None:
    (folder / "hotline.yaml").write_text("numbers: [" + "x, " * 300 + "]\n")
    found = problems(folder)
    assert len(found) == 101 and sum(problem.code == "too-many-problems" for problem in found) == 1
    (folder / "hotline.yaml").write_text("a: &a [" + "*a, " * 300 + "]\n")
    assert len(problems(folder)) <= 101


def test_bom_and_crlf_are_fine(folder: Path) -> None:
    text = (folder / "menu.yaml").read_text(encoding="utf-8")
    (folder / "menu.yaml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load(folder).settings == load(EXAMPLE).settings


def test_anchors_and_aliases_are_fine(folder: Path) -> None:
    text = (folder / "roster.yaml").read_text(encoding="utf-8")
    rules = "  - {shift: 早班, agents: %s}\n  - {shift: 中班, agents: %s}\n"
    with_rules = text.replace("rules:\n", "rules:\n" + rules)
    (folder / "roster.yaml").write_text(with_rules % ("[8009, 8010]", "[8009, 8010]"), encoding="utf-8")
    plain = load(folder).settings
    (folder / "roster.yaml").write_text(with_rules % ("&a [8009, 8010]", "*a"), encoding="utf-8")
    assert load(folder).settings == plain


def test_missing_and_misspelt_files(folder: Path) -> None:
    (folder / "queues.yaml").rename(folder / "queue.yaml")
    found = {(problem.code, problem.place.file, problem.warning) for problem in problems(folder)}
    assert found == {("file-missing", "queues.yaml", False), ("unknown-file", "queue.yaml", True)}


def test_missing_folder_and_things_that_are_no_files(tmp_path: Path, folder: Path) -> None:
    assert [problem.code for problem in problems(tmp_path / "nowhere")] == ["folder-missing"]
    (folder / "menu.yaml").unlink()
    (folder / "menu.yaml").mkdir()
    (folder / "queues.yaml").unlink()
    os.mkfifo(folder / "queues.yaml")
    (folder / "roster.yaml").unlink()
    (folder / "roster.yaml").symlink_to("roster.yaml")
    found = [(problem.place.file, problem.code) for problem in problems(folder)]
    assert found == [
        ("menu.yaml", "not-a-file"),
        ("queues.yaml", "not-a-file"),
        ("roster.yaml", "file-unreadable"),
    ]


def test_the_prompts_of_a_language_that_a_key_leads_to_must_be_there(folder: Path) -> None:
    (folder / "prompts.en.yaml").unlink()
    assert ("file-missing", "prompts.en.yaml") in [(each.code, each.place.file) for each in problems(folder)]
    edit(folder, "menu.yaml", '      "9": {label: English, language: en}\n', "")
    edit(folder, "menu.yaml", "    offers: [{language: en, prompt: menu_language}]\n", "")
    assert problems(folder) == []
