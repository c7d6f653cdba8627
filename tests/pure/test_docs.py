"""The two READMEs say all there is, say nothing that is not, and say the same."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from config.settings import (
    AgentFile,
    Hotline,
    Key,
    MenuFile,
    PromptFile,
    QueueFile,
    ReviewFile,
    RosterFile,
    StaffNumber,
    SubjectFile,
)
from hotline.cli import build

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
ENGLISH = [READMES[0], *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))
                         if not path.name.endswith(".zh-CN.md"))]  # fmt: skip
PAIRS = [(page, page.removesuffix(".md") + ".zh-CN.md") for page in ENGLISH]
PAGES = [page for pair in PAIRS for page in pair]
"""The READMEs and every page in docs/, each in both languages."""
FILES: dict[str, type[BaseModel]] = {
    "hotline.yaml": Hotline,
    "menu.yaml": MenuFile,
    "queues.yaml": QueueFile,
    "agents.yaml": AgentFile,
    "roster.yaml": RosterFile,
    "subjects.yaml": SubjectFile,
    "prompts.zh.yaml": PromptFile,
    "reviews.yaml": ReviewFile,
}
NONE = {"README.md": "none", "README.zh-CN.md": "无"}
SCREEN = "text"
"""Blocks of this kind show a screen, in the language of the page; all others are the same on both pages."""

each_readme = pytest.mark.parametrize("page", READMES)
each_page = pytest.mark.parametrize("page", PAGES)
each_pair = pytest.mark.parametrize("pair", PAIRS, ids=ENGLISH)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of every table row whose first cell is code."""
    lines = [line for line in text(page).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def named(page: str, pattern: str) -> list[str]:
    """What stands in backquotes in the first cells, where it is like ``pattern``."""
    return [found[1] for row in rows(page) if (found := re.fullmatch(f"`({pattern})`", row[0]))]


def section(page: str, heading: str) -> str:
    """The text below ``### heading``, up to the next heading."""
    return re.split(r"^#+ ", text(page).split(f"\n### {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(page: str) -> list[tuple[str, str]]:
    """Kind and text of every fenced block, also of one that is indented below a step."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text(page), re.MULTILINE | re.DOTALL)
    return [(kind, textwrap.dedent(block)) for kind, block in found]


# --- settings ---------------------------------------------------------------------------------------------------------


def leaves(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """The path of every key that can be set, as the pages write it."""
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield from below(field.annotation, path, field)


def below(annotation: Any, path: str, field: FieldInfo) -> Iterator[tuple[str, FieldInfo]]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, UnionType) and is_part(get_args(annotation)[0]):
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from leaves(annotation, f"{path}.")
    elif get_origin(annotation) is tuple and is_part(get_args(annotation)[0]):
        yield from leaves(get_args(annotation)[0], f"{path}[].")
    elif get_origin(annotation) is dict:
        key, value = get_args(annotation)
        path += ".NUMBER" if key == StaffNumber else '."KEY"' if key == Key else ".NAME"
        if key == StaffNumber and is_part(value):
            yield path, field
        if path.split(".")[-4:-2] == path.split(".")[-2:]:
            yield path, field  # a tree: the same again, one step below
        else:
            yield from below(value, path, field)
    else:
        yield path, field


def is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def written(value: Any) -> str:
    """A default as YAML would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {each}' for key, each in value.items())}}}"
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    return f"{value:g}" if isinstance(value, float) else str(value)


@each_readme
@pytest.mark.parametrize("file", FILES)
def test_every_setting_stands_there_with_its_default_and_nothing_else_does(page: str, file: str) -> None:
    said = {
        found[1]: cells[1]
        for line in section(page, file).splitlines()
        if (cells := [cell.strip() for cell in line.split("|")[1:-1]]) and (found := re.fullmatch("`(.+)`", cells[0]))
    }
    known = dict(leaves(FILES[file]))
    assert set(said) == set(known)
    for path, field in known.items():
        if field.is_required():
            assert said[path] == "–", path
        elif field.get_default(call_default_factory=True) in (None, (), "", {}):
            assert said[path] in ("", NONE[page], "`times.wrap_up`", "`times.ring`"), path
        else:
            assert said[path] == f"`{written(field.get_default(call_default_factory=True))}`", path


def test_every_file_of_the_configuration_has_a_table() -> None:
    # The prompts of every language have the same keys, and one table.
    assert {path.name for path in (ROOT / "config").glob("*.yaml")} == {*FILES, "prompts.en.yaml"}


@each_page
def test_the_examples_are_settings(page: str) -> None:
    whole = YAML(typ="safe", pure=True).load((ROOT / "config/hotline.yaml").read_text(encoding="utf-8"))
    for kind, block in blocks(page):
        if kind != "yaml":
            continue
        tree = YAML(typ="safe", pure=True).load(block)
        model = next((file for file in FILES.values() if set(tree) <= set(file.model_fields)), None)
        assert model is not None, block
        model.model_validate(whole | tree if model is Hotline else tree)


# --- commands, targets, dependencies ----------------------------------------------------------------------------------


def commands() -> dict[str, Any]:
    """Every command by what is typed for it."""
    top: Any = typer.main.get_command(build())
    found: dict[str, Any] = {}
    for name in top.commands:
        _name, command, _rest = top.resolve_command(None, [name])
        inner = getattr(command, "commands", None)
        if inner is None:
            found[f"hotline {name}"] = command
        else:
            found |= {f"hotline {name} {each}": one for each, one in inner.items()}
    return found


@each_readme
def test_every_command_stands_there(page: str) -> None:
    assert sorted(named(page, r"hotline [a-z -]+")) == sorted(commands())


@each_page
def test_what_is_typed_in_the_examples_can_be_typed(page: str) -> None:
    known = commands()
    typed = [
        shlex.split(line.removeprefix(".venv/bin/").partition(" > ")[0])
        for kind, block in blocks(page)
        if kind == "sh"
        for line in block.splitlines()
        if line.removeprefix(".venv/bin/").startswith("hotline ")
    ]
    assert len(typed) > 10 or page not in READMES
    for words in typed:
        command = known.get(" ".join(words[:2])) or known[" ".join(words[:3])]
        options = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= options, words


@each_readme
def test_every_target_stands_there(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    assert sorted(named(page, "make [a-z]+")) == sorted(f"make {target}" for target in phony[1].split())


@each_readme
def test_every_direct_dependency_stands_there(page: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = sum(project["optional-dependencies"].values(), project["dependencies"])
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in wanted}
    table = re.split(r"^## (?:Dependencies|依赖)$", text(page), flags=re.MULTILINE)[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == names


# --- the two pages ----------------------------------------------------------------------------------------------------


def headings(page: str) -> list[tuple[int, str]]:
    plain = re.sub(r"^```.*?^```$", "", text(page), flags=re.MULTILINE | re.DOTALL)
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", plain, re.MULTILINE)]


@each_pair
def test_both_pages_have_the_same_shape(pair: tuple[str, str]) -> None:
    english, chinese = (headings(page) for page in pair)
    assert [level for level, _title in english] == [level for level, _title in chinese]
    tables = [[line.count("|") for line in text(page).splitlines() if line.startswith("|")] for page in pair]
    assert tables[0] == tables[1]
    if pair == READMES:
        assert [row[0] for row in rows(pair[0])] == [row[0] for row in rows(pair[1])]


def uncommented(block: str) -> str:
    """The block without its remarks, which are in the language of the page."""
    return re.sub(r"(?m) +# .*$", "", block)


@each_pair
def test_both_pages_have_the_same_blocks(pair: tuple[str, str]) -> None:
    english, chinese = (blocks(page) for page in pair)
    assert [kind for kind, _block in english] == [kind for kind, _block in chinese]
    for (kind, left), (_kind, right) in zip(english, chinese, strict=True):
        if kind != SCREEN:
            assert uncommented(left) == uncommented(right)
    assert all(kind for kind, _block in english), "a block without a kind"


def anchors(page: str) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _level, title in headings(page)}


@each_page
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text(page)):
        if target.startswith("https://"):
            continue
        file, _mark, anchor = target.partition("#")
        there = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert there.is_file(), target
        if anchor:
            assert anchor in anchors(str(there.relative_to(ROOT))), target


@each_page
def test_a_page_links_to_its_other_language(page: str) -> None:
    english, chinese = next(pair for pair in PAIRS if page in pair)
    other = Path(chinese if page == english else english).name
    assert f"]({other})" in text(page).split("\n## ", 1)[0]


def test_the_pictures_are_those_that_their_source_draws() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import picture  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(ROOT / "docs"))
    for language in picture.LANGUAGES:
        drawn = (ROOT / "docs" / f"how-it-is-built.{language}.svg").read_text(encoding="utf-8")
        assert drawn == picture.draw(language), "run: python docs/picture.py"
    rooms = {title[0] for *_box, kind, title, _lines in picture.BOXES if kind == "room"}
    assert rooms == {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}


# --- the whole repository ---------------------------------------------------------------------------------------------

MACHINE = re.compile(
    r"(?<![\w.~-])/(?:root|work|home|opt|Users)/\w"
    r"|\b(?:pypi\.org|pythonhosted\.org|registry\.npm|(?:deb|ftp|archive)\.(?:debian|ubuntu)\.|mirrors?\.\w+\.\w+|aliyun)"
)
"""Paths of somebody's machine, and hosts that packages come from: each machine has its own."""


def test_no_machine_path_and_no_registry_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or path == Path(__file__).resolve() or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)
