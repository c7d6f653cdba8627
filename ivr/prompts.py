"""Which prompts there are in which language, and what each says.

The words stand in ``config/prompts.<language>.yaml``; ``ivr.build`` makes sound files of them, ``check``
finds what is missing before a caller does. Nothing here imports numpy or speaks to Asterisk.
"""

from __future__ import annotations

import wave
from array import array
from pathlib import Path
from string import Formatter
from typing import get_args

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path, shown
from config.settings import Hotline, Language, Settings
from ivr.sentences import PARTS

TONES = ("beep",)
"""Prompts that are not spoken and so have no text."""

WHOLE_PROMPTS = (
    "greeting",
    "recording_notice",
    "menu_wrong_key",
    "menu_no_key",
    "menu_to_person",
    "queue_wait",
    "position_next",
    "position_many",
    "wait_under_minute",
    "wait_longer_agents",
    "wait_longer_priority",
    "still_waiting",
    "connecting",
    "nobody_on_duty",
    "closed_now",
    "wait_too_long",
    "voicemail_invite",
    *TONES,
    "voicemail_thanks",
    "voicemail_too_short",
    "sorry_goodbye",
    "away_apology",
    "farewell",
    "agent_lost",
    "agent_confirm",
    "code_signed_in",
    "code_signed_in_early",
    "code_signed_out",
    "code_ready",
    "code_paused",
    "code_afterwards",
    "code_busy",
    "code_wrap_up",
    "code_record_first",
    "code_extended",
    "code_no_more_time",
    "code_no_record",
    "code_not_on_duty",
    "code_not_signed_in",
    "code_unknown",
    "code_away",
    "pause_missed",
    "recording_paused",
    "recording_resumed",
    "recording_resumes_soon",
    "recording_goes_on",
    "recording_off",
    "recording_declined",
    "roll_call",
    "roll_call_backup",
    "roll_call_thanks",
)
"""Every prompt that code plays by name, whatever the language. The parts of sentences (``ivr.sentences``) and the
menus' own prompts come on top (``required``)."""

SURVEY_PROMPTS = ("survey_invite", "survey_ratings", "survey_person", "survey_thanks", "survey_sorry")
"""What the survey after a talk says (hotline.yaml: ``survey``); without it a company needs no words for them, but where
there are some they are built, so that it can be turned on while calls run."""

RATE = 8_000
"""Hz of every built prompt: the calls are alaw or ulaw (DESIGN.md, section 5)."""

SOUND_FILES = (".wav", ".flac", ".ogg", ".mp3")
"""What a company's own recording may be."""

SHORTEST_SAMPLES = RATE // 50
"""20 ms, one packet: anything shorter is not a prompt but a broken file."""

FAINTEST_PEAK = 330
"""Of 32,768, about -40 dBFS: a prompt that never gets louder is silence to a caller in the street."""

_PLACEHOLDERS = ("company", "emergency_number")
_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))


def languages(settings: Settings) -> tuple[Language, ...]:
    """The languages in which anything is said under these settings, the hotline's own first; no other is built."""
    known: tuple[Language, ...] = get_args(Language)
    own = settings.hotline.language
    return tuple(each for each in (own, *(each for each in known if each != own)) if required(settings, each))


def required(settings: Settings, language: Language) -> tuple[str, ...]:
    """The names of all prompts that may be played in this language under these settings, each once.

    Everything, in a language that callers can hear the hotline in; else only what is offered in it, and the apology.
    """
    hotline, menu = settings.hotline, settings.menu
    names: list[str] = []
    if language == hotline.language or language in menu.languages:
        names += [*WHOLE_PROMPTS, *PARTS[language], *(level.prompt for level in menu.menus.values())]
        names += [f"pause_{reason}" for reason in hotline.codes.pauses.values()]
        texts = settings.prompts[language].prompts if language in settings.prompts else {}
        names += [name for name in SURVEY_PROMPTS if hotline.survey.enabled or name in texts]
    names += menu.offered.get(language, ())
    if language in hotline.apology_languages:
        names.append("away_apology")
    return tuple(dict.fromkeys(names))


def fill(text: str, hotline: Hotline, language: Language) -> str:
    """A prompt's text with the company's name and the emergency number, digit by digit, put in.

    In Mandarin a telephone number's 1 is 幺 (yāo), which nobody hears as 七 (qī). There is a short pause
    before every fourth digit from the end.
    """
    digits = hotline.emergency_number.removeprefix("+")
    said = [_DIGITS[digit] if language == "zh" else digit for digit in digits]
    first = len(said) % 4
    groups = [said[:first]] * bool(first) + [said[at : at + 4] for at in range(first, len(said), 4)]
    spoken = ", ".join(" ".join(group) for group in groups)
    return text.format(company=hotline.company, emergency_number=spoken)


