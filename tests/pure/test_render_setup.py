"""Getting a private Asterisk from stand-ins of apt: what is said when a machine cannot have one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from hotline.asterisk import install, packages
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.progress import Progress

APT = """#!/bin/sh
case " $* " in
*indextargets*) printf '%s' "$SITES" ;;
*" -s "*) echo 'Inst asterisk (1:22.10.1 Debian:testing [amd64])' ;;
*Check-Valid-Until=false*) echo late >> "$LOG" ;;
*" update "*) echo strict >> "$LOG"; printf '%s\\n' "$SAID"; exit "$STATUS" ;;
*download-only*) touch "$ARCHIVES/asterisk_1%3a22.10.1_amd64.deb" ;;
*policy*) printf '  Candidate: %s\\n' "$CANDIDATE" ;;
*" -x "*) mkdir -p "$3/usr/sbin" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose apt does as it is told, and that has no Asterisk."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        (tools / name).write_text(APT)
        (tools / name).chmod(0o755)
    (tmp_path / "keys.gpg").touch()
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "keys.gpg")
    monkeypatch.setattr(install, "_on_path", lambda: None)
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOTLINE_LANG", "en")
    archives = tmp_path / "cache/asterisk/apt/cache/archives"
    told = {
        "SITES": "http://mirror.invalid/debian|Debian|stable\n", "SAID": "", "STATUS": "0", "CANDIDATE": "1:22.10.1",
        "LOG": str(tmp_path / "log"), "ARCHIVES": str(archives),
    }  # fmt: skip
    for key, value in told.items():
        monkeypatch.setenv(key, value)
    return tmp_path


def got(machine: Path) -> tuple[str, str]:
    """What the install refused with, and what it showed."""
    with (machine / "shown").open("w+") as shown:
        with pytest.raises(AsteriskFault) as fault:
            install.install(Progress(Console(file=shown, width=300)))
        shown.seek(0)
        text = shown.read()
    assert "\n" not in str(fault.value)
    assert not list((machine / "cache/asterisk").glob("root.*"))
    return str(fault.value), text


def test_a_mirror_without_that_debian(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATUS", "100")
    monkeypatch.setenv("SAID", "E: The repository 'x forky Release' does not have a Release file.")
    assert "no Debian 'forky'" in got(machine)[0]


def test_no_network(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATUS", "100")
    monkeypatch.setenv("SAID", "E: Failed to fetch x: Temporary failure resolving 'mirror.invalid'")
    assert "cannot be reached: Failed to fetch x" in got(machine)[0]


def test_an_expired_list_is_used_and_said(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATUS", "100")
    monkeypatch.setenv("SAID", "E: Release file for x is expired (invalid since 2d 3h).")
    fault, shown = got(machine)  # the stand-in's package holds no Asterisk
    assert "Valid-Until" in shown
    assert (machine / "log").read_text() == "strict\nlate\n"
    assert "no Asterisk of 22.5 or newer yet" in fault


@pytest.mark.parametrize("offered", ["1:20.6.0~dfsg", "1:23.1.0", "(none)"])
def test_an_asterisk_out_of_range(machine: Path, monkeypatch: pytest.MonkeyPatch, offered: str) -> None:
    monkeypatch.setenv("CANDIDATE", offered)
    assert "22.5 or newer" in got(machine)[0]


def test_no_sources(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITES", "http://mirror.invalid/debian-security|Debian|stable-security\n")
    assert "no package source" in got(machine)[0]


def test_no_apt(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine))
    assert "apt-get is not on this machine" in got(machine)[0]


def test_a_folder_that_cannot_be_written(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "file").touch()
    monkeypatch.setenv("HOTLINE_CACHE", str(machine / "file"))
    with pytest.raises(AsteriskFault) as fault:
        install.install(Progress(Console(quiet=True)))
    assert "cannot be written" in str(fault.value)
