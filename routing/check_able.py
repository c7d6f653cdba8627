"""Whether those on duty can do it: a skill that a queue asks for on that day, a device that the shift rings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from config.catalogue import _, ngettext
from config.problems import shown
from config.settings import Agent
from routing.findings import Finding, Told
from routing.proof import Proof, listed
from routing.spans import Span


def check_able(proof: Proof, agent: str, spans: Sequence[Span]) -> Iterator[Finding]:
    """Every shift in the proof's span of which this agent is not capable."""
    about = proof.settings.agents.agents.get(agent)
    if about is None:
        return
    yield from _devices(proof, agent, about, spans)
    always = proof.asked.issuperset(one.skill for one in about.skills if one.since is None and one.until is None)
    if always and all(one.since is None and one.until is None for one in about.skills):
        return
    coming = [span for span in spans if proof.first < span.ends and span.begins < proof.last]
    for span in coming:
        if proof.asked.isdisjoint(about.skills_at(span.date)):
            tell = partial(_tell_no_skill, proof, agent, about, span)
            yield Finding("skill-missing", (agent, span.shift, span.date), (agent,), span.date, tell, warning=True)
    for skill in sorted(proof.asked & set(about.skill_names)):
        ends = [one.until for one in about.skills if one.skill == skill and one.until and one.until >= proof.today]
        after = [span for span in coming if ends and span.date > max(ends) and skill not in about.skills_at(span.date)]
        if after:
            tell = partial(_tell_lapses, proof, agent, about, skill, after)
            yield Finding("skill-lapses", (agent, skill), (agent, skill), after[0].date, tell, warning=True)


def _tell_no_skill(proof: Proof, agent: str, about: Agent, span: Span) -> Told:
    lapsed = {one.until: one.skill for one in about.skills if one.until is not None and one.until < span.date}
    why = (
        _("the skill {skill} ended on {date}").format(skill=lapsed[max(lapsed)], date=max(lapsed))
        if lapsed
        else _("they have no skill then that a queue asks for")
    )
    what = _("{who} works {shift} and can answer no queue: {why}.").format(
        who=proof.who(agent), shift=proof.shift(span), why=why
    )
    fix = _("Extend the skill in agents.yaml, or give the shift to another.")
    return Told(("agents", agent, "skills"), what, fix, "agents.yaml")


def _tell_lapses(proof: Proof, agent: str, about: Agent, skill: str, after: Sequence[Span]) -> Told:
    last = max(one.until for one in about.skills if one.skill == skill and one.until)
    what = ngettext(
        "The skill {skill} of {who} ends on {date}; {n} shift comes after it, the first on {first}.",
        "The skill {skill} of {who} ends on {date}; {n} shifts come after it, the first on {first}.", len(after),
    ).format(skill=skill, who=proof.who(agent), date=last, n=len(after), first=after[0].date)  # fmt: skip
    index = next(place for place, one in enumerate(about.skills) if one.skill == skill and one.until == last)
    fix = _("Extend it if it is to go on; from then on they count for other queues only.")
    return Told(("agents", agent, "skills", index), what, fix, "agents.yaml")


def _devices(proof: Proof, agent: str, about: Agent, spans: Sequence[Span]) -> Iterator[Finding]:
    """Shifts that ring only devices which the agent does not have: nobody would reach them."""
    names = {device.named for device in about.devices}
    unable = {name for name, ring in proof.rings.items() if names.isdisjoint(ring)}
    for span in spans if unable else ():
        if span.shift in unable and proof.first < span.ends and span.begins < proof.last:
            tell = partial(_tell_device, proof, agent, span, sorted(names))
            key = (agent, span.shift, span.date)
            yield Finding("device-missing", key, (agent, span.shift), span.date, tell)


def _tell_device(proof: Proof, agent: str, span: Span, names: Sequence[str]) -> Told:
    what = _("{shift} rings {ring}, and {who} has no such device (only {names}).").format(
        shift=proof.shift(span), ring=listed(span.devices), who=proof.who(agent), names=listed(names)
    )
    fix = _("Give a device of theirs the name {name} in agents.yaml, or let {shift} ring another as well.")
    told = fix.format(name=span.devices[0], shift=shown(span.shift))
    return Told(("agents", agent, "devices"), what, told, "agents.yaml")
