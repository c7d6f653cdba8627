"""The measured figures in ``docs/bench/``: the table between two marks of each page, and the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.catalogue import Language, _, language, set_language
from hotline.bench import figures, picture

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PAGES: tuple[tuple[Language, str], ...] = (("en", "README.md"), ("zh", "README.zh-CN.md"))


def write(folder: Path, found: figures.Measured, whole: dict[str, Any]) -> None:
    """Put the figures into both pages and draw both pictures. Pages without the marks stay as they are."""
    before = language()
    try:
        for wanted, name in PAGES:
            set_language(wanted)
            (folder / f"figures.{wanted}.svg").write_text(picture.draw(found), encoding="utf-8")
            page = folder / name
            text = page.read_text(encoding="utf-8")
            head, begin, rest = text.partition(BEGIN)
            _old, end, tail = rest.partition(END)
            if begin and end:
                page.write_text(f"{head}{BEGIN}\n{measured(found, whole)}\n{END}{tail}", encoding="utf-8")
    finally:
        set_language(before)


def measured(found: figures.Measured, whole: dict[str, Any]) -> str:
    """The part of a page that a run writes: when, on what, the table."""
    machine, versions = whole["machine"], whole["versions"]
    said = _("Measured on {date}: {cpu}, {memory}, Linux {kernel}; {asterisk}, Python {python}, uvloop {uvloop}, SQLite {sqlite}.")  # noqa: E501
    rows = [
        said.format(date=whole["date"][:10], **machine, **versions),
        "",
        f"| {_('Measured')} | {_('Seen')} | {_('Over the rounds')} | {_('Target')} | |",
        "|---|---:|---|---:|---|",
    ]
    words = {True: _("holds"), False: f"**{_('does not hold')}**", None: ""}
    for line in figures.lines(found):
        spread = "" if line.spread is None else " – ".join(line.shown(end) for end in line.spread)
        seen = f"{line.shown(line.seen)} {line.unit}".strip()
        rows.append(f"| {line.name} | {seen} | {spread} | {line.target} | {words[line.holds]} |")
    return "\n".join([*rows, "", *_rounds(found)])


def _rounds(found: figures.Measured) -> list[str]:
    """Every round's CPU, in milliseconds a call."""
    head = (_("Round"), "Asterisk", _("daemon"), _("archive"), _("together"), _("answer p50 / p99, ms"), _("talk, s"))
    rows = ["| " + " | ".join(("", *head)) + " |", "|---|" + "---:|" * len(head)]
    for name, side in (("Queue()", found.plain), ("Hotline", found.hotline)):
        for number, one in enumerate(side):
            parts = (1000 * value for value in (one.cost.asterisk, one.cost.daemon, one.cost.workers, one.cost.whole))
            shown = " | ".join(f"{value:.1f}" for value in parts)
            answer = " / ".join(f"{1000 * figures.quantile(one.answer, share):.1f}" for share in (0.5, 0.99))
            rows.append(f"| {name} | {number + 1} | {shown} | {answer} | {one.talk:.2f} |")
    return rows
