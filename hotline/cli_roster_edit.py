"""``hotline roster leave|swap|extra|history|undo``: the daily changes, and taking one back."""

from __future__ import annotations

import typer

app = typer.Typer()
"""Its commands are put into ``hotline roster``."""
