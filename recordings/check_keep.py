"""Is what ``recording.keep`` says about something that there is?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import Place, Problem
from config.record_file import Subject
from config.settings import Settings


def check_keep(settings: Settings) -> list[Problem]:
    """A word that makes nothing a complaint is a slip whose price is known years later: told as a warning."""
    queues = settings.queues.queues
    known = {*queues, *(queue.label for queue in queues.values())}
    known |= {option.label for menu in settings.menu.menus.values() for option in menu.options.values()}
    known |= set(_named(settings.subjects.subjects))
    return [
        Problem(
            "keep-nothing",
            Place("hotline.yaml", key=f"recording.keep.complaints[{index}]"),
            _("Nothing is called {word}: no queue, no option of the menu, no subject.").format(word=word),
            did_you_mean(word, known) or _("Write what makes a call a complaint, or the days of talks apply."),
            warning=True,
        )
        for index, word in enumerate(settings.hotline.recording.keep.complaints)
        if word not in known
    ]


def _named(among: Mapping[str, Subject]) -> Iterator[str]:
    for name, subject in among.items():
        yield name
        yield subject.label
        yield from _named(subject.subjects)
