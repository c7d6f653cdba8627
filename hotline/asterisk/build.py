"""An Asterisk made from Debian's source package, without the patch that loses sound (DESIGN.md section 5).

The packaging itself is not used: it needs a newer debhelper than the releases have for which this is made. Taken are
the upstream tree with Debian's pjproject in it, and of Debian's patches those that are not about packaging or more
codecs. What is built is what ``asterisk-conf/modules.txt`` loads. All of it happens in the cache folder, without root;
the finished tree takes its place by one rename.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from time import monotonic

from config.catalogue import _

from .check import ESSENTIAL
from .fault import AsteriskFault
from .install import BELOW, OLDEST, RECORD, AsteriskInstall, built_folder, find_built, parse_version
from .packages import SUITE, Apt
from .progress import Progress

NEEDS: Mapping[str, tuple[str, ...]] = {
    "build-essential": ("gcc", "g++", "make"),
    "bzip2": ("bzip2",),
    "xz-utils": ("xz",),
    "patch": ("patch",),
    "pkg-config": ("pkg-config",),
}
"""Debian's packages, and the programs in them without which nothing can be built."""

HEADERS = {
    "libedit-dev": ("libedit", "histedit.h"),
    "libjansson-dev": ("jansson", "jansson.h"),
    "libxml2-dev": ("libxml-2.0", "libxml/parser.h"),
    "libsqlite3-dev": ("sqlite3", "sqlite3.h"),
    "libssl-dev": ("openssl", "openssl/ssl.h"),
    "uuid-dev": ("uuid", "uuid/uuid.h"),
    "libsrtp2-dev": ("libsrtp2", "srtp2/srtp.h"),
}
"""Debian's packages, their name for pkg-config, and a header of each that must be found."""

INCLUDES = Path("/usr/include")

LEFT_OUT = frozenset({
    "1006_systemd", "1007_ffmpeg_detect", "1008_ffmpeg_include", "1009_build_reproducibly",
    "2001_keep_sounds_on_distclean", "2002_no_download_sounds", "2006_enable_test_framework", "2008_disable_ilbc",
    "2010_astdatadir", "2011_amr_build_tools", "2012_amr_codec", "2013_mp3", "2015_opus", "2016_opus_plc",
})  # fmt: skip
"""Debian's patches that are not applied: for its packaging, its test modules, more codecs, and the one that does the
harm. Any other, as a mend of a security fault would be, is."""

ALSO = ("app_queue", "chan_rtp", "res_rtp_multicast")
"""Modules beyond modules.txt: what the outside world of ``hotline call-in`` and the comparison with Queue() load."""

OPTIONS = (
    "--with-pjproject-bundled", "--without-jansson-bundled", "--without-libjwt", "--without-libjwt-bundled",
    "--without-libxslt", "--disable-asteriskssl",
)  # fmt: skip

LINES = {"configure": 900, "make": 500, "install": 70}
"""About how many lines each step prints: a bar needs a length."""

STEP_LIMIT = 3600.0
"""Seconds for one step; all together take about four minutes on two cores."""

SHIM = '#!/bin/sh\necho "Asterisk\'s build wanted to download: $*" >&2\nexit 1\n'
"""What stands in for wget, curl and fetch: nothing comes in but the package that was checked."""


def build(progress: Progress | None = None) -> AsteriskInstall:
    """Build Debian's newest Asterisk 22 into the cache folder, unless that very one is there. Raises AsteriskFault."""
    progress = progress or Progress()
    refuse_missing()
    target = built_folder()
    if not re.fullmatch(r"[\w./+~@-]+", str(target)):
        raise AsteriskFault(
            _(
                "Asterisk cannot be built in '{path}': its name may hold letters, digits and ._-+~@ only. "
                "Set HOTLINE_CACHE to another folder."
            ).format(path=target)
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent / "build.lock"), _work_folder(target.parent) as work:
            return _build(target, work, progress)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(
                path=error.filename or target.parent, reason=error.strerror or error
            )
        ) from error


def refuse_missing() -> None:
    """Raise AsteriskFault that names every package still needed, as one command."""
    missing = [name for name, programs in NEEDS.items() if not all(map(shutil.which, programs))]
    missing += [name for name, (library, header) in HEADERS.items() if not _header(library, header)]
    if missing:
        what = _("To build Asterisk these packages are needed: {names}. As root: apt install {names}")
        raise AsteriskFault(what.format(names=" ".join(missing)))


