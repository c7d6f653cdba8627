"""A line put into a list of a YAML file, or taken out: in any style, and every other byte stays."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from config import catalogue
from config.list_edit import Entry, edited, in_one_line, plain
from config.problems import Refused
from config.tree import composed
from tests.pure.config_play import EXAMPLE
from tests.pure.test_config_fuzz import TOKENS

LEAVE: Entry = {"leave": "annual", "agent": "8011", "from": "2027-02-17", "to": "2027-02-17 18:00", "note": "春节"}
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda word: word != "<<"  # merging, which no file may have
)
values: st.SearchStrategy[Any] = st.one_of(
    words, st.booleans(), st.lists(words, max_size=3), st.dictionaries(words, words, min_size=1, max_size=2)
)
entries = st.dictionaries(st.one_of(st.sampled_from(["agent", "note", "off"]), words), values, min_size=1, max_size=4)


def changes(text: str) -> Any:
    tree, _node = composed("roster.yaml", text.removeprefix("\ufeff"))
    assert not tree.problems and isinstance(tree.value, dict)
    return tree.value.get("changes")


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A file, and the style of its list."""
    comment = st.sampled_from(["", "  # 春节", " # {not: this}, [nor: this"])
    blank = st.sampled_from(["", "", "\n", "# a line about it\n", "  # - {leave: annual, agent: 8001}\n"])
    dash = draw(st.sampled_from(["- ", "  - ", "    - ", "  -  "]))
    items = draw(st.lists(entries, min_size=1, max_size=3))
    style = draw(st.sampled_from(["none", "null", "tilde", "[]", "[ ]", "flow", "tall flow", "block", "tall block"]))
    flow = [in_one_line(item) for item in items]
    text = ""
    match style:
        case "null":
            text = f"changes:{draw(comment)}\n"
        case "tilde":
            text = f"changes: ~{draw(comment)}\n"
        case "[]" | "[ ]":
            text = f"changes: {style}{draw(comment)}\n"
        case "flow":
            text = f"changes: [{', '.join(flow)}{draw(st.sampled_from(['', ',', ' ']))}]{draw(comment)}\n"
        case "tall flow":
            text = "changes: [\n" + "".join(f"    {one},{draw(comment)}\n" for one in flow) + "  ]\n"
        case "block":
            text = f"changes:{draw(comment)}\n"
            text += "".join(f"{draw(blank)}{dash}{one}{draw(comment)}\n" for one in flow)
        case "tall block":
            tall = [[f"{in_one_line({key: value})[1:-1]}{draw(comment)}\n" for key, value in item.items()]
                    for item in items]  # fmt: skip
            text = "changes:\n"
            text += "".join(f"{draw(blank)}{dash}{(' ' * len(dash)).join(item)}" for item in tall)
    before = draw(st.sampled_from(["", "# 排班表\n", "--- # a document\n"])) + "shifts:\n  早班: {from: \"06:00\"}\n"
    before += draw(st.sampled_from(["", "rules:\n- {shift: 早班}\n", 'note: "two\n  lines"\n', "x: &a 1\ny: *a\n"]))
    after = draw(st.sampled_from(["", "...\n", "# 日历\ncalendar:\n  - {is: makeup}\n", "\n\nlimits: {rest: 11}\n"]))
    whole = before + draw(blank) + text + draw(blank) + after
    if draw(st.booleans()):
        whole = whole.removesuffix("\n")
    return draw(st.sampled_from(["", "\ufeff"])) + whole.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))), style


