"""Does what the files say agree with each other: every name that is used exists, nothing is there twice.

What a menu or a roster means is checked in the rooms that know (``ivr.menu.check`` and its like). Each
check here runs as soon as the files it needs could be read, so one broken file hides nothing about the
others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from config.catalogue import _
from config.check_changes import check_changes
from config.check_console import check_console
from config.check_reviews import check_reviews
from config.check_roster import Held, check_roster, hours, overlapping, reversed_dates
from config.check_subjects import check_subjects
from config.check_trunks import check_trunks
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path
from config.settings import AgentFile, Hotline, MenuFile, PromptFile, QueueFile, ReviewFile, RosterFile, SubjectFile
from config.survey import check_survey

FEWEST_RTP_PORTS = 8
"""Two calls: each has a caller's leg and an agent's, and each leg takes two ports (RTP and RTCP, RFC
3550)."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files that could be read; None for one that could not."""

    hotline: Hotline | None = None
    menu: MenuFile | None = None
    queues: QueueFile | None = None
    agents: AgentFile | None = None
    roster: RosterFile | None = None
    prompts: dict[str, PromptFile] = field(default_factory=dict)
    subjects: SubjectFile | None = None
    reviews: ReviewFile | None = None


def check(files: Files) -> list[Problem]:
    """Every disagreement within and between the files. The problems have no line; ``config.load`` adds
    it."""
    found: list[Problem] = []
    if files.hotline:
        found += _ports(files.hotline)
        found += _numbers(files.hotline)
        found += _codes(files.hotline)
        found += check_trunks(files.hotline)
        found += check_console(files.hotline)
    if files.agents:
        found += _accounts(files.agents, files.hotline)
    if files.agents and files.queues:
        found += _skills(files.agents, files.queues)
    if files.hotline and files.queues:
        found += check_survey(files.hotline.survey, files.queues.queues)
    if files.menu and files.queues:
        found += _menu_queues(files.menu, files.queues)
    if files.menu:
        found += _menu_prompts(files)
    if files.queues:
        for name, queue in files.queues.queues.items():
            for index, one in enumerate(queue.hours):
                found += hours(one, ("queues", name, "hours", index), "queues.yaml")
    if files.roster:
        found += check_roster(files.roster, files.agents, files.queues)
        found += check_changes(files.roster, files.agents, files.queues)
    if files.subjects:
        found += check_subjects(files.subjects)
    if files.reviews:
        found += check_reviews(files.reviews, files.queues)
    return found


Path = tuple[str | int, ...]


def _problem(code: str, file: str, path: Path, what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place(file, 0, key_path(path)), what, fix, warning)


def _codes(hotline: Hotline) -> Iterator[Problem]:
    """Two things that agents' phones cannot tell apart."""
    codes = hotline.codes
    names = ("state", "sign_in", "sign_out", "ready", "extend", "record_pause", "record_resume")
    plain = [("codes", name) for name in names]
    named: list[tuple[Path, str]] = [(path, str(getattr(codes, path[1]))) for path in plain]
    named += [(("codes", "pauses", code), code) for code in codes.pauses]
    for index, code in _again(code for _path, code in named):
        what = _("The code {code} stands here twice.").format(code=code)
        yield _problem("code-twice", "hotline.yaml", named[index][0], what, _("Give each its own code."))
    pause, resume = codes.record_pause, codes.record_resume
    if pause != resume and (pause.startswith(resume) or resume.startswith(pause)):
        what = _("One of the codes {one} and {other} is the beginning of the other.").format(one=pause, other=resume)
        fix = _("In a talk nobody could tell them apart: give one another beginning.")
        yield _problem("code-beginning", "hotline.yaml", ("codes", "record_resume"), what, fix)


