"""What changed between two sets of settings, key by key, in plain words: ``key: old -> new``. Pure.

Lists whose items have a name of their own (a trunk's name, a device's account, the date and agent of a dated change)
are compared by it, other lists of keyed items by their likeness; so an item put in front is one change, not as many as
the list is long.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.problems import key_path, shown
from config.settings import Settings

FILES = ("hotline", "menu", "queues", "agents", "roster", "subjects", "reviews")

NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "trunks": ("name",),
    "devices": ("sip", "number"),
    "changes": ("agent", "date", "from", "swap", "extra", "team"),
}
"""By the list's key: what names an item of it."""

SECRET = frozenset({"password", "secret"})
"""Keys whose values are never shown."""

_FLAGS = frozenset({"off", "backup", "repeat"})
"""Keys that are left out where they say no."""

LONGEST_VALUE = 120
"""Characters of a value that are shown."""

Path = tuple[str | int, ...]


class _Absent:
    def __repr__(self) -> str:
        return ""


ABSENT = _Absent()
"""In the place of a value: there is none."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of one file; ``old`` or ``new`` is empty where the key came or went. Values are as YAML would have them.

    ``key`` is the dotted path; empty: the file as a whole.
    """

    file: str
    key: str
    old: str
    new: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        if not self.old:
            return f"{where}: + {self.new}"
        return f"{where}: - {self.old}" if not self.new else f"{where}: {self.old} → {self.new}"


def differences(old: Settings, new: Settings) -> list[Difference]:
    """Everything that is not the same, by file and in the files' order. Empty exactly where nothing differs."""
    found: list[Difference] = []
    for name in FILES:
        found += _between(f"{name}.yaml", tree_of(getattr(old, name)), tree_of(getattr(new, name)))
    for language in sorted(old.prompts.keys() | new.prompts.keys()):
        before, after = old.prompts.get(language), new.prompts.get(language)
        file = f"prompts.{language}.yaml"
        if before is None or after is None:
            found.append(Difference(file, "", "" if before is None else "…", "" if after is None else "…"))
        else:
            found += _between(file, tree_of(before), tree_of(after))
    return found


def sound_differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    """Own recordings that came, went or are others; by path to digest."""
    names = sorted(name for name in old.keys() | new.keys() if name.startswith("sounds/"))
    return [
        Difference(name, "", old.get(name, "")[:8], new.get(name, "")[:8])
        for name in names
        if old.get(name) != new.get(name)
    ]


def tree_of(part: Any) -> Any:
    """A part of the settings as plain values, keys as in the files, with the defaults of what was left out."""
    return part.model_dump(mode="json", by_alias=True)


def _between(file: str, old: Any, new: Any) -> Iterator[Difference]:
    for path, before, after in _walk((), old, new):
        if any(str(step) in SECRET for step in path):
            before, after = (ABSENT if value is ABSENT else "***" for value in (before, after))
        was, is_now = _yaml(before), _yaml(after)
        begins = _parting(was, is_now)
        yield Difference(file, key_path(path), _shown(was, begins), _shown(is_now, begins))


def _walk(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Any, Any]]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _walk((*path, key), old.get(key, ABSENT), new.get(key, ABSENT))
    elif _keyed(old) and _keyed(new):
        yield from _items(path, old, new)
    else:
        yield path, old, new


def _keyed(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _items(path: Path, old: list[Any], new: list[Any]) -> Iterator[tuple[Path, Any, Any]]:
    names = NAMED_BY.get(str(path[-1]) if path else "", ())
    before, after = ([_name(item, names) for item in items] for items in (old, new))
    if names and len(set(before)) == len(before) and len(set(after)) == len(after):
        places = {name: place for place, name in enumerate(after)}
        kept = [name for name in before if name in places]
        if kept == [name for name in after if name in set(before)]:
            for place, name in enumerate(before):
                there = new[places[name]] if name in places else ABSENT
                yield from _walk((*path, places.get(name, place)), old[place], there)
            for place, name in enumerate(after):
                if name not in set(before):
                    yield (*path, place), ABSENT, new[place]
            return
    told = [json.dumps(item, sort_keys=True) for item in old], [json.dumps(item, sort_keys=True) for item in new]
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, *told, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            for place in range(i2 - i1):
                yield from _walk((*path, j1 + place), old[i1 + place], new[j1 + place])
        elif tag != "equal":
            yield from (((*path, place), old[place], ABSENT) for place in range(i1, i2))
            yield from (((*path, place), ABSENT, new[place]) for place in range(j1, j2))


def _name(item: Mapping[str, Any], names: Sequence[str]) -> str:
    return json.dumps([item.get(name) for name in names])


def _parting(one: str, other: str) -> int:
    """Where two texts too long to be shown whole should begin: a little before they part."""
    if max(len(one), len(other)) <= LONGEST_VALUE:
        return 0
    same = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return max(0, same - 20)


def _shown(text: str, begins: int) -> str:
    return shown(f"…{text[begins:]}" if begins and text else text, LONGEST_VALUE)


def _yaml(value: Any) -> str:
    match value:
        case None | _Absent():
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.10g}"
        case str():
            # A wall time is dumped with its seconds, which nobody writes.
            return re.sub(r"^([0-9]{2}:[0-9]{2}):00$", r"\1", value) or '""'
        case list():
            return f"[{', '.join(map(_yaml, value))}]"
        case dict():
            said = [f"{key}: {_yaml(each)}" for key, each in value.items()
                    if each not in (None, "", [], {}) and not (key in _FLAGS and each is False)]  # fmt: skip
            return "{" + ", ".join(said) + "}"
    return str(value)
