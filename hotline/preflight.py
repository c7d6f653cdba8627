"""Everything that can be known to be wrong before a caller finds out, gathered from every room at once."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import ivr.build
import ivr.menu
import ivr.prompts
import phone.devices
import phone.trunks
import recordings.check
import routing.check
from config.catalogue import _, language, set_language
from config.load import Loaded, in_order, load, read
from config.os_words import reason
from config.problems import Place, Problem, Refused
from config.settings import Hotline, Settings
from config.snapshot import Snapshot, look
from config.tree import read_tree
from config.versions import Damaged, History, Version
from hotline.asterisk import recorder, trunk_passwords
from hotline.asterisk.check import state_folder
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import espeak_command
from ivr.versions import draft_folder, forget, lay
from recordings.check_keep import check_keep
from recordings.orphans import end_with_parent

READS = 5
"""How often files that change while they are read are read again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Settings that may take effect, and what the operator should know about them.

    ``seen`` is what they were read from. ``refused`` are the errors of the files where not they but the version that
    was in force last is what may take effect.
    """

    loaded: Loaded
    config_dir: Path
    state_dir: Path
    warnings: list[Problem]
    seen: Snapshot = field(default_factory=lambda: Snapshot({}))
    refused: list[Problem] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings themselves."""
        return self.loaded.settings


@dataclass(frozen=True, slots=True)
class Asked:
    """How the roster is proven: from ``now`` on (aware; none: from this moment).

    ``before`` is what is in force, whose faults refuse nothing new. At a start (``starting``) what the roster lacks is
    told as a warning: a hotline with a gap next week answers today.
    """

    now: dt.datetime | None = None
    before: Settings | None = None
    starting: bool = False

    def of(self, settings: Settings) -> list[Problem]:
        """The problems of the roster."""
        found = routing.check.check(settings, self.now or dt.datetime.now(dt.UTC), self.before)
        return [replace(one, warning=True) for one in found] if self.starting else found


def prepare(config_dir: Path, *, sounds: Path | None = None, roster: Asked | None = None) -> Ready:
    """Read and check the settings and build the prompts. Raises Refused with every error found.

    The prompts are built below the state folder, or below ``sounds`` where they are only to be proved.
    """
    seen = look(config_dir)
    for _read in range(READS):
        ready = _prepare(config_dir, sounds, roster or Asked())
        before, seen = seen, look(config_dir)
        if (before.files, before.stamps) == (seen.files, seen.stamps):
            break
    return replace(ready, seen=seen)


def prepare_aside(config_dir: Path, roster: Asked | None = None) -> Ready:
    """The same, with the prompts built where nobody hears them. Raises Refused."""
    try:
        state_dir = state_folder(load(config_dir).settings)
    except Refused:
        return prepare(config_dir, roster=roster)
    draft = draft_folder(state_dir)
    try:
        lay(state_dir, draft)
        return prepare(config_dir, sounds=draft, roster=roster)
    except OSError:
        return prepare(config_dir, roster=roster)  # which says what is wrong with the folder
    finally:
        forget(draft)


def prepare_to_serve(config_dir: Path) -> Ready:
    """The same for a start: where the files have errors, the version that was in force last serves, if there is one.

    A hotline that an outage ends at night must come back whatever somebody left in the files. Raises Refused.
    """
    try:
        return prepare(config_dir, roster=Asked(starting=True))
    except Refused as refused:
        history = History(state_dir_said(config_dir))
        last = history.last()
        if last is None or look(config_dir).digest == last.digest:
            raise
        try:
            ready = prepare_version(history, last, roster=Asked(starting=True))
        except (Refused, Damaged, OSError):
            raise refused from None
        return replace(ready, config_dir=config_dir, refused=refused.problems)


def prepare_version(
    history: History, version: Version, *, sounds: Path | None = None, roster: Asked | None = None
) -> Ready:
    """The same for a version that was kept; ``config_dir`` is gone on return. Raises Refused, Damaged, OSError."""
    history.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=history.folder, prefix=".prove-") as scratch:
        history.lay_out(version, Path(scratch))
        return prepare(Path(scratch), sounds=sounds, roster=roster)


def settings_in_force(config_dir: Path) -> tuple[Settings, Version] | None:
    """The settings of the version that was in force last, for commands while the files have errors; None: there is
    none, or it cannot be read."""
    history = History(state_dir_said(config_dir))
    last = history.last()
    try:
        return None if last is None else (history.settings(last).settings, last)
    except (Refused, Damaged, OSError):
        return None


