"""Wrong usage of a command in the operator's language: typer's own sentences are English alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from config.catalogue import _


def _said() -> list[tuple[str, Callable[..., str]]]:
    """The sentences, each with what we say for it; a group of the pattern is what it is about."""
    return [
        (r"Missing argument '?(.+?)'?\.(?: (.*))?", _("The argument {name} is missing.").format),
        (r"Missing option '?(.+?)'?\.(?: (.*))?", _("The option {name} is missing.").format),
        (r"No such option: (\S+?)(?: \(Possible options: (.*)\)| Did you mean (.*)\?)?",
         _("There is no option {name}.").format),
        (r"No such command '(.+?)'\.(?: Did you mean (.*)\?)?", _("There is no command {name}.").format),
        (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", _("This is one word too many: {name}").format),
        (r"Option '(.+?)' requires (?:an argument|\d+ arguments)\.", _("The option {name} needs a value.").format),
        (r"Option '(.+?)' does not take a value\.", _("The option {name} takes no value.").format),
    ]  # fmt: skip


def in_our_words(said: str) -> str:
    """One of typer's sentences in the language in force; one that is not known, and our own, as it is."""
    for pattern, words in _said():
        if found := re.fullmatch(pattern, said, re.DOTALL):
            near = next((each for each in found.groups()[1:] if each), "").replace("'", "")
            suggests = _("Did you mean {word}?").format(word=near) if near else ""
            return f"{words(name=found[1])} {suggests}".strip()
    if found := re.fullmatch(r"Invalid value(?: for (.+?))?: (.*)", said, re.DOTALL):
        why = _value(found[2])
        if not found[1]:
            return why
        return _("{name}: {why}").format(name=found[1].replace("'", ""), why=why)
    return said


def _value(said: str) -> str:
    """What is wrong with a value."""
    said = said.removeprefix("Value error, ")
    if re.search(r"valid (?:integer|int)\b", said):
        return _("Write a whole number.")
    if re.search(r"valid (?:number|float)\b", said):
        return _("Write a number.")
    if found := re.search(r"greater than or equal to (\S+?)\.?$|range x>=(\S+?)\.?$", said):
        return _("It must be at least {n}.").format(n=found[1] or found[2])
    if found := re.search(r"less than or equal to (\S+?)\.?$|range x<=(\S+?)\.?$", said):
        return _("It must be at most {n}.").format(n=found[1] or found[2])
    if found := re.fullmatch(r"'?(.*?)'? is not one of (.*?)\.?", said, re.DOTALL):
        return _("{value} is not one of {words}.").format(value=found[1], words=found[2].replace("'", ""))
    if found := re.fullmatch(r"\S+ '?(.*?)'? does not exist\.", said):
        return _("{path} does not exist.").format(path=found[1])
    return said
