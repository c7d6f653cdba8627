"""Takes changes of ``config/`` while calls run: a good one takes effect, a bad one changes nothing and is reported.

What is seen by :mod:`hotline.watch` is checked in a worker (:mod:`hotline.examine`) exactly as a start would check it,
and kept (``config.versions``) before it takes effect. It takes effect in this order: Asterisk learns accounts, numbers
and trunks; then, in one step without an await, prompts, desk, roster and calls change over; then the new phones are
followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from ari.errors import AriError, NotFound
from calllog import events as ev
from calllog.errors import StoreError
from calllog.wording import Names
from config.catalogue import _, language
from config.effect import concerns_asterisk, restart_values, waiting_for, without_restart
from config.problems import Problem
from config.pruning import forget_old
from config.settings import Settings
from config.snapshot import Eye, Snapshot, being_written
from config.versions import Damaged, History, Version
from config.write import owner
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.own import share
from hotline.asterisk.render import devices
from hotline.duty_words import duty_lines
from hotline.examine import Examined, changes_since, examined, in_worker, render_asterisk
from hotline.preflight import Ready
from hotline.show import at
from hotline.watch import LOOK_EVERY, Settling
from ivr.versions import draft_folder, forget, lay, sweep, version_folder
from phone.port import PhoneFault
from routing.messages import Rules
from routing.roster import Roster

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

TRY_AGAIN = 10.0
"""Seconds until something that Asterisk or the disk refused is tried again."""

MOST_TOLD = 20
"""Errors and changes that are named one by one; the others are counted."""


class Reload:
    """Watches ``ready.config_dir`` for the daemon; :meth:`run` it for as long as it serves."""

    def __init__(self, ready: Ready, daemon: Daemon) -> None:
        self._folder, self._state = ready.config_dir, ready.state_dir
        self._daemon = daemon
        self._began = self._wanted = ready.settings
        self._seen = ready.seen
        self._prompts = version_folder(ready.state_dir, ready.seen.digest)
        self._eye = Eye(ready.config_dir)
        self._settling = Settling(ready.seen.digest)
        self._history = History(ready.state_dir)
        self._version: Version | None = None
        self._errors: list[Problem] = [problem for problem in ready.refused if not problem.warning]
        self._abroad: list[Problem] = []
        """The errors in the language that is not the daemon's; empty where they are known in its own alone."""
        self._being_written = ""
        self._overwrites: list[str] = []
        self._asterisk_trouble, self._own_asterisk = "", False
        self._language = language()
        self._asterisk_began = started_with(ready.state_dir) or restart_values(ready.settings)
        self._to_reload: set[str] = set()

    # --- asking -------------------------------------------------------------------------------------------------

    def prompts(self) -> Path:
        """The folder of the prompts in force."""
        return self._prompts / "sounds"

    @property
    def roster_digest(self) -> str:
        """Tells one version of roster.yaml from another, for the eye."""
        return self._seen.files.get("roster.yaml", "")[:12]

    def status(self) -> dict[str, Any]:
        """For ``status`` of the control socket."""
        version, abroad = self._version, bool(self._abroad) and language() != self._language
        return {
            "version": version.version if version else 0,
            "since": version.at if version else 0,
            "digest": self._settling.in_force,
            "refused": self._settling.refused,
            "errors": [str(problem) for problem in (self._abroad if abroad else self._errors)[:MOST_TOLD]],
            "error_count": len(self._errors),
            "being_written": self._being_written,
            "pending": self.pending(),
            "asterisk": self._asterisk_trouble
            or (_("its files are not ours: render them again, and have it read them") if self._own_asterisk else ""),
            "language": language() if abroad else self._language,
            "overwrites": self._overwrites,
        }

    def pending(self) -> dict[str, str]:
        """The keys that take effect at a restart only, and of what."""
        began, asterisk = restart_values(self._began), self._asterisk_began
        return dict(
            waiting_for(began, self._wanted, ("daemon", "both"))
            | waiting_for(asterisk, self._wanted, ("asterisk", "both"))
        )

    def asterisk_restarted(self) -> None:
        """What waited for that is in force now."""
        self._to_reload.clear()
        self._own_asterisk = False
        self._asterisk_began = started_with(self._state) or restart_values(self._wanted)

    # --- watching -----------------------------------------------------------------------------------------------

    def lay_prompts(self) -> None:
        """Give the prompts that a start has built the folder of their version. Blocks for some 10 ms."""
        try:
            lay(self._state, version_folder(self._state, self._seen.digest))
        except OSError as fault:  # a full disk must not keep a hotline from starting
            log.error("the prompts of this version have no folder of their own", why=str(fault))
            self._prompts = self._state

    async def run(self) -> None:
        """Note what is in force, then look again and again, for ever."""
        try:
            await self._begin()
        except (OSError, Damaged, BrokenProcessPool, StoreError) as fault:
            log.error("this version of the configuration could not be kept", why=str(fault))
        except Exception:  # nor may anything else about the past end the daemon
            log.exception("this version of the configuration could not be kept")
        waited = 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            try:
                await self._look()
                if self._asterisk_trouble and waited >= TRY_AGAIN:
                    waited = 0.0
                    await self._tell_asterisk()
            except Exception:  # whatever is wrong with a change must not end the watching, nor the daemon
                log.exception("looking for changes of the configuration failed")
                await asyncio.sleep(TRY_AGAIN)

    async def _begin(self) -> None:
        last = await asyncio.to_thread(self._history.last)
        if last is None or last.digest != self._seen.digest:
            changes, duty = await in_worker(changes_since, self._state, self._wanted, self._seen) if last else ([], ())
            await asyncio.to_thread(self._history.keep, self._seen, self._folder)
            now = self._daemon.clock.now()
            last = await asyncio.to_thread(self._history.add, self._seen, now, "start", changes, duty)
            await self._forget_old()
        self._version = last
        await self._note_roster()
        self._note(ev.ConfigTookEffect(version=last.version, sha256=last.digest, how="start"))

    async def _look(self) -> None:
        seen = await asyncio.to_thread(self._eye.look)
        if seen.digest == self._settling.in_force and (self._settling.refused or self._errors):
            self._settling.take(seen.digest)
            self._errors, self._abroad = [], []
            log.info("the files are again as they are in force", **self._in_force())
        now = asyncio.get_running_loop().time()
        if self._settling.step(now, seen.digest) and self._daemon.adopted:
            names = [name for name in seen.differing(self._seen) if name in seen.files]
            writing = await asyncio.to_thread(being_written, self._folder, names)
            if writing != self._being_written and writing:
                log.info("a change waits: a file is still being written", file=writing)
            self._being_written = writing
            if writing:
                self._settling.step(now, seen.digest, being_written=True)
            else:
                await self._take(seen)
        elif not self._settling.seen:
            self._being_written = ""

    async def _take(self, seen: Snapshot) -> None:
        draft = draft_folder(self._state)
        try:
            now = at(self._daemon.clock.now(), self._wanted.hotline.zone)
            found = await examined(self._folder, self._state, draft, self._wanted, self._seen, now)
            again = await asyncio.to_thread(self._eye.look)
            if (again.files, again.stamps) != (seen.files, seen.stamps):
                self._settling.unsettle()
            elif found.settings is None or found.errors:
                self._refuse(found, seen)
            else:
                await self._take_effect(found, found.settings, seen, draft)
        finally:
            await asyncio.to_thread(forget, draft)

    def _refuse(self, found: Examined, seen: Snapshot) -> None:
        known = seen.digest == self._settling.refused
        self._settling.refuse(asyncio.get_running_loop().time(), seen.digest)
        self._errors, self._abroad = found.errors, found.abroad
        if known:
            return
        told = [str(problem) for problem in found.errors[:MOST_TOLD]]
        log.error("the changed files have errors: nothing changes", errors=len(found.errors), what=told,
                  **self._in_force())  # fmt: skip
        places = ", ".join(f"{problem.place} ({problem.code})" for problem in found.errors[:MOST_TOLD])
        self._note(ev.ConfigRefused(sha256=seen.digest, errors=len(found.errors), what=places))

    # --- taking effect --------------------------------------------------------------------------------------------

    async def _take_effect(self, found: Examined, wanted: Settings, seen: Snapshot, draft: Path) -> None:
        keep, files = await self._keep(seen), seen.differing(self._seen)
        prompts = version_folder(self._state, seen.digest)
        await asyncio.to_thread(lay, draft, prompts)
        try:
            await asyncio.to_thread(share, AsteriskHome.of(self._state), self._began)
        except AsteriskFault as fault:
            log.error("Asterisk may not read the new prompts", why=str(fault))
        running, waited = without_restart(wanted, self._began), self.pending()
        self._wanted = wanted
        self._own_asterisk = False
        if not await self._tell_asterisk() and any(concerns_asterisk(one.file, one.key) for one in found.changes):
            self._own_asterisk = True
            log.warning("the change concerns Asterisk, whose files are not ours: render them again and reload it")
        roster = await asyncio.to_thread(Roster.of, running, self._daemon.wall())
        in_use = change_over(self._daemon, running, roster, prompts / "sounds")
        self._seen = seen
        self._errors, self._abroad = [], []
        self._settling.take(seen.digest)
        await asyncio.to_thread(self._tidy, prompts, in_use)
        await self._follow_phones()
        if keep:
            await self._add(seen, found, files)
        try:
            await self._note_roster()
        except StoreError as fault:
            log.error("the roster could not be journalled; the next start does", why=str(fault))
        told = [str(change) for change in found.changes[:MOST_TOLD]]
        duty = duty_lines(found.duty, Names.of(wanted), MOST_TOLD)
        log.info("a new configuration is in force", changes=told, more=len(found.changes) - len(told),
                 **({"duty": duty} if duty else {}), **self._in_force())  # fmt: skip
        self._overwrites = found.overwrites
        for what in found.overwrites:
            log.warning("an edit threw away what a command had written", what=what)
        for key, whose in self.pending().items():
            if key not in waited:
                log.warning("takes effect at the next restart", key=key, of=whose)

    async def _keep(self, seen: Snapshot) -> bool:
        try:
            await asyncio.to_thread(self._history.keep, seen, self._folder)
        except (OSError, Damaged) as fault:
            log.error("this version takes effect, but it cannot be kept for an undo", why=str(fault))
            return False
        return True

    async def _add(self, seen: Snapshot, found: Examined, files: list[str]) -> None:
        now = self._daemon.clock.now()
        try:
            author = await asyncio.to_thread(owner, self._folder, files)
            self._version = await asyncio.to_thread(
                self._history.add, seen, now, "edit", found.changes, found.duty, author
            )
        except OSError as fault:
            log.error("this version could not be written down", why=str(fault))
            return
        version = self._version
        self._note(ev.ConfigTookEffect(version=version.version, sha256=version.digest, how=version.how))
        await self._forget_old()

    async def _forget_old(self) -> None:
        """Versions of long ago, once there is a new one."""
        try:
            forgotten = await asyncio.to_thread(forget_old, self._history, self._daemon.clock.now())
        except OSError as fault:
            log.error("old versions of the configuration could not be removed; the next change tries again",
                      why=str(fault))  # fmt: skip
            return
        if forgotten:
            log.info("old versions of the configuration are gone", versions=forgotten)

    def _tidy(self, prompts: Path, in_use: set[Path]) -> None:
        """The dialplan plays the newest; what no call plays from any more goes."""
        lay(prompts, self._state)
        sweep(self._state, [prompts, *(folder.parent for folder in in_use)])

    async def _tell_asterisk(self) -> bool:
        """Asterisk's files by the settings of now, and have it read what changed; tried again when it fails.

        Returns whether the files are ours.
        """
        # The daemon must still find an Asterisk that restarts by itself: its ports stay, until both are restarted.
        settings = without_restart(self._wanted, self._began)
        before = self._asterisk_trouble
        try:
            modules = await in_worker(render_asterisk, settings, self._state)
            if modules is None:
                return False
            self._to_reload |= set(modules)
            for module in sorted(self._to_reload):
                with contextlib.suppress(NotFound):  # it is not loaded
                    await self._daemon.client.asterisk.reload_module(module)
                self._to_reload.discard(module)
        except (AsteriskFault, AriError, OSError, BrokenProcessPool) as fault:
            self._asterisk_trouble = str(fault) or type(fault).__name__
            if self._asterisk_trouble != before:
                log.error("Asterisk has not taken the change over; trying again", why=self._asterisk_trouble)
            return True
        self._asterisk_trouble = ""
        if before:
            log.info("Asterisk has taken the change over")
            await self._follow_phones()
        return True

    async def _follow_phones(self) -> None:
        try:
            await self._daemon.phone.follow(devices(self._daemon.settings))
        except PhoneFault as fault:
            log.error("the new phones cannot be followed yet; the next connection does", why=str(fault))

    # --- telling --------------------------------------------------------------------------------------------------

    def _in_force(self) -> dict[str, Any]:
        return {"version": self._version.version if self._version else 0}

    def _note(self, event: ev.SystemEvent) -> None:
        self._daemon.journal.append("system", "hotline", event)

    async def _note_roster(self) -> None:
        """Journal the roster in force with its text, unless the last one was the same: duty of the past is by it."""
        data = self._seen.texts.get("roster.yaml")
        if data is None:
            return
        sha256, journal = hashlib.sha256(data).hexdigest(), self._daemon.journal
        last = await journal.last_event("roster", "roster")
        if last is None or not isinstance(last.event, ev.RosterTookEffect) or last.event.sha256 != sha256:
            text = data.decode("utf-8", "replace")
            journal.append("roster", "roster", ev.RosterTookEffect(sha256=sha256, text=text))


def change_over(daemon: Daemon, settings: Settings, roster: Roster, prompts: Path) -> set[Path]:
    """All of the daemon's by the new settings, in one step; returns the folders that calls still play prompts from."""
    daemon.settings = settings
    daemon.phone.prompts = prompts
    daemon.desk.settings_changed(Rules.of(settings), daemon.duty.change(settings, roster))
    daemon.calls.settings_changed(settings)
    daemon.away.country = settings.hotline.country
    daemon.away.shortest = settings.hotline.recording.shortest_voicemail
    daemon.shelf.zone_changed(settings.hotline.zone)
    daemon.duty_file.renew()
    return daemon.phone.prompts_in_use()


def started_with(state_dir: Path) -> Mapping[str, Any] | None:
    """What Asterisk was started with, of the settings that need its restart; None where that was not written down."""
    try:
        return msgspec.json.decode(AsteriskHome.of(state_dir).started_with.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return None
