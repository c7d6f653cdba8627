"""The heavy part of taking a change of the settings, in a worker: is it good, what changed, and Asterisk's files."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from config.catalogue import _, answering, language, set_language
from config.difference import Difference, differences, sound_differences
from config.duty_change import DutyChange
from config.os_words import reason
from config.problems import Place, Problem, Refused, shown
from config.settings import Settings
from config.snapshot import Snapshot
from config.versions import Damaged, History
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import find_asterisk
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import devices, render, rendered
from hotline.overwritten import overwritten
from hotline.preflight import Asked, prepare
from ivr.versions import forget, lay
from recordings.worker import begin
from routing.difference import changed
from routing.spans import microseconds

T = TypeVar("T")

LONGEST = 300.0
"""Seconds for one job: building every prompt anew takes some tens on a busy machine, and a watch that waits for ever
would take no later change either."""

RELOADS = {
    "pjsip.conf": (
        "res_pjsip.so", "res_pjsip_authenticator_digest.so", "res_pjsip_endpoint_identifier_ip.so",
        "res_pjsip_outbound_registration.so",
    ),
    "extensions.conf": ("pbx_config.so",),
}  # fmt: skip
"""By rendered file, the modules that read it again without touching a call. The others of Asterisk's files change only
with settings that need its restart."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found: ``settings``, unless a problem is an error; the prompts are built in the draft folder."""

    problems: list[Problem]
    seen: Snapshot = field(default_factory=lambda: Snapshot({}))
    settings: Settings | None = None
    changes: list[Difference] = field(default_factory=list)
    duty: tuple[DutyChange, ...] = ()
    overwrites: list[str] = field(default_factory=list)
    """What a hand edit threw away, in words (:mod:`hotline.overwritten`)."""
    abroad: list[Problem] = field(default_factory=list)
    """The errors in the other language, for whoever reads that; the same, one by one."""

    @property
    def errors(self) -> list[Problem]:
        """What keeps it from taking effect."""
        return [problem for problem in self.problems if not problem.warning]


def examine(
    config_dir: Path, state_dir: Path, draft: Path, running: Settings, seen: Snapshot, now: dt.datetime
) -> Examined:
    """Check the files as a start would, and build their prompts below ``draft``. ``seen`` is what is in force."""
    found = _examine(config_dir, state_dir, draft, running, seen, now)
    if not found.errors:
        return found
    with answering("zh" if language() == "en" else "en"):  # files with errors take no effect: there is time
        again = _examine(config_dir, state_dir, draft, running, seen, now).errors
    same = [(one.code, one.place) for one in again] == [(one.code, one.place) for one in found.errors]
    return replace(found, abroad=again if same else [])


def _examine(
    config_dir: Path, state_dir: Path, draft: Path, running: Settings, seen: Snapshot, now: dt.datetime
) -> Examined:
    forget(draft)
    try:
        draft.mkdir(mode=0o700, parents=True)
        lay(state_dir, draft)
        ready = prepare(config_dir, sounds=draft, roster=Asked(now, running))
        _prove_rendering(ready.settings, state_dir)
    except Refused as refused:
        return Examined(refused.problems)
    except OSError as error:
        what = _("{path} cannot be written: {reason}").format(path=error.filename or draft, reason=reason(error))
        return Examined([Problem("state-unwritable", Place(""), what, _("Make room, or mend the permissions."))])
    except Exception as error:  # a fault of ours: it must neither take effect nor be tried every moment
        what = _("The check itself failed: {reason}.").format(reason=shown(f"{type(error).__name__}: {error}", 200))
        return Examined([Problem("check-failed", Place(""), what, _("Report it, with the files."))])
    changes = differences(running, ready.settings) + sound_differences(seen.files, ready.seen.files)
    lost = overwritten(
        state_dir, ready.seen.digest, ready.seen.texts.get("roster.yaml", b""), microseconds(now),
        ready.settings.hotline.zone,
    )  # fmt: skip
    duty = _duty(running, ready.settings, now)
    return Examined(ready.warnings, ready.seen, ready.settings, changes, duty, lost)


def _duty(before: Settings, after: Settings, now: dt.datetime) -> tuple[DutyChange, ...]:
    return changed(before.roster, after.roster, after.hotline.country, now.astimezone(after.hotline.zone).date())


def _prove_rendering(settings: Settings, state_dir: Path) -> None:
    """Raises Refused for what cannot stand in Asterisk's files."""
    home = AsteriskHome.of(state_dir)
    if settings.hotline.asterisk.own is not None or not home.config.exists():
        return
    try:
        rendered(settings, find_asterisk(), home, load_secrets(state_dir, devices(settings)))
    except AsteriskFault as fault:
        raise Refused([Problem("asterisk-files", Place("Asterisk"), str(fault), "")]) from None


def changes_since(
    state_dir: Path, settings: Settings, seen: Snapshot
) -> tuple[list[Difference], tuple[DutyChange, ...]]:
    """What is not as it was in the last version that was kept, and what that means for people's duty; nothing where
    that cannot be read any more."""
    history = History(state_dir)
    last = history.last()
    try:
        before = history.settings(last).settings if last else None
    except (Refused, Damaged, OSError):
        before = None
    if last is None or before is None:
        return [], ()
    duty = _duty(before, settings, dt.datetime.now(dt.UTC))
    return differences(before, settings) + sound_differences(last.files, seen.files), duty


def render_asterisk(settings: Settings, state_dir: Path) -> list[str] | None:
    """Write Asterisk's files anew; returns the modules that must read them again, None where the files are not ours.

    Raises AsteriskFault.
    """
    home = AsteriskHome.of(state_dir)
    if settings.hotline.asterisk.own is not None or not home.config.exists():
        return None
    before = {name: (home.etc / name).read_bytes() for name in RELOADS if (home.etc / name).exists()}
    render(settings, find_asterisk(), state_dir, load_secrets(state_dir, devices(settings)))
    changed = [name for name in RELOADS if before.get(name) != (home.etc / name).read_bytes()]
    return [module for name in changed for module in RELOADS[name]]


def _in_words(words: str, job: Callable[..., T], *args: object) -> T:
    set_language("en" if words == "en" else "zh")
    return job(*args)


async def examined(
    config_dir: Path, state_dir: Path, draft: Path, running: Settings, seen: Snapshot, now: dt.datetime
) -> Examined:
    """:func:`examine` in a worker; one that hangs (a folder that does not answer) is an error like any other. Raises
    BrokenProcessPool."""
    try:
        return await in_worker(examine, config_dir, state_dir, draft, running, seen, now)
    except TimeoutError:
        what = _("The check itself failed: {reason}.").format(reason=f"> {LONGEST:g} s")
        return Examined([Problem("check-failed", Place(""), what, _("Report it, with the files."))])


async def in_worker(job: Callable[..., T], *args: object) -> T:
    """Run one of these in a process of its own, which then ends. Raises BrokenProcessPool, what the job raises, and
    TimeoutError after ``LONGEST`` seconds."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin)
    try:
        async with asyncio.timeout(LONGEST):
            return await asyncio.get_running_loop().run_in_executor(pool, _in_words, language(), job, *args)
    except (asyncio.CancelledError, TimeoutError):
        for process in list((pool._processes or {}).values()):  # a stop of the daemon would wait for the job's end
            process.kill()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
