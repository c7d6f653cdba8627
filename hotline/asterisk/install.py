"""The Asterisk to use: the one on PATH if it is new enough, else a private copy of Debian's under ``.cache/``.

The private copy is Debian's packages unpacked into one folder and started with their own loader and libraries, so it
runs without root on a machine whose Debian is older (DESIGN.md section 5). SIPp and espeak-ng come with it.
``python -m hotline.asterisk.install`` gets what is missing; a second run finds it and needs no network.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from config.catalogue import _

from .fault import AsteriskFault
from .packages import SUITE, Apt
from .progress import Progress

OLDEST = (22, 5)
"""MixMonitor's option D is in 22.1; 22.5 is the oldest release that the project is tested against."""

BELOW = (23,)
"""The first release not accepted for the private copy, which follows Debian testing as that moves."""

PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav", "sip-tester", "espeak-ng")
RECORD = "hotline-install.json"
KINDS = ("built", "path", "debian")
"""Which Asterisk there may be, the first that is there is used: made by ``hotline asterisk build``, this machine's own
on PATH, Debian's private copy."""
CHOICE = "HOTLINE_ASTERISK"
"""The environment's variable that chooses one of ``KINDS``."""
QUESTION_LIMIT = 20.0
"""Seconds that ``asterisk -V`` may take: it only prints, but a loaded machine reads 375 MB first."""


@dataclass(frozen=True, slots=True)
class AsteriskInstall:
    """An Asterisk that can be started.

    ``command`` is the argv prefix; ``moddir`` and ``datadir`` go into asterisk.conf; ``sounds`` holds the English
    core sounds (8 kHz wav) and ``music`` the music on hold. ``debian_patch``: this build has Debian's Opus patch,
    which loses frames after a change of the agent's leg (DESIGN.md section 5). ``kind`` is one of ``KINDS``.
    """

    command: tuple[str, ...]
    moddir: Path
    datadir: Path
    sounds: Path
    music: Path
    version: tuple[int, ...]
    version_text: str
    debian_patch: bool
    kind: str

    def described(self) -> str:
        """In a line: its version, where it is from, and its program."""
        where = {
            "built": _("built by 'hotline asterisk build'"),
            "path": _("this machine's own"),
            "debian": _("Debian's, in the cache folder"),
        }[self.kind]
        return f"{self.version_text}, {where}: {self.command[-1]}"

    def modules(self) -> frozenset[str]:
        """The names of the modules that this build has, without ``.so``."""
        return frozenset(file.stem for file in self.moddir.glob("*.so"))


def cache_folder() -> Path:
    """Where the private copy lives: ``HOTLINE_CACHE``, or ``.cache`` in the repository."""
    given = os.environ.get("HOTLINE_CACHE")
    return Path(given) if given else Path(__file__).resolve().parents[2] / ".cache"


def built_folder() -> Path:
    """Where ``hotline asterisk build`` puts what it makes."""
    return cache_folder().absolute() / "asterisk" / "built"


def find_asterisk() -> AsteriskInstall:
    """The Asterisk to use, of ``KINDS``, or the one that ``HOTLINE_ASTERISK`` names; needs no network.

    Raises AsteriskFault when there is none, or only an older one.
    """
    chosen = os.environ.get(CHOICE, "")
    if chosen and chosen not in KINDS:
        what = _("{name}={value}: this must be one of {choices}.")
        raise AsteriskFault(what.format(name=CHOICE, value=chosen, choices=", ".join(KINDS)))
    finders = {"built": find_built, "path": _on_path, "debian": _private}
    for kind in (chosen,) if chosen else KINDS:
        if (found := finders[kind]()) is not None:
            return found
    if chosen:
        what = _("{name}={value}: there is no such Asterisk of 22.5 or newer here.")
        raise AsteriskFault(what.format(name=CHOICE, value=chosen))
    raise AsteriskFault(_("There is no Asterisk of 22.5 or newer yet: run 'make setup'.") + _older_note())


