"""Where a private Asterisk keeps its files, all below the state folder but its control socket if the path is long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.catalogue import _

from .fault import AsteriskFault

LONGEST_SOCKET = 100
"""Bytes: a Unix socket's path must be shorter than 108 (unix(7)); Asterisk also makes names beside it."""


@dataclass(frozen=True, slots=True)
class AsteriskHome:
    """The folders of one Asterisk; ``state`` is absolute."""

    state: Path

    @classmethod
    def of(cls, state_dir: Path | str) -> AsteriskHome:
        """The home below ``state_dir``, which is relative to the working folder unless absolute."""
        return cls(Path(os.path.abspath(state_dir)))

    @property
    def root(self) -> Path:
        """Asterisk's own part of the state folder."""
        return self.state / "asterisk"

    @property
    def etc(self) -> Path:
        """The rendered configuration."""
        return self.root / "etc"

    @property
    def lib(self) -> Path:
        """Asterisk's own small database (registered contacts)."""
        return self.root / "lib"

    @property
    def keys(self) -> Path:
        """Empty; Asterisk insists on it."""
        return self.root / "keys"

    @property
    def agi(self) -> Path:
        """Scripts that the dialplan may run: the lifeboat."""
        return self.root / "agi"

    @property
    def lifeboat(self) -> Path:
        """The script that serves callers while no daemon does."""
        return self.agi / "lifeboat.py"

    @property
    def duty(self) -> Path:
        """What the daemon leaves for the lifeboat: who is on duty in the days to come (``hotline.duty_file``)."""
        return self.state / "duty.json"

    @property
    def cache(self) -> Path:
        """Asterisk's cache."""
        return self.root / "cache"

    @property
    def spool(self) -> Path:
        """Below it Asterisk writes what ARI records."""
        return self.root / "spool"

    @property
    def log(self) -> Path:
        """messages.log, security.log and what the process itself printed."""
        return self.root / "log"

    @property
    def recordings(self) -> Path:
        """Where Asterisk writes what is being recorded (``recordings.folders.Folders.spool``)."""
        return self.state / "recordings" / "spool"

    @property
    def away(self) -> Path:
        """What the lifeboat and the dialplan kept of calls while the daemon was away: ``<Uniqueid>.jsonl``, ``.txt``
        and ``.wav``."""
        return self.state / "away"

    @property
    def hung_up(self) -> Path:
        """One line for each caller who hung up while the daemon had them (``hotline.traces``)."""
        return self.away / "hung-up.log"

    @property
    def run(self) -> Path:
        """The folder of the control socket: short, since the socket's path is limited."""
        near = self.root / "run"
        if len(os.fsencode(near / "asterisk.ctl")) <= LONGEST_SOCKET:
            return near
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        if len(base) > LONGEST_SOCKET // 2:
            base = "/tmp"
        return Path(base) / f"hotline-{os.geteuid()}-{name}"

    @property
    def pid_file(self) -> Path:
        """Holds the process id of the Asterisk that was started here."""
        return self.root / "pid"

    @property
    def started_with(self) -> Path:
        """The settings that need its restart, as they were at its last start."""
        return self.root / "started.json"

    @property
    def config(self) -> Path:
        """The file that ``asterisk -C`` is given."""
        return self.etc / "asterisk.conf"

    def make_shared(self) -> None:
        """Make the folders that an Asterisk of one's own shares with the daemon. Raises OSError."""
        for folder in (self.root, self.agi, self.state / "recordings", self.away):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    def make(self) -> None:
        """Make every folder, for this user alone. Raises AsteriskFault when one cannot be written."""
        folders = [
            self.root,
            self.etc,
            self.lib,
            self.keys,
            self.keys / "keys",
            self.agi,
            self.cache,
            self.spool,
        ]
        folders += [self.recordings, self.log, self.away, self.run]
        for folder in folders:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(13, os.strerror(13), str(folder))
            except OSError as error:
                raise AsteriskFault(
                    _("{path} cannot be written: {reason}").format(path=folder, reason=error.strerror)
                ) from error
        # ARI records to a fixed folder below the spool: let it be the one where MixMonitor writes, too.
        link = self.spool / "recording"
        if not link.is_symlink():
            if link.is_dir():
                link.rmdir()
            link.symlink_to(self.recordings)
        found = self.run.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise AsteriskFault(_("{path} belongs to someone else: remove it.").format(path=self.run))