def text_problems(settings: Settings) -> list[Problem]:
    """Prompts without text, and texts that cannot be filled in. Pure; the places have no line yet."""
    found: list[Problem] = []
    for language in languages(settings):
        prompts = settings.prompts[language]
        file = f"prompts.{language}.yaml"
        wanted = [name for name in required(settings, language) if name not in TONES]
        for name in wanted:
            if name not in prompts.prompts:
                what = _("There is no text for the prompt {prompt}.").format(prompt=name)
                strangers = [each for each in prompts.prompts if each not in wanted]
                fix = f"{_('Write it under prompts.')} {did_you_mean(name, strangers) if strangers else ''}"
                found.append(Problem("prompt-without-text", Place(file, 0, "prompts"), what, fix.strip()))
        for name, text in prompts.prompts.items():
            place = Place(file, 0, key_path(("prompts", name)))
            if name not in wanted:
                what = _("Nothing plays the prompt {prompt}.").format(prompt=name)
                fix = did_you_mean(name, [each for each in wanted if each not in prompts.prompts])
                found.append(Problem("prompt-unused", place, what, fix or _("Remove it."), warning=True))
            found += _text_problems(place, text)
    return found


def _text_problems(place: Place, text: str) -> list[Problem]:
    if not any(character.isalnum() for character in text):
        return [Problem("prompt-empty", place, _("There is nothing to say."), _("Write the words."))]
    fix = _("Only {company} and {emergency_number} can stand in braces.")
    try:
        fields = [field for _text, *field in Formatter().parse(text) if field[0] is not None]
    except ValueError:
        return [Problem("prompt-braces", place, _("A brace is left open or closed."), fix)]
    for name, spec, conversion in fields:
        if name not in _PLACEHOLDERS or spec or conversion:
            what = _("Nothing is known to put in for {name}.").format(name=f"{{{shown(name)}}}")
            return [Problem("prompt-placeholder", place, what, fix)]
    return []


def own_files(config_dir: Path, language: Language) -> list[Path]:
    """The company's own recordings for a language, by name."""
    folder = config_dir / "sounds" / language
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return []
    return [file for file in files if not file.name.startswith((".", "README"))]


def file_problems(settings: Settings, config_dir: Path) -> list[Problem]:
    """Own recordings that nothing plays, or that replace the same prompt twice; by name alone."""
    found: list[Problem] = []
    for language in languages(settings):
        names = required(settings, language)
        first: dict[str, Path] = {}
        for file in own_files(config_dir, language):
            place = Place(f"sounds/{language}/{shown(file.name)}")
            if file.suffix.lower() not in SOUND_FILES:
                what = _("This is not a sound file that can be read.")
                fix = _("Known: {words}.").format(words=", ".join(SOUND_FILES))
                found.append(Problem("sound-unknown", place, what, fix, warning=True))
            elif file.stem not in names:
                what = _("No prompt has the name {prompt}.").format(prompt=shown(file.stem))
                fix = did_you_mean(file.stem, names)
                found.append(Problem("sound-unknown", place, what, fix, warning=True))
            elif file.stem in first:
                what = _("{other} replaces the same prompt.").format(other=first[file.stem].name)
                found.append(Problem("sound-doubled", place, what, _("Remove one of them.")))
            first.setdefault(file.stem, file)
    return found


def sound_file(state_dir: Path, language: Language, name: str) -> Path:
    """Where the built prompt stands. Asterisk plays it as ``sound:`` and this path without ``.wav``."""
    return state_dir / "sounds" / language / f"{name}.wav"


def check(settings: Settings, config_dir: Path, state_dir: Path) -> list[Problem]:
    """Everything that is wrong with the prompts: texts, own recordings, and the files built from them."""
    found = text_problems(settings) + file_problems(settings, config_dir)
    spoiled = {problem.place.key for problem in found if not problem.warning}
    for language in languages(settings):
        for name in required(settings, language):
            place = Place(f"prompts.{language}.yaml", 0, key_path(("prompts", name)))
            missing = name not in TONES and name not in settings.prompts[language].prompts
            if place.key in spoiled or missing:
                continue
            path = sound_file(state_dir, language, name)
            what = _built_fault(path)
            if what:
                found.append(
                    Problem("prompt-unplayable", place, f"{what} ({path})", _("Build the prompts again."))
                )
    return found


def _built_fault(path: Path) -> str:
    """What is wrong with one built prompt; empty when nothing is."""
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
            samples = (
                array("h", sound.readframes(sound.getnframes())) if shape == (1, 2, RATE) else array("h")
            )
    except FileNotFoundError:
        return _("The prompt's sound file is missing.")
    except (OSError, EOFError, ValueError, wave.Error):
        return _("The prompt's sound file cannot be read.")
    if shape != (1, 2, RATE):
        return _("The prompt's sound file is not 16-bit mono of 8000 Hz.")
    if len(samples) < SHORTEST_SAMPLES or max(max(samples), -min(samples)) < FAINTEST_PEAK:
        return _("The prompt's sound file is silent.")
    return ""
