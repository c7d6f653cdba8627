"""The private Asterisk as a process: start it, wait until it serves, ask it, stop it.

It runs in a session of its own, so it and its talks outlive the command or the daemon that started it.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec

from config.catalogue import _
from config.effect import restart_values
from config.settings import Settings

from .fault import AsteriskFault
from .home import AsteriskHome
from .install import AsteriskInstall
from .passwords import Secrets, write_private
from .ports import taken_ports

START_LIMIT = 30.0
"""Seconds until a started Asterisk must serve ARI; it takes under one on an idle machine."""

STOP_LIMIT = 10.0
"""Seconds for ``core stop now`` before SIGTERM, and again before SIGKILL."""

ASK_LIMIT = 10.0
"""Seconds for one command on the control socket."""

POLL = 0.05
"""Seconds between two looks at a starting or stopping process."""

OPEN_FILES = 65_536
"""Each call has about eight open files (RTP and RTCP sockets, timer, alert pipes)."""


class Started(msgspec.Struct, frozen=True):
    """What the pid file says of the Asterisk that was started last; ``log_from`` is a byte offset in messages.log."""

    pid: int
    log_from: int


ENDING = 3.0
"""Seconds in which one that was killed here may still hold its ports: the kernel closes them after it is gone."""


@dataclass(frozen=True, slots=True)
class Status:
    """``pid`` is None when it does not run; ``serving``: it answers on its control socket."""

    pid: int | None
    serving: bool
    said: str


_children: dict[int, subprocess.Popen[bytes]] = {}
"""Those that this very process started: they must be reaped when they end."""


def start(settings: Settings, install: AsteriskInstall, state_dir: Path, secrets: Secrets) -> int:
    """Start Asterisk on its rendered configuration and wait until it is fully booted and ARI answers.

    Returns its process id; one that already runs here is left as it is. Blocks for up to ``START_LIMIT`` seconds.
    Raises AsteriskFault.
    """
    home = AsteriskHome.of(state_dir)
    if (pid := running(home)) is not None:
        return pid
    until = time.monotonic() + (ENDING if home.pid_file.exists() else 0.0)
    while (ports := taken_ports(settings)) and time.monotonic() < until:
        time.sleep(0.05)
    for taken in ports:
        what = _("{key}: {port} on {address} cannot be used: {reason}. Free it, or set another.")
        raise AsteriskFault(what.format(key=taken.key, port=taken.shown, address=taken.address, reason=taken.why))
    asterisk = settings.hotline.asterisk
    pid = launch(install, home, lambda: ari_answers(asterisk.ari_port, secrets.ari_user, secrets.ari_password))
    write_private(home.started_with, msgspec.json.encode(restart_values(settings)))
    return pid


def become(settings: Settings, install: AsteriskInstall, state_dir: Path, secrets: Secrets) -> NoReturn:
    """Become Asterisk in the foreground, as a supervisor wants it: this very process. Raises AsteriskFault."""
    home = AsteriskHome.of(state_dir)
    if (pid := running(home)) is not None:
        raise AsteriskFault(_("Asterisk is running already (pid {pid}).").format(pid=pid))
    until = time.monotonic() + (ENDING if home.pid_file.exists() else 0.0)
    while (ports := taken_ports(settings)) and time.monotonic() < until:
        time.sleep(0.05)
    for taken in ports:
        what = _("{key}: {port} on {address} cannot be used: {reason}. Free it, or set another.")
        raise AsteriskFault(what.format(key=taken.key, port=taken.shown, address=taken.address, reason=taken.why))
    home.make()
    messages = home.log / "messages.log"
    (home.run / "asterisk.ctl").unlink(missing_ok=True)
    _raise_file_limit(os.getpid())
    log_from = messages.stat().st_size if messages.exists() else 0
    write_private(home.pid_file, msgspec.json.encode(Started(os.getpid(), log_from)))
    write_private(home.started_with, msgspec.json.encode(restart_values(settings)))
    os.umask(0o077)
    os.chdir(home.root)
    command = [*install.command, "-C", str(home.config), "-f", "-n"]
    try:
        os.execv(command[0], command)
    except OSError as error:
        raise AsteriskFault(_("Asterisk cannot be started: {reason}").format(reason=error)) from error


def launch(install: AsteriskInstall, home: AsteriskHome, ready: Callable[[], bool]) -> int:
    """Start ``install`` on the configuration in ``home.etc``; returns the process id once ``ready()`` and booted."""
    home.make()
    messages = home.log / "messages.log"
    log_from = messages.stat().st_size if messages.exists() else 0
    (home.run / "asterisk.ctl").unlink(missing_ok=True)
    try:
        with (home.log / "console.log").open("ab") as output:
            printed_from = output.tell()
            process = subprocess.Popen(
                [*install.command, "-C", str(home.config), "-f", "-n"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=home.root,
                start_new_session=True, umask=0o077,
            )  # fmt: skip
    except OSError as error:
        raise AsteriskFault(_("Asterisk cannot be started: {reason}").format(reason=error)) from error
    _children[process.pid] = process
    _raise_file_limit(process.pid)
    write_private(home.pid_file, msgspec.json.encode(Started(process.pid, log_from)))
    until = time.monotonic() + START_LIMIT
    try:
        while process.poll() is None and time.monotonic() < until:
            if ready():
                ask(install, home, "core waitfullybooted")
                return process.pid
            time.sleep(POLL)
    except BaseException:
        _end(process.pid)
        raise
    ended = process.poll()
    _end(process.pid)
    reasons = log_problems(home) or _printed(home, printed_from)
    what = (
        _("Asterisk did not serve within {seconds:.0f} s").format(seconds=START_LIMIT)
        if ended is None
        else _("Asterisk ended at its start with status {status}").format(status=ended)
    )
    raise AsteriskFault(f"{what}: {reasons[0] if reasons else '?'} ({home.log})")


def stop(install: AsteriskInstall, state_dir: Path) -> bool:
    """Stop the Asterisk of this state folder, with its calls; returns whether one ran. Bounded."""
    home = AsteriskHome.of(state_dir)
    pid = running(home)
    if pid is None:
        return False
    try:
        ask(install, home, "core stop now")
        _wait_end(pid, STOP_LIMIT)
    except AsteriskFault:
        pass  # no control socket: the signals follow
    _end(pid)
    home.pid_file.unlink(missing_ok=True)
    return True


def status(install: AsteriskInstall, state_dir: Path) -> Status:
    """Whether it runs, whether it serves, and what it says of its uptime."""
    home = AsteriskHome.of(state_dir)
    pid = running(home)
    if pid is None:
        return Status(None, False, "")
    try:
        return Status(pid, True, ask(install, home, "core show uptime").strip())
    except AsteriskFault as fault:
        return Status(pid, False, str(fault))


def console_command(install: AsteriskInstall, state_dir: Path) -> list[str]:
    """The command line that attaches a console to the running Asterisk. Raises AsteriskFault when none runs."""
    home = AsteriskHome.of(state_dir)
    if running(home) is None:
        raise AsteriskFault(_("Asterisk is not running: start it with 'hotline asterisk start'."))
    return [*install.command, "-C", str(home.config), "-rvvv"]


def ask(install: AsteriskInstall, home: AsteriskHome, command: str) -> str:
    """Run one console command in the running Asterisk; returns what it prints. Raises AsteriskFault."""
    try:
        done = subprocess.run(
            [*install.command, "-C", str(home.config), "-rx", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=ASK_LIMIT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AsteriskFault(_("Asterisk does not answer on its control socket.")) from error
    if done.returncode:
        raise AsteriskFault(_("Asterisk does not answer on its control socket."))
    return done.stdout


def running(home: AsteriskHome) -> int | None:
    """The process id of the Asterisk that was started in ``home``, if it still runs."""
    try:
        pid = msgspec.json.decode(home.pid_file.read_bytes(), type=Started).pid
    except (OSError, msgspec.DecodeError):
        return None
    return pid if _alive(pid, home) else None


def log_problems(home: AsteriskHome) -> list[str]:
    """The ERROR and WARNING lines that Asterisk has logged since its last start."""
    try:
        log_from = msgspec.json.decode(home.pid_file.read_bytes(), type=Started).log_from
        with (home.log / "messages.log").open("rb") as log:
            log.seek(log_from)
            text = log.read().decode(errors="replace")
    except (OSError, msgspec.DecodeError):
        return []
    return [line for line in text.splitlines() if re.match(r"\[[^]]*\] (ERROR|WARNING)\[", line)]


def ari_answers(port: int, user: str, password: str) -> bool:
    """Whether ARI on loopback accepts this user now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        connection.request("GET", "/ari/asterisk/ping", headers={"Authorization": f"Basic {token}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _alive(pid: int, home: AsteriskHome) -> bool:
    """Whether ``pid`` is that Asterisk and not a later process of the same number, or a zombie (empty cmdline)."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(home.config) in words


def _end(pid: int) -> None:
    """SIGTERM, then SIGKILL, until it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _gone(pid):
            break
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            break
        _wait_end(pid, STOP_LIMIT)
    _children.pop(pid, None)


def _wait_end(pid: int, limit: float) -> None:
    until = time.monotonic() + limit
    while not _gone(pid) and time.monotonic() < until:
        time.sleep(POLL)


def _gone(pid: int) -> bool:
    child = _children.get(pid)
    if child is not None:
        return child.poll() is not None
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def _raise_file_limit(pid: int) -> None:
    """As many open files as this user may have; the usual soft limit of 1024 is about 120 calls."""
    try:
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        soft = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    except (OSError, ValueError):
        return  # it has ended already, or the system forbids it; the limit is only larger for comfort


def _printed(home: AsteriskHome, offset: int) -> list[str]:
    try:
        with (home.log / "console.log").open("rb") as log:
            log.seek(offset)
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines()]
    except OSError:
        return []
    return [line for line in lines if line][-1:]
