"""``hotline users …``: who may enter the console. Whoever may read the console's file on the machine may do this."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import DIM, GOOD, WARN
from config.catalogue import _
from hotline.cli_options import Command, ConfigFolder, FormatOption, Group, house, one_line_each, refuse, tell
from hotline.show import Column, Format, iso, moment, show

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.settings import Settings
    from console.accounts import Accounts, User
    from console.permits import Role, Who

users_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("Who may enter the web console, and as what."))

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=_("User name."))]
RoleOption = Annotated[
    list[str] | None,
    typer.Option("--role", help=_("agent, supervisor, quality, administrator, auditor, department; may be repeated.")),
]
AgentOption = Annotated[str | None, typer.Option("--agent", help=_("Staff number that the user is bound to."))]
ShownOption = Annotated[str | None, typer.Option("--shown", help=_("The name that screens show."))]


@users_app.command("list", cls=Command, help=_("Everybody, their roles and state."))
@one_line_each()
def list_command(form: FormatOption = Format.TABLE, config: ConfigFolder = Path("config")) -> None:
    """The users as a listing."""
    with _accounts(config) as (settings, accounts, who):
        found = accounts.users(who)
    if not found and form is Format.TABLE:
        tell(_("There is nobody yet: 'hotline users first' makes the first administrator."))
        return
    show(form, _columns(settings.hotline.zone), found)


@users_app.command("first", cls=Command, help=_("The first administrator, where there is nobody yet."))
@one_line_each()
def first_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("User name."))] = "admin",
    config: ConfigFolder = Path("config"),
) -> None:
    """Make them, and show the one-time password once."""
    with _accounts(config) as (settings, accounts, who):
        from console.people import first_user

        password = first_user(accounts, who, name, settings.agents.agents)
    if password is None:
        refuse(_("There are users already: 'hotline users list' names them."))
    _shown_once(settings, name, password)
    print(_also(name))


@users_app.command("add", cls=Command, help=_("Another user; their one-time password is shown once."))
@one_line_each()
def add_command(
    name: NameArgument,
    role: RoleOption = None,
    agent: AgentOption = None,
    shown: ShownOption = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Make the user."""
    with _accounts(config) as (settings, accounts, who):
        from console.accounts import Wanted, checked
        from console.passwords import hashed, one_time

        wanted = checked(Wanted(name, shown or "", _roles(role), agent or ""), settings.agents.agents)
        password = one_time()
        user = accounts.create(who, wanted, hashed(password))
    _shown_once(settings, user.name, password)


