"""Edits one list of a YAML file as a careful person would: lines go in or out, every other byte stays. Pure.

The text is composed for the places of its nodes, spliced there, and composed again: it must then hold exactly what it
held before, and the change. What cannot be edited so (a list behind an alias, an odd style) is refused, with the line
to write by hand; so an edit may fail, but it never does anything else than what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.catalogue import _
from config.problems import Place, Problem, Refused, shown
from config.tree import LARGEST, composed

Value = str | bool | Sequence[str] | Mapping[str, str]
Entry = Mapping[str, Value]
"""One item of a list: its keys in the order in which they are written."""

MARK = "\ufeff"
"""The byte order mark that some editors begin a file with; it stays."""

_PLAIN = re.compile(r"[^\W_](?:\w|[-.+](?=\w)| (?=[^\W_])|:(?=[0-9]))*")
_RESERVED = frozenset({"true", "false", "null"})


_Other = Mapping[int, list[Entry]]
"""By place, what stands there instead; nothing: the item goes."""


class _Splice(NamedTuple):
    """``text`` stands in the place of [begins, ends)."""

    begins: int
    ends: int
    text: str


def edited(
    text: str, file: str, key: str, *, add: Sequence[Entry] = (), remove: Collection[int] = (),
    instead: Mapping[int, Sequence[Entry]] | None = None,
) -> str:  # fmt: skip
    """``text`` with these items of the list ``key`` taken out (by place, from 0), others put in the place of some, and
    others at its end.

    ``file`` is what problems call it. Raises Refused: for a text that is no such file, an index that is not there, and
    for what cannot be edited without touching anything else.
    """
    mark, body = (MARK, text[1:]) if text.startswith(MARK) else ("", text)
    tree, root = composed(file, body)
    if root is None or not isinstance(tree.value, dict) or not isinstance(root, MappingNode):
        raise Refused(tree.problems)
    items = tree.value.get(key) or []
    if not isinstance(items, list):
        what = _("The key {key} must be a list.").format(key=shown(key))
        raise Refused([Problem("wrong-type", Place(file, tree.line(key), key), what, _("See the example."))])
    other: dict[int, list[Entry]] = {place: list(entries) for place, entries in (instead or {}).items()}
    other |= {place: [] for place in remove}
    if not add and not other:
        return text
    if not all(0 <= place < len(items) for place in other):
        raise IndexError(f"{key} has {len(items)} items, not {max(other)}")
    wanted = dict(tree.value)
    kept = [[item] if place not in other else [*map(plain, other[place])] for place, item in enumerate(items)]
    wanted[key] = [item for those in kept for item in those] + [plain(entry) for entry in add]
    try:
        spliced = _spliced(body, _splices(body, root, key, list(add), other))
        becomes = composed(file, spliced)[0].value
    except UnicodeEncodeError:
        what = _("There are characters in it that no file can hold.")
        raise Refused([Problem("not-utf-8", Place(file), what, _("Write it anew."))]) from None
    except _Odd:
        spliced, becomes = body, None
    if becomes != wanted:
        put_in = [entry for entries in (*other.values(), add) for entry in entries]
        raise Refused([_by_hand(file, tree.line(key), key, put_in)])
    size = len((mark + spliced).encode())
    if size > LARGEST:
        what = _("The file would have {size} bytes, more than {most}.").format(size=size, most=LARGEST)
        raise Refused([Problem("file-too-large", Place(file), what, _("Remove what is long past."))])
    return mark + spliced


def plain(entry: Entry) -> dict[str, object]:
    """An entry as it is read back from the file."""

    def value(each: Value) -> object:
        match each:
            case str() | bool():
                return each
            case Mapping():
                return dict(each)
        return list(each)

    return {key: value(each) for key, each in entry.items()}


def in_one_line(entry: Entry) -> str:
    """``{leave: annual, agent: 8011}``: an entry as it is written."""
    return "{" + ", ".join(f"{_scalar(key)}: {_written(value)}" for key, value in entry.items()) + "}"


def _written(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _scalar(value)
        case Mapping():
            return in_one_line(value)
    return "[" + ", ".join(map(_scalar, value)) + "]"


def _scalar(text: str) -> str:
    """The text as one YAML word, in quotes where it must be (YAML 1.2, 7.3.1 and 7.3.3). Raises UnicodeEncodeError."""
    text.encode()
    if _PLAIN.fullmatch(text) and text.isprintable() and text.lower() not in _RESERVED:
        return text
    inside = "".join(
        f"\\{each}" if each in '"\\' else each if each.isprintable() else f"\\U{ord(each):08X}" for each in text
    )
    return f'"{inside}"'


# --- where ------------------------------------------------------------------------------------------------------------


class _Odd(Exception):
    """The list is written in a way that is left to its writer."""


def _splices(text: str, root: MappingNode, key: str, add: list[Entry], other: _Other) -> list[_Splice]:
    found = next(((name, value) for name, value in root.value if name.value == key), None)
    if found is None:
        return _new_key(text, root, key, add)
    name, value = found
    if value.start_mark.index < name.end_mark.index:  # an alias: it stands where its anchor is
        raise _Odd
    if isinstance(value, ScalarNode):
        if root.flow_style:
            return [_Splice(value.start_mark.index, value.end_mark.index, f" [{_in_flow(add)}]")]
        begins, ends = value.start_mark.index, value.end_mark.index
        cut = [_Splice(begins - _blanks_before(text, begins), ends, "")]
        if ends == begins:  # nothing is written there
            cut, ends = [], text.index(":", name.end_mark.index) + 1
        return [*cut, _lines(text, _line_end(text, ends), _column(text, root), add, False)]
    if not isinstance(value, SequenceNode):
        raise _Odd
    if value.flow_style:
        return _flow(text, root, value, add, other)
    return _block(text, name, value, add, other)


def _new_key(text: str, root: MappingNode, key: str, add: list[Entry]) -> list[_Splice]:
    last = _end(text, root)
    if root.flow_style:
        return [_Splice(last, last, f", {key}: [{_in_flow(add)}]")]
    line = " " * int(root.value[0][0].start_mark.column) + f"{key}:"
    at = _line_end(text, last)
    lines = _lines(text, at, _column(text, root), add, False)
    return [_Splice(at, at, _on_lines(text, at, [line]) + lines.text)]


def _flow(text: str, root: MappingNode, value: SequenceNode, add: list[Entry], other: _Other) -> list[_Splice]:
    ends = value.end_mark.index
    if not value.value:
        begins = value.start_mark.index
        line_end = _line_end(text, ends, strict=False)
        if not root.flow_style and re.fullmatch(r"\[[ \t]*\]", text[begins:ends]) and line_end >= 0:
            cut = _Splice(begins - _blanks_before(text, begins), ends, "")
            return [cut, _lines(text, line_end, _column(text, root), add, False)]
        return [_Splice(ends - 1, ends - 1, _in_flow(add))]
    splices, nodes = list[_Splice](), value.value
    commas = [
        _comma(text, _end(text, node), following)
        for node, following in zip(nodes, [*(node.start_mark.index for node in nodes[1:]), ends - 1], strict=True)
    ]
    for place in sorted(other):
        if other[place]:
            splices.append(_Splice(nodes[place].start_mark.index, _end(text, nodes[place]), _in_flow(other[place])))
            continue
        after = commas[place] + 1 if commas[place] >= 0 else _end(text, nodes[place])
        splices.append(_Splice(nodes[place].start_mark.index, _blanks_after(text, after), ""))
    kept = [place for place in range(len(nodes)) if other.get(place, True)]
    if not kept:
        return [*splices, _Splice(ends - 1, ends - 1, _in_flow(add))]
    last = kept[-1]
    if add:
        splices.append(_Splice(_end(text, nodes[last]), _end(text, nodes[last]), f", {_in_flow(add)}"))
    elif last + 1 < len(nodes) and commas[-1] < 0:  # the comma that parted it from what goes
        splices.append(_Splice(commas[last], _blanks_after(text, commas[last] + 1), ""))
    return splices


def _block(text: str, name: Node, value: SequenceNode, add: list[Entry], other: _Other) -> list[_Splice]:
    splices = list[_Splice]()
    last = value.value[-1]
    for place in sorted(other):
        node = value.value[place]
        dash, item_ends = _dash(text, node), _end(text, node)
        begins, ends = _line_begin(text, dash), _line_end(text, item_ends)
        if text[begins:dash].strip(" "):
            raise _Odd
        if other[place]:  # what stands behind the item in its line stays there
            lines = _as_lines(dash - begins, other[place], _in_lines(node))
            splices.append(_Splice(begins, item_ends, _eol(text, ends).join(lines) + _break_before(text, item_ends)))
            continue
        if splices and splices[-1].ends == begins and not splices[-1].text:
            begins = splices.pop().begins
        splices.append(_Splice(begins, ends, ""))
    if splices and splices[-1][1:] == (len(text), "") and not text.endswith(("\n", "\r")) and not add:
        begins = splices[-1].begins
        splices[-1] = _Splice(begins - len(_break_before(text, begins)), len(text), "")
    if add:
        dash, at = _dash(text, last), _line_end(text, _end(text, last))
        splices.append(_lines(text, at, dash - _line_begin(text, dash), add, _in_lines(last)))
    elif len(other) == len(value.value) and not any(other.values()):
        colon = text.index(":", name.end_mark.index) + 1
        splices.append(_Splice(colon, colon, " []"))
    return splices


# --- writing ----------------------------------------------------------------------------------------------------------


def _lines(text: str, at: int, column: int, add: list[Entry], in_lines: bool) -> _Splice:
    """The entries as lines of a list whose dashes stand in ``column``, put in at the beginning of a line."""
    return _Splice(at, at, _on_lines(text, at, _as_lines(column, add, in_lines)))


def _in_lines(node: Node) -> bool:
    return isinstance(node, MappingNode) and not node.flow_style


def _as_lines(column: int, entries: list[Entry], in_lines: bool) -> list[str]:
    """In one line each, or with ``in_lines`` in one for each key."""
    if not in_lines:
        return [f"{' ' * column}- {in_one_line(entry)}" for entry in entries]
    return [
        f"{' ' * column}{'  ' if place else '- '}{_scalar(key)}: {_written(value)}"
        for entry in entries
        for place, (key, value) in enumerate(entry.items())
    ]


def _on_lines(text: str, at: int, lines: list[str]) -> str:
    """Whole lines for this place, with the file's own line ends; its last line may have none."""
    eol = _eol(text, at)
    if at > 0 and not _break_before(text, at):
        return "".join(eol + line for line in lines)
    return "".join(line + eol for line in lines)


