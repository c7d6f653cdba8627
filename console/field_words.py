"""Why a field of a request cannot be taken, in the reader's language; pydantic's own words are English alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.catalogue import _

MOST = 8
"""Faults that are told at once."""


def fields(errors: list[Any]) -> str:
    """Which fields, and why, without what was in them."""
    said = []
    for each in errors[:MOST]:
        name = ".".join(str(part) for part in each.get("loc", ()) if part not in ("body", "query", "path", "header"))
        why = _why(str(each.get("type", "")), each.get("ctx") or {}) or str(each.get("msg", ""))[:120]
        said.append(f"{name[:60]}: {why}" if name else why)
    return "; ".join(said)


def _why(kind: str, about: Mapping[str, Any]) -> str:
    """By pydantic's type of the error; empty for one that is not known here."""
    limit = next((about[key] for key in ("max_length", "min_length", "le", "ge", "lt", "gt") if key in about), "")
    match kind:
        case "missing":
            return _("this is missing")
        case "json_invalid" | "json_type":
            return _("this is no JSON")
        case "extra_forbidden":
            return _("there is no such field")
        case "string_type" | "string_unicode":
            return _("this is no text")
        case "string_too_long":
            return _("at most {n} characters").format(n=limit)
        case "string_too_short":
            return _("at least {n} characters").format(n=limit)
        case "too_long":
            return _("at most {n} of them").format(n=limit)
        case "too_short":
            return _("at least {n} of them").format(n=limit)
        case "string_pattern_mismatch":
            return _("this is not written as it must be")
        case "greater_than_equal" | "greater_than":
            return _("at least {n}").format(n=limit)
        case "less_than_equal" | "less_than":
            return _("at most {n}").format(n=limit)
        case "enum" | "literal_error" | "union_tag_invalid":
            known = about.get("expected") or about.get("expected_tags") or ""
            return _("one of {known}").format(known=str(known)[:200].replace(" or ", ", "))
        case "union_tag_not_found":
            return _("{field} is missing").format(field=str(about.get("discriminator", "")).strip("'"))
        case "bool_type" | "bool_parsing":
            return _("yes or no (true, false)")
        case "list_type":
            return _("this is no list")
        case "dict_type" | "model_type" | "model_attributes_type":
            return _("this is no object")
    if kind.startswith(("int_", "float_", "finite_number")):
        return _("this is no number")
    if kind.startswith(("date_", "datetime_")):
        return _("this is no date")
    return ""
