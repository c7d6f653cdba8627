"""Builds every prompt's sound file: a company's own recording where there is one, else espeak-ng speaks the
text.

It blocks and needs numpy: call it from a command before the daemon starts, or in a worker process. Only
what has changed since the last time is built; ``manifest.json`` beside the sound files remembers what each
was made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from config.catalogue import _
from config.plain import open_plain
from config.problems import Place, Problem, key_path, shown
from config.settings import Language, Settings
from ivr.prompts import (
    SOUND_FILES,
    TONES,
    file_problems,
    fill,
    languages,
    own_files,
    required,
    sound_file,
    text_problems,
)
from ivr.sentences import PIECES

RECIPE = "1"
"""Change it when the same text must sound different: everything is then built again."""

ESPEAK_TIMEOUT = 30.0
"""Seconds for one prompt; espeak-ng takes 0.05 to 0.2 on a slow machine, 1,000 characters 2."""

LARGEST = 200_000_000
"""Bytes of an own recording: two minutes of the finest WAV. Anything more is refused before it is read."""

AT_ONCE = min(4, os.cpu_count() or 1)

PAUSE = 0.15
PIECE_PAUSE = 0.03
"""Seconds of silence after a prompt, and after a piece of a sentence that goes on with the next."""


TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to build, and ``made_of``, which tells whether an existing file is still the right one."""

    name: str
    language: Language
    target: Path
    made_of: str
    own: Path | None = None
    text: str = ""
    voice: str = ""
    speed: int = 0


def build(settings: Settings, config_dir: Path, state_dir: Path, espeak: list[str]) -> list[Problem]:
    """Build what is missing or has changed into ``<state_dir>/sounds/<language>/<name>.wav``.

    ``espeak`` is the command that starts espeak-ng, with what it needs to find its data; arguments are
    added to it, and the text goes to its standard input. Returns every problem (warnings too); a prompt
    with a problem keeps its former file. Raises nothing for what the operator or the machine can do wrong.
    """
    problems = text_problems(settings) + file_problems(settings, config_dir)
    if any(not problem.warning for problem in problems):
        return problems
    for language in languages(settings):
        folder = state_dir / "sounds" / language
        try:
            folder.mkdir(parents=True, exist_ok=True)
            problems += _build_language(settings, language, config_dir, folder, state_dir, espeak)
        except OSError as error:
            what = _("The sound files cannot be written: {reason}.").format(reason=shown(error, 200))
            fix = _("Check the folder's permissions and the free space.")
            problems.append(Problem("sounds-unwritable", Place(shown(folder, 200)), what, fix))
    return problems


def up_to_date(settings: Settings, config_dir: Path, state_dir: Path) -> bool:
    """Whether ``build`` would build nothing, and so need neither espeak-ng nor numpy."""
    for language in languages(settings):
        manifest = _read_manifest(state_dir / "sounds" / language)
        jobs, _problems = _jobs(settings, language, config_dir, state_dir)
        if any(manifest.get(job.name) != [job.made_of, _digest_of(job.target)] for job in jobs):
            return False
    return True


def _build_language(
    settings: Settings, language: Language, config_dir: Path, folder: Path, state_dir: Path, espeak: list[str]
) -> list[Problem]:
    manifest = _read_manifest(folder)
    jobs, problems = _jobs(settings, language, config_dir, state_dir)
    stale = [job for job in jobs if manifest.get(job.name) != [job.made_of, _digest_of(job.target)]]
    if not stale:
        return problems
    with TemporaryDirectory(dir=folder, prefix=".build-") as scratch:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda job: _make(job, espeak, Path(scratch)), stale))
        for job, problem in zip(stale, results, strict=True):
            if problem is None:
                manifest[job.name] = [job.made_of, _digest_of(job.target)]
            elif problem.code != "espeak-missing" or problem not in problems:
                problems.append(problem)
        draft = Path(scratch) / "manifest.json"
        draft.write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(folder / "manifest.json")
    return problems


