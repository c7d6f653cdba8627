"""Sets up .venv from requirements.lock, the console's libraries, then the private Asterisk. Standard library only: it
runs before .venv.

With ``--web`` it then adds what only the tests of the console need: requirements-web.lock, and a browser. With
``--python`` it stops after .venv: what is checked needs no more, and the rest is fetched beside it.

A second run finds its own mark and touches neither network nor disk. Written to run on an older Python too, so that
it can say what is wrong with it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from setup_web import fetch_web

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements.lock")
MARK = os.path.join(VENV, ".hotline")
WEB_LOCK = os.path.join(ROOT, "requirements-web.lock")
WEB_MARK = os.path.join(VENV, ".hotline-web")
PIP = ("-m", "pip", "--no-input", "--disable-pip-version-check")


def main() -> int:
    """Do what is still to be done; returns the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036
        return refuse(
            f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed (make PYTHON=python3.12 ...)."
        )
    mark = wanted()
    if read(MARK) != mark:
        status = make_venv()
        if status:
            return status
        with open(MARK, "w", encoding="utf-8") as file:
            file.write(mark)
    if "--python" in sys.argv:
        return 0
    why = fetch_web(PYTHON, say)
    if why:
        return refuse(why)
    os.chdir(ROOT)
    return subprocess.call([PYTHON, "-m", "hotline.asterisk.install"]) or ("--web" in sys.argv and web(mark)) or 0


def web(mark: str) -> int:
    """What the tests of the console need besides."""
    mark += read(WEB_LOCK)
    if read(WEB_MARK) != mark:
        status = locked(WEB_LOCK)
        if status:
            return status
        with open(WEB_MARK, "w", encoding="utf-8") as file:
            file.write(mark)
    return subprocess.call([PYTHON, "-m", "tests.web.chromium"])


def wanted() -> str:
    """What .venv is made from: the lock, the project's own data, this Python and this folder."""
    digest = hashlib.sha256()
    for part in (LOCK, os.path.join(ROOT, "pyproject.toml")):
        with open(part, "rb") as file:
            digest.update(file.read())
    digest.update(f"{sys.version} {ROOT}".encode())
    return digest.hexdigest()


def make_venv() -> int:
    """Install exactly the lock's files, checked by hash, and the project itself as an editable package."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            return refuse(f"Python has no {module}: install it (on Debian: apt install python3-venv).")
    if not usable():
        say("Making .venv ...")
        shutil.rmtree(VENV, ignore_errors=True)
        done = subprocess.run([sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            return refuse(f".venv cannot be made: {last_line(done.stdout.decode(errors='replace'))}")
    return locked(LOCK) or pip(0, "install", "--no-deps", "--no-build-isolation", "-e", ROOT)


def locked(lock: str) -> int:
    """Install exactly this lock's files, checked by hash."""
    total = len(re.findall(r"^[A-Za-z0-9]", read(lock), re.MULTILINE))
    say(f"Installing {total} Python packages ...")
    return pip(total, "install", "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", lock)


def usable() -> bool:
    """Whether .venv was made by this Python and in this folder (a moved venv has wrong paths in its scripts)."""
    if not os.path.exists(PYTHON):
        return False
    code = "import sys, pip; print(sys.version, sys.prefix)"
    done = subprocess.run([PYTHON, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().strip() == f"{sys.version} {VENV}"


def pip(total: int, *arguments: str) -> int:
    """Run pip; shows how far it is, keeps its noise back, and prints all of what it said when it fails."""
    process = subprocess.Popen(
        [PYTHON, *PIP, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    said, seen = [], 0
    for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        if "is ignored: it is" in line or "Location '" in line:
            continue  # a local package folder that this machine's pip.conf names and that is not there
        said.append(line)
        name = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if name and total:
            seen += 1
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K  {seen}/{total} {name.group(1)}")
                sys.stderr.flush()
        elif line.startswith("Installing collected") and sys.stderr.isatty():
            sys.stderr.write("\r\033[K  unpacking ...")
            sys.stderr.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    status = process.wait()
    if status:
        errors = [line for line in said if line.startswith("ERROR")]
        say("\n".join(errors or said[-20:]))
        return refuse("The Python packages could not be installed (is there a network?). Nothing else was changed.")
    return 0


def read(path: str) -> str:
    """The file's text, or nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def last_line(text: str) -> str:
    """The last line that says something."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["?"])[-1]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def refuse(text: str) -> int:
    """Say why not; returns the exit status 1."""
    say(text)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
