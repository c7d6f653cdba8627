"""Drawing lists for graders: in the running daemon, or by the command itself where none runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calllog.clock import Clock
from calllog.journal import Journal
from config.catalogue import _
from config.settings import Settings
from console import graders
from console.accounts import Accounts, User
from console.book import NAME, Book
from console.permits import command_line
from hotline.control import Refused
from recordings import reviews
from recordings.review_desk import Drew, Journalling, ReviewDesk
from recordings.sampling import week_of


def users(state_dir: Path) -> list[User] | None:
    """The users of the console; None where it has no file yet."""
    if not (state_dir / NAME).exists():
        return None
    book = Book(state_dir)
    try:
        return Accounts(book, lambda: 0).users(command_line("reviews"))
    finally:
        book.close()


def last_week(now: dt.datetime, settings: Settings) -> str:
    """The last week that is over."""
    return week_of(now - dt.timedelta(days=7), settings.hotline.zone)


async def draw(
    journal: Journalling, store: Path, settings: Settings, request: Mapping[str, Any], users: Sequence[User] | None
) -> dict[str, Any]:
    """Draw what the request asks for (``week``, ``plan``, ``by``) onto the lists of those who can grade; ``absent`` of
    the answer says who cannot. ``users`` None: there is no console yet, and every list is filled. Raises Refused."""
    week, plan, file = str(request["week"]), request.get("plan"), settings.reviews
    gone: list[graders.Absent] = []
    if users is not None:
        gone = [one for one in graders.absent(file, users) if plan in (None, one.plan)]
        file = graders.with_those_there(file, users)
        if plan in settings.reviews.plans and plan not in file.plans:
            raise Refused(lambda: f"{'; '.join(map(graders.absent_word, gone))}. {graders.what_to_do(gone)}")
    try:
        drew = await ReviewDesk(journal, store).draw(
            str(request.get("by", "")), file, week, settings.hotline.zone, graders.bound(users or ()),
            None if plan is None else str(plan), bad_from=settings.hotline.survey.bad_from,
        )  # fmt: skip
    except ValueError:
        raise Refused(lambda: _("{week} is no week: write one as 2026-W48.").format(week=week[:20])) from None
    except reviews.Refused as error:
        said = str(error)
        raise Refused(lambda: said) from None
    return {
        "drew": [_as_plain(one) for one in drew],
        "absent": [{"plan": one.plan, "grader": one.grader, "why": one.why, "roles": list(one.roles)} for one in gone],
    }


async def draw_alone(
    store: Path, settings: Settings, request: Mapping[str, Any], users: Sequence[User] | None
) -> dict[str, Any]:
    """The same where no daemon runs: the store is opened for it. Raises Refused, StoreError."""
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    try:
        return await draw(journal, store, settings, request, users)
    finally:
        await journal.close()


def absent_of(found: Mapping[str, Any]) -> list[graders.Absent]:
    """Those of the answer who cannot grade."""
    return [graders.Absent(**one) for one in found.get("absent", ())]


def said_absent(found: Mapping[str, Any]) -> list[str]:
    """Those of the answer who cannot grade, in words."""
    return [graders.absent_word(one) for one in absent_of(found)]


def _as_plain(one: Drew) -> dict[str, Any]:
    return {
        "plan": one.plan, "week": one.week, "nobody": list(one.drawing.nobody),
        "calls": [{"call_id": pick.call_id, "agent": pick.agent, "grader": pick.grader, "rule": pick.rule}
                  for pick in one.drawing.picks],
    }  # fmt: skip
