"""``hotline call``: what is known of one call, as a page to read, or whole for a program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from calllog.events import Recorded
from calllog.queries import CallDetail, RecordingRow
from calllog.rating_words import rating_said
from calllog.survey_words import RATING_STYLES
from calllog.wording import (
    DIM,
    OUTCOME_STYLES,
    WARN,
    Names,
    category_word,
    outcome_word,
    reason_word,
    stage_word,
    with_why,
)
from config.catalogue import _
from config.settings import Settings
from console.whole import INDENT, course_of, event_fields, whole
from hotline.show import Column, Format, at, clock, console, length, near, number_shown, show, show_json
from recordings.folders import Folders
from recordings.notes import say

if TYPE_CHECKING:
    from rich.text import Text


def tell_call(detail: CallDetail, settings: Settings, state: Path, form: Format) -> None:
    """Print the call; as CSV its events alone."""
    names, zone = Names.of(settings), settings.hotline.zone
    match form:
        case Format.JSON:
            show_json(whole(detail, names, zone, Folders(state)))
        case Format.CSV:
            show(form, _event_columns(detail, names, zone), detail.events)
        case Format.TABLE:
            _page(detail, settings, names, Folders(state))


# --- for a person -----------------------------------------------------------------------------------------------------


def _page(detail: CallDetail, settings: Settings, names: Names, folders: Folders) -> None:
    from rich.cells import cell_len
    from rich.text import Text

    screen = console()
    head = list(_head(detail, settings, names, folders))
    width = max(cell_len(title) for title, _text in head)
    for title, text in head:
        screen.print(Text(title + " " * (width - cell_len(title) + 2), style=DIM) + text, soft_wrap=True)
    screen.print()
    for line in course(detail, names, settings.hotline.zone):
        screen.print(line, soft_wrap=True)


def _head(detail: CallDetail, settings: Settings, names: Names, folders: Folders) -> Iterator[tuple[str, Text]]:
    """Title and text of each line above the timeline."""
    from rich.text import Text

    row, zone = detail.row, settings.hotline.zone
    yield _("Call"), Text(row.call_id, style="bold")
    caller = number_shown(row.number, settings.hotline.country)
    yield _("Caller"), Text(f"{caller} {row.name}".strip())
    when = at(row.arrived_at, zone).strftime("%Y-%m-%d %H:%M:%S")
    yield _("Time"), Text(with_why(when, settings.hotline.timezone))
    if row.outcome:
        said = with_why(outcome_word(row.outcome), reason_word(row.reason) if row.reason else "")
        yield _("Outcome"), Text(said, style=f"bold {OUTCOME_STYLES.get(row.outcome, '')}")
    else:
        yield _("Outcome"), Text(_("goes on: {stage}").format(stage=stage_word(row.stage)), style="bold cyan")
    lengths = list(_lengths(detail, names))
    if lengths:
        yield _("Lengths"), Text(_(", ").join(lengths))
    if row.rating:
        yield _("Rating"), Text(rating_said(row.rating), style=RATING_STYLES.get(row.rating, ""))
    for recording in detail.recordings:
        yield from _recording(recording, detail, names, folders)


def _lengths(detail: CallDetail, names: Names) -> Iterator[str]:
    row = detail.row
    if row.asked_at and row.first_talk_at:
        yield _("waited {length}").format(length=length((row.first_talk_at - row.asked_at) / 1e6))
    elif row.asked_at and row.ended_at and row.outcome == "abandoned":
        yield _("waited {length} in vain").format(length=length((row.ended_at - row.asked_at) / 1e6))
    if row.first_talk_at:
        people = _(", ").join(names.agent(agent) for agent in row.agents)
        yield _("talked {length} with {agents}").format(length=length(row.talk_us / 1e6), agents=people)
    if row.ended_at:
        yield _("{length} in all").format(length=length((row.ended_at - row.arrived_at) / 1e6))


def _recording(
    recording: RecordingRow, detail: CallDetail, names: Names, folders: Folders
) -> Iterator[tuple[str, Text]]:
    """Where it is, and each talk's place in it."""
    from rich.text import Text

    title = _("Recording") if recording.category == "call" else category_word(recording.category)
    if recording.state != "finished":
        yield title, Text(recording_state(recording), style=WARN)
        return
    path = folders.finished(recording.file)
    gone = "" if path.is_file() else _(" (the file has gone!)")
    yield title, Text(f"{with_why(str(near(path)), clock(recording.seconds))}{gone}", style=WARN if gone else "")
    if recording.category != "call":
        return
    for talk in detail.talks:
        if talk.end_frame and recording.rate:
            first, end = talk.first_frame / recording.rate, talk.end_frame / recording.rate
            checked = _("all there") if talk.verified else _("not all there")
            notes = _(", ").join([checked, *say(talk.note)])
            yield "", Text(f"{clock(first)}–{clock(end)}  {names.agent(talk.agent)}  {notes}")


def recording_state(recording: RecordingRow) -> str:
    """How far an unfinished recording is."""
    match recording.state:
        case "open":
            return _("being recorded")
        case "due":
            return _("being finished")
        case "purged":
            return _("deleted")
        case "failed":
            return _("not finished: {why}").format(why=" ".join(say(recording.archive_failed)))
    return _("finished")


def course(detail: CallDetail, names: Names, zone: ZoneInfo) -> Iterator[Text]:
    """The timeline: local time, offset from the arrival, what happened."""
    from rich.text import Text

    for head, line in course_of(detail, names, zone):
        if line is None:
            yield Text(head, style="bold")
            continue
        text = Text(head, style=DIM)
        text.append(INDENT * line.depth)
        text.append(line.text, style=f"not dim {line.style}" if line.style != DIM else DIM)
        yield text


# --- for a program ----------------------------------------------------------------------------------------------------


def _event_columns(detail: CallDetail, names: Names, zone: ZoneInfo) -> list[Column[Recorded]]:
    return [Column(key, value) for key, value in event_fields(detail, names, zone).items()]