@users_app.command("change", cls=Command, help=_("Other roles, another agent or name shown; the rest stays."))
@one_line_each()
def change_command(
    name: NameArgument,
    role: RoleOption = None,
    agent: AgentOption = None,
    shown: ShownOption = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Change what is given."""
    with _accounts(config) as (settings, accounts, who):
        from console.accounts import Wanted, checked

        user = _named(accounts, name)
        wanted = Wanted(
            user.name, user.shown if shown is None else shown, _roles(role) if role else user.roles,
            user.agent if agent is None else agent, user.language,
        )  # fmt: skip
        accounts.change(who, user.user_id, checked(wanted, settings.agents.agents))
    tell(_("Changed."))


@users_app.command("reset", cls=Command, help=_("A new one-time password, shown once; the user is signed out."))
@one_line_each()
def reset_command(name: NameArgument, config: ConfigFolder = Path("config")) -> None:
    """Make the old password worthless."""
    with _accounts(config) as (settings, accounts, who):
        from console.passwords import hashed, one_time

        user, password = _named(accounts, name), one_time()
        accounts.reset(who, user.user_id, hashed(password))
    _shown_once(settings, user.name, password)


@users_app.command("disable", cls=Command, help=_("The user can no longer sign in, and is signed out."))
@one_line_each()
def disable_command(name: NameArgument, config: ConfigFolder = Path("config")) -> None:
    """Out."""
    with _accounts(config) as (_settings, accounts, who):
        user = accounts.disable(who, _named(accounts, name).user_id, True)
    tell(_("{name} can no longer sign in.").format(name=user.name))


@users_app.command("enable", cls=Command, help=_("The user can sign in again."))
@one_line_each()
def enable_command(name: NameArgument, config: ConfigFolder = Path("config")) -> None:
    """In again."""
    with _accounts(config) as (_settings, accounts, who):
        user = accounts.disable(who, _named(accounts, name).user_id, False)
    tell(_("{name} can sign in again.").format(name=user.name))


def first_at_start(settings: Settings, state: Path) -> list[str]:
    """Where nobody can enter the console yet: the first administrator and their password, as lines for a terminal.

    Nothing where there is no terminal: what goes to a log must never hold a password. The console's own log then says
    which command makes one.
    """
    from console.accounts import Accounts
    from console.book import Book, BookFault
    from console.people import first_user

    if not settings.hotline.console.enabled or not sys.stderr.isatty():
        return []
    try:
        book = Book(state)
        try:
            accounts = Accounts(book, _now)
            if accounts.are_there_any():
                return []
            password = first_user(accounts, _me(), "admin", settings.agents.agents)
        finally:
            book.close()
    except BookFault as fault:
        return [str(fault)]
    return [_once(settings, "admin", password or ""), _also("admin")]


@contextmanager
def _accounts(config: Path) -> Iterator[tuple[Settings, Accounts, Who]]:
    """The users, and who asks. What cannot be is one line."""
    from console.accounts import Accounts
    from console.book import Book, BookFault
    from console.site import Refusal

    settings, state = house(config)
    try:
        book = Book(state)
        try:
            yield settings, Accounts(book, _now), _me()
        finally:
            book.close()
    except (BookFault, Refusal) as fault:
        refuse(str(fault))


def _now() -> int:
    return time.time_ns() // 1000


def _me() -> Who:
    from console.permits import command_line

    try:
        return command_line(getpass.getuser())
    except (KeyError, OSError):
        return command_line(f"uid {os.geteuid()}")


def _named(accounts: Accounts, name: str) -> User:
    found = accounts.named(name)
    if found is None:
        refuse(_("There is no user {name}: 'hotline users list' names all.").format(name=name))
    return found[0]


def _roles(names: list[str] | None) -> frozenset[Role]:
    from console.permit_words import role_word
    from console.permits import Role

    known = {role.value: role for role in Role} | {role_word(role): role for role in Role}
    for name in names or ():
        if name not in known:
            refuse(_("There is no role {name}: say {roles}.").format(name=name, roles=_(", ").join(Role)))
    return frozenset(known[name] for name in names or ())


def _shown_once(settings: Settings, name: str, password: str) -> None:
    print(_once(settings, name, password))


def _once(settings: Settings, name: str, password: str) -> str:
    said = _("Console {url}: user {name}, one-time password {password} (shown this once; to be changed at the first "
             "sign-in, within 7 days).")  # fmt: skip
    return said.format(url=settings.hotline.console.url, name=name, password=password)


def _also(name: str) -> str:
    """What the first user is besides an administrator."""
    from console.people import FIRST
    from console.permit_words import role_word

    return _("{name} is: {roles}.").format(name=name, roles=_(", ").join(role_word(role) for role in sorted(FIRST)))


def _columns(zone: ZoneInfo) -> list[Column[User]]:
    from console.permit_words import role_word

    def state(user: User) -> tuple[str, str]:
        if user.disabled_at:
            return _("disabled"), DIM
        return (_("one-time password"), WARN) if user.must_change else (_("active"), GOOD)

    def code(user: User) -> str:
        return "disabled" if user.disabled_at else "one-time" if user.must_change else "active"

    return [
        Column("name", lambda user: user.name, _("User name")),
        Column("shown", lambda user: user.shown, _("Name"), shrinks=True),
        Column("roles", lambda user: sorted(user.roles), _("Roles"),
               lambda user: _(", ").join(role_word(role) for role in sorted(user.roles))),
        Column("agent", lambda user: user.agent, _("Agent"), lambda user: user.agent or "–"),
        Column("signed_in_at", lambda user: iso(user.signed_in_at, zone), _("Signed in last"),
               lambda user: moment(user.signed_in_at, zone) if user.signed_in_at else "–"),
        Column("state", code, _("State"), state),
    ]  # fmt: skip
