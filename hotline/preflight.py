"""Everything that can be known to be wrong before a caller finds out, gathered from every room at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import ivr.build
import ivr.menu
import ivr.prompts
import phone.trunks
import recordings.check
import routing.check
from config.catalogue import _, language, set_language
from config.load import Loaded, in_order, load, read
from config.problems import Place, Problem, Refused
from config.settings import Settings
from hotline.asterisk.check import state_folder
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.install import espeak_command


@dataclass(frozen=True, slots=True)
class Ready:
    """Settings that may take effect, and what the operator should know about them."""

    loaded: Loaded
    config_dir: Path
    state_dir: Path
    warnings: list[Problem]

    @property
    def settings(self) -> Settings:
        """The settings themselves."""
        return self.loaded.settings


def prepare(config_dir: Path) -> Ready:
    """Read and check the settings and build the prompts. Raises Refused with every error found."""
    try:
        loaded = load(config_dir)
    except Refused:
        raise Refused(_of_what_could_be_read(config_dir)) from None
    settings, state_dir = loaded.settings, state_folder(loaded.settings)
    problems = ivr.menu.check(settings) + routing.check.check(settings) + phone.trunks.check(settings.hotline)
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = _("{path} cannot be written: {reason}").format(path=state_dir, reason=error.strerror)
        place = loaded.places.place("hotline.yaml", "state_dir")
        raise Refused([Problem("state-unwritable", place, what, _("Choose another folder."))]) from None
    problems += recordings.check.check(settings, state_dir)
    problems += build_prompts(settings, config_dir, state_dir)
    problems += ivr.prompts.check(settings, config_dir, state_dir)
    problems = list(dict.fromkeys(loaded.places.located(problems)))
    errors = [problem for problem in problems if not problem.warning]
    if errors:
        raise Refused(errors + [problem for problem in problems if problem.warning])
    return Ready(loaded, config_dir, state_dir, loaded.warnings + problems)


def _of_what_could_be_read(config_dir: Path) -> list[Problem]:
    """Every problem of files that cannot all be read: the meaning of those that can is checked all the same."""
    found = read(config_dir)
    files, meant = found.files, list[Problem]()
    if files.hotline is not None:
        meant += phone.trunks.check(files.hotline)
    if files.menu is not None:
        meant += ivr.menu.check(Settings.model_construct(menu=files.menu))
    faulty = {problem.place.file for problem in found.problems if not problem.warning}
    if not faulty & {"hotline.yaml", "queues.yaml", "agents.yaml", "roster.yaml"}:
        some = ("hotline", "queues", "agents", "roster")
        meant += routing.check.check(Settings.model_construct(**{name: getattr(files, name) for name in some}))
    return in_order(dict.fromkeys(found.problems + found.places.located(meant)))


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
    set_language("en" if words == "en" else "zh")
    return ivr.build.build(settings, config_dir, state_dir, espeak)