def modules(tree: str, wanted: tuple[str, ...]) -> list[str]:
    """Of the modules that are wanted those that this source has; ``tree`` is the text of its menuselect-tree. Pure."""
    there = set(re.findall(r'<member name="(\w+)"', tree))
    return [name for name in dict.fromkeys(wanted) if name in there]


def patches(series: str) -> list[str]:
    """The files of Debian's patches that are applied, in order; ``series`` is its list. Pure."""
    names = [line.split("#")[0].strip() for line in series.splitlines()]
    return [name for name in names if name and name.split()[0].removesuffix(".patch") not in LEFT_OUT]


def _build(target: Path, work: Path, progress: Progress) -> AsteriskInstall:
    apt = Apt(work / "apt", progress)
    apt.open(source=True)
    version = apt.source_version("asterisk")
    if not OLDEST <= parse_version(version) < BELOW:
        raise AsteriskFault(
            _("Debian '{suite}' on this machine's mirror has the source of Asterisk {offered}, not of 22.").format(
                suite=SUITE, offered=version or "-"
            )
        )
    record = {"suite": SUITE, "source": version, "modules": list(_wanted()), "left_out": sorted(LEFT_OUT)}
    if (there := find_built()) is not None and _record(target).items() >= record.items():
        progress.note(_("Asterisk {version} has been built already.").format(version=version))
        return there
    files = apt.source("asterisk", work / "source")
    tree = _unpack(files, work / "tree")
    log = target.parent / "build.log"
    with log.open("wb") as output:
        run = _Runner(work, output, progress)
        for name in patches((tree / "debian/patches/series").read_text()):
            run("patch", ["patch", "-p1", "-F0", "-f", "-i", f"debian/patches/{name}"], tree)
        _bundle(tree, work / "externals", run)
        where = (f"--prefix={target}", f"--with-externals-cache={work / 'externals'}")
        run("configure", ["./configure", *where, *OPTIONS], tree, title=_("Configuring Asterisk"))
        run("make", ["make", "menuselect.makeopts"], tree)
        _select(tree, run)
        jobs = len(os.sched_getaffinity(0))
        run("make", ["make", f"-j{jobs}"], tree, title=_("Compiling Asterisk"))
        stage = work / "stage"
        run("install", ["make", "install", f"DESTDIR={stage}"], tree, title=_("Laying Asterisk out"))
    done = stage / str(target).lstrip("/")
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    (done / RECORD).write_text(json.dumps(record | {"files": digests}, indent=1) + "\n", encoding="utf-8")
    missing = set(ESSENTIAL) - {file.stem for file in (done / "lib/asterisk/modules").glob("*.so")}
    if missing:
        what = _("The build lacks the modules {names}: see {log}.")
        raise AsteriskFault(what.format(names=", ".join(sorted(missing)), log=log))
    old = work / "old"
    if target.exists():
        target.rename(old)
    done.rename(target)
    if (made := find_built()) is None:
        target.rename(work / "broken")
        if old.exists():
            old.rename(target)
        raise AsteriskFault(_("The Asterisk that was built does not start: see {log}.").format(log=log))
    progress.note(_("{version} has been built into {path}.").format(version=made.version_text, path=target))
    return made


class _Runner:
    """Runs one step after the other; what they print goes into the log, and counted into the bar."""

    def __init__(self, work: Path, output: BufferedWriter, progress: Progress) -> None:
        self._output, self._progress = output, progress
        shims = work / "bin"
        shims.mkdir()
        for name in ("wget", "curl", "fetch"):
            (shims / name).write_text(SHIM)
            (shims / name).chmod(0o755)
        kept = ("HOME", "LANG", "TMPDIR", "USER", "LOGNAME")
        # Not MAKEFLAGS, CFLAGS …: this may itself run below a make.
        self._environment = {key: os.environ[key] for key in kept if key in os.environ}
        self._environment |= {"PATH": f"{shims}:{os.environ.get('PATH', os.defpath)}", "LC_ALL": "C"}

    def __call__(self, step: str, line: list[str], folder: Path, *, title: str = "") -> None:
        """One step. Raises AsteriskFault with its last words and where the log is."""
        if not title:
            return self._run(step, line, folder, lambda done: None)
        with self._progress.task(title, total=float(LINES[step])) as advance:
            self._run(step, line, folder, advance)

    def _run(self, step: str, line: list[str], folder: Path, advance: Callable[[float], None]) -> None:
        output, until = self._output, monotonic() + STEP_LIMIT
        last: list[bytes] = []
        # Behind everything else on this machine: a hotline may be in service on it.
        with subprocess.Popen(
            ["nice", "-n", "10", *line], cwd=folder, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                for count, said in enumerate(process.stdout, start=1):
                    output.write(said)
                    last = [*last[-20:], said]
                    advance(min(float(count), LINES.get(step, count)))
                    if monotonic() > until:
                        raise AsteriskFault(_("The step '{step}' takes too long.").format(step=step))
            except BaseException:
                _end_group(process.pid)
                raise
        if process.returncode:
            raise AsteriskFault(
                _("Asterisk cannot be built: '{step}' ended with status {status}: {reason} (see {log})").format(
                    step=step, status=process.returncode, reason=_reason(last), log=output.name
                )
            )


def _end_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)