def sipp_command() -> list[str]:
    """The argv prefix of SIPp; raises AsteriskFault when it is missing."""
    return _tool("sipp", "usr/bin/sipp")


def espeak_command() -> list[str]:
    """The argv prefix of espeak-ng with its libraries and voices; raises AsteriskFault when it is missing."""
    if (found := shutil.which("espeak-ng")) is not None:
        return [found]
    root = _root()
    libraries = _libraries(root)
    command = _tool("espeak-ng", "usr/bin/espeak-ng", libraries / "pulseaudio")
    return [*command, f"--path={libraries}"]


def install(progress: Progress | None = None) -> AsteriskInstall:
    """Get whatever is missing into the cache folder, then return what ``find_asterisk`` finds.

    The new copy is unpacked beside the old one and takes its place by one rename. Raises AsteriskFault.
    """
    progress = progress or Progress()
    if not _missing():
        return find_asterisk()
    folder = cache_folder() / "asterisk"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "lock"):
            if names := _missing():
                _fetch(folder, names, progress)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or folder, reason=error.strerror)
        ) from error
    return find_asterisk()


def parse_version(text: str) -> tuple[int, ...]:
    """``Asterisk 22.10.1~dfsg…`` or ``1:22.10.1+dfsg…`` to ``(22, 10, 1)``; empty when there is none."""
    found = re.search(r"(?:^|[ :])(?:certified[/-])?(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _fetch(folder: Path, names: tuple[str, ...], progress: Progress) -> None:
    apt = Apt(folder / "apt", progress)
    apt.open()
    if "asterisk" in names:
        offered = apt.candidate("asterisk")
        if not OLDEST <= parse_version(offered) < BELOW:
            raise AsteriskFault(
                _(
                    "Debian '{suite}' on this machine's mirror has Asterisk {offered}, and Hotline needs 22.5 or newer "
                    "and below 23: install such an Asterisk yourself so that it is on PATH."
                ).format(suite=SUITE, offered=offered or "-")
            )
    fresh = folder / f"root.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        packages = apt.unpack(apt.download(names), fresh)
        english = fresh / "usr/share/asterisk/sounds/en"
        if english.with_name("en_US_f_Allison").exists() and not english.exists():
            english.symlink_to("en_US_f_Allison")  # Debian's package script would have made it
        record = {"suite": SUITE, "asked": names, "packages": [asdict(package) for package in packages]}
        (fresh / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        old = folder / f"old.{os.getpid()}"
        if (root := _root()).exists():
            root.rename(old)
        fresh.rename(root)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(apt.folder, ignore_errors=True)
    progress.note(_("{count} packages unpacked into {path}.").format(count=len(packages), path=_root()))


def _missing() -> tuple[str, ...]:
    """The Debian packages that must still be fetched, all in one go since they are unpacked into one folder."""
    on_path = _on_path()
    names = list(PACKAGES)
    if on_path is not None:
        names.remove("asterisk")
    ours = find_built() or on_path or _private()
    have_asterisk = ours is not None
    have_sounds = ours is not None and (ours.sounds / "beep.wav").exists() and any(ours.music.glob("*.wav"))
    try:
        sipp_command()
        espeak_command()
    except AsteriskFault:
        return tuple(names)
    return () if have_asterisk and have_sounds else tuple(names)


def _root() -> Path:
    return cache_folder() / "asterisk" / "root"


def _libraries(root: Path) -> Path:
    """The folder of the private copy's libraries, ``usr/lib/<machine>-linux-gnu``."""
    return next(iter(sorted((root / "usr/lib").glob("*-linux-gnu*"))), root / "usr/lib")


def _loaded(root: Path, program: str, *libraries: Path) -> list[str]:
    """The argv prefix that runs ``program`` of the private copy with the copy's own loader and libraries."""
    home = _libraries(root)
    loader = next(iter(sorted(home.glob("ld-linux*.so.*"))), None)
    if loader is None or not (root / program).exists():
        return []
    path = ":".join(str(folder) for folder in (home, *libraries))
    return [str(loader), "--library-path", path, str(root / program)]


def _tool(name: str, program: str, *libraries: Path) -> list[str]:
    if (found := shutil.which(name)) is not None:
        return [found]
    if not (command := _loaded(_root(), program, *libraries)):
        raise AsteriskFault(_("{name} is missing: run 'make setup'.").format(name=name))
    return command


def _on_path() -> AsteriskInstall | None:
    """The Asterisk on PATH, if it is new enough and its folders are found."""
    found = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        return None
    said = _version_text((found,))
    if parse_version(said) < OLDEST:
        return None
    prefix = Path(found).resolve().parent.parent
    libraries = [*sorted(prefix.glob("lib/*-linux-gnu*")), prefix / "lib64", prefix / "lib"]
    moddir = _first([folder / "asterisk/modules" for folder in libraries], "res_ari.so")
    datadir = _first(
        [prefix / "share/asterisk", Path("/var/lib/asterisk"), prefix / "var/lib/asterisk"], "documentation"
    )
    if moddir is None or datadir is None:
        return None
    return AsteriskInstall(
        (found,), moddir, datadir, *_sounds(datadir), parse_version(said), said, _patched(moddir), "path"
    )


def _sounds(datadir: Path) -> tuple[Path, Path]:
    """The folders of the English core sounds and of the music: the build's own, else the private copy's."""
    ours = _root() / "usr/share/asterisk"
    sounds = _first([datadir / "sounds/en", ours / "sounds/en"], "beep.wav") or ours / "sounds/en"
    music = next((f for f in (datadir / "moh", ours / "moh") if any(f.glob("*.wav"))), ours / "moh")
    return sounds, music


def find_built() -> AsteriskInstall | None:
    """The one that ``hotline asterisk build`` made, if it is complete and of an accepted release."""
    root = built_folder()
    if not (root / RECORD).exists():
        return None
    said = _version_text((str(root / "sbin/asterisk"),))
    if not OLDEST <= parse_version(said) < BELOW:
        return None
    moddir, data = root / "lib/asterisk/modules", root / "var/lib/asterisk"
    return AsteriskInstall(
        (str(root / "sbin/asterisk"),), moddir, data, *_sounds(data), parse_version(said), said,
        _patched(moddir), "built",
    )  # fmt: skip


def _private() -> AsteriskInstall | None:
    """The private copy, if it is complete and of an accepted release."""
    root = _root()
    command = _loaded(root, "usr/sbin/asterisk")
    if not command or not (root / RECORD).exists():
        return None
    said = _version_text(tuple(command))
    if not OLDEST <= parse_version(said) < BELOW:
        return None
    moddir = _libraries(root) / "asterisk/modules"
    data = root / "usr/share/asterisk"
    return AsteriskInstall(
        tuple(command), moddir, data, data / "sounds/en", data / "moh", parse_version(said), said,
        _patched(moddir), "debian",
    )  # fmt: skip


def _patched(moddir: Path) -> bool:
    """Debian's build is known by the Opus codec that only Debian adds, with the same patch that does the harm."""
    return (moddir / "codec_opus_open_source.so").exists()


def _version_text(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            [*command, "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=QUESTION_LIMIT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _older_note() -> str:
    found = shutil.which("asterisk")
    said = _version_text((found,)) if found else ""
    return " " + _("({said} on PATH is too old.)").format(said=said) if said else ""


def _first(folders: list[Path], holding: str) -> Path | None:
    return next((folder for folder in folders if (folder / holding).exists()), None)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One installer at a time; a second one waits and then finds the work done."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> int:
    """For ``make setup``: silent when nothing is missing, else one line about what is used from now on."""
    try:
        is_new = bool(_missing())
        found = install()
    except AsteriskFault as fault:
        print(fault, file=sys.stderr)
        return 1
    if is_new:
        print(found.described(), file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