def state_dir_said(config_dir: Path) -> Path:
    """The state folder as hotline.yaml names it, however broken the file is otherwise."""
    value = read_tree(config_dir, "hotline.yaml").value
    said = value.get("state_dir") if isinstance(value, dict) else None
    if not isinstance(said, str):
        text = look(config_dir).texts.get("hotline.yaml", b"").decode("utf-8", "replace")
        found = re.search(r"^state_dir:\s*([^\s#]+)", text, re.MULTILINE)
        said = found[1].strip("\"'") if found else str(Hotline.model_fields["state_dir"].default)
    return AsteriskHome.of(said).state


def _prepare(config_dir: Path, sounds: Path | None, roster: Asked) -> Ready:
    try:
        loaded = load(config_dir)
    except Refused:
        raise Refused(_of_what_could_be_read(config_dir)) from None
    settings, state_dir = loaded.settings, state_folder(loaded.settings)
    problems = roster.of(settings) + beside_the_roster(settings)
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = _("{path} cannot be written: {reason}").format(path=state_dir, reason=reason(error))
        place = loaded.places.place("hotline.yaml", "state_dir")
        raise Refused([Problem("state-unwritable", place, what, _("Choose another folder."))]) from None
    problems += recordings.check.check(settings, state_dir)
    problems += check_keep(settings)
    problems += trunk_passwords.check(settings, state_dir)
    problems += recorder.check(settings, state_dir)
    built = build_prompts(settings, config_dir, sounds or state_dir)
    problems += _one_cause(built, ivr.prompts.check(settings, config_dir, sounds or state_dir))
    problems = list(dict.fromkeys(loaded.places.located(problems)))
    errors = [problem for problem in problems if not problem.warning]
    if errors:
        raise Refused(errors + [problem for problem in problems if problem.warning])
    return Ready(loaded, config_dir, state_dir, loaded.warnings + problems)


def beside_the_roster(settings: Settings) -> list[Problem]:
    """What is wrong with the meaning of the other files; an error there refuses a change of the roster too."""
    return ivr.menu.check(settings) + phone.trunks.check(settings.hotline) + phone.devices.check(settings)


def _of_what_could_be_read(config_dir: Path) -> list[Problem]:
    """Every problem of files that cannot all be read: the meaning of those that can is checked all the same."""
    found = read(config_dir)
    files, meant = found.files, list[Problem]()
    if files.hotline is not None:
        meant += phone.trunks.check(files.hotline)
    if files.menu is not None:
        meant += ivr.menu.check(Settings.model_construct(menu=files.menu))
    if files.agents is not None and files.hotline is not None:
        meant += phone.devices.check(Settings.model_construct(agents=files.agents, hotline=files.hotline))
    faulty = {problem.place.file for problem in found.problems if not problem.warning}
    if not faulty & {"hotline.yaml", "queues.yaml", "agents.yaml", "roster.yaml"}:
        some = ("hotline", "queues", "agents", "roster")
        meant += Asked().of(Settings.model_construct(**{name: getattr(files, name) for name in some}))
    return in_order(dict.fromkeys(found.problems + found.places.located(meant)))


def _one_cause(built: list[Problem], heard: list[Problem]) -> list[Problem]:
    """Without espeak-ng every prompt that it should speak is missing: that is one error, not a hundred."""
    rest = [problem for problem in heard if problem.code != "prompt-unplayable"]
    if len(rest) == len(heard) or all(problem.code != "espeak-missing" for problem in built):
        return built + heard
    return [replace(each, warning=each.warning and each.code != "espeak-missing") for each in built] + rest


def build_prompts(settings: Settings, config_dir: Path, state_dir: Path) -> list[Problem]:
    """Build what is missing or has changed, in a worker: the daemon's own process imports no numpy."""
    if ivr.build.up_to_date(settings, config_dir, state_dir):
        return ivr.build.build(settings, config_dir, state_dir, [])
    try:
        espeak = espeak_command()
    except AsteriskFault as fault:
        what, fix = str(fault), _("Put recordings of your own into config/sounds, or run 'make setup'.")
        return [Problem("espeak-missing", Place("espeak-ng"), what, fix, warning=True)]
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_build, settings, config_dir, state_dir, espeak, language()).result()
    except BrokenProcessPool:
        what = _("The worker that builds the prompts died.")
        return [Problem("prompts-worker", Place("prompts"), what, _("Look for a lack of memory; try again."))]


def _build(settings: Settings, config_dir: Path, state_dir: Path, espeak: list[str], words: str) -> list[Problem]:
    threading.Thread(target=end_with_parent, daemon=True).start()
    set_language("en" if words == "en" else "zh")
    return ivr.build.build(settings, config_dir, state_dir, espeak)