def _reason(lines: list[bytes]) -> str:
    words = [line.decode(errors="replace").strip() for line in lines if line.strip()]
    errors = [line for line in words if "error" in line.lower()]
    return (errors or words or ["?"])[0 if errors else -1][:300]


def _header(library: str, header: str) -> bool:
    """Whether the compiler finds this header, with what pkg-config says of its library; without a compiler, whether
    it lies where Debian's packages put it."""
    flags: list[str] = []
    if shutil.which("gcc") is None:
        return any(next(INCLUDES.glob(f"{below}{header}"), None) is not None for below in ("", "*/"))
    if shutil.which("pkg-config"):
        said = subprocess.run(["pkg-config", "--cflags", library], capture_output=True, text=True, check=False)
        flags = said.stdout.split()
    test = subprocess.run(
        ["gcc", "-E", *flags, "-include", header, "-x", "c", "/dev/null"], capture_output=True, check=False
    )
    return test.returncode == 0


def _wanted() -> tuple[str, ...]:
    from .render import module_names

    return (*module_names(), *ALSO)


def _unpack(files: list[Path], tree: Path) -> Path:
    """The tree as dpkg-source would lay it out: the orig, each component in its folder, then ``debian``."""
    for file in sorted(files, key=lambda file: (".debian." in file.name, ".orig-" in file.name)):
        if not (found := re.search(r"\.(?:orig(?:-(\w+))?|debian)\.tar\.\w+$", file.name)):
            continue
        folder = tree / (found[1] or "") if ".debian." not in file.name else tree
        folder.mkdir(parents=True, exist_ok=True)
        strip = [] if ".debian." in file.name else ["--strip-components=1"]
        done = subprocess.run(
            ["tar", "-xf", str(file), "-C", str(folder), *strip, "--no-same-owner"], capture_output=True, check=False
        )
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip()
            raise AsteriskFault(_("{file} cannot be unpacked: {reason}").format(file=file.name, reason=reason))
    return tree


def _bundle(tree: Path, externals: Path, run: _Runner) -> None:
    """Give Asterisk's build the pjproject that it would download: Debian's copy of it, with Debian's checksum."""
    (asked,) = (tree / "third-party/pjproject").glob("pjproject-*.tar.bz2.md5")
    name = asked.name.removesuffix(".tar.bz2.md5")
    externals.mkdir()
    (tree / "Xpjproject").rename(externals / name)
    run("pjproject", ["tar", "-cjf", f"{name}.tar.bz2", name], externals)
    shutil.rmtree(externals / name)
    digest = hashlib.md5((externals / f"{name}.tar.bz2").read_bytes(), usedforsecurity=False).hexdigest()
    asked.write_text(f"{digest}  {name}.tar.bz2\n")


def _select(tree: Path, run: _Runner) -> None:
    """Switch off every module but those that are wanted, and the optimisation for this machine's processor alone."""
    options = (tree / "menuselect.makeopts").read_text()
    kinds = set(re.findall(r"^(MENUSELECT_\w+)=", options, re.MULTILINE))
    kinds -= {"MENUSELECT_CFLAGS", "MENUSELECT_CHANNELSTORAGE", "MENUSELECT_BUILD_DEPS", "MENUSELECT_DEPSFAILED"}
    line = ["menuselect/menuselect"]
    for kind in sorted(kinds):
        line += ["--disable-category", kind]
    for name in modules((tree / "menuselect-tree").read_text(errors="replace"), _wanted()):
        line += ["--enable", name]
    run("menuselect", [*line, "--disable", "BUILD_NATIVE", "menuselect.makeopts"], tree)


def _record(target: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads((target / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """A folder of about 700 MB for as long as it is built; what a killed build left behind goes first."""
    for left in parent.glob("build-*.work"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="build-", suffix=".work", dir=parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AsteriskFault(_("Asterisk is being built already.")) from None
        yield
