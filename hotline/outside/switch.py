"""One Asterisk process of our own: configured from a folder, started, asked by its console, and surely ended.

It never outlives us: where ``setpriv`` (util-linux) is there, the kernel ends it when we die (prctl(2),
PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from hotline.asterisk.install import AsteriskInstall

START_LIMIT = 60.0
"""Seconds until it answers its console: 0.3 s when idle, but a loaded machine takes many times that."""

STOP_LIMIT = 5.0
"""Seconds that an orderly end may take before it is killed."""

CONSOLE_LIMIT = 60.0
"""Seconds for one console command: a process start and a round trip."""

STUBS = (
    "ccss", "websocket_client", "pjproject", "udptl", "cel", "cdr", "acl", "features", "manager", "sorcery",
    "codecs", "dsp", "cli_permissions", "res_stun_monitor",
)  # fmt: skip
"""Files that Asterisk looks for and complains about when they are missing; empty ones are enough (DESIGN.md 5.13)."""


class SwitchFault(Exception):
    """Asterisk did not start, or did not answer its console; ``str()`` holds the end of its log."""


class Switch:
    """Asterisk with its own configuration, run folders and log under ``folder``."""

    def __init__(self, install: AsteriskInstall, folder: Path, name: str) -> None:
        self.install = install
        self.folder = folder
        self.name = name
        self.log = folder / "log" / "messages"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self, files: Mapping[str, str], modules: Sequence[str]) -> None:
        """Write ``files`` (name in ``etc/`` to text), load ``modules`` that this build has; returns when it is booted.

        Raises SwitchFault.
        """
        if self._process is not None:
            raise RuntimeError("a Switch is started once")
        self._write(files, modules)
        # Under setpriv we could not tell a death of its parent thread from one of ours: start from the loop's thread.
        leash = [found, "--pdeathsig", "KILL", "--"] if (found := shutil.which("setpriv")) else []
        output = (self.folder / "log" / "output").open("wb")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *leash, *self.install.command, "-C", str(self.folder / "etc/asterisk.conf"), "-f", "-n",
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_LIMIT):
                while True:
                    if self._process.returncode is not None:
                        raise SwitchFault(f"Asterisk '{self.name}' ended at once: {self.complaints() or self._said()}")
                    if (self.folder / "run/asterisk.ctl").exists():
                        with contextlib.suppress(SwitchFault):
                            if "fully booted" in await self.console("core waitfullybooted"):
                                return
                    await asyncio.sleep(0.03)
        except TimeoutError:
            await self.stop()
            raise SwitchFault(
                f"Asterisk '{self.name}' did not boot in {START_LIMIT:g} s: {self.complaints()}"
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it, and wait until it is gone. A stopped one is no error."""
        process = self._process
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                if process is None or process.returncode is not None:
                    break
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_LIMIT):
                        await process.wait()
        finally:
            if process is not None and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    async def console(self, command: str) -> str:
        """What the console answers to ``command``. Raises SwitchFault when it does not."""
        process = await asyncio.create_subprocess_exec(
            *self.install.command, "-C", str(self.folder / "etc/asterisk.conf"), "-rx", command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
        )  # fmt: skip
        try:
            async with asyncio.timeout(CONSOLE_LIMIT):
                said = (await process.communicate())[0].decode(errors="replace")
        except TimeoutError:
            raise SwitchFault(f"Asterisk '{self.name}' did not answer '{command}' in {CONSOLE_LIMIT:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise SwitchFault(f"Asterisk '{self.name}' does not take '{command}': {said.strip()[-300:]}")
        return said

    def complaints(self) -> str:
        """The WARNING and ERROR lines of its log, at most the last ten."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line for line in lines if "WARNING[" in line or "ERROR[" in line][-10:])

    def _said(self) -> str:
        output = self.folder / "log" / "output"
        return output.read_text(encoding="utf-8", errors="replace").strip()[-500:] if output.exists() else ""

    def _write(self, files: Mapping[str, str], modules: Sequence[str]) -> None:
        for part in ("etc", "run", "log", "lib", "spool", "db", "keys/keys"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        have = self.install.modules()
        loads = "".join(f"load = {name}.so\n" for name in modules if name in have)
        texts = {f"{name}.conf": "" for name in STUBS}
        texts["asterisk.conf"] = _ASTERISK.format(
            folder=self.folder, moddir=self.install.moddir, datadir=self.install.datadir,
            name=self.name,
        )  # fmt: skip
        texts["logger.conf"] = "[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages => notice,warning,error\n"
        texts["modules.conf"] = f"[modules]\nautoload = no\n{loads}"
        texts["indications.conf"] = _INDICATIONS
        for name, text in {**texts, **files}.items():
            target = self.folder / "etc" / name
            target.touch(mode=0o600)
            target.write_text(text, encoding="utf-8")


_INDICATIONS = """\
[general]
country = cn
[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
"""

# astrundir is relative to the working folder: sun_path holds 108 bytes (unix(7)), and work folders may be deep.
_ASTERISK = """\
[directories]
astetcdir => {folder}/etc
astmoddir => {moddir}
astvarlibdir => {folder}/lib
astdbdir => {folder}/db
astkeydir => {folder}/keys
astdatadir => {datadir}
astagidir => {folder}/lib
astspooldir => {folder}/spool
astrundir => run
astlogdir => {folder}/log
astsbindir => {folder}/lib
[options]
systemname = {name}
nofork = yes
quiet = yes
hideconnect = yes
documentation_language = en_US
transmit_silence = no
"""
