"""How those who did something are called on screens: people by the name shown, not by that with which they sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.catalogue import _
from console.permits import command_line
from console.site import Refusal

if TYPE_CHECKING:
    from console.office import Office

HOTLINE = "hotline"
"""In the journal: what it did by itself."""
COMMAND = "os:"
"""In front of the system user who gave a command."""


class Called:
    """For one page. The users are read when the first of them is asked for, which blocks: for a thread."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._people: dict[str, str] | None = None

    @property
    def people(self) -> dict[str, str]:
        """The name shown of each user, by that with which they sign in."""
        if self._people is None:
            users = self._office.accounts.users(command_line("console"))
            self._people = {user.name: user.shown or user.name for user in users}
        return self._people

    def __call__(self, name: str) -> str:
        """Who is meant by the name in the journal."""
        if name in self.people:
            return self.people[name]
        if name == HOTLINE:
            return _("the hotline by itself")
        return _("{user} by command").format(user=name.removeprefix(COMMAND)) if name.startswith(COMMAND) else name

    def sought(self, text: str) -> str:
        """The name in the journal of whoever is looked for so: also by the name shown, where one alone is called so.
        What was written where nobody is. Raises Refusal, which names them, where several are."""
        plain = text.strip()
        named = [name for name, shown in self.people.items() if shown.casefold() == plain.casefold()]
        if plain in self.people or not named:
            return plain
        if len(named) > 1:
            raise Refusal(_("Several are called so: {agents}.").format(agents=", ".join(sorted(named))), status=422)
        return named[0]
