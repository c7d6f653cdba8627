"""``hotline roster import|export``: the roster as a sheet, there and back."""

from __future__ import annotations

import typer

app = typer.Typer()
"""Its commands are put into ``hotline roster``."""