def _eol(text: str, at: int) -> str:
    return _break_before(text, at) or ("\r\n" if "\r\n" in text else "\n")


def _in_flow(add: list[Entry]) -> str:
    return ", ".join(map(in_one_line, add))


def _spliced(text: str, splices: list[_Splice]) -> str:
    for splice in sorted(splices, reverse=True):
        text = text[: splice.begins] + splice.text + text[splice.ends :]
    return text


def _by_hand(file: str, line: int, key: str, add: Sequence[Entry]) -> Problem:
    what = _("The list {key} is written in a way that no command can edit without touching the rest.").format(key=key)
    if not add:
        return Problem("edit-by-hand", Place(file, line, key), what, _("Edit it by hand."))
    fix = _("Write into it by hand: {line}").format(line=", ".join(map(in_one_line, add)))
    return Problem("edit-by-hand", Place(file, line, key), what, fix)


# --- places in the text -----------------------------------------------------------------------------------------------


def _end(text: str, node: Any) -> int:
    """Behind the last character of a node."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        key, value = node.value[-1]
        if value.end_mark.index >= key.end_mark.index:
            return _end(text, value)
        alias = re.compile(r"\s*:\s*\*[^\s,\[\]{}]+").match(text, key.end_mark.index)
        if alias is None:
            raise _Odd
        return alias.end()
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        if node.value[-1].end_mark.index < node.start_mark.index:  # an alias
            raise _Odd
        return _end(text, node.value[-1])
    return int(node.end_mark.index)


def _dash(text: str, node: Node) -> int:
    """Where the dash of a list's item stands."""
    at = int(node.start_mark.index) - 1
    while at >= 0 and text[at] in " \t":
        at -= 1
    if at < 0 or text[at] != "-":
        raise _Odd
    return at


