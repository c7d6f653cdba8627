"""The menu as a table: state and event in, state and commands out.

Theory of operation. A menu is walked by ``start`` and then ``step`` for each thing that happens::

    choosing --known key of a menu---> choosing (that menu, from its beginning)
    choosing --known key of a queue--> done (ask for a person in that queue)
    choosing --repeat key------------> choosing (say it again), at most MOST_REPEATS times a call
    choosing --key of a language-----> choosing (the same in that language; counts as a repeat)
    choosing --key to decline--------> choosing (the same, not recorded; counts as a repeat)
    choosing --wrong key, silence----> choosing (say so, then the menu), at most ``retries`` times a call
    any of these once too often------> done (say ``menu_to_person``, then ask in ``person_queue``)
    done ----anything----------------> IllegalEvent, and nothing has changed

Every edge either ends, goes one level down in a tree without loops (``check`` refuses them), or uses up one
of a bounded number of tries: so every call leaves the menu, whatever is pressed or not pressed. The state
is a value that can be written down and resumed after a crash. Keys that come while a prompt plays are
ordinary keys (the caller barges in: the shell stops the prompt, and plays what the next commands say); keys
typed ahead are passed to ``step`` one after another, and prompts that are followed by another key already
there need not be played.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem, key_path
from config.settings import Language, MenuFile, Option, Settings

MOST_REPEATS = 5
"""How often a call can have a menu said again: a caller rarely needs two, a fax machine would go on for
ever."""

MOST_OPTIONS = 5
MOST_LEVELS = 3
"""IVR norms (DESIGN.md, section 6): at most 5 options without 0 and *, at most 3 levels."""

Reason = Literal["chosen", "wrong_keys", "no_keys", "repeats"]
"""Why a call left the menu: by a key, or since the last try was a wrong key, a silence, a repeat."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed one of 0 to 9, ``*`` and ``#`` (ABCD, which phones do not have, is a wrong
    key)."""

    key: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No key came within the digit time-out after the last prompt."""


Event = KeyPressed | TimedOut


@dataclass(frozen=True, slots=True)
class Say:
    """Play these prompts one after another, then wait for a key unless another command follows."""

    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The caller asks for a person: the menu is done.

    ``label`` names the subject in the operator's words, ``path`` the keys that led there.
    """

    queue: str
    label: str
    path: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Speak:
    """The caller hears everything in this language from now on."""

    language: Language


@dataclass(frozen=True, slots=True)
class Decline:
    """The caller does not want this call to be recorded; said by this key of this menu."""

    menu: str
    key: str


Command = Say | Speak | Decline | Ask


@dataclass(frozen=True, slots=True)
class MenuState:
    """Where a caller is in the menu, and in which language; ``path`` are the keys that counted, ``done`` once a
    person was asked for."""

    menu: str
    path: str = ""
    tries: int = 0
    repeats: int = 0
    done: bool = False
    language: Language = "zh"


class IllegalEvent(Exception):
    """An event came to a menu that is done, or to one that this menu file does not have: a fault of the
    caller of ``step``. Nothing has changed."""


def start(menu: MenuFile, language: Language = "zh") -> tuple[MenuState, tuple[Command, ...]]:
    """The state at the beginning, for a caller who hears this language, and the prompts to say."""
    state = MenuState(menu.start, language=language)
    return state, resume(menu, state)


def resume(menu: MenuFile, state: MenuState) -> tuple[Command, ...]:
    """What to say to a caller who is found in this state, for example after a restart of the daemon."""
    if state.done or state.menu not in menu.menus:
        raise IllegalEvent(f"no menu to resume: {state}")
    return (Say(_said(menu, state)),)


def _said(menu: MenuFile, state: MenuState) -> tuple[str, ...]:
    """The menu's prompt, then what is offered in languages that the caller does not hear, as ``en/NAME``."""
    level = menu.menus[state.menu]
    offers = (offer for offer in level.offers if offer.language != state.language)
    return (level.prompt, *(f"{offer.language}/{offer.prompt}" for offer in offers))


def step(menu: MenuFile, state: MenuState, event: Event) -> tuple[MenuState, tuple[Command, ...]]:
    """The next state and what to do, in order. Raises IllegalEvent when the menu is done."""
    if state.done or state.menu not in menu.menus:
        raise IllegalEvent(f"{event} in {state}")
    level = menu.menus[state.menu]
    if isinstance(event, TimedOut):
        return _try_again(menu, state, "menu_no_key", "no_keys")
    option = level.options.get(event.key)
    if option is None:
        return _try_again(menu, state, "menu_wrong_key", "wrong_keys")
    before: list[Command] = []
    if option.language is not None and option.language != state.language:
        before.append(Speak(option.language))
        state = replace(state, language=option.language)
    if option.decline_recording:
        before.append(Decline(state.menu, event.key))
    state, commands = _choose(menu, state, event.key, option)
    return state, (*before, *commands)


def _choose(menu: MenuFile, state: MenuState, key: str, option: Option) -> tuple[MenuState, tuple[Command, ...]]:
    if option.queue is not None:
        path = state.path + key
        return replace(state, path=path, done=True), (Ask(option.queue, option.label, path, "chosen"),)
    if option.menu is not None:
        state = replace(state, menu=option.menu, path=state.path + key)
        return state, resume(menu, state)
    if state.repeats >= MOST_REPEATS:
        return _to_person(menu, state, "repeats")
    return replace(state, repeats=state.repeats + 1), (Say(_said(menu, state)),)


def _try_again(
    menu: MenuFile, state: MenuState, prompt: str, reason: Reason
) -> tuple[MenuState, tuple[Command, ...]]:
    if state.tries >= menu.retries:
        return _to_person(menu, state, reason)
    return replace(state, tries=state.tries + 1), (Say((prompt, *_said(menu, state))),)


