"""Hours in which too few are on duty, as a person reads them: when, which queues, who is missing, who could. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from config.catalogue import _, ngettext
from config.problems import shown
from config.settings import RosterFile
from routing.candidates import candidates, shifts_for
from routing.coverage import Gap
from routing.findings import Finding, Path, Told
from routing.missing import missing_of
from routing.needs import OWN
from routing.proof import Proof, listed
from routing.spans import microseconds

MOST_REASONS = 3
"""Reasons given for one gap; the people of the others are counted."""

MOST_QUEUES = 4
"""Queues named that have the same gap."""


def check_cover(proof: Proof, gaps: Iterable[tuple[Gap, bool]]) -> Iterator[Finding]:
    """Each gap, several queues that have the same one together; with it whether it is new (else it is a warning)."""
    alike: dict[tuple[object, ...], list[Gap]] = {}
    news: dict[tuple[object, ...], bool] = {}
    key: tuple[object, ...]
    for gap, new in gaps:
        key = (gap.begins, gap.ends, gap.have, gap.asked, gap.refuses, gap.level > 1, new)
        alike.setdefault(key, []).append(gap)
        news[key] = new
    for key, together in sorted(alike.items(), key=lambda one: one[1][0].begins):
        gap, new = together[0], news[key]
        begins, ends = (at.astimezone(proof.settings.hotline.zone) for at in (gap.begins, gap.ends))
        queues = tuple(one.queue for one in together)
        code = "uncovered" if gap.refuses and not gap.have else "too-few" if gap.refuses else "fewer-than-wanted"
        group = (queues, gap.have, gap.asked, new, begins.time(), ends.time())
        tell = partial(_tell, proof, together)
        yield Finding(code, (queues, gap.begins, gap.ends), group, begins.date(), tell, not (gap.refuses and new))


def _tell(proof: Proof, together: Sequence[Gap]) -> Told:
    gap = together[0]
    begins, ends = microseconds(gap.begins), microseconds(gap.ends)
    skill = proof.settings.queues.queues[gap.queue].skill
    missing = missing_of(proof, skill, gap.level, begins, ends)
    reasons = [one.why for one in missing[:MOST_REASONS]]
    rest = sum(len(one.agents) for one in missing[MOST_REASONS:])
    if rest:
        reasons.append(_("{n} more").format(n=rest))
    if not missing:
        reasons.append(_("nobody is planned") if not gap.have else _("no more are planned"))
    reasons.append(_("backups: {n}").format(n=gap.backup) if gap.backup else _("no backup"))
    wanted = gap.have >= gap.asked or not _needed(proof, gap)
    what = _("{when}, {queues}: {have} of {asked} wanted; {reasons}.") if wanted else _(
        "{when}, {queues}: {have} of {asked}; {reasons}."
    )  # fmt: skip
    what = what.format(
        when=_when(proof, begins, ends), queues=_queues(proof, together), have=gap.have, asked=gap.asked,
        reasons=_("; ").join(reasons),
    )  # fmt: skip
    cause = max((one.cause for one in missing if one.cause), default=None)
    return Told(cause or _place(proof.settings.roster, gap), what, _fix(proof, together, begins, ends))


def _needed(proof: Proof, gap: Gap) -> bool:
    """Whether what is missing is needed, not only wanted."""
    return gap.line == OWN or gap.asked <= proof.settings.roster.requirements[gap.line].need


def _place(file: RosterFile, gap: Gap) -> Path:
    if gap.line != OWN:
        return ("requirements", gap.line)
    return ("rules",) if file.rules or not file.rotations else ("rotations",)


def _when(proof: Proof, begins: int, ends: int) -> str:
    whole = (begins, ends) == (proof.first, proof.last)
    span = proof.span(begins, ends)
    return _("{span} (all the time)").format(span=span) if whole else span


def _queues(proof: Proof, together: Sequence[Gap]) -> str:
    queues = proof.settings.queues.queues
    if len(together) > 1 and {gap.queue for gap in together} == queues.keys():
        return _("all queues")
    named = []
    for gap in together[:MOST_QUEUES]:
        label = shown(queues[gap.queue].label)
        leveled = _("{queue} (level {level} and up)").format(queue=label, level=gap.level)
        named.append(leveled if gap.level > 1 else label)
    rest = len(together) - MOST_QUEUES
    if rest > 0:
        named.append(ngettext("{n} more queue", "{n} more queues", rest).format(n=rest))
    return listed(named)


# --- what to do ---------------------------------------------------------------------------------------------------


def _fix(proof: Proof, together: Sequence[Gap], begins: int, ends: int) -> str:
    queues = proof.settings.queues.queues
    skills: dict[str, int] = {}
    for gap in together:
        skill = queues[gap.queue].skill
        skills[skill] = max(gap.level, skills.get(skill, 0))
    shifts = shifts_for(proof, begins, ends)
    if not shifts:
        return _("No shift of the first line is on then: add one, and who works it.")
    one = queues[together[0].queue].skill
    for wanted in (skills, {one: skills[one]}) if len(skills) > 1 else (skills,):
        for shift, date in shifts:
            able = candidates(proof, shift, date, wanted)
            if able:
                command, people = f"hotline roster extra {able[0]} {date} {quoted(shift)}", proof.people(able)
                return _("{command} (free and rested then: {people})").format(people=people, command=command)
    return ngettext(
        "Nobody with the skill {skills} is free and rested then: plan otherwise, or train more.",
        "Nobody with the skills {skills} is free and rested then: plan otherwise, or train more.", len(skills),
    ).format(skills=listed(sorted(skills)))  # fmt: skip


def quoted(word: str) -> str:
    """A word as a shell takes it; 夜班 needs no quotes."""
    return word if re.fullmatch(r"[\w.,:+@%-]+", word) else shlex.quote(word)
