"""The prompts' sound files of one version of the settings, in a folder of their own.

Asterisk's dialplan plays from ``sounds/``, always the newest. A call plays from the folder of the version it began
with, so that a menu and its words stay together whatever is changed meanwhile. The files are linked, not copied; each
is only ever replaced as a whole, so a link keeps the sound it was made for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

FOLDER = "prompts"
"""Below the state folder."""


def version_folder(state_dir: Path, digest: str) -> Path:
    """Where the prompts of this version of the settings (a SHA-256) stand; used as ``ivr.prompts`` uses a state
    folder. The name is short: Asterisk's paths are limited."""
    return state_dir / FOLDER / digest[:8]


def draft_folder(state_dir: Path) -> Path:
    """Where the prompts of settings that are only being looked at are built."""
    return state_dir / FOLDER / f".draft-{os.getpid()}"


def lay(source: Path, target: Path) -> None:
    """Make ``target/sounds`` hold every file of ``source/sounds``, each replaced in one step. Raises OSError."""
    for folder in sorted(path for path in (source / "sounds").glob("*") if path.is_dir()):
        here = target / "sounds" / folder.name
        here.mkdir(mode=0o750, parents=True, exist_ok=True)
        for file in folder.iterdir():
            if file.name.startswith(".") or not file.is_file():
                continue
            new = here / file.name
            with contextlib.suppress(OSError):
                if new.samefile(file):
                    continue
            draft = here / f".{file.name}.{os.getpid()}.tmp"
            draft.unlink(missing_ok=True)
            try:
                os.link(file, draft)
            except OSError:
                shutil.copyfile(file, draft)
            draft.replace(new)


def sweep(state_dir: Path, keep: Iterable[Path]) -> None:
    """Remove every version's folder but these; what cannot be removed stays for the next time."""
    kept = {path.name for path in keep}
    for folder in (state_dir / FOLDER).glob("*"):
        name, _dash, process = folder.name.partition("-")
        in_use = name == ".draft" and Path(f"/proc/{process}").exists()
        if folder.name not in kept and not in_use:
            shutil.rmtree(folder, ignore_errors=True)


def forget(folder: Path) -> None:
    """Remove one such folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
