"""What commands say of the configuration in force: of when it is, whether the files are the same, what waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.catalogue import _, language, ngettext
from hotline.show import at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.versions import Version


MOST_TOLD = 20
"""Errors that are named one by one; the others are counted."""


def author_word(version: Version) -> str:
    """Who made this version."""
    if version.author:
        imported = version.how == "import"
        return _("{author}, from a sheet").format(author=version.author) if imported else version.author
    return _("found at the start") if version.how == "start" else _("by hand")


def lines_in_force(state: Path, zone: ZoneInfo, config: Path) -> list[str]:
    """The same, asked of the daemon; nothing while none runs."""
    from hotline import control

    try:
        status = control.ask(state, "status")
    except (control.NotRunning, control.Refused):
        return []
    return told_of(in_our_words(status.get("config", {}), config), zone)


def in_our_words(about: Mapping[str, Any], config: Path) -> Mapping[str, Any]:
    """The same word with the errors of the files in the language in force here: where the daemon has found them in
    another, the files are checked once more."""
    if not about.get("errors") or about.get("language", language()) == language():
        return about
    from config.problems import Refused
    from hotline.preflight import Asked, prepare_aside, settings_in_force

    kept = settings_in_force(config)
    try:
        prepare_aside(config, roster=Asked(before=kept[0] if kept else None))
    except Refused as refused:
        errors = [str(problem) for problem in refused.problems if not problem.warning]
        return {**about, "errors": errors[:MOST_TOLD], "error_count": len(errors)}
    return about


def told_of(about: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """What should be known, a line each, of the daemon's word on its configuration; nothing where all is as it should
    be."""
    lines = []
    errors, count = list(about.get("errors", [])), int(about.get("error_count", 0))
    if errors:
        said = ngettext(
            "The configuration in force is of {when}; the files have {n} error: {first}",
            "The configuration in force is of {when}; the files have {n} errors: {first}", count,
        ).format(when=when(int(about.get("since", 0)), zone), n=count, first=errors[0])  # fmt: skip
        lines += [said, *errors[1:]]
        if count > len(errors):
            lines.append(_("… and {n} more: 'hotline check' names them.").format(n=count - len(errors)))
    if about.get("being_written"):
        lines.append(_("A change waits: {file} is still being written.").format(file=about["being_written"]))
    lines += [str(what) for what in about.get("overwrites", [])]
    if about.get("asterisk"):
        lines.append(_("Asterisk has not taken a change over yet: {why}").format(why=about["asterisk"]))
    for key, whose in about.get("pending", {}).items():
        lines.append(pending_line(str(key), str(whose)))
    return lines


def pending_line(key: str, whose: str) -> str:
    """Of what a setting's new value waits for the restart."""
    of = {"daemon": _("the hotline"), "asterisk": _("Asterisk"), "both": _("Asterisk, and then of the hotline")}
    return _("Takes effect at the next restart of {whose}: {key}").format(whose=of.get(whose, whose), key=key)


def when(micros: int, zone: ZoneInfo) -> str:
    """``14:03``, with the date where it is not today's; ``–`` where it is not known."""
    if not micros:
        return "–"
    time, now = at(micros, zone), dt.datetime.now(zone)
    return time.strftime("%H:%M" if time.date() == now.date() else "%Y-%m-%d %H:%M")
