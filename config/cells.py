"""What goes into one cell of a CSV file: text from outside must not become a formula in a sheet. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With what a sheet takes a text for a formula; a Chinese or Japanese one also if they are of full width."""


def plain_cell(value: Any) -> str:
    """A value in one CSV cell. What a sheet would take for a formula is quoted (owasp.org, CSV injection)."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case list() | tuple():
            return " ".join(map(plain_cell, value))
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case str() if value.startswith(_FORMULA) and not re.fullmatch(r"\+[0-9]+", value):
            return f"'{value}"
        case _:
            return str(value)
