"""``hotline recordings verify|measure|coverage|keys``: are they all there, whole, measured and sealed?"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import BAD, GOOD
from config.catalogue import _, ngettext
from hotline.cli_options import (
    STORE,
    Command,
    ConfigFolder,
    FormatOption,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    when,
)
from hotline.cli_pausing import recordings_app as recordings_app
from hotline.cli_store import bar
from hotline.show import Column, Format, clock, console, iso, moment, show

if TYPE_CHECKING:
    from calllog.verify import Progress


class KeyWork(StrEnum):
    """What is to be done with the keys."""

    LIST = "list"
    NEW = "new"
    REWRAP = "rewrap"


@recordings_app.command(
    "keys", cls=Command, help=_("The keys of encrypted recordings: list them, make a new one, pass all files to it.")
)
@one_line_each()
def keys_command(
    work: Annotated[KeyWork, typer.Argument(metavar="[list|new|rewrap]", show_default=False)] = KeyWork.LIST,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when a file's key is missing, or the file is damaged."""
    settings, state = house(config)
    from recordings.keys import BadKey, key_file, key_folder, load_ring, make_key

    folder = key_folder(settings.hotline.recording, state)
    try:
        if work is KeyWork.NEW:
            key = make_key(folder, dt.datetime.now(dt.UTC))
            path = key_file(folder, key.key_id)
            console().print(_("New key {key}: {path}").format(key=key.key_id, path=path), soft_wrap=True)
            warning = _("Keep a copy of it away from this machine: without it nobody can ever hear what it seals.")
            console().print(warning, style="bold yellow", soft_wrap=True)
            return
        ring = load_ring(folder)
    except BadKey as error:
        refuse(str(error))
    except OSError as error:
        refuse(_("{path} cannot be written: {reason}").format(path=folder, reason=error.strerror))
    if work is KeyWork.REWRAP:
        _rewrap(state, folder)
        return
    from recordings.sealed import key_of

    sealed_by: Counter[str] = Counter()
    with bar(_("Reading the recordings")) as progress:
        for path, _name in _stored(state, progress):
            try:
                key_id = key_of(path)
            except OSError:
                continue
            if key_id is not None:
                sealed_by[key_id] += 1
    current = ring.current.key_id if ring.current else ""
    rows = [*sorted(ring.keys, key=lambda key_id: ring.keys[key_id].made),
            *sorted((set(sealed_by) | set(ring.damaged)) - set(ring.keys))]  # fmt: skip

    def state_of(key_id: str) -> tuple[str, str]:
        if key_id in ring.damaged:
            return _("damaged: bring it back from your copy"), BAD
        if key_id not in ring.keys:
            return _("not there: bring it back from your copy"), BAD
        return (_("seals new recordings"), GOOD) if key_id == current else (_("opens older ones"), "")

    zone = settings.hotline.zone
    columns: list[Column[str]] = [
        Column("key", lambda key_id: key_id, _("Key"), lambda key_id: key_id),
        Column(
            "made", lambda key_id: ring.keys[key_id].made.isoformat() if key_id in ring.keys else None, _("Made"),
            lambda key_id: f"{ring.keys[key_id].made.astimezone(zone):%Y-%m-%d %H:%M}" if key_id in ring.keys else "",
        ),
        Column(
            "files", lambda key_id: sealed_by[key_id], _("Files"), lambda key_id: str(sealed_by[key_id]), right=True
        ),
        Column("present", lambda key_id: key_id in ring.keys),
        Column("current", lambda key_id: key_id == current, _("State"), state_of),
    ]  # fmt: skip
    show(form, columns, rows, empty=_("No keys: recordings are not encrypted."))
    if ring.damaged or set(sealed_by) - set(ring.keys):
        raise typer.Exit(1)


def _stored(state: Path, progress: Progress) -> list[tuple[Path, str]]:
    from recordings.folders import Folders
    from recordings.stored import stored_files

    archive = Folders(state).archive
    found: list[tuple[Path, str]] = []
    if not archive.is_dir():
        return found
    for number, name in enumerate(stored_files(archive), 1):
        found.append((archive / name, name))
        progress(number, 0)
    return found


def _rewrap(state: Path, folder: Path) -> None:
    """Wrap every file's key by the newest key."""
    from recordings.errors import Unreadable
    from recordings.keys import load_ring
    from recordings.sealed import rewrap

    ring = load_ring(folder)
    changed, refused = 0, []
    with bar(_("Passing the recordings to the newest key")) as progress:
        files = _stored(state, lambda _done, _total: None)
        for number, (path, name) in enumerate(files, 1):
            try:
                changed += rewrap(path, name, ring)
            except (Unreadable, OSError) as error:
                refused.append(str(error))
            progress(number, len(files))
    said = ngettext("{n} file passed to the newest key.", "{n} files passed to the newest key.", changed)
    console().print(said.format(n=changed), style=GOOD)
    if refused:
        refuse(*refused[:20], _("{n} files could not be passed.").format(n=len(refused)))


