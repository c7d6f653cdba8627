"""What is wrong with a file's YAML, as sentences an operator can act on: the parser's own are English, and speak of
tokens. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from config.catalogue import _
from config.problems import shown

FULL_WIDTH: Mapping[str, str] = {
    "：": ":", "，": ",", "、": ",", "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]",
    "“": '"', "”": '"', "‘": "'", "’": "'", "＂": '"', "－": "-", "＃": "#", "\u3000": " ",
}  # fmt: skip
"""Signs of a Chinese keyboard, and what YAML wants in their place."""

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|(?:^|\s)#.*")
"""What a line's signs mean nothing in: quoted text, a comment."""


def full_width(text: str) -> str:
    """The first sign of a Chinese keyboard in one line that is neither quoted nor a comment; empty: there is none."""
    return next((sign for sign in _QUOTED.sub("", text) if sign in FULL_WIDTH), "")


def width_words(sign: str) -> tuple[str, str]:
    """What is wrong, and what to do, where this full-width sign stands."""
    plain = FULL_WIDTH[sign]
    if not plain.strip():
        return _("A full-width blank stands here."), _("Put ordinary blanks in its place.")
    what = _("The full-width sign “{sign}” stands here.").format(sign=sign)
    fix = _("Write the half-width {plain} (a blank after : and ,); text that has such a sign goes in quotes.")
    return what, fix.format(plain=plain)


def YAML_FIX() -> str:
    """What helps where nothing better is known."""
    return _("Compare it with the example: two blanks for each level, a blank after each colon.")


def syntax_words(said: str, marks: Sequence[int], text: str) -> tuple[int, str, str]:
    """The line, what is wrong there, and what to do.

    ``said`` is the parser's sentence; ``marks`` are the lines it names: where it stopped, then where what it was
    reading began.
    """
    lines = dict(enumerate(text.split("\n"), 1))
    line, began = marks[0], marks[-1]
    written = lines.get(line, "")
    starred = [mark for mark in marks if re.match(r"\s*\*\s*:", lines.get(mark, ""))]
    if starred:
        return starred[0], _("A key * must stand in quotes."), _('Write "*": instead of *:.')
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in said:
        return line, _("There is a tab."), _("YAML wants blanks: replace each tab by two blanks.")
    if "undefined alias" in said:
        return line, _("This refers by * to a name that no & defines."), _("Write the value itself.")
    if "single document" in said:
        what = _("The file holds more than one document.")
        return line, what, _("Remove the line --- and what does not belong here.")
    if (wide := _wide(marks, lines)) is not None:
        return wide, *width_words(full_width(lines[wide]))
    if any(word in said for word in ("<stream end>", "unexpected end of stream", "<document end>")):
        while began > 1 and not lines.get(began, "").strip():
            began -= 1
        what = _("The file ends in the middle of what begins here: a bracket, a brace or a quotation mark is open.")
        return began, what, _("Close it. Does the editor still write the file? Then save it whole.")
    if "mapping values are not allowed" in said:
        fix = _("Put the value in quotes; or the line is indented deeper than the one above it.")
        return line, _("A second colon is not allowed here."), fix
    return line, *_other(said)


def _other(said: str) -> tuple[str, str]:
    """Of where it stopped."""
    if "expected ',' or" in said or "flow" in said:
        what = _("Between { } or [ ] something is missing here: a comma, or the closing bracket.")
        return what, _("Put a comma between two entries, and close what was opened.")
    if "could not find expected ':'" in said:
        return _("A line without a colon stands here."), _("Write key: value, with a blank after the colon.")
    if "expected <block end>" in said:
        what = _("This does not go on from the line above: it is indented otherwise, or something is left over.")
        return what, _("Lines of one level begin in the same column, two blanks deeper than what they belong to.")
    if "sequence entries are not allowed" in said:
        return _("A list (-) cannot begin here."), _("Begin it on a line of its own, below its key.")
    if found := re.search(r"found character '(.*?)' that cannot start", said):
        what = _("A value cannot begin with {sign}.").format(sign=shown(found[1]))
        return what, _("Put the value in quotes.")
    if "unknown escape" in said or "escape sequence" in said:
        return _("In double quotes \\ has a meaning of its own."), _("Write \\\\, or use single quotes.")
    return _("This is not YAML: {reason}.").format(reason=shown(said, 160)), YAML_FIX()


def _wide(marks: Iterable[int], lines: Mapping[int, str]) -> int | None:
    """The line, of those from what was being read to where it stopped, that has a full-width sign, the last of them (a
    plain text may hold one rightly, and then stands far above); or the line above, which a colon has made no key."""
    first, last = min(marks), max(marks)
    for line in range(last, max(first, last - 2) - 1, -1):
        if full_width(lines.get(line, "")):
            return line
    return last - 1 if full_width(lines.get(last - 1, "")) == "：" else None
