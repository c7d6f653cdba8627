"""How the hotline is, in words: each part, whether it is well, and what to do where it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from calllog.kpi import record_completeness
from calllog.rating_words import figures_said, percent
from calllog.wording import Names
from config.catalogue import _, ngettext
from config.lengths import clock as span
from config.settings import Settings
from console.graders import Absent, absent_word, what_to_do
from console.records_today import Written
from console.render import moment, size
from console.site import Facts
from phone.trunk_words import IN_SERVICE, state_word
from recordings.mark import MARK

Level = Literal["good", "warn", "bad"]

LATE = 0.25
"""Seconds by which the event loop may come late; callers hear no gap in that."""

FULL_AHEAD = 5_000_000_000
"""Bytes free below which somebody should make room (some 80 hours of finished recordings)."""
FULL = 1_000_000_000
SLOW_TO_ARCHIVE = 50
LACKING = 5
"""Agents who are named with the call records that they have not completed."""
ERRORS = 5
"""Errors of the files that are named one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Point:
    """One part. ``value`` is its state in a few words; ``notes`` say more, ``fix`` what to do."""

    name: str
    title: str
    level: Level
    value: str
    notes: tuple[str, ...] = ()
    fix: str = ""


def summary(points: Iterable[Point]) -> Point:
    """All of them in a sentence."""
    levels = [point.level for point in points]
    bad, warn = levels.count("bad"), levels.count("warn")
    if bad:
        said = ngettext("{n} part of the hotline fails", "{n} parts of the hotline fail", bad).format(n=bad)
        return Point("all", said, "bad", "")
    if warn:
        said = ngettext("In service; {n} part needs attention", "In service; {n} parts need attention", warn)
        return Point("all", said.format(n=warn), "warn", "")
    return Point("all", _("In service, all is well"), "good", "")


def points(
    facts: Facts, settings: Settings, now: int, absent: Sequence[Absent] = (), written: Written | None = None
) -> list[Point]:
    """Every part, in the order in which a call meets them; ``absent``: graders of plans who cannot grade; ``written``:
    how today's call records stand, and its ratings."""
    zone = settings.hotline.zone
    return [
        _daemon(facts, now), _asterisk(facts), *_trunks(facts, settings), _people(facts, settings), _store(facts),
        _recordings(facts), _disk(facts), _config(facts.config, lambda at: moment(at, zone)), _roster(facts),
        *_graders(absent), *_records(written, settings), *_ratings(written, settings),
    ]  # fmt: skip


