"""``hotline roster …``: the duty roster proven, shown and measured; and the group that all its commands are in."""

from __future__ import annotations

import typer

from config.catalogue import _
from hotline import cli_roster_check, cli_roster_edit, cli_roster_seen, cli_roster_sheet
from hotline.cli_options import Group

roster_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("The duty roster: proven, shown, changed, in Excel."))

for part in (cli_roster_check.app, cli_roster_seen.app, cli_roster_edit.app, cli_roster_sheet.app):
    roster_app.registered_commands += part.registered_commands
