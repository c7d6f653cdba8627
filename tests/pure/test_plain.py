"""What somebody else laid where we read: links, pipes, sockets. None is opened, none holds us up, none is lost."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import load_settings
from config.plain import bytes_of, open_plain
from config.settings import Settings
from hotline.asterisk.trunk_passwords import check
from recordings import odd
from recordings.archive import finalise
from recordings.folders import Folders, spool_files, voicemail_seconds
from recordings.jobs import ArchiveJob, RawPart, TalkJob
from tests.pure.config_play import EXAMPLE

SECRET = b"\x01\x00" * 16_000


def link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    before = os.getcwd()
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(path.parent)  # a socket's path is short
        one.bind(path.name)
        os.chdir(before)


LAID = [link, dangling, pipe, device, listening]


@pytest.mark.parametrize("lay", LAID)
def test_only_a_plain_file_is_opened(tmp_path: Path, lay: Callable[[Path], None]) -> None:
    lay(tmp_path / "x")
    with pytest.raises(OSError) as error:
        open_plain(tmp_path / "x", links=False)
    assert error.value.strerror and error.value.filename == str(tmp_path / "x")
    (tmp_path / "good").write_bytes(b"word")
    os.close(open_plain(tmp_path / "good", links=False))
    (tmp_path / "led").symlink_to("good")
    assert bytes_of(tmp_path / "led") == b"word"


@pytest.mark.parametrize("lay", LAID)
def test_what_lies_in_the_spool_is_never_read_and_set_aside_once(tmp_path: Path, lay: Callable[[Path], None]) -> None:
    folders = Folders(tmp_path)
    folders.make()
    raw, wav = folders.spool / "hotline-1.1-1.1.raw", folders.spool / "hotline-1.1.m1.wav"
    lay(raw), lay(wav)
    (folders.spool / "hotline-2.1-1.1.raw").write_bytes(SECRET)
    assert voicemail_seconds(wav) == 0.0
    parts = (RawPart(1, str(raw), 1_000_000, 2_000_000),)
    for job in (
        ArchiveJob("hotline-1.1", "call", str(folders.archive), "x.flac", 1, (TalkJob("t", 1, 2, parts),)),
        ArchiveJob("hotline-1.1", "voicemail", str(folders.archive), "y.flac", 1, voicemail=str(wav)),
    ):
        done = finalise(job)
        assert done.archived is None and done.why.partition("=")[0] == "unreadable", done
    assert odd.odd_files(folders, ["../../../etc/hostname", "nothing.raw"]) == []
    found = odd.set_aside(folders)
    assert [one.file for one in found] == [wav.name, raw.name] or [one.file for one in found] == [raw.name, wav.name]
    assert all(one.now_at is not None and os.path.lexists(one.now_at) for one in found)
    assert spool_files(folders) == ["hotline-2.1-1.1.raw"] and odd.set_aside(folders) == []
    lay(raw)
    (again,) = odd.set_aside(folders, [raw.name])
    assert again.now_at is not None and again.now_at.name == f"{raw.name}.2"
    done = finalise(ArchiveJob("hotline-1.1", "call", str(folders.archive), "x.flac", 1, (TalkJob("t", 1, 2, parts),)))
    assert done.why == "missing"


def registering(folder: Path, file: Path) -> Settings:
    """A trunk that registers with the password in this file."""
    settings = load_settings(EXAMPLE)
    trunk = settings.hotline.trunks[0]
    registration = {"server": "sip.example.com", "user": "u", "password_file": str(file)}
    trunk = type(trunk).model_validate({"name": "carrier", "registration": registration})
    return settings.model_copy(update={"hotline": settings.hotline.model_copy(update={"trunks": (trunk,)})})


@pytest.mark.parametrize("lay", [pipe, listening, device])
def test_a_password_file_that_would_hold_us_up_is_refused(tmp_path: Path, lay: Callable[[Path], None]) -> None:
    lay(tmp_path / "pass")
    (problem,) = check(registering(tmp_path, tmp_path / "pass"), tmp_path)
    assert problem.code == "trunk-password" and str(tmp_path / "pass") in problem.what


def test_a_password_may_be_laid_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("word\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "pass").symlink_to("secret")
    assert list(check(registering(tmp_path, tmp_path / "pass"), tmp_path)) == []