def _daemon(facts: Facts, now: int) -> Point:
    up = dt.timedelta(seconds=(now - facts.began) // 1_000_000)
    days = ngettext("{n} day", "{n} days", up.days).format(n=up.days)
    notes = (_("Version {version}, running for {time}").format(
        version=facts.version, time=days if up.days else span(up.total_seconds())
    ),)  # fmt: skip
    calls = ngettext("{n} call goes on", "{n} calls go on", facts.calls).format(n=facts.calls)
    if facts.lag >= LATE:
        late = _("Came {n} ms late in the last minute").format(n=round(facts.lag * 1000))
        fix = _("The machine has too little to give: look for what else runs on it (top), or give it another core.")
        return Point("daemon", _("Hotline"), "warn", calls, (*notes, late), fix)
    return Point("daemon", _("Hotline"), "good", calls, notes)


def _asterisk(facts: Facts) -> Point:
    title, release = "Asterisk", facts.asterisk or _("unknown release")
    if not facts.ari:
        fix = _("Start it: 'hotline asterisk start', or its service. Until then callers are not answered.")
        return Point("asterisk", title, "bad", _("does not answer"), (), fix)
    if not facts.adopted:
        return Point("asterisk", title, "warn", _("being read back"), (release,), _("This takes a moment."))
    if not facts.ami:
        fix = _("New talks cannot be recorded. Look at Asterisk's log, and whether its AMI port answers.")
        return Point("asterisk", title, "bad", _("AMI does not answer"), (release,), fix)
    return Point("asterisk", title, "good", _("connected"), (release,))


def _trunks(facts: Facts, settings: Settings) -> Iterator[Point]:
    examples = {trunk.name for trunk in settings.hotline.trunks if trunk.is_example}
    for name, state in facts.trunks.items():
        title = _("Trunk {name}").format(name=name)
        if state in IN_SERVICE:
            yield Point(f"trunk-{name}", title, "good", state_word(state))
        elif state == "unreachable" and name in examples:
            note = _("This is still the example's trunk, on this machine: no carrier is there.")
            fix = _("Set your carrier's address under 'trunks' in hotline.yaml. For a trial, 'make call' plays "
                    "carrier.")  # fmt: skip
            yield Point(f"trunk-{name}", title, "warn", _("no carrier is set yet"), (note,), fix)
        elif state == "refused":
            fix = _("Check the account and its password; Asterisk's messages.log has the carrier's answer.")
            yield Point(f"trunk-{name}", title, "bad", state_word(state), (), fix)
        elif state == "unknown":
            yield Point(f"trunk-{name}", title, "good", _("not asked"), (_("It is not probed, or was not yet."),))
        else:
            fix = _("Call the carrier, or look at the address, the firewall and the certificates.")
            yield Point(f"trunk-{name}", title, "bad", state_word(state), (), fix)


def _people(facts: Facts, settings: Settings) -> Point:
    title = _("People")
    value = _("{ready} ready, {talking} talking").format(ready=facts.ready, talking=facts.talking)
    notes = [ngettext("{n} on duty", "{n} on duty", facts.on_duty).format(n=facts.on_duty)]
    if facts.waiting:
        waits = ngettext("{n} caller waits, for {time}", "{n} callers wait, the longest for {time}", facts.waiting)
        notes.append(waits.format(n=facts.waiting, time=span(facts.longest)))
    if not facts.on_duty and not facts.backups:
        fix = _("Callers are told so and may leave a message. If somebody should be there, look at the roster.")
        return Point("people", title, "warn", _("nobody is on duty"), tuple(notes[1:]), fix)
    if facts.unreached:
        due = facts.on_duty + facts.backups
        level: Level = "bad" if facts.unreached >= due and settings.hotline.has_carrier else "warn"
        reached = _("{n} of {due} reachable").format(n=due - facts.unreached, due=due)
        fix = _("No call can ring them. Are their phones switched on and registered? 'hotline agents' and the room "
                "Duty name each phone.")  # fmt: skip
        return Point("people", title, level, reached, (value, *notes), fix)
    return Point("people", title, "good", value, tuple(notes))


def _store(facts: Facts) -> Point:
    title = _("Call log")
    if facts.store_fails:
        fix = _("Calls go on; what happens is kept in the spool file and taken in later. Make room on the disk, or see "
                "what else has the store open.")  # fmt: skip
        notes = (_("{size} wait in the spool").format(size=size(facts.spool)),)
        return Point("store", title, "bad", _("cannot be written"), notes, fix)
    return Point("store", title, "good", _("written"))


def _recordings(facts: Facts) -> Point:
    title = _("Recordings")
    notes = (ngettext("{n} being finished", "{n} being finished", facts.archiving).format(n=facts.archiving),)
    if facts.archive_gone:
        fix = _("Mount its disk: what is recorded meanwhile waits beside it, and is finished then. If another disk is "
                "to take its place, make an empty file {name} in it.").format(name=MARK)  # fmt: skip
        return Point("recordings", title, "bad", _("the archive is not there"), (facts.archive_gone,), fix)
    if facts.recordings_fail:
        fix = _("Let the user that runs Hotline write there. Talks go on; what Asterisk cannot write is lost.")
        return Point("recordings", title, "bad", _("cannot be written"), (facts.recordings_fail,), fix)
    if facts.unheard:
        said = ngettext("{n} cannot be heard", "{n} cannot be heard", facts.unheard).format(n=facts.unheard)
        fix = _("Run 'hotline recordings verify': it names each, and why.")
        return Point("recordings", title, "bad", said, notes if facts.archiving else (), fix)
    if facts.archiving >= SLOW_TO_ARCHIVE:
        fix = _("Nothing is lost. If the number keeps growing the machine is too slow for this many calls.")
        return Point("recordings", title, "warn", _("behind"), notes, fix)
    if facts.plain:
        said = ngettext("{n} not encrypted", "{n} not encrypted", facts.plain).format(n=f"{facts.plain:,}")
        fix = _("They are from before 'encrypt' was set: run 'hotline recordings seal' in a quiet hour.")
        return Point("recordings", title, "warn", said, notes if facts.archiving else (), fix)
    return Point("recordings", title, "good", _("written"), notes if facts.archiving else ())


def _disk(facts: Facts) -> Point:
    title, fix = _("Disk"), _("Make room: remove old recordings by their retention, or give it a larger disk.")
    value = _("{size} free").format(size=size(facts.free))
    notes = (_("of {size}").format(size=size(facts.size)),) if facts.size else ()
    level: Level = "bad" if facts.free < FULL else "warn" if facts.free < FULL_AHEAD else "good"
    return Point("disk", title, level, value, notes, "" if level == "good" else fix)


def _config(about: Mapping[str, Any], when: Any) -> Point:
    title, since = _("Settings"), int(about.get("since", 0))
    value, notes = _("in force"), (_("since {when}").format(when=when(since)),) if since else ()
    errors, pending = list(about.get("errors", ())), list(about.get("pending", {}))
    if errors:
        fix = _("The version before stays in force. Mend the files; 'hotline check' names every error.")
        rest = max(len(errors), int(about.get("error_count", 0))) - ERRORS
        more = (ngettext("and {n} more", "and {n} more", rest).format(n=rest),) if rest > 0 else ()
        named = (*map(str, errors[:ERRORS]), *more)
        return Point("config", title, "bad", _("the files have errors"), named, fix)
    if about.get("asterisk"):
        return Point("config", title, "warn", value, (*notes, str(about["asterisk"])),
                     _("Asterisk has not taken a change over yet; it is tried again."))  # fmt: skip
    if pending:
        return Point("config", title, "warn", value, (*notes, *pending[:8]), _("These keys wait for a restart."))
    if about.get("being_written"):
        note = _("{file} is being written").format(file=about["being_written"])
        return Point("config", title, "good", value, (*notes, note))
    return Point("config", title, "good", value, notes)


def _roster(facts: Facts) -> Point:
    title = _("Roster")
    notes = (_("Version {version}").format(version=facts.roster),) if facts.roster else ()
    if any("roster.yaml" in str(error) for error in facts.config.get("errors", ())):
        fix = _("The roster in force stays that of before. Mend roster.yaml; 'hotline roster check' helps.")
        return Point("roster", title, "bad", _("the file has errors"), notes, fix)
    return Point("roster", title, "good", _("in force"), notes)


def _records(written: Written | None, settings: Settings) -> Iterator[Point]:
    """A figure, never a fault: who talks now has a record that is missing still."""
    if written is None or not written.counted.answered:
        return
    counted, names = written.counted, Names.of(settings)
    rate = record_completeness(counted.complete, counted.answered) or 0.0
    said = _("{complete} of {answered} answered calls").format(complete=counted.complete, answered=counted.answered)
    each = _("{what}: {about}")
    lacking = [each.format(what=names.agent(agent), about=n) for agent, n in written.lacking[:LACKING]]
    notes = [said, *([_("Missing: {agents}").format(agents=_(", ").join(lacking))] if lacking else [])]
    yield Point("records", _("Call records of today"), "good", f"{rate:.1%}", tuple(notes))


def _ratings(written: Written | None, settings: Settings) -> Iterator[Point]:
    """A figure too; what callers were not asked for does not stand here."""
    if written is not None and written.ratings.invited:
        notes = figures_said(written.ratings, settings.hotline.survey.bad_from)
        yield Point("ratings", _("Satisfaction today"), "good", percent(written.ratings.satisfaction), notes)


def _graders(absent: Sequence[Absent]) -> Iterator[Point]:
    if absent:
        said = ngettext("{n} grader gets nothing", "{n} graders get nothing", len(absent)).format(n=len(absent))
        notes = tuple(absent_word(one) for one in absent[:5])
        yield Point("graders", _("Graders' lists"), "warn", said, notes, what_to_do(absent))