@recordings_app.command(
    "verify", cls=Command, help=_("Is every recording there, and what was archived? Reads them all; deletes nothing.")
)
@one_line_each()
def verify_command(
    sample: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help=_("Read about so many whole; of the others look at the size.")),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help=_("From this moment on."))] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=_("Before this moment."))] = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when something was found."""
    settings, state = house(config)
    from hotline import logs
    from hotline.archive_work import live_calls, tell_checked
    from recordings.findings import CheckJob, say_finding
    from recordings.keys import key_folder
    from recordings.reconcile import reconcile

    logs.configure()
    if not (state / STORE).exists():
        console().print(_("No calls yet."))
        return
    keys, now = str(key_folder(settings.hotline.recording, state)), time.time_ns()
    job = CheckJob(
        str(state / STORE), str(state), keys, now // 1000, sample, now, micros(when(since, "--since", settings)),
        micros(when(until, "--until", settings)), live_calls(state),
    )  # fmt: skip
    with bar(_("Checking the recordings")) as progress:
        report = reconcile(job, progress)
    tell_checked(state, report.checked)
    screen = console()
    for finding in report.findings:
        screen.print(say_finding(finding), soft_wrap=True)
    done = _("Recordings: {recordings}, read whole: {read}; files: {files}").format(
        recordings=report.recordings, read=report.read, files=report.files
    )
    if report.many:
        n = report.many
        said = ngettext("{n} finding.", "{n} findings.", n).format(n=n)
        screen.print(f"{done}: {said}", style="bold red")
        raise typer.Exit(1)
    screen.print(_("{done}: all is right.").format(done=done), style=GOOD)


@recordings_app.command(
    "measure", cls=Command, help=_("Measure the recordings that are not measured yet: loudness, silences, waveform.")
)
@one_line_each()
def measure_command(config: ConfigFolder = Path("config")) -> None:
    """A running hotline does it by itself too, slowly."""
    settings, state = house(config)
    from hotline import logs
    from hotline.archive_work import measure_all

    logs.configure()
    if not (state / STORE).exists():
        console().print(_("No calls yet."))
        return
    with bar(_("Measuring the recordings")) as progress:
        done, failed = measure_all(settings, state, progress)
    console().print(ngettext("{n} recording measured.", "{n} recordings measured.", done).format(n=done), style=GOOD)
    if failed:
        said = ngettext("{n} recording cannot be measured: see 'hotline recordings verify'.",
                        "{n} recordings cannot be measured: see 'hotline recordings verify'.", failed)  # fmt: skip
        refuse(said.format(n=failed))


@recordings_app.command(
    "coverage", cls=Command, help=_("Recording coverage (录音完整率), and for each talk without a recording why.")
)
@one_line_each()
def coverage_command(
    since: Annotated[str | None, typer.Option(metavar="WHEN", help=_("From this moment on."))] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=_("Before this moment."))] = None,
    limit: Annotated[int, typer.Option(min=0, max=1_000_000, metavar="N", help=_("At most so many, the newest."))] = 50,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Of the talks over 3 s in calls that arrived then."""
    settings, state = house(config)
    from calllog.recording_coverage import Coverage, Gap, coverage
    from recordings.notes import say

    zone, now = settings.hotline.zone, dt.datetime.now(settings.hotline.zone)
    begins, ends = micros(when(since, "--since", settings)), micros(when(until, "--until", settings))
    found = answer(coverage(state / STORE, since=begins, until=ends, gaps=limit), Coverage(0, 0, ()))
    columns: list[Column[Gap]] = [
        Column("call_id", lambda gap: gap.call_id, _("Call"), lambda gap: gap.call_id),
        Column(
            "started_at", lambda gap: iso(gap.started_at, zone), _("Time"),
            lambda gap: moment(gap.started_at, zone, now),
        ),
        Column("agent", lambda gap: gap.agent, _("Agent"), lambda gap: gap.agent),
        Column("seconds", lambda gap: round(gap.seconds, 3), _("Length"), lambda gap: clock(gap.seconds), right=True),
        Column("why", lambda gap: gap.why, _("Why"), lambda gap: " ".join(say(gap.why)), shrinks=True),
    ]  # fmt: skip
    if form is Format.TABLE:
        figure = "–" if found.share is None else f"{found.share:.1%}"
        said = _("Recording coverage {figure}: {verified} of {talks} talks over 3 s have a verified recording.")
        console().print(said.format(figure=figure, verified=found.verified, talks=found.talks), soft_wrap=True)
        if not found.gaps:
            return
    show(form, columns, list(found.gaps), empty="")
