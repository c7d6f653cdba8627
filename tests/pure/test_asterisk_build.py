"""Asterisk from the source package: with a stand-in for the mirror and a source tree of a few lines, built for true."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from hotline.asterisk import build, install, packages
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.progress import Progress

VERSION = "1:22.10.1+dfsg-1"

APT = """#!/bin/sh
case "$*" in
    *indextargets*) echo 'http://mirror.invalid/debian|Debian|stable' ;;
    *showsrc*) printf 'Package: asterisk\\nVersion: %s\\n' "$VERSION" ;;
    *"source --download-only"*) cp "$PACKAGE"/* . ;;
esac
"""

MAKEFILE = """\
.DEFAULT_GOAL = all
menuselect.makeopts:
\techo 'MENUSELECT_APPS=app_x' > $@
\techo 'MENUSELECT_CFLAGS=BUILD_NATIVE' >> $@
all:
\tgrep -q mended main.c
\t! grep -q spoiled main.c
\tsh -c '! wget -O - http://there.invalid/'
install:
\tmkdir -p $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/asterisk/modules
\tcp asterisk.sh $(DESTDIR)$(PREFIX)/sbin/asterisk
\tfor name in $$(cat chosen); do touch $(DESTDIR)$(PREFIX)/lib/asterisk/modules/$$name.so; done
include prefix
"""

CONFIGURE = """#!/bin/sh
test -e third-party/pjproject/pjproject-9.tar.bz2.md5 || exit 1
for word; do case "$word" in --with-externals-cache=*) cache=${word#*=} ;; --prefix=*) prefix=${word#*=} ;; esac; done
(cd "$cache" && md5sum -c "$OLDPWD/third-party/pjproject/pjproject-9.tar.bz2.md5") || exit 1
echo "PREFIX = $prefix" > prefix
"""

MENUSELECT = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --enable ] && echo "$2" >> chosen; shift; done
exit 0
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with all tools, and a mirror that has the source of an Asterisk; returns the package's folder."""
    tools, package = tmp_path / "tools", tmp_path / "package"
    tools.mkdir(), package.mkdir()
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        (tools / name).write_text(APT)
        (tools / name).chmod(0o755)
    (tmp_path / "keys.gpg").touch()
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "keys.gpg")
    monkeypatch.setattr(install, "_on_path", lambda: None)
    monkeypatch.setattr(build, "refuse_missing", lambda: None)
    for key, value in {
        "PATH": f"{tools}:{os.environ['PATH']}", "HOTLINE_CACHE": str(tmp_path / "cache"), "HOTLINE_LANG": "en",
        "VERSION": VERSION, "PACKAGE": str(package), "MAKEFLAGS": "--no-such-flag",
    }.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    make_package(package)
    return package


def make_package(package: Path, **other: str) -> None:
    """The source package's files; ``other`` files of the tree by name with ``_`` for each dot."""
    members = "".join(f'<member name="{name}" ></member>' for name in (*build.ESSENTIAL, "app_x", "app_queue"))
    files = {
        "Makefile": MAKEFILE, "configure": CONFIGURE, "menuselect/menuselect": MENUSELECT, "main.c": "good\n",
        "menuselect-tree": members, "third-party/pjproject/pjproject-9.tar.bz2.md5": "theirs",
        "asterisk.sh": '#!/bin/sh\necho "Asterisk 22.10.1"\n',
    } | {name.replace("_", "."): text for name, text in other.items()}  # fmt: skip
    mend = "--- a/main.c\n+++ b/main.c\n@@ -1 +1,2 @@\n good\n+mended\n"
    debian = {
        "debian/patches/series": "2016_opus_plc.patch\n# a word\n3001_security.patch\n",
        "debian/patches/3001_security.patch": mend,
        "debian/patches/2016_opus_plc.patch": mend.replace("mended", "spoiled"),
    }
    base = package / "asterisk_22.10.1+dfsg"
    pack(Path(f"{base}.orig.tar.xz"), {f"asterisk/{name}": text for name, text in files.items()})
    pack(Path(f"{base}.orig-Xpjproject.tar.xz"), {"pj/version.mak": "9"})
    pack(Path(f"{base}-1.debian.tar.xz"), debian)
    lines = [f" {hashlib.sha256(f.read_bytes()).hexdigest()} 1 {f.name}" for f in sorted(package.glob("*.xz"))]
    dsc = "\n".join(["Format: 3.0 (quilt)", "Checksums-Sha256:", *lines, "Files:", " 0 1 x"])
    Path(f"{base}-1.dsc").write_text(dsc)


def pack(archive: Path, files: dict[str, str]) -> None:
    folder = archive.with_suffix(".d")
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    tops = sorted({name.partition("/")[0] for name in files})
    subprocess.run(["tar", "-cJf", str(archive), "-C", str(folder), *tops], check=True)
    subprocess.run(["rm", "-r", str(folder)], check=True)


def built(machine: Path) -> tuple[install.AsteriskInstall, str]:
    """The build, and what it showed."""
    with (machine.parent / "shown").open("w+") as shown:
        made = build.build(Progress(Console(file=shown, width=300)))
        shown.seek(0)
        return made, shown.read()


def refused(machine: Path) -> str:
    with pytest.raises(AsteriskFault) as fault:
        built(machine)
    left = list((machine.parent / "cache/asterisk").glob("build-*"))
    assert not left, "the work folder stays"
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_it_is_built_used_and_found_again(mirror: Path) -> None:
    made, shown = built(mirror)
    assert (made.kind, made.version, made.debian_patch) == ("built", (22, 10, 1), False)
    assert set(build.ESSENTIAL) <= made.modules() and "app_queue" in made.modules() and "app_x" not in made.modules()
    assert "Compiling Asterisk" in shown
    assert install.find_asterisk() == made
    record = json.loads((install.built_folder() / install.RECORD).read_text())
    assert record["source"] == VERSION and len(record["files"]) == 3
    again, shown = built(mirror)
    assert again == made and "has been built already" in shown and "Compiling" not in shown


def test_a_newer_source_is_built_in_its_place(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(mirror)
    monkeypatch.setenv("VERSION", "1:22.11.0+dfsg-1")
    make_package(mirror, asterisk_sh='#!/bin/sh\necho "Asterisk 22.11.0"\n')
    assert built(mirror)[0].version == (22, 11, 0)


def test_one_that_does_not_start_leaves_the_old_one(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _shown = built(mirror)
    monkeypatch.setenv("VERSION", "1:22.11.0+dfsg-1")
    make_package(mirror, asterisk_sh="#!/bin/sh\nexit 1\n")
    assert "does not start" in refused(mirror)
    assert install.find_asterisk() == made


def test_a_step_that_fails_says_why_and_where(mirror: Path) -> None:
    make_package(mirror, main_c="other\n")
    said = refused(mirror)
    assert "'patch' ended with status 1" in said and "build.log" in said


def test_a_compiler_that_fails_says_why(mirror: Path) -> None:
    make_package(mirror, Makefile=MAKEFILE + "\nall: broken\nbroken:\n\techo 'x.c:1: error: no such thing'; exit 1\n")
    assert "no such thing" in refused(mirror)


def test_a_file_that_is_not_the_mirrors_is_refused(mirror: Path) -> None:
    file = next(mirror.glob("*debian.tar.xz"))
    file.write_bytes(file.read_bytes() + b"\0")
    assert f"incomplete: {file.name}" in refused(mirror)


def test_another_release_is_refused(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", "1:23.1.0-1")
    assert "Asterisk 1:23.1.0-1" in refused(mirror)


def test_the_missing_packages_are_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_LANG", "en")
    monkeypatch.setattr(build, "_header", lambda library, header: library not in ("jansson", "uuid"))
    with pytest.raises(AsteriskFault, match=r"apt install libjansson-dev uuid-dev$"):
        build.refuse_missing()
    monkeypatch.undo()
    monkeypatch.setenv("HOTLINE_LANG", "en")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "INCLUDES", tmp_path)
    for header in ("x86_64-linux-gnu/openssl/ssl.h", "libxml2/libxml/parser.h", "sqlite3.h"):
        (tmp_path / header).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / header).touch()
    tools, there = "build-essential bzip2 xz-utils patch pkg-config", "libedit-dev libjansson-dev uuid-dev libsrtp2-dev"
    with pytest.raises(AsteriskFault, match=rf"apt install {tools} {there}$"):
        build.refuse_missing()


def test_only_the_patches_of_packaging_and_the_harmful_one_are_left_out() -> None:
    series = "1004_astgenkey-security.patch\n#2001_off.patch\n2014_pjproject_unbreak.patch -p1\n2016_opus_plc.patch\n"
    assert [name.split()[0] for name in build.patches(series)] == [
        "1004_astgenkey-security.patch", "2014_pjproject_unbreak.patch",
    ]  # fmt: skip


def test_the_environment_chooses_which(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _shown = built(mirror)
    for choice in ("", "built"):
        monkeypatch.setenv(install.CHOICE, choice)
        assert install.find_asterisk() == made
    for choice, said in (("path", "no such Asterisk"), ("other", "one of built, path, debian")):
        monkeypatch.setenv(install.CHOICE, choice)
        with pytest.raises(AsteriskFault, match=said):
            install.find_asterisk()