def _jobs(
    settings: Settings, language: Language, config_dir: Path, state_dir: Path
) -> tuple[list[Job], list[Problem]]:
    prompts = settings.prompts[language]
    own = {file.stem: file for file in own_files(config_dir, language) if file.suffix.lower() in SOUND_FILES}
    jobs: list[Job] = []
    problems: list[Problem] = []
    for name in required(settings, language):
        target = sound_file(state_dir, language, name)
        if name in own:
            digest = _digest_of(own[name])
            if digest == TOO_LARGE:
                problems.append(_unusable(own[name], language, "too-long", ""))
            elif digest:
                jobs.append(Job(name, language, target, f"{RECIPE} own {digest}", own=own[name]))
            else:
                problems.append(_unusable(own[name], language, "unreadable", _why_not(own[name])))
        elif name in TONES:
            jobs.append(Job(name, language, target, f"{RECIPE} tone"))
        else:
            text = fill(prompts.prompts[name], settings.hotline, language)
            made_of = json.dumps([RECIPE, "espeak", text, prompts.voice, prompts.speed, name in PIECES[language]])
            jobs.append(Job(name, language, target, made_of, None, text, prompts.voice, prompts.speed))
    return jobs, problems


def _read_manifest(folder: Path) -> dict[str, list[str]]:
    """What each file was made of and its digest; empty when the manifest cannot be used, and all is built
    anew."""
    try:
        read = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _digest_of(path: Path) -> str:
    """The file's SHA-256; empty when it cannot be read, TOO_LARGE when it is."""
    try:
        with os.fdopen(open_plain(path, links=True), "rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                return TOO_LARGE
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _why_not(path: Path) -> str:
    try:
        os.close(open_plain(path, links=True))
    except OSError as error:
        return error.strerror or str(error)
    return "?"


def _make(job: Job, espeak: list[str], scratch: Path) -> Problem | None:
    from ivr import sound

    try:
        if job.own is not None:
            sound.convert(job.own, job.target)
        elif job.name in TONES:
            sound.beep(job.target)
        else:
            spoken = scratch / f"{job.name}.wav"
            problem = _speak(job, espeak, spoken)
            if problem is not None:
                return problem
            sound.finish_speech(spoken, job.target, PIECE_PAUSE if job.name in PIECES[job.language] else PAUSE)
    except sound.Unusable as error:
        if job.own is not None:
            return _unusable(job.own, job.language, error.reason, error.detail)
        return _unspoken(job, error.reason)
    return None


def _speak(job: Job, espeak: list[str], target: Path) -> Problem | None:
    """Let espeak-ng speak a text into a file. The text is never an argument, so it cannot be taken for an
    option."""
    command = [*espeak, "-b", "1", "-v", job.voice, "-s", str(job.speed), "-w", str(target), "--stdin"]
    try:
        done = subprocess.run(
            command, input=job.text.encode(), capture_output=True, timeout=ESPEAK_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return _unspoken(job, _("it took longer than {n} s").format(n=f"{ESPEAK_TIMEOUT:g}"))
    except OSError as error:
        what = _("espeak-ng cannot be started: {reason}.").format(reason=shown(error, 200))
        return Problem("espeak-missing", Place(f"prompts.{job.language}.yaml"), what, _("Repeat the set-up."))
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode or not target.is_file():
        return _unspoken(job, said or _("exit status {n}").format(n=done.returncode))
    return None


def _unspoken(job: Job, reason: str) -> Problem:
    place = Place(f"prompts.{job.language}.yaml", 0, key_path(("prompts", job.name)))
    what = _("espeak-ng cannot speak this: {reason}.").format(reason=shown(reason, 200))
    return Problem(
        "prompt-unspoken", place, what, _("Check the text and the voice {voice}.").format(voice=job.voice)
    )


def _unusable(file: Path, language: Language, reason: str, detail: str) -> Problem:
    match reason:
        case "empty":
            what = _("The recording is empty.")
        case "silent":
            what = _("The recording is silent.")
        case "too-long":
            what = _("The recording is too long: 2 minutes are the most.")
        case "odd-rate":
            what = _("The recording has an odd sample rate: {detail}.").format(detail=detail)
        case _unreadable:
            what = _("The recording cannot be read: {detail}.").format(detail=shown(detail, 120))
    fix = _("Replace it, best by WAV of 8000 Hz or more; or remove it to have the text spoken.")
    return Problem("sound-unusable", Place(f"sounds/{language}/{shown(file.name)}"), what, fix)
