"""The options by which ``hotline calls`` and ``hotline recordings list|export`` are narrowed: the same for all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.catalogue import _
from hotline.cli_options import answer

if TYPE_CHECKING:
    from calllog.search import Hits, Wanted
    from config.settings import Settings

Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help=_("From this moment on: 03:00, yesterday, 2 h ago …"))
]
Until = Annotated[str | None, typer.Option("--until", metavar="WHEN", help=_("Before this moment."))]
Number = Annotated[
    str | None, typer.Option("--number", help=_("Whose number contains this; '-': callers who hid theirs."))
]
Agent = Annotated[str | None, typer.Option("--agent", help=_("In which this agent talked: staff number or name."))]
Queue = Annotated[str | None, typer.Option("--queue", help=_("In this queue."))]
Subject = Annotated[str | None, typer.Option("--subject", help=_("Recorded under this subject, or one below it."))]
Outcome = Annotated[
    str | None, typer.Option("--outcome", help=_("With this outcome: answered, voicemail, abandoned …"))
]
Length = Annotated[
    str | None,
    typer.Option("--length", metavar="SPAN", help=_("Talked so long: 60-300, 1:00-5:00, 5min for at least that.")),
]
Hold = Annotated[str | None, typer.Option("--hold", metavar="SPAN", help=_("On hold for so long."))]
Silence = Annotated[
    str | None, typer.Option("--silence", metavar="SPAN", help=_("With a silence as long as that."))
]
TalkOver = Annotated[
    str | None, typer.Option("--talk-over", metavar="SPAN", help=_("In which both spoke at once for so long in all."))
]
Score = Annotated[
    str | None, typer.Option("--score", metavar="POINTS", help=_("Graded so: 0-59, or 90 for at least that."))
]
Rating = Annotated[
    str | None,
    typer.Option("--rating", metavar="RATING", help=_("Rated so by the caller: 1 (best) to 5, 4,5, rated or bad.")),
]
Words = Annotated[
    str | None, typer.Option("--words", help=_("With all these words in the call record or comments."))
]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help=_("At most so many, the newest."))]


def wanted_of(settings: Settings, **given: str | None) -> Wanted:
    """The wish in these options; wrong usage (exit status 2) where one cannot be understood."""
    from console.finding import question_of

    asked = {name: text for name, text in given.items() if text is not None}
    if asked.get("number") == "":
        asked["number"] = "-"
    question = question_of(asked, settings, dt.datetime.now(dt.UTC))
    for name, fault in question.faults.items():
        raise typer.BadParameter(fault, param_hint=f"--{name.replace('_', '-')}")
    return question.wanted


def hits(store: Path, wanted: Wanted, limit: int) -> Hits:
    """The newest calls that are as wanted; none while there is no store."""
    from calllog.search import Hits, find

    return answer(find(store, wanted, limit=limit), Hits((), False, False))


def all_of(store: Path, wanted: Wanted) -> list[str]:
    """Every call that is as wanted; none while there is no store."""
    from calllog.search import find_all

    return answer(find_all(store, wanted), [])