def _to_person(menu: MenuFile, state: MenuState, reason: Reason) -> tuple[MenuState, tuple[Command, ...]]:
    label = next(
        (
            option.label
            for level in menu.menus.values()
            for option in level.options.values()
            if option.queue == menu.person_queue
        ),
        menu.person_queue,
    )
    ask = Ask(menu.person_queue, label, state.path, reason)
    return replace(state, done=True), (Say(("menu_to_person",)), ask)


def check(settings: Settings) -> list[Problem]:
    """What is wrong with the menu's meaning: loops, dead ends, and what callers cannot be asked to
    remember.

    The problems have file and key; ``config.load.Places.located`` adds the line.
    """
    menu = settings.menu
    found: list[Problem] = []
    if menu.start not in menu.menus:
        found.append(_unknown_menu(("start",), menu.start, menu))
    for name, level in menu.menus.items():
        for key, option in level.options.items():
            found += _check_option(menu, ("menus", name, "options", key), option)
        found += _check_level(menu, name)
    depths = _depths(menu)
    for name in menu.menus:
        if name not in depths:
            what = _("No key leads to the menu {menu}.").format(menu=name)
            found.append(
                _problem("menu-unreachable", ("menus", name), what, _("Remove it, or give it a key."), True)
            )
        elif depths[name] == MOST_LEVELS + 1:
            what = _("The menu {menu} is more than {most} levels deep.").format(menu=name, most=MOST_LEVELS)
            fix = _("Callers get lost: bring it nearer to the start.")
            found.append(_problem("menu-too-deep", ("menus", name), what, fix, True))
    return found + _loops(menu)


def _problem(code: str, path: tuple[str | int, ...], what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place("menu.yaml", 0, key_path(path)), what, fix, warning)


def _unknown_menu(path: tuple[str, ...], name: str, menu: MenuFile) -> Problem:
    return _problem(
        "unknown-menu", path, _("There is no menu {menu}.").format(menu=name), did_you_mean(name, menu.menus)
    )


def _check_option(menu: MenuFile, path: tuple[str, ...], option: Option) -> list[Problem]:
    found = []
    if option.menu is not None and option.menu not in menu.menus:
        found.append(_unknown_menu((*path, "menu"), option.menu, menu))
    count = (option.menu is not None) + (option.queue is not None) + option.repeat
    if count != 1 and not (count == 0 and (option.language is not None or option.decline_recording)):
        what = (
            _("This key does nothing.")
            if count == 0
            else _("This key can only do one thing, but has several.")
        )
        fix = _("Give it exactly one of queue, menu and repeat: true.")
        found.append(_problem("option-unclear", path, what, fix))
    return found


def _check_level(menu: MenuFile, name: str) -> list[Problem]:
    options = menu.menus[name].options
    found = []
    if not any(option.queue is not None or option.menu is not None for option in options.values()):
        what = _("No key of the menu {menu} leads anywhere.").format(menu=name)
        found.append(
            _problem("menu-dead-end", ("menus", name, "options"), what, _("Give it keys with a queue."))
        )
    spoken = {option.language for option in options.values()}
    for index, offer in enumerate(menu.menus[name].offers):
        if offer.language not in spoken:
            what = _("The menu {menu} offers the language {language}, but no key of it leads there.")
            place: tuple[str | int, ...] = ("menus", name, "offers", index)
            fix = _("Give a key language: {language}, or remove the offer.").format(language=offer.language)
            found.append(
                _problem("offer-without-key", place, what.format(menu=name, language=offer.language), fix, True)
            )
    count = sum(key not in "0*" for key in options)
    if count > MOST_OPTIONS:
        what = _("The menu {menu} has {count} options; callers remember {most}.")
        found.append(
            _problem(
                "menu-too-long",
                ("menus", name, "options"),
                what.format(menu=name, count=count, most=MOST_OPTIONS),
                _("Put the rarer ones into a menu of their own (0 and * do not count)."),
                True,
            )
        )
    return found


def _leads_to(menu: MenuFile, name: str) -> list[tuple[str, str]]:
    """Key and menu of each option of a menu that opens another (or the same)."""
    options = menu.menus[name].options
    return [(key, option.menu) for key, option in options.items() if option.menu in menu.menus]


def _depths(menu: MenuFile) -> dict[str, int]:
    """Each reachable menu with its level; the first is 1."""
    depths = {menu.start: 1} if menu.start in menu.menus else {}
    waiting = list(depths)
    for name in waiting:
        for _key, below in _leads_to(menu, name):
            if below not in depths:
                depths[below] = depths[name] + 1
                waiting.append(below)
    return depths


def _loops(menu: MenuFile) -> list[Problem]:
    """Each option that leads back to a menu the caller has already been in."""
    found: list[Problem] = []
    finished: set[str] = set()
    for root in menu.menus:
        above: list[str] = []
        open_levels = [(root, iter(_leads_to(menu, root)))] if root not in finished else []
        while open_levels:
            name, below = open_levels[-1]
            if name not in above:
                above.append(name)
            key, next_menu = next(below, ("", None))
            if next_menu is None:
                finished.add(name)
                open_levels.pop()
                above.pop()
            elif next_menu in above:
                way = " → ".join([*above[above.index(next_menu) :], next_menu])
                what = _("The menu loops: {way}.").format(way=way)
                fix = _('A key cannot lead back; "repeat: true" says the same menu again.')
                found.append(_problem("menu-loops", ("menus", name, "options", key, "menu"), what, fix))
            elif next_menu not in finished:
                open_levels.append((next_menu, iter(_leads_to(menu, next_menu))))
    return found
