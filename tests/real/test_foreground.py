"""Asterisk in the foreground, as its systemd unit runs it: the very process, stopped by command, restarted at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from config.load import load_settings
from hotline.asterisk import process
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import find_asterisk
from hotline.trial_config import REPOSITORY, copy_config
from tests.real.private_asterisk import wait_for


def test_a_supervisor_holds_asterisk_itself_and_can_start_it_again(tmp_path: Path) -> None:
    state = tmp_path / "var"
    config = copy_config(tmp_path / "config", state, {})
    home, install = AsteriskHome.of(load_settings(config).hotline.state_dir), find_asterisk()

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "hotline", "asterisk", "start", "--foreground", "--config", str(config)],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    held = begin()
    try:
        wait_for(lambda: process.status(install, state).serving, 90)
        assert process.running(home) == held.pid
        os.kill(held.pid, signal.SIGKILL)
        held.wait(60)
        assert process.running(home) is None
        held = begin()
        wait_for(lambda: process.status(install, state).serving, 90)
        assert process.running(home) == held.pid
        second = begin()
        assert second.wait(90) == 1, "one that runs already is refused"
        assert process.stop(install, state) and held.wait(90) == 0
    finally:
        if held.poll() is None:
            held.kill()
            held.wait(60)
