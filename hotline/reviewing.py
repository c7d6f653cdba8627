"""Drawing lists for graders: in the running daemon, or by the command itself where none runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from calllog.clock import Clock
from calllog.journal import Journal
from config.catalogue import _
from config.settings import Settings
from console.accounts import Accounts, User
from console.book import NAME, Book
from console.permits import command_line
from hotline.control import Refused
from recordings import reviews
from recordings.review_desk import Drew, Journalling, ReviewDesk
from recordings.sampling import week_of


def users(state_dir: Path) -> list[User]:
    """The users of the console who can sign in."""
    if not (state_dir / NAME).exists():
        return []
    book = Book(state_dir)
    try:
        found = Accounts(book, lambda: 0).users(command_line("reviews"))
    finally:
        book.close()
    return [user for user in found if not user.disabled_at]


def bound(users: Iterable[User]) -> dict[str, str]:
    """The staff number of each of them who answers calls too, by name."""
    return {user.name: user.agent for user in users if user.agent}


def bound_users(state_dir: Path) -> dict[str, str]:
    """The same of all who are in the state folder."""
    return bound(users(state_dir))


def with_graders(settings: Settings, users: Iterable[User]) -> Settings:
    """The settings with those plans alone that have graders among the users, and these graders: nobody else has a
    list to look at."""
    names = {user.name for user in users}
    plans = {
        name: plan.model_copy(update={"graders": tuple(one for one in plan.graders if one in names)})
        for name, plan in settings.reviews.plans.items() if names & set(plan.graders)
    }  # fmt: skip
    return settings.model_copy(update={"reviews": settings.reviews.model_copy(update={"plans": plans})})


def last_week(now: dt.datetime, settings: Settings) -> str:
    """The last week that is over."""
    return week_of(now - dt.timedelta(days=7), settings.hotline.zone)


async def draw(
    journal: Journalling, store: Path, settings: Settings, request: Mapping[str, Any], bound: Mapping[str, str]
) -> dict[str, Any]:
    """Draw what the request asks for (``week``, ``plan``, ``by``). Raises Refused."""
    week, plan = str(request["week"]), request.get("plan")
    try:
        drew = await ReviewDesk(journal, store).draw(
            str(request.get("by", "")), settings.reviews, week, settings.hotline.zone, bound,
            None if plan is None else str(plan),
        )  # fmt: skip
    except ValueError:
        raise Refused(lambda: _("{week} is no week: write one as 2026-W48.").format(week=week[:20])) from None
    except reviews.Refused as error:
        said = str(error)
        raise Refused(lambda: said) from None
    return {"drew": [_as_plain(one) for one in drew]}


async def draw_alone(
    store: Path, settings: Settings, request: Mapping[str, Any], bound: Mapping[str, str]
) -> dict[str, Any]:
    """The same where no daemon runs: the store is opened for it. Raises Refused, StoreError."""
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    try:
        return await draw(journal, store, settings, request, bound)
    finally:
        await journal.close()


def _as_plain(one: Drew) -> dict[str, Any]:
    return {
        "plan": one.plan, "week": one.week, "nobody": list(one.drawing.nobody),
        "calls": [{"call_id": pick.call_id, "agent": pick.agent, "grader": pick.grader, "rule": pick.rule}
                  for pick in one.drawing.picks],
    }  # fmt: skip
