"""The browser of the console's tests: the Chromium on PATH, else a private copy of Debian's under ``.cache/``.

The private copy is the headless shell of this machine's own Debian release, unpacked into a folder (no root, no package
script) and run with this machine's own C library; what it needs besides comes with it, and a Chinese font.
``python -m tests.web.chromium`` gets what is missing (some 110 MB); a second run finds it and needs no network.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.install import cache_folder
from hotline.asterisk.packages import Apt
from hotline.asterisk.progress import Progress

PACKAGES = ("chromium-headless-shell", "fonts-wqy-microhei")
HERE = ("libc6", "libgcc-s1", "libstdc++6")
"""What every Debian has, and what must be the machine's own: the C library goes with its loader."""

UNUSED = ("x11-utils", "xdg-utils", "libgl1-mesa-dri", "xkb-data")
"""What a browser without a screen never loads, and what draws in a hundred other packages."""

CHOICE = "HOTLINE_CHROMIUM"
"""The environment's variable that takes the private copy although there is another (``private``)."""

LIMIT = 60.0
"""Seconds that ``--version`` may take."""

FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><cachedir>{root}/fontconfig</cachedir></fontconfig>
"""


class NoChromium(Exception):
    """There is none, or it does not run; the text says what to do."""


@dataclass(frozen=True)
class Chromium:
    """A browser that can be started, and what its environment needs."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """What it says of itself. Raises NoChromium."""
        try:
            done = subprocess.run(
                [str(self.path), "--version", "--no-sandbox"], env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoChromium(f"{self.path} does not run: {error}") from error
        if done.returncode or "Chrom" not in done.stdout:
            raise NoChromium(f"{self.path} does not run: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout.strip()


def _root() -> Path:
    return cache_folder() / "chromium" / "root"


def find() -> Chromium | None:
    """The one that tests use; None where there is none yet."""
    if os.environ.get(CHOICE) != "private" and (found := shutil.which("chromium")):
        return Chromium(Path(found))
    root = _root()
    if not root.is_dir():
        return None
    libraries = sorted(path for path in (root / "usr/lib").glob("*-linux-gnu*"))
    environment = {
        "LD_LIBRARY_PATH": ":".join(map(str, (*libraries, *(path / "pulseaudio" for path in libraries)))),
        "FONTCONFIG_FILE": str(root / "fonts.conf"),
    }
    return Chromium(root / "usr/lib/chromium/chromium-headless-shell", environment)


def install() -> Chromium:
    """Find it, or make the private copy. Raises NoChromium."""
    folder = cache_folder() / "chromium"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # one installer at a time; a second one finds the work done
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := find()) is not None:
            return found
        try:
            _fetch(folder)
        except AsteriskFault as fault:
            raise NoChromium(f"{fault} Or install Chromium so that 'chromium' is on PATH.") from fault
    made = find()
    assert made is not None
    made.version()
    return made


def _fetch(folder: Path) -> None:
    apt = Apt(folder / "apt", Progress())
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {_architecture()}\nMulti-Arch: same\n"
        f"Version: 99:1\nMaintainer: nobody\nDescription: not fetched\n\n"
        for name in (*HERE, *UNUSED)
    )
    (apt.folder / "state/status").write_text(status, encoding="utf-8")
    apt.open(suite=_release())
    fresh = folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    apt.unpack(apt.download(PACKAGES, "Downloading Chromium"), fresh, "Unpacking Chromium")
    (fresh / "fonts.conf").write_text(FONTS.format(root=_root()), encoding="utf-8")
    fresh.rename(_root())
    shutil.rmtree(apt.folder, ignore_errors=True)


def _architecture() -> str:
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _release() -> str:
    """The name of this machine's Debian. Raises NoChromium."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    lines = dict(line.partition("=")[::2] for line in text.splitlines())
    if lines.get("ID") != "debian":
        raise NoChromium("This is no Debian: install Chromium so that 'chromium' is on PATH.")
    return lines.get("VERSION_CODENAME", "sid").strip('"')


def main() -> int:
    """For ``make test``: silent when there is one already."""
    is_new = find() is None
    try:
        found = install()
        if is_new:
            print(f"{found.version()}, a private copy for the tests", file=sys.stderr)
    except NoChromium as fault:
        print(f"The tests of the console need a browser. {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
