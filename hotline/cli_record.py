"""``hotline record``: one call's record (来电登记) shown and filled in; without a call, the missing ones."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from calllog.wording import DIM, GOOD, WARN, Names
from config.catalogue import _, ngettext
from hotline.cli_calls import find_call
from hotline.cli_options import (
    STORE,
    ConfigFolder,
    FormatOption,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    tell,
    when,
)
from hotline.no_such import no_call
from hotline.show import Column, Format, at, console, iso, moment, show, show_json, visible

if TYPE_CHECKING:
    from calllog.record_queries import Due
    from cases.record import Card
    from cases.subjects import Choice
    from config.settings import Settings

SHOWN = 2_000
"""Characters of a text that the page shows; JSON has it whole."""


@one_line_each()
def record(
    call_id: Annotated[
        str | None, typer.Argument(metavar="CALL_ID", help=_("Its beginning is enough; 'last': the newest."))
    ] = None,
    name: Annotated[str | None, typer.Option(help=_("The caller's name."))] = None,
    contact: Annotated[str | None, typer.Option(help=_("How the caller can be reached."))] = None,
    identity: Annotated[
        bool | None, typer.Option("--identity/--no-identity", help=_("Whether the caller's identity was checked."))
    ] = None,
    subject: Annotated[str | None, typer.Option(help=_("The subject's id or label, from subjects.yaml."))] = None,
    problem: Annotated[str | None, typer.Option(help=_("What the caller wants."))] = None,
    solution: Annotated[str | None, typer.Option(help=_("What was done."))] = None,
    solved: Annotated[Literal["yes", "no", "open"] | None, typer.Option(help=_("Whether it is solved."))] = None,
    fill: Annotated[bool, typer.Option("--fill", help=_("Ask for each field in turn."))] = False,
    by: Annotated[
        str | None, typer.Option(metavar="WHO", help=_("Who writes this; default: the user of this machine."))
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help=_("Without a call: from this moment on; default: today."))
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=_("Without a call: before this moment."))] = None,
    agent: Annotated[str | None, typer.Option(help=_("Without a call: in which this staff number talked."))] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Show a call's record, or fill it in with these options."""
    settings, state = house(config)
    if call_id is None:
        given = (name, contact, identity, subject, problem, solution, solved)
        if fill or any(each is not None for each in given):
            raise typer.BadParameter(_("Say which call."), param_hint="CALL_ID")
        _missing(settings, state, since, until, agent, form)
        return
    call = find_call(call_id, settings, state / STORE)
    from cases.subjects import subjects_of

    subjects = subjects_of(settings)
    card, began = _card(call, settings, state, subjects)
    changes: dict[str, Any] = {
        "name": name, "contact": contact, "identity_checked": identity,
        "subject": None if subject is None else _subject(subject, subjects), "problem": problem,
        "solution": solution, "solved": solved,
    }  # fmt: skip
    changes = {field: value for field, value in changes.items() if value is not None}
    if fill:
        changes |= _asked(card, subjects, changes)
    if changes:
        try:
            _write(call, changes, by or getpass.getuser(), card.version, settings, state)
        except Exception:
            if fill:
                _give_back(changes)
            raise
        card, began = _card(call, settings, state, subjects)
    if form is Format.TABLE:
        _page(card, began, settings, subjects)
    elif form is Format.JSON:
        show_json(as_json(card, settings, subjects))
    else:
        show(form, _version_columns(settings, subjects), card.versions)


# --- reading ----------------------------------------------------------------------------------------------------------


def _card(call: str, settings: Settings, state: Path, subjects: Mapping[str, Choice]) -> tuple[Card, int]:
    """The record, and when the call came (µs)."""
    from calllog import queries
    from calllog.record_queries import note_texts
    from cases.record import card_of

    detail = answer(queries.get_call(state / STORE, call), None)
    if detail is None:
        refuse(no_call(call))
    texts: dict[str, str] = answer(note_texts(state / STORE, call), {})
    return card_of(call, detail.events, texts, settings, subjects), detail.row.arrived_at


def as_json(card: Card, settings: Settings, subjects: Mapping[str, Choice]) -> dict[str, Any]:
    """The record whole, for a program."""
    from dataclasses import asdict

    from cases.subjects import label_of

    zone = settings.hotline.zone
    return {
        "call_id": card.call_id, "version": card.version, "complete": card.complete, "missing": list(card.missing),
        "record": asdict(card.content) | {"subject_label": label_of(subjects, card.content.subject)},
        "versions": [
            {"version": each.version, "at": iso(each.at, zone), "by": each.by, "agent": each.agent,
             "complete": each.complete, "changed": list(each.changed), "erased": list(each.erased),
             "record": asdict(each.content)}
            for each in card.versions
        ],
    }  # fmt: skip


