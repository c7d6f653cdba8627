"""One YAML file as plain values, with the line of every key; whatever is wrong with it is a Problem.

The file is composed into YAML nodes and read from there, not loaded: so every key has its line, duplicate
keys are all found at once, tags that would make objects are refused, and aliases cannot blow up. Numbers and
dates stay as they were written (``0108``, ``06:00``): pydantic makes of them what the setting wants, and a
telephone number keeps its leading zero. YAML is 1.2: only ``true`` and ``false`` are logical.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from config.catalogue import _
from config.os_words import reason
from config.problems import Place, Problem, key_path, shown
from config.yaml_words import YAML_FIX, syntax_words

LARGEST = 1_000_000
"""Bytes in one file: 10,000 dated changes take about half of it, and 6 s of CPU to read (0.6 ms each)."""

MOST_VALUES = 100_000
"""Values in one file after its aliases are followed; a roster of 10,000 dated changes has half of it."""

DEEPEST = 40
"""Levels in one file; settings have 7."""

_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Tree:
    """One file that could be read: its values, the line of each key path, and what is wrong with its YAML."""

    file: str
    value: object = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values_read: int = 0

    def line(self, key: str) -> int:
        """The line of a key, else of the nearest key above it, else 0 (the file as a whole)."""
        while key and key not in self.lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.lines.get(key, 0)

    def report(self, code: str, line: int, what: str, fix: str, key: str = "") -> None:
        """Note a problem of this file."""
        self.problems.append(Problem(code, Place(self.file, line, key), what, fix))


def read_tree(folder: Path, file: str) -> Tree:
    """Read ``file`` in ``folder``. Never raises for what the file holds or for a file that cannot be read."""
    tree = Tree(file)
    text = _read_text(folder / file, tree)
    if text is not None:
        _fill(tree, text)
    return tree


def composed(file: str, text: str) -> tuple[Tree, Node | None]:
    """The same of a text (without a byte order mark), and its node, for edits; None where the tree has problems."""
    tree = Tree(file)
    node = _fill(tree, text)
    return tree, None if tree.problems else node


def _fill(tree: Tree, text: str) -> Node | None:
    node = _compose(text, tree)
    if node is None:
        if not tree.problems:
            tree.report("empty-file", 0, _("The file is empty."), _("Fill it in, or start from the example."))
        return None
    tree.value = _plain(node, (), tree)
    if not tree.problems and not isinstance(tree.value, dict):
        tree.report(
            "wrong-type",
            node.start_mark.line + 1,
            _("The file must be a list of keys, each with its value."),
            _('Write "key: value" lines, as the example does.'),
        )
    return node


def _read_text(path: Path, tree: Tree) -> str | None:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            tree.report(
                "not-a-file", 0, _("This is not a file."), _("Put a text file of this name in its place.")
            )
            return None
        if about.st_size > LARGEST:
            tree.report(
                "file-too-large",
                0,
                _("The file has {size} bytes, more than {most}.").format(size=about.st_size, most=LARGEST),
                _("Is it the right file? Split or shorten it."),
            )
            return None
        data = path.read_bytes()
    except FileNotFoundError:
        tree.report("file-missing", 0, _("The file is missing."), _("Create it; the example shows how."))
        return None
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        tree.report(
            "file-unreadable",
            0,
            _("The file cannot be read: {reason}.").format(reason=why),
            _("Check that it is there and that its permissions let Hotline read it."),
        )
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        tree.report(
            "not-utf-8",
            data.count(b"\n", 0, error.start) + 1,
            _("The file is not UTF-8 text from here on."),
            _("Save it as UTF-8 in your editor (not as GBK, ANSI or Unicode)."),
        )
        return None


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _ShallowComposer(Composer):
    """Stops at DEEPEST levels: ruamel's time grows with their square, and 3,000 brackets took 11 s."""

    _level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self._level > DEEPEST:
            raise _TooDeep(self.parser.peek_event().start_mark.line + 1)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        return node


