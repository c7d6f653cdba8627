"""The hand-over sheet (交接班): everything that whoever comes should know, as data and in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len

from calllog import house_events as ev
from calllog.events import Recorded
from calllog.kpi import Ratings
from calllog.queries import CallRow
from calllog.rating_words import figures_said
from calllog.wording import BAD, DIM, GOOD, WARN, Names, outcome_word, pause_word, with_why
from config.catalogue import _, ngettext
from config.leave_words import leave_word
from config.settings import Settings
from hotline.alert_words import alert_words
from hotline.show import at, clock, length, number_shown
from phone.trunk_state import IN_SERVICE
from routing.coverage import Gap
from routing.handover import Handover
from routing.pattern import Absence
from routing.roster import Duty

NOTE_LINES = 4
"""Lines left free for what is written by hand."""

MOST_WARNINGS = 20
"""Warnings that are told one by one, the newest."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """``calls`` arrived in the shift, ``ratings`` are of them; ``status`` is the daemon's word, None while none runs;
    ``absences`` by day."""

    settings: Settings
    handover: Handover
    now: dt.datetime
    calls: Sequence[CallRow] = ()
    system: Sequence[Recorded] = ()
    status: Mapping[str, Any] | None = None
    gaps: Sequence[Gap] = ()
    absences: Sequence[tuple[dt.date, Absence]] = ()
    ratings: Ratings = field(default_factory=Ratings)

    def outcomes(self) -> dict[str, int]:
        """How many calls ended how; ``""``: they go on."""
        return dict(Counter(one.outcome for one in self.calls).most_common())

    def longest(self) -> tuple[CallRow, float] | None:
        """Who waited longest for a person, and for how many seconds."""
        waits = [(one, wait) for one in self.calls if (wait := _waited(one, self.now)) is not None]
        return max(waits, key=lambda pair: pair[1], default=None)

    def messages(self) -> list[CallRow]:
        """Calls that left a message."""
        return [one for one in self.calls if one.outcome == "voicemail"]

    def waiting(self) -> dict[str, Any]:
        """By queue, who waits now."""
        return dict(self.status.get("waiting", {})) if self.status else {}

    def paused(self) -> list[tuple[str, str]]:
        """Agents who are paused now, and why."""
        agents: Mapping[str, Any] = self.status.get("agents", {}) if self.status else {}
        return [(agent, str(one.get("reason", ""))) for agent, one in agents.items() if one.get("mode") == "paused"]

    def trunks_down(self) -> list[str]:
        """Carriers out of service now."""
        states: Mapping[str, str] = self.status.get("trunks", {}) if self.status else {}
        return [name for name, state in states.items() if state not in (*IN_SERVICE, "unknown", "unregistered")]

    def warnings(self) -> list[tuple[int, str]]:
        """When (µs) and what was warned of in the shift."""
        return [(one.at, alert_words(one.event.code, one.event.params or {"": one.event.what}, self.settings))
                for one in self.system if isinstance(one.event, ev.Alarm)]  # fmt: skip

    def faults(self) -> list[tuple[int, str]]:
        """When (µs) and what was out of order in the shift."""
        return [(one.at, said) for one in self.system if (said := _fault(one.event))]


def as_json(sheet: Sheet) -> dict[str, Any]:
    """All of it for a program."""
    zone, over = sheet.settings.hotline.zone, sheet.handover
    longest = sheet.longest()
    return {
        "at": over.at.isoformat(),
        "since": over.since.isoformat(),
        "going": [_duty(one) for one in over.going],
        "coming": [_duty(one) for one in over.coming],
        "staying": [_duty(one) for one in over.staying],
        "calls": len(sheet.calls),
        "outcomes": sheet.outcomes(),
        "ratings": {
            "invited": sheet.ratings.invited, "rated": sheet.ratings.rated, "satisfied": sheet.ratings.satisfied,
            "bad": sheet.ratings.bad(sheet.settings.hotline.survey.bad_from),
            "satisfaction": sheet.ratings.satisfaction, "participation": sheet.ratings.participation,
        },
        "longest_wait": {"call_id": longest[0].call_id, "seconds": round(longest[1], 1)} if longest else None,
        "waiting": sheet.waiting(),
        "voicemails": [one.call_id for one in sheet.messages()],
        "paused": [{"agent": agent, "reason": why} for agent, why in sheet.paused()],
        "warnings": [{"at": at(micros, zone).isoformat(), "what": said} for micros, said in sheet.warnings()],
        "faults": [{"at": at(micros, zone).isoformat(), "what": said} for micros, said in sheet.faults()],
        "trunks_down": sheet.trunks_down(),
        "degraded": bool(sheet.status.get("degraded")) if sheet.status else None,
        "running": sheet.status is not None,
        "gaps": [{"queue": gap.queue, "begins": gap.begins.astimezone(zone).isoformat(),
                  "ends": gap.ends.astimezone(zone).isoformat(), "have": gap.have, "asked": gap.asked,
                  "error": gap.refuses} for gap in sheet.gaps],
        "leave": [{"date": date.isoformat(), "agent": one.agent, "leave": one.leave, "cover": one.cover,
                   "times": [time.isoformat() for time in one.times or ()]} for date, one in sheet.absences],
    }  # fmt: skip


Styled = list[tuple[str, str]]


def lines(sheet: Sheet) -> list[Styled]:
    """The sheet for a person: lines of text with their styles."""
    settings, over = sheet.settings, sheet.handover
    found: list[Styled] = [
        [(_("Shift hand-over"), "bold"), (f"  {settings.hotline.company}", "")],
        [(_("{since} – {at}, made {now}").format(
            since=over.since.strftime("%Y-%m-%d %H:%M"), at=_hour(over.at, over.since),
            now=_hour(sheet.now, over.since)), DIM)],
    ]  # fmt: skip
    sections = [
        (_("People"), _people(sheet)), (_("Calls of the shift"), _calls(sheet)), (_("At this moment"), _now(sheet)),
        (_("Messages left"), _messages(sheet)), (_("Warnings and faults of the shift"), _warnings(sheet)),
        (_("What is to come"), _to_come(sheet)),
    ]  # fmt: skip
    for title, rows in sections:
        found += [[], [(title, "bold")], *rows]
    found += [[], [(_("Notes"), "bold")], *([("  " + "_" * 60, DIM)] for _line in range(NOTE_LINES)), []]
    signed = _("Handed over: ____________    Taken over: ____________    Time: ____________")
    return [*found, [("  " + signed, "")]]


def _people(sheet: Sheet) -> Iterator[Styled]:
    over = sheet.handover
    groups = ((_("going"), over.going), (_("coming"), over.coming), (_("staying"), over.staying))
    width = max(cell_len(title) for title, _duties in groups)
    for title, duties in groups:
        names = _(", ").join(_person(one, sheet) for one in duties)
        missing = not names and duties is over.coming and not over.staying
        label = f"  {title}{' ' * (width - cell_len(title))}  "
        yield [(label, DIM), (names or _("nobody"), "bold red" if missing else "" if names else DIM)]


def _person(duty: Duty, sheet: Sheet) -> str:
    agents: Mapping[str, Any] = sheet.status.get("agents", {}) if sheet.status else {}
    mode = agents.get(duty.agent, {}).get("mode", "")
    about = [duty.shift] + ([_("backup")] if duty.backup else [])
    if mode == "off" and duty.begins <= sheet.now < duty.ends and not duty.backup:
        about.append(_("not signed in"))
    return with_why(Names.of(sheet.settings).agent(duty.agent), _(", ").join(about))


def _calls(sheet: Sheet) -> Iterator[Styled]:
    outcomes = sheet.outcomes()
    if not outcomes:
        yield [("  " + _("none"), DIM)]
        return
    told = _(", ").join(
        f"{outcome_word(outcome) if outcome else _('going on')} {many}" for outcome, many in outcomes.items()
    )
    many = len(sheet.calls)
    yield [("  " + ngettext("{n} call", "{n} calls", many).format(n=many), ""), (f"  {told}", "")]
    longest = sheet.longest()
    if longest is not None:
        row, seconds = longest
        said = _("longest wait {wait}: {queue}, {when}").format(
            wait=clock(seconds), queue=row.label or Names.of(sheet.settings).queue(row.queue),
            when=_time(row.arrived_at, sheet),
        )  # fmt: skip
        yield [("  " + said, "")]
    if sheet.ratings.invited:
        figures = figures_said(sheet.ratings, sheet.settings.hotline.survey.bad_from)
        yield [("  " + _(", ").join(figures), "")]


def _now(sheet: Sheet) -> Iterator[Styled]:
    if sheet.status is None:
        yield [("  " + _("The hotline does not run: nothing is known of now."), BAD)]
        return
    names, waiting = Names.of(sheet.settings), sheet.waiting()
    for queue, about in waiting.items():
        many = int(about["waiting"])
        said = ngettext("{queue}: {n} caller waits, for up to {longest}",
                        "{queue}: {n} callers wait, for up to {longest}", many)  # fmt: skip
        yield [("  " + said.format(queue=names.queue(queue), n=many, longest=length(float(about["longest"]))), WARN)]
    if not waiting:
        yield [("  " + _("Nobody waits."), GOOD)]
    for agent, why in sheet.paused():
        yield [("  " + with_why(_("{agent} is paused").format(agent=names.agent(agent)), pause_word(why)), WARN)]
    if sheet.status.get("degraded"):
        yield [("  " + _("The store fails: events go to the spool."), BAD)]
    if sheet.status.get("ready") is False:
        yield [("  " + _("Asterisk does not answer."), BAD)]
    for trunk in sheet.trunks_down():
        yield [("  " + _("The trunk {trunk} is out of service.").format(trunk=trunk), BAD)]


def _messages(sheet: Sheet) -> Iterator[Styled]:
    messages = sheet.messages()
    for one in messages:
        number = number_shown(one.number, sheet.settings.hotline.country) or _("number hidden")
        about = one.label or Names.of(sheet.settings).queue(one.queue)
        state = "" if one.recorded else _("  (not kept as a recording yet)")
        yield [(f"  {_time(one.arrived_at, sheet)}  {number}  {about}", ""), (state, WARN)]
    yield [("  " + (_("'hotline recordings' lists and copies them.") if messages else _("none")), DIM)]


def _warnings(sheet: Sheet) -> Iterator[Styled]:
    told = sorted([*((*one, WARN) for one in sheet.warnings()), *((*one, BAD) for one in sheet.faults())])
    if len(told) > MOST_WARNINGS:
        yield [("  " + _("{n} earlier ones are not shown").format(n=len(told) - MOST_WARNINGS), DIM)]
    for micros, said, style in told[-MOST_WARNINGS:]:
        yield [(f"  {_time(micros, sheet)}  ", DIM), (said, style)]
    if not told:
        yield [("  " + _("none"), DIM)]


def _to_come(sheet: Sheet) -> Iterator[Styled]:
    names, zone = Names.of(sheet.settings), sheet.settings.hotline.zone
    for gap in sheet.gaps:
        begins, ends = gap.begins.astimezone(zone), gap.ends.astimezone(zone)
        said = _("{queue}: {have} of {asked} on duty {begins} – {ends}").format(
            queue=names.queue(gap.queue), have=gap.have, asked=gap.asked,
            begins=begins.strftime("%m-%d %H:%M"), ends=_hour(ends, begins),
        )  # fmt: skip
        yield [("  " + said, BAD if gap.refuses else WARN)]
    for date, one in sheet.absences:
        hours = f" {one.times[0]:%H:%M}–{_hour(one.times[1], one.times[0])}" if one.times else ""
        cover = _(", covered by {agent}").format(agent=names.agent(one.cover)) if one.cover else ""
        said = _("{date}{hours}: {agent} is away ({leave}){cover}").format(
            date=date.strftime("%m-%d"), hours=hours, agent=names.agent(one.agent), leave=leave_word(one.leave),
            cover=cover,
        )  # fmt: skip
        yield [("  " + said, "")]
    if not sheet.gaps and not sheet.absences:
        yield [("  " + _("no gap, and nobody on leave today or tomorrow"), GOOD)]


def _fault(event: object) -> str:
    match event:
        case ev.Degraded(on=True, why=why):
            return with_why(_("the store fails"), why)
        case ev.Degraded():
            return _("the store works again")
        case ev.AsteriskLost(connection=connection, why=why):
            return with_why(_("the connection to Asterisk broke ({connection})").format(connection=connection.upper()),
                            why)  # fmt: skip
        case ev.ClockStepped(seconds=seconds):
            return _("the machine's clock was set by {seconds:+.0f} s").format(seconds=seconds)
        case ev.DaemonStarted():
            return _("the daemon started")
        case ev.DaemonStopped(reason=reason) if reason != "stopped":
            return with_why(_("the daemon stopped"), reason)
        case ev.ConfigRefused(errors=errors):
            return ngettext("changed files were refused: {n} error", "changed files were refused: {n} errors",
                            errors).format(n=errors)  # fmt: skip
    return ""


def _waited(row: CallRow, now: dt.datetime) -> float | None:
    if not row.asked_at:
        return None
    end = row.first_talk_at or row.ended_at or round(now.timestamp() * 1e6)
    return max(0.0, (end - row.asked_at) / 1e6)


def _duty(duty: Duty) -> dict[str, Any]:
    return {"agent": duty.agent, "shift": duty.shift, "begins": duty.begins.isoformat(),
            "ends": duty.ends.isoformat(), "backup": duty.backup}  # fmt: skip


def _time(micros: int, sheet: Sheet) -> str:
    return _hour(at(micros, sheet.settings.hotline.zone), sheet.handover.since)


def _hour(time: dt.datetime, near: dt.datetime) -> str:
    return time.strftime("%H:%M" if time.date() == near.date() else "%m-%d %H:%M")


def absences_of(found: Iterable[tuple[dt.date, Mapping[str, Sequence[Absence]]]]) -> list[tuple[dt.date, Absence]]:
    """Each absence with its date, by whole days one a person and day; hours once, with the date on which they begin."""
    told: list[tuple[dt.date, Absence]] = []
    for date, by_agent in found:
        for _agent, every in sorted(by_agent.items()):
            dated = [(one.times[0].date() if one.times else date, one) for one in every]
            told += [one for one in dated if one not in told]
    return told
