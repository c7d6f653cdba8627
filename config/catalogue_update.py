"""``python -m config.catalogue_update``: find every text in the code and bring ``zh.po`` up to date.

Missing texts are added with an empty translation, fragments ``config/locale/zh.*.po.txt`` are taken in and
removed, and the file is sorted. It then lists what is still wrong and exits with 1 if there is any. With
``--check`` it only lists and changes nothing; with ``--prune`` it drops the texts that no code uses.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from jinja2 import Environment, nodes

from config.catalogue import LOCALE, is_empty, read_po

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Use:
    """One ``_("…")`` or ``ngettext("…", "…", n)`` in the code; no ``texts`` when they are not literals."""

    file: str
    line: int
    texts: tuple[str, ...]


def uses(root: Path = ROOT) -> Iterator[Use]:
    """Every translated text in every room (top-level package) below ``root``, tests excepted, and in its pages."""
    for room in sorted(path.parent for path in root.glob("*/__init__.py")):
        if room.name == "tests":
            continue
        for file in sorted(room.rglob("*.py")):
            name = file.relative_to(root).as_posix()
            for node in ast.walk(ast.parse(file.read_bytes(), name)):
                if isinstance(node, ast.Call) and (wanted := _TEXTS.get(_called(node.func), 0)):
                    found = [arg.value for arg in node.args[:wanted] if isinstance(arg, ast.Constant)]
                    texts = tuple(text for text in found if isinstance(text, str) and text)
                    yield Use(name, node.lineno, texts if len(texts) == wanted else ())
    yield from _in_templates(root)


def _in_templates(root: Path) -> Iterator[Use]:
    """The same in the console's pages."""
    for file in sorted(root.glob("*/templates/**/*.html")):
        name = file.relative_to(root).as_posix()
        tree = Environment(extensions=["jinja2.ext.do"]).parse(file.read_text(encoding="utf-8"), name)
        for node in tree.find_all(nodes.Call):
            if isinstance(node.node, nodes.Name) and (wanted := _TEXTS.get(node.node.name, 0)):
                found = [arg.value for arg in node.args[:wanted] if isinstance(arg, nodes.Const)]
                texts = tuple(text for text in found if isinstance(text, str) and text)
                yield Use(name, node.lineno, texts if len(texts) == wanted else ())


_TEXTS = {"_": 1, "ngettext": 2}


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id == "catalogue" else ""
    return ""


def placeholders(text: str) -> set[str]:
    """The names in braces, which a translation must keep; the whole text where its braces do not match."""
    try:
        return {name for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None}
    except ValueError:
        return {text}


def faults(root: Path = ROOT, locale: Path = LOCALE) -> list[str]:
    """One line for each text that is built at run time, untranslated, stale, or has other placeholders."""
    found: list[str] = []
    used: set[str] = set()
    catalogue = read_po([locale / "zh.po"], strict=True)
    for use in uses(root):
        at = f"{use.file}:{use.line}"
        if not use.texts:
            found.append(f"{at}: the text must be a literal, not built at run time")
            continue
        text = use.texts[0]
        used.add(text)
        message = catalogue.get(text)
        if message is None or is_empty(message):
            found.append(f"{at}: not translated in zh.po: {text!r}")
            continue
        if message.pluralizable != (len(use.texts) == 2):
            found.append(f"{at}: with a plural in only one of code and zh.po: {text!r}")
        wanted = set[str]().union(*(placeholders(each) for each in use.texts))
        strings = [message.string] if isinstance(message.string, str) else message.string or []
        if any(placeholders(string) != wanted for string in strings):
            found.append(f"{at}: other placeholders in zh.po: {text!r}")
    for message in catalogue:
        singular = message.id if isinstance(message.id, str) else message.id[0]
        if singular and singular not in used:
            found.append(f"zh.po: no code uses {singular!r}")
    return found


def update(root: Path = ROOT, locale: Path = LOCALE, prune: bool = False) -> None:
    """Bring ``zh.po`` up to date with the code and with the fragments beside it."""
    fragments = sorted(locale.glob("zh.*.po.txt"))
    known = read_po([locale / "zh.po", *fragments])
    fresh = Catalog(locale="zh", fuzzy=False)
    for use in uses(root):
        if not use.texts:
            continue
        message = known.get(use.texts[0])
        string = (message.string if message else None) or ""
        if len(use.texts) == 1:
            fresh.add(use.texts[0], string if isinstance(string, str) else string[0])
        else:
            fresh.add(use.texts, (string,) if isinstance(string, str) else string)
    for message in known:
        if message.id and message.id not in fresh and not prune:
            fresh.add(message.id, message.string)
    body = BytesIO()
    write_po(body, fresh, width=0, no_location=True, omit_header=True, sort_output=True)
    draft = locale / f".zh.po.{os.getpid()}"
    draft.write_bytes(_HEADER.encode() + body.getvalue())
    draft.replace(locale / "zh.po")
    for fragment in fragments:
        fragment.unlink()


_HEADER = r"""msgid ""
msgstr ""
"Language: zh\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""


def main(arguments: list[str]) -> int:
    """The developer's command; returns the exit status."""
    if arguments not in ([], ["--check"], ["--prune"]):
        print("usage: python -m config.catalogue_update [--check | --prune]", file=sys.stderr)
        return 2
    if arguments != ["--check"]:
        update(prune=arguments == ["--prune"])
    remaining = faults()
    print("\n".join(remaining))
    return 1 if remaining else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
