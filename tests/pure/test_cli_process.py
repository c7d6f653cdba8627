"""The ``hotline`` command as a process of its own: its languages, odd terminals, closed pipes, what it imports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pure.cli_play import ROOT, SERVED, config_folder, fill


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings with a store in which everything happened; read only."""
    folder = tmp_path_factory.mktemp("hotline")
    config = config_folder(folder)
    fill(folder)
    return config


def started(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    ours = ("LC_", "LANG", "HOTLINE_", "PYTHON")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    command = [sys.executable, "-m", "hotline.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=kept | env)


def test_help_in_both_languages() -> None:
    chinese, english = started("--help"), started("--help", HOTLINE_LANG="en")
    assert "通话记录" in chinese.stdout.decode() and "命令" in chinese.stdout.decode()
    assert b"The call log." in english.stdout and b"\x1b" not in english.stdout
    assert "启动" in started("asterisk", "--help").stdout.decode()


def test_a_terminal_without_chinese(filled: Path) -> None:
    done = started("calls", "--config", str(filled), PYTHONIOENCODING="latin-1")
    assert done.returncode == 0 and b"answered" in done.stdout and b"Traceback" not in done.stderr
    done = started("calls", "--format", "json", "--config", str(filled), PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)[2]["label"] == "投诉"


def test_a_reader_who_goes_away(filled: Path) -> None:
    shell = shutil.which("sh")
    assert shell
    command = f"{sys.executable} -m hotline.cli call {SERVED} --format json --config {filled}"
    line = f"for n in 1 2 3; do {command} | true; done"
    done = subprocess.run([shell, "-c", line], cwd=ROOT, capture_output=True, check=False)
    assert done.stderr == b""


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from hotline.cli import build; build(); "
        "print([m for m in ('numpy', 'sqlalchemy', 'alembic', 'aiohttp', 'soundfile', 'structlog', 'ruamel.yaml', "
        "'phonenumbers', 'rich.table') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_daemon_imports_nothing_heavy() -> None:
    code = (
        "import sys, hotline.daemon, hotline.preflight; from hotline import logs; logs.configure(); "
        "print([m for m in ('numpy', 'soundfile', 'soxr', 'openpyxl', 'alembic', 'phonenumbers.geocoder') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