def _compose(text: str, tree: Tree) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _ShallowComposer
    try:
        node = yaml.compose(text)
        return node if isinstance(node, Node) else None
    except ReaderError as error:
        tree.report(
            "yaml-syntax",
            text.count("\n", 0, error.position) + 1,
            _("A character here cannot stand in a YAML file (code {code}).").format(
                code=f"U+{_code(error):04X}"
            ),
            _("Delete it; it is probably invisible."),
        )
    except MarkedYAMLError as error:
        marks = [mark.line + 1 for mark in (error.problem_mark, error.context_mark) if mark is not None]
        said = f"{error.context or ''} {error.problem or ''}".strip()
        line, what, fix = syntax_words(said, marks or [0], text)
        tree.report("yaml-syntax", line, what, fix)
    except YAMLError as error:
        tree.report(
            "yaml-syntax", 0, _("This is not YAML: {reason}.").format(reason=shown(error)), YAML_FIX()
        )
    except _TooDeep as error:
        _report_depth(tree, error.line)
    except RecursionError:
        _report_depth(tree, 0)
    except Exception as error:  # ruamel.yaml leaks others on odd input: a bad file must never be a traceback
        tree.report(
            "yaml-syntax", 0, _("This is not YAML: {reason}.").format(reason=shown(error)), YAML_FIX()
        )
    return None


def _code(error: ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _report_depth(tree: Tree, line: int) -> None:
    tree.report(
        "yaml-too-deep",
        line,
        _("The file is nested too deeply."),
        _("Settings have few levels; see the example."),
    )


def _plain(node: Node, path: tuple[str | int, ...], tree: Tree) -> object:
    line = node.start_mark.line + 1
    tree.lines.setdefault(key_path(path), line)
    tree.values_read += 1
    if tree.values_read > MOST_VALUES:
        if tree.values_read == MOST_VALUES + 1:
            tree.report(
                "yaml-too-many",
                line,
                _("The file has more than {most} values when its aliases (*) are followed.").format(
                    most=MOST_VALUES
                ),
                _("Write the values without aliases."),
            )
        return None
    if len(path) >= DEEPEST:  # an alias that contains itself ends here too
        _report_depth(tree, line)
        return None
    tag = str(node.tag).removeprefix(_TAG)
    if isinstance(node, MappingNode) and tag == "map":
        return _mapping(node, path, tree)
    if isinstance(node, SequenceNode) and tag == "seq":
        return [_plain(item, (*path, index), tree) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode) and tag in ("str", "int", "float", "timestamp"):
        return str(node.value)
    if isinstance(node, ScalarNode) and tag == "null":
        return None
    if isinstance(node, ScalarNode) and tag == "bool":
        return {"true": True, "false": False}.get(node.value.lower(), node.value)
    tree.report(
        "yaml-tag",
        line,
        _("The YAML tag {tag} has no meaning here.").format(tag=shown(node.tag)),
        _("Remove the tag (the word that begins with !)."),
        key_path(path),
    )
    return None


def _mapping(node: MappingNode, path: tuple[str | int, ...], tree: Tree) -> dict[str, object]:
    values: dict[str, object] = {}
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            tree.report(
                "wrong-key", line, _("A key must be a word or a number."), YAML_FIX(), key_path(path)
            )
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key == "<<":
            tree.report(
                "yaml-merge",
                line,
                _("Merging by << is not supported."),
                _("Write the keys out."),
                key_path(path),
            )
        elif key in first:
            tree.report(
                "duplicate-key",
                line,
                _("The key {key} stands here twice; the first is in line {line}.").format(
                    key=shown(key), line=first[key]
                ),
                _("Remove one of them, or give it its right name."),
                key_path(here),
            )
        else:
            first[key] = line
            tree.lines[key_path(here)] = line
            values[key] = _plain(value_node, here, tree)
    return values