def _page(card: Card, began: int, settings: Settings, subjects: Mapping[str, Choice]) -> None:
    from rich.cells import cell_len
    from rich.text import Text

    from cases.record import FIELDS, field_word, needs_of

    screen, zone, names = console(), settings.hotline.zone, Names.of(settings)
    needs = needs_of(card.content.subject, subjects, settings)
    lines = [(_("Call"), Text(f"{card.call_id}  {at(began, zone):%Y-%m-%d %H:%M}", style="bold"))]
    for field in FIELDS:
        value = said(card, field, subjects)
        needed = ("identity" if field == "identity_checked" else field) in needs
        lines.append((field_word(field), Text(value) if value else Text(_("needed") if needed else "–", style=DIM)))
    done = Text(_("complete"), style=GOOD) if card.complete else Text(_("incomplete"), style=WARN)
    if card.missing:
        done += Text(_(": missing {fields}").format(fields=_(", ").join(field_word(one) for one in card.missing)))
    lines.append((_("Record"), done if card.versions else Text(_("nothing written yet"), style=WARN)))
    width = max(cell_len(title) for title, _text in lines)
    for title, text in lines:
        screen.print(Text(title + " " * (width - cell_len(title) + 2), style=DIM) + text, soft_wrap=True)
    for each in card.versions:
        what = _(", ").join(field_word(field) for field in each.changed) or "–"
        line = _("Version {n}: {who}, {fields}").format(n=each.version, who=names.agent(each.by), fields=what)
        screen.print(Text(f"{at(each.at, zone):%Y-%m-%d %H:%M:%S}  {visible(line)}", style=DIM), soft_wrap=True)


def said(card: Card, field: str, subjects: Mapping[str, Choice]) -> str:
    """One field as a terminal can show it."""
    from cases.record import solved_word
    from cases.subjects import label_of

    value = getattr(card.content, field)
    if field == "identity_checked":
        return _("yes") if value else ""
    if field == "subject":
        known = subjects.get(value)
        gone = "" if not value or (known is not None and known.open) else _(" (no longer to be chosen)")
        return label_of(subjects, value) + gone
    if field == "solved":
        return solved_word(value)
    if card.versions and field in card.versions[-1].erased:
        return _("(erased)")
    shown = "\n".join(visible(line) for line in value[:SHOWN].splitlines())
    return shown + "…" if len(value) > SHOWN else shown


def _version_columns(settings: Settings, subjects: Mapping[str, Choice]) -> list[Column[Any]]:
    from cases.record import FIELDS
    from cases.subjects import label_of

    zone = settings.hotline.zone
    return [
        Column("version", lambda each: each.version),
        Column("at", lambda each: iso(each.at, zone)),
        Column("by", lambda each: each.by),
        Column("agent", lambda each: each.agent),
        Column("complete", lambda each: each.complete),
        *(Column(field, lambda each, field=field: getattr(each.content, field)) for field in FIELDS),  # type: ignore[misc]
        Column("subject_label", lambda each: label_of(subjects, each.content.subject)),
    ]


# --- writing ----------------------------------------------------------------------------------------------------------


def _subject(text: str, subjects: Mapping[str, Choice]) -> str:
    """The id that was meant: an id, a label, or the end of a label."""
    if not text or text in subjects:
        return text
    found = [one.id for one in subjects.values() if one.open and text in (one.label, one.path[-1])]
    if len(found) == 1:
        return found[0]
    known = [f"{one.id}  {one.label}" for one in subjects.values() if one.open]
    what = _("Several subjects are called “{subject}”:") if found else _("There is no subject “{subject}”; there are:")
    refuse(what.format(subject=visible(text[:40])), *known[:100])