@given(files(), st.lists(entries, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_what_is_put_in_is_all_that_changes_and_taking_it_out_gives_the_bytes_back(
    file: tuple[str, str], new: list[Entry]
) -> None:
    text, style = file
    there = changes(text) or []
    becomes = edited(text, "roster.yaml", "changes", add=new)
    assert changes(becomes) == there + [plain(entry) for entry in new]
    kept = re.sub(r"changes: (\[ ?\]|~)", "changes:", text)
    assert not more_than_put_in(kept, becomes)
    if "\r\n" in text:
        assert not re.search(r"(?<!\r)\n", becomes)
    again = edited(becomes, "roster.yaml", "changes", remove=range(len(there), len(there) + len(new)))
    if style in ("block", "tall block", "[]") or (style == "flow" and not re.search(r"[, ]\](?!.*\])", text)):
        assert again == text
    assert (changes(again) or []) == there


def more_than_put_in(old: str, new: str) -> str:
    """What of ``old`` is no longer in ``new``, at its place: it must be ``new`` with one piece cut out."""
    same = next((place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old))
    return "" if new.endswith(old[same:]) and len(new) >= len(old) else old[same:]


@given(files(), st.data())
@settings(max_examples=40, deadline=None)
def test_any_items_can_be_taken_out_or_replaced_and_the_others_stay(file: tuple[str, str], data: st.DataObject) -> None:
    text, _style = file
    there = changes(text) or []
    if not there:
        return
    other = data.draw(st.dictionaries(st.sampled_from(range(len(there))), st.lists(entries, max_size=2)))
    new = data.draw(st.lists(entries, max_size=2))
    becomes = edited(text, "roster.yaml", "changes", instead=other, add=new)
    expected = [[*map(plain, other[place])] if place in other else [one] for place, one in enumerate(there)]
    assert changes(becomes) == [one for those in expected for one in those] + [*map(plain, new)]
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in becomes.splitlines() if line.startswith("#")
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nchanges:\n\t- {x: 1}\n", "There is a tab"),
        ("a: [\n", "The file ends in the middle"),
        ("", "empty"),
        ("- a\n", "must be a list of keys"),
        ("a: 1\na: 2\n", "twice"),
        ("changes: 7\n", "must be a list"),
        ("rules: &r [{x: 1}]\nchanges: *r\n", "Write into it by hand: {leave: annual, agent: 8011"),
        ("changes: &c [{x: 1}]\nrules: *c\n", "Write into it by hand"),
        ("? changes\n: - {x: 1}\n", ""),
        ("<<: {a: 1}\n", "Merging"),
    ],
)
def test_what_cannot_be_edited_without_touching_the_rest_is_refused_with_the_line_to_write(
    text: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_chosen", "en")
    try:
        assert changes(edited(text, "roster.yaml", "changes", add=[LEAVE])) == [{"x": "1"}, plain(LEAVE)] and not what
    except Refused as refused:
        assert what in str(refused) and what


def test_a_file_is_not_made_larger_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.list_edit.LARGEST", 1000)
    with pytest.raises(Refused, match="1000"):
        edited(f"a: 1\n#{'x' * 990}\n", "roster.yaml", "changes", add=[LEAVE])
    with pytest.raises(Refused):
        edited("a: 1\n", "roster.yaml", "changes", add=[{"note": "\udc80"}])


def test_whatever_stands_in_the_file_it_is_edited_rightly_or_refused() -> None:
    lots, example = random.Random(7), (EXAMPLE / "roster.yaml").read_bytes().decode()
    done = 0
    for _round in range(60):
        text = example
        for _cut in range(lots.randint(1, 3)):
            at = lots.randrange(len(text))
            text = text[:at] + lots.choice(_pieces(lots)) + text[at + lots.choice([0, 0, 1, 9, 60]) :]
        try:
            becomes = edited(text, "roster.yaml", "changes", add=[LEAVE])
        except Refused as refused:
            assert refused.problems and all(str(problem) for problem in refused.problems)
        else:
            assert changes(becomes) == [*(changes(text) or []), plain(LEAVE)]
            done += 1
    assert done > 5


def _pieces(lots: random.Random) -> Sequence[str]:
    return [lots.choice(TOKENS), "", "\n", " ", "changes:", "\r\n"]