def _again(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Index and name of each name that has come before."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)


def _ports(hotline: Hotline) -> Iterator[Problem]:
    asterisk, file = hotline.asterisk, "hotline.yaml"
    rtp = asterisk.rtp
    if rtp.last < rtp.first:
        yield _problem(
            "ports-reversed",
            file,
            ("asterisk", "rtp", "last"),
            _("The last port {last} comes before the first, {first}.").format(last=rtp.last, first=rtp.first),
            _("Exchange the two."),
        )
    elif rtp.last - rtp.first + 1 < FEWEST_RTP_PORTS:
        yield _problem(
            "ports-too-few",
            file,
            ("asterisk", "rtp", "last"),
            _("{count} ports for audio are too few.").format(count=rtp.last - rtp.first + 1),
            _("Each call takes 4; give at least {n}, better 1000.").format(n=FEWEST_RTP_PORTS),
        )
    ports: list[tuple[Path, int]] = [
        (("asterisk", "sip", "port"), asterisk.sip.port),
        *([(("asterisk", "sip", "tls", "port"), asterisk.sip.tls.port)] if asterisk.sip.tls.port else []),
        (("asterisk", "ari_port"), asterisk.ari_port),
        (("asterisk", "ami_port"), asterisk.ami_port),
        *([(("console", "port"), hotline.console.port)] if hotline.console.enabled else []),
    ]
    first: dict[int, str] = {}
    for path, port in ports:
        if port in first:
            what = _("Port {port} is already that of {key}.").format(port=port, key=first[port])
            yield _problem("port-doubled", file, path, what, _("Give each its own port."))
        elif rtp.first <= port <= rtp.last:
            what = _("Port {port} lies within the ports for audio.").format(port=port)
            fix = _("Choose one outside {first} to {last}.").format(first=rtp.first, last=rtp.last)
            yield _problem("port-doubled", file, path, what, fix)
        first.setdefault(port, key_path(path))


def _numbers(hotline: Hotline) -> Iterator[Problem]:
    for index, number in _again(number.removeprefix("+") for number in hotline.numbers):
        what = _("The number {number} stands here twice.").format(number=number)
        yield _problem("number-doubled", "hotline.yaml", ("numbers", index), what, _("Remove one of them."))
    if hotline.emergency_number in hotline.numbers:
        what = _("The emergency number {number} is the hotline itself.").format(
            number=hotline.emergency_number
        )
        fix = _("Callers hear it when the hotline is out of order: give one that then still answers.")
        yield _problem("emergency-is-hotline", "hotline.yaml", ("emergency_number",), what, fix, warning=True)


def _accounts(agents: AgentFile, hotline: Hotline | None) -> Iterator[Problem]:
    owners = (
        {trunk.name: _("trunk {name}").format(name=trunk.name) for trunk in hotline.trunks} if hotline else {}
    )
    for number, agent in agents.agents.items():
        for index, device in enumerate(agent.devices):
            if device.sip is None:
                continue
            if device.sip in owners:
                yield _problem(
                    "account-doubled",
                    "agents.yaml",
                    ("agents", number, "devices", index, "sip"),
                    _("The SIP account {account} already belongs to {owner}.").format(
                        account=device.sip, owner=owners[device.sip]
                    ),
                    _("Give every phone an account of its own."),
                )
            owners.setdefault(device.sip, _("agent {number}").format(number=number))
        held: dict[str, list[Held]] = {}
        for index, skill in enumerate(agent.skills):
            place: Path = ("agents", number, "skills", index)
            yield from reversed_dates(skill.since, skill.until, place, "agents.yaml")
            held.setdefault(skill.skill, []).append((skill.since or dt.date.min, skill.until or dt.date.max, place))
        for name, spans in held.items():
            for later, _earlier in overlapping(spans):
                what = _("The skill {skill} stands here twice.").format(skill=name)
                fix = _("Remove one of them, or mend its dates.")
                yield _problem("skill-doubled", "agents.yaml", later[2], what, fix, warning=True)


def _skills(agents: AgentFile, queues: QueueFile) -> Iterator[Problem]:
    offered = {skill for agent in agents.agents.values() for skill in agent.skill_names}
    asked = {queue.skill for queue in queues.queues.values()}
    for name, queue in queues.queues.items():
        if queue.skill not in offered:
            what = _("No agent has the skill {skill}, so nobody can answer this queue.").format(
                skill=queue.skill
            )
            fix = _("Give it to agents in agents.yaml.") + " " + did_you_mean(queue.skill, sorted(offered))
            yield _problem(
                "skill-without-agent", "queues.yaml", ("queues", name, "skill"), what, fix, warning=True
            )
    for number, agent in agents.agents.items():
        for index, skill in enumerate(agent.skills):
            if skill.skill not in asked:
                what = _("No queue asks for the skill {skill}.").format(skill=skill.skill)
                path = ("agents", number, "skills", index)
                fix = did_you_mean(skill.skill, sorted(asked))
                yield _problem("skill-without-queue", "agents.yaml", path, what, fix, warning=True)


def _menu_queues(menu: MenuFile, queues: QueueFile) -> Iterator[Problem]:
    named: list[tuple[Path, str]] = [(("person_queue",), menu.person_queue)]
    for name, level in menu.menus.items():
        for key, option in level.options.items():
            if option.queue is not None:
                named.append((("menus", name, "options", key, "queue"), option.queue))
    for path, queue in named:
        if queue not in queues.queues:
            what = _("There is no queue {queue} in queues.yaml.").format(queue=queue)
            yield _problem("unknown-queue", "menu.yaml", path, what, did_you_mean(queue, queues.queues))


def spoken(hotline: Hotline | None, menu: MenuFile | None) -> set[str]:
    """The languages in which callers hear anything, as far as the files could be read."""
    found: set[str] = {hotline.language, *hotline.apology_languages} if hotline else set()
    return found | menu.languages | menu.offered.keys() if menu else found


def _menu_prompts(files: Files) -> Iterator[Problem]:
    assert files.menu is not None
    whole = files.menu.languages | {files.hotline.language} if files.hotline else set(files.prompts)
    for name, level in files.menu.menus.items():
        for language in sorted(whole & files.prompts.keys()):
            yield from _without_text(files, language, level.prompt, ("menus", name, "prompt"))
        for index, offer in enumerate(level.offers):
            if offer.language in files.prompts:
                path = ("menus", name, "offers", index, "prompt")
                yield from _without_text(files, offer.language, offer.prompt, path)


def _without_text(files: Files, language: str, prompt: str, path: Path) -> Iterator[Problem]:
    file = files.prompts[language]
    if prompt not in file.prompts:
        what = _("There is no text for the prompt {prompt} in {file}.")
        yield _problem(
            "prompt-without-text",
            "menu.yaml",
            path,
            what.format(prompt=prompt, file=f"prompts.{language}.yaml"),
            _("Write it there.") + " " + did_you_mean(prompt, _near(prompt, file)),
        )


def _near(prompt: str, file: PromptFile) -> list[str]:
    """Prompts for menus; all of them would be a long list that helps nobody."""
    return [name for name in file.prompts if name.startswith(prompt[:4])]