def _column(text: str, root: MappingNode) -> int:
    """The column of the dashes of a new list: as those of the other lists in the file, else two further in."""
    begins = int(root.value[0][0].start_mark.column)
    for _name, value in root.value:
        if isinstance(value, SequenceNode) and value.value and not value.flow_style:
            dash = _dash(text, value.value[0])
            return dash - _line_begin(text, dash)
    return begins + 2


def _comma(text: str, begins: int, ends: int) -> int:
    """The first comma there that is in no comment; -1: none."""
    found = re.match(r"(?:[ \t\r\n]|#[^\r\n]*)*,", text[begins:ends])
    return begins + found.end() - 1 if found else -1


def _blanks_before(text: str, at: int) -> int:
    return at - len(text[:at].rstrip(" \t"))


def _blanks_after(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at


def _line_begin(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _line_end(text: str, at: int, strict: bool = True) -> int:
    """Behind the line break that follows; between there are blanks and a comment alone. Raises _Odd (or -1)."""
    if at > 0 and text[at - 1] in "\r\n":
        return at
    rest = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)").match(text, at)
    if rest is None:
        if strict:
            raise _Odd
        return -1
    return rest.end()


def _break_before(text: str, at: int) -> str:
    return "\r\n" if text[:at].endswith("\r\n") else text[at - 1 : at] if text[at - 1 : at] in ("\r", "\n") else ""