def _asked(card: Card, subjects: Mapping[str, Choice], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were not given as options, asked for one by one; an empty answer keeps what is there."""
    from cases.record import TEXTS, field_word

    screen, found = console(), dict[str, Any]()
    screen.print(_("Enter keeps what stands in brackets; a single - empties the field."), style=DIM)

    def ask(field: str) -> str | None:
        shown = said(card, field, subjects).replace("\n", " ")[:60]
        print(f"{field_word(field)} [{shown}]: ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            refuse(_("Broken off: nothing was written."))
        line = line.rstrip("\n")
        return None if line == "" else "" if line == "-" else line

    for field in TEXTS[:2]:
        if field not in given and (text := ask(field)) is not None:
            found[field] = text
    if "identity_checked" not in given:
        found |= _chosen("identity_checked", ask, {"y": True, "n": False, "是": True, "否": False, "": False})
    if "subject" not in given and subjects:
        choices = [one for one in subjects.values() if one.open]
        for number, one in enumerate(choices, 1):
            screen.print(f"  {number:>3}  {one.label}")
        numbers: dict[str, Any] = {str(number): one.id for number, one in enumerate(choices, 1)}
        labels = {one.path[-1]: one.id for one in choices}
        found |= _chosen("subject", ask, {"": "", **labels, **{one.id: one.id for one in choices}, **numbers})
    for field in TEXTS[2:]:
        if field not in given and (text := ask(field)) is not None:
            found[field] = text
    if "solved" not in given:
        screen.print(_("  y solved, n not solved, o still open"))
        found |= _chosen("solved", ask, {
            "y": "yes", "n": "no", "o": "open", "yes": "yes", "no": "no", "open": "open", "是": "yes", "否": "no",
            "待": "open", "": "",
        })  # fmt: skip
    return found


def _chosen(field: str, ask: Any, meanings: Mapping[str, Any]) -> dict[str, Any]:
    while True:
        text = ask(field)
        if text is None:
            return {}
        if text.strip().lower() in meanings:
            return {field: meanings[text.strip().lower()]}
        tell(_("That is not among the choices."))


def _give_back(typed: Mapping[str, Any]) -> None:
    """What somebody typed is not lost because it cannot be written."""
    from cases.record import TEXTS, field_word

    for field in TEXTS:
        if text := typed.get(field):
            tell(_("Not written: {field}: {text}").format(field=field_word(field), text=visible(text)))


def _write(call: str, changes: dict[str, Any], by: str, version: int, settings: Settings, state: Path) -> None:
    """By the running daemon, which tells the desk; else by ourselves."""
    from hotline import control

    try:
        control.ask(state, "record", call=call, changes=changes, by=by, version=version)
    except control.NotRunning:
        _write_alone(call, changes, by, version, settings, state)


def _write_alone(call: str, changes: dict[str, Any], by: str, version: int, settings: Settings, state: Path) -> None:
    import asyncio

    from calllog.clock import Clock
    from calllog.journal import Journal
    from cases.record import NotTaken
    from cases.records import Records
    from hotline import logs

    async def write() -> None:
        journal = await Journal.open(state / STORE, clock=Clock(), spool=state / "spool.jsonl")
        try:
            await Records(journal, lambda: settings).write(call, changes, by=by, version=version)
        finally:
            await journal.close()

    logs.configure()
    try:
        asyncio.run(write())
    except NotTaken as error:
        refuse(*(visible(fault.what) for fault in error.faults))


# --- without a call ---------------------------------------------------------------------------------------------------


def _missing(
    settings: Settings, state: Path, since: str | None, until: str | None, agent: str | None, form: Format
) -> None:
    """The answered calls whose record is missing or incomplete, and record completeness as a figure."""
    from calllog.kpi import record_completeness
    from calllog.record_queries import Completeness, completeness, due_records

    zone = settings.hotline.zone
    now = dt.datetime.now(zone)
    begins = when(since, "--since", settings) or now.replace(hour=0, minute=0, second=0, microsecond=0)
    span = {"since": micros(begins), "until": micros(when(until, "--until", settings)), "agent": agent}
    counted = answer(completeness(state / STORE, **span), Completeness())  # type: ignore[arg-type]
    rows = answer(due_records(state / STORE, **span), [])  # type: ignore[arg-type]
    show(form, _due_columns(settings, now), rows)
    if form is Format.TABLE:
        rate = record_completeness(counted.complete, counted.answered)
        line = _("Record completeness {rate} = {complete} complete call records / {answered} answered calls")
        if rate is None:
            line = _("No answered calls yet: no record completeness either.")
        shown = "" if rate is None else f"{rate:.1%}"
        console().print(line.format(rate=shown, complete=counted.complete, answered=counted.answered))
        more = counted.answered - counted.complete - len(rows)
        if more > 0:
            console().print(ngettext("{n} more is not shown.", "{n} more are not shown.", more).format(n=more))


def _due_columns(settings: Settings, now: dt.datetime) -> list[Column[Due]]:
    from cases.subjects import label_of, subjects_of

    zone, names, subjects = settings.hotline.zone, Names.of(settings), subjects_of(settings)
    prefix = f"{settings.hotline.asterisk.systemname}-"

    def state(row: Due) -> tuple[str, str]:
        return (_("incomplete"), WARN) if row.version else (_("missing"), "bold yellow")

    return [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column("arrived_at", lambda row: iso(row.arrived_at, zone), _("Time"),
               lambda row: moment(row.arrived_at, zone, now)),
        Column("agent", lambda row: row.agent, _("Agent"), lambda row: names.agent(row.agent)),
        Column("subject", lambda row: row.subject, _("Subject"), lambda row: label_of(subjects, row.subject)),
        Column("version", lambda row: row.version, _("Record"), state),
    ]  # fmt: skip
