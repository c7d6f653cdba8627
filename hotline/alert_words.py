"""What a warning says, in the language in force. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from calllog.wording import Names, broke_off_word
from config.catalogue import _, ngettext

if TYPE_CHECKING:
    from config.settings import Settings


def alert_words(code: str, params: Mapping[str, str | int], settings: Settings) -> str:
    """One sentence or two; a code that is not known here with its parameters as they are."""
    said = _sentence(code, {key: str(value) for key, value in params.items()}, settings)
    again = int(params.get("again", 0))
    if again:
        said += ngettext(" (came {n} more time since the last word)", " (came {n} more times since the last word)",
                         again).format(n=again)  # fmt: skip
    return said


def _sentence(code: str, params: Mapping[str, str], settings: Settings) -> str:
    names = Names.of(settings)
    agent, shift = names.agent(params.get("agent", "")), params.get("shift", "")
    queue, instead_of = names.queue(params.get("queue", "")), names.agent(params.get("instead_of", ""))
    begins, ends = _when(params.get("begins", ""), settings), _when(params.get("ends", ""), settings)
    match code:
        case "gap_ahead":
            said = _("{queue}: {have} of {asked} on duty {begins} – {ends}, in {hours} h. Change the roster.")
            return said.format(queue=queue, have=params.get("have", "0"), asked=params.get("asked", "1"),
                               begins=begins, ends=ends, hours=params.get("hours", ""))  # fmt: skip
        case "gap_now":
            said = _("{queue}: {have} of {asked} on duty since {begins}, until {ends}. Change the roster.")
            return said.format(queue=queue, have=params.get("have", "0"), asked=params.get("asked", "1"),
                               begins=begins, ends=ends)  # fmt: skip
        case "agent_missing":
            said = _("{agent} is due on {shift} since {begins}, but {why}.")
            return said.format(agent=agent, shift=shift, begins=begins, why=missing_word(params.get("why", "")))
        case "waiting_unserved":
            many = int(params.get("waiting", "1"))
            return ngettext(
                "{queue}: {n} caller has waited for up to {longest} s, and nobody serves: all are paused or"
                " unreachable.",
                "{queue}: {n} callers have waited for up to {longest} s, and nobody serves: all are paused or"
                " unreachable.", many,
            ).format(queue=queue, n=many, longest=params.get("longest", ""))  # fmt: skip
        case "uncovered":
            return _("{queue}: a caller has come, and nobody is on duty.").format(queue=queue)
        case "roll_call_missed":
            said = _("Roll call: {agent} has not answered before {shift} ({begins}).")
            return said.format(agent=agent, shift=shift, begins=begins)
        case "backup_woken":
            said = _("Roll call: {agent} (backup) is there in place of {instead_of} for {shift}.")
            return said.format(agent=agent, instead_of=instead_of, shift=shift)
        case "no_backup_woken":
            said = _("Roll call: neither {instead_of} nor any backup has answered before {shift} ({begins}).")
            return said.format(instead_of=instead_of, shift=shift, begins=begins)
        case "last_agent_missed":
            said = _("{agent} has missed {missed} calls in a row and is not paused: nobody else serves {queues}.")
            return said.format(agent=agent, missed=params.get("missed", ""), queues=_queues(params.get("queues", ""),
                               names))  # fmt: skip
        case "disk_low":
            said = _("Only {free} GB are free in {folder}: see 'hotline recordings purge --dry-run', or make room.")
            return said.format(free=params.get("free", ""), folder=params.get("folder", ""))
        case "archive_gone":
            said = _("{folder} is not the recordings' archive: is its disk mounted? Recordings wait beside it.")
            return said.format(folder=params.get("folder", ""))
        case "purge_refused":
            said = _("{going} of {of} recordings would be purged, too many: check the clock and recording.keep, then"
                     " 'hotline recordings purge --most'.")  # fmt: skip
            return said.format(going=params.get("going", ""), of=params.get("of", ""))
        case "purge_failed":
            return _("The night's purge could not delete all that is over: the log says why.")
        case "access_log_cut":
            said = _("The access log ends with entry {last}, though {known} was written: 'hotline calllog verify'.")
            return said.format(last=params.get("last", ""), known=params.get("known", ""))
        case "recording_broke":
            said = _("The recording of a talk of {agent} broke off and was begun anew: {why}. Is the disk full?")
            return said.format(agent=agent, why=broke_off_word(params.get("why", "")))
        case "graders_absent":
            many = int(params.get("count", "1"))
            return ngettext(
                "Nothing is drawn for {n} grader: {first}. See 'hotline check'.",
                "Nothing is drawn for {n} graders: {first}, … See 'hotline check'.", many,
            ).format(n=many, first=params.get("first", ""))  # fmt: skip
        case "recordings_lost":
            many = int(params.get("count", "1"))
            return ngettext(
                "{n} recording cannot be heard: see 'hotline recordings verify'.",
                "{n} recordings cannot be heard: see 'hotline recordings verify'.", many,
            ).format(n=many)  # fmt: skip
    return ", ".join([code, *(f"{key} {value}" for key, value in params.items() if key != "again")])


def missing_word(why: str) -> str:
    """Why somebody who is due does not serve."""
    words = {
        "off": _("has not signed in"), "signed_out": _("has signed out"),
        "unreachable": _("no phone of theirs can be reached"),
    }  # fmt: skip
    return words.get(why, why)


def _queues(text: str, names: Names) -> str:
    return _(", ").join(names.queue(name.strip()) for name in text.split(",") if name.strip())


def _when(text: str, settings: Settings) -> str:
    try:
        return dt.datetime.fromisoformat(text).astimezone(settings.hotline.zone).strftime("%m-%d %H:%M")
    except ValueError:
        return text
