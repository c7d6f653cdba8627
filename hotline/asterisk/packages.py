"""Debian packages without root: downloaded by the machine's own apt into a folder, and unpacked there.

apt runs with its own state, cache and sources, so nothing of the system is read but its mirror, its proxies and its
archive keys (apt.conf(5): Dir::State, Dir::Cache, Dir::Etc). No package script runs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.catalogue import _

from .fault import AsteriskFault
from .progress import Progress

SUITE = "forky"
"""The Debian release whose Asterisk is taken: 13 (trixie) and before have none, forky has 22.10."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
COMMAND_LIMIT = 900.0
"""Seconds that one apt or dpkg command may take: about 150 MB over a slow line."""


@dataclass(frozen=True, slots=True)
class Package:
    """One unpacked package, as it is written into the record of the install."""

    file: str
    version: str
    sha256: str


class Apt:
    """apt-get with state of its own under ``folder`` (made if missing, kept for a repeated try)."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        for name in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(name) is None:
                raise AsteriskFault(
                    _("{name} is not on this machine: install Asterisk 22.5 or newer yourself, or use Debian.").format(
                        name=name
                    )
                )
        for part in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "state/status").write_bytes(b"")

    @property
    def archives(self) -> Path:
        """Where the downloaded ``.deb`` files stand."""
        return self.folder / "cache/archives"

    def open(self, *, source: bool = False, suite: str = SUITE) -> None:
        """Read the list of that release's packages (``source``: of its source packages) from the first of the machine's
        mirrors that has it."""
        if not KEYRING.exists():
            raise AsteriskFault(
                _(
                    "This machine has no Debian archive keys ({path}), so Debian's Asterisk cannot be checked: "
                    "install Asterisk 22.5 or newer yourself, or use Debian."
                ).format(path=KEYRING)
            )
        said = ""
        for site in self._mirrors():
            line = f"{'deb-src' if source else 'deb'} [signed-by={KEYRING}] {site} {suite} main\n"
            (self.folder / "etc/sources.list").write_text(line, encoding="utf-8")
            code, said = self._run("apt-get", "-q", "update", title=_("Reading Debian's package list"))
            if code and _expired(said):
                self.progress.note(
                    _("The mirror's package list is past its Valid-Until date; its signature is good, so it is used.")
                )
                code, said = self._run(
                    "apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false", "update",
                    title=_("Reading Debian's package list"),
                )  # fmt: skip
            if code == 0:
                return
        if _no_such_release(said):
            raise AsteriskFault(
                _(
                    "This machine's package mirror has no Debian '{suite}', so no Asterisk of 22.5 or newer: "
                    "install Asterisk 22.5 or newer yourself so that it is on PATH, or use Debian."
                ).format(suite=suite)
            )
        raise AsteriskFault(
            _("The package mirror cannot be reached: {reason}. Check the network, then try again.").format(
                reason=_first_error(said)
            )
        )

    def candidate(self, name: str) -> str:
        """The version of ``name`` that would be installed; empty when the mirror has none."""
        said = self._run("apt-cache", "policy", name)[1]
        found = re.search(r"^\s+Candidate:\s+(\S+)", said, re.MULTILINE)
        return "" if found is None or found[1] == "(none)" else found[1]

    def download(self, names: tuple[str, ...], title: str = "") -> list[Path]:
        """Fetch ``names`` with everything they need; returns exactly those ``.deb`` files, checked by apt."""
        wanted = ("install", "-y", "--no-install-recommends")
        title = title or _("Downloading Asterisk")
        code, said = self._run("apt-get", "-q", *wanted, "--download-only", *names, title=title)
        if code:
            raise AsteriskFault(_("The download failed: {reason}. Try again.").format(reason=_first_error(said)))
        # Once all files are there, --print-uris lists nothing; so the files are what an unpacking run would take.
        listed = self._run("apt-get", "-s", *wanted, *names)[1]
        packages = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", listed, re.MULTILINE)
        files = [self.archives / f"{n}_{v.replace(':', '%3a')}_{arch}.deb" for n, v, arch in packages]
        if missing := [file.name for file in files if not file.exists()]:
            raise AsteriskFault(_("The download is incomplete: {reason}. Try again.").format(reason=missing[0]))
        return files

    def source_version(self, name: str) -> str:
        """The version of the source package ``name``; empty when the mirror has none."""
        found = re.search(r"^Version:\s+(\S+)", self._run("apt-cache", "showsrc", name)[1], re.MULTILINE)
        return found[1] if found else ""

    def source(self, name: str, folder: Path) -> list[Path]:
        """Fetch the source package ``name`` into ``folder``; its files, checked by apt and by its own ``.dsc``."""
        folder.mkdir(parents=True)
        code, said = self._run(
            "apt-get", "-q", "source", "--download-only", name, title=_("Downloading Asterisk's source"), folder=folder
        )
        if code:
            raise AsteriskFault(_("The download failed: {reason}. Try again.").format(reason=_first_error(said)))
        (dsc,) = folder.glob("*.dsc")
        part = dsc.read_text(encoding="utf-8").partition("\nChecksums-Sha256:")[2]
        listed = re.findall(r"^ ([0-9a-f]{64}) \d+ (\S+)$", part.partition("\nFiles:")[0], re.MULTILINE)
        files = [folder / file for _digest, file in listed]
        for digest, file in listed:
            if not (folder / file).exists() or hashlib.sha256((folder / file).read_bytes()).hexdigest() != digest:
                raise AsteriskFault(_("The download is incomplete: {reason}. Try again.").format(reason=file))
        return files

    def unpack(self, files: list[Path], root: Path, title: str = "") -> list[Package]:
        """Lay the files' contents into ``root``; returns what was unpacked, with SHA-256 of each file."""
        done = []
        with self.progress.task(title or _("Unpacking Asterisk"), total=float(len(files))) as advance:
            for at, file in enumerate(sorted(files), start=1):
                code, said = self._run("dpkg-deb", "-x", str(file), str(root))
                if code:
                    raise AsteriskFault(
                        _("{file} cannot be unpacked: {reason}").format(file=file.name, reason=_first_error(said))
                    )
                version = file.stem.split("_")[1].replace("%3a", ":")
                done.append(Package(file.name, version, hashlib.sha256(file.read_bytes()).hexdigest()))
                advance(float(at))
        return done

    def _mirrors(self) -> Iterator[str]:
        """The addresses that the machine's own sources name, Debian's first, security archives left out."""
        form = "$(SITE)|$(ORIGIN)|$(RELEASE)"
        code, said = _capture(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
        rows = sorted({line for line in said.splitlines() if line.count("|") == 2})
        rows = [row for row in rows if "security" not in row]
        rows.sort(key=lambda row: "|Debian|" not in row)
        sites = list(dict.fromkeys(row.split("|")[0] for row in rows))
        if code or not sites:
            raise AsteriskFault(
                _("apt on this machine has no package source: name a Debian mirror in its sources, then try again.")
            )
        yield from sites

    def _run(
        self, command: str, *arguments: str, title: str | None = None, folder: Path | None = None
    ) -> tuple[int, str]:
        """Run one command; with a title its downloads are shown. Returns its exit status and all it said."""
        if command == "dpkg-deb":
            return _capture([command, *arguments])
        options = {
            "Dir::State": self.folder / "state",
            "Dir::State::status": self.folder / "state/status",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc": self.folder / "etc",
            "Dir::Etc::sourceparts": "-",
            "APT::Get::List-Cleanup": "true",
            "APT::Update::Error-Mode": "any",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
        }
        if os.geteuid() == 0:
            # Otherwise apt drops to the user _apt, who may not be able to write here.
            options["APT::Sandbox::User"] = "root"
        line = [command]
        for key, value in options.items():
            line += ["-o", f"{key}={value}"]
        line += arguments
        if title is None:
            return _capture(line)
        return self._watch(line, title, folder)

    def _watch(self, line: list[str], title: str, folder: Path | None) -> tuple[int, str]:
        """Run apt and show how far it is, by the lines of ``APT::Status-Fd``: ``dlstatus:file:percent:text``."""
        reading, writing = os.pipe()
        line = [line[0], "-o", f"APT::Status-Fd={writing}", *line[1:]]
        with (
            tempfile.TemporaryFile() as output,
            open(reading, encoding="utf-8") as status,
            self.progress.task(title, total=100.0) as advance,
        ):
            try:
                process = subprocess.Popen(
                    line, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    pass_fds=(writing,), env=_plain_environment(), cwd=folder,
                )  # fmt: skip
            finally:
                os.close(writing)
            try:
                for row in status:
                    fields = row.split(":")
                    if fields[0] == "dlstatus" and len(fields) > 2:
                        advance(float(fields[2]))
                process.wait(timeout=COMMAND_LIMIT)
            except BaseException:
                process.kill()
                process.wait()
                raise
            output.seek(0)
            return process.returncode, output.read().decode(errors="replace")


def _capture(line: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=_plain_environment(), text=True, errors="replace", timeout=COMMAND_LIMIT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _plain_environment() -> dict[str, str]:
    """English answers, and no question to anyone."""
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _expired(said: str) -> bool:
    return "is expired" in said or "is not valid anymore" in said


def _no_such_release(said: str) -> bool:
    return "does not have a Release file" in said or "404" in said


def _first_error(said: str) -> str:
    """The first line that tells a reason, without apt's marks."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = [line[2:].strip() for line in lines if line.startswith(("E:", "W:"))]
    return (marked or lines or ["?"])[0]
