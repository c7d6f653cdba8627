"""What pydantic found, as sentences an operator can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config import shapes, telephony
from config.catalogue import _, ngettext
from config.problems import Place, Problem, key_path, shown
from config.roster_file import LEAVE
from config.tree import Tree
from config.yaml_words import full_width, width_words

RENAMED: Mapping[tuple[str, str], str] = {("roster.yaml", "weekly"): "rules"}
"""By file and key: what a key of earlier versions is called."""

OTHER_LEAVE = next(word for word, kind in LEAVE.items() if kind == "other")


def explain(
    error: ValidationError, model: type[BaseModel], tree: Tree, names: Mapping[str, str] | None = None
) -> list[Problem]:
    """One Problem with its place for each thing that pydantic found in one file; ``names``: the agents', by number."""
    return [_explain_one(details, model, tree, names) for details in error.errors(include_url=False)]


def likeliest(word: str, known: Iterable[str]) -> str:
    """The known word that this is probably meant to be; empty when none is near."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that names the likeliest right word, else those that are known; empty when none is."""
    words = list(known)
    if near := likeliest(word, words):
        return _("Did you mean {word}?").format(word=near)
    if not words:
        return ""
    return _("Known: {words}.").format(words=shown(", ".join(words), 200))


def _explain_one(
    details: ErrorDetails, model: type[BaseModel], tree: Tree, names: Mapping[str, str] | None
) -> Problem:
    path = tuple(part for part in details["loc"] if part != "[key]")
    is_key = "[key]" in details["loc"]
    context: Mapping[str, Any] = details.get("ctx", {})
    kind, value = details["type"], details["input"]
    key = key_path(path)
    place = Place(tree.file, tree.line(key), key if kind == "missing" else key_path(_written(tree, path)))
    name = shown(path[-1]) if path else ""
    if kind == "missing":
        return Problem(
            "key-missing",
            place,
            _("The key {key} is missing.").format(key=name),
            _("Add it; the example shows how."),
        )
    if kind == "extra_forbidden" and (new := RENAMED.get((tree.file, key))) is not None:
        what = _("{key} is called {new} now.").format(key=name, new=new)
        return Problem("unknown-key", place, what, _("Rename it; see docs/roster.md for what has changed."))
    if (kind == "extra_forbidden" or value is None) and (sign := full_width(str(path[-1]) if path else "")):
        return Problem("unknown-key", place, *width_words(sign))
    if kind == "extra_forbidden":
        known = [word for word in _keys(model, path[:-1]) if word not in _siblings(tree, path)]
        fix = did_you_mean(str(path[-1]), known) or _("Remove it.")
        return Problem("unknown-key", place, _("There is no setting {key} here.").format(key=name), fix)
    if kind == "literal_error" and not _wide(details):
        allowed = _literals(model, path, context)
        what = _("{value} is not allowed here.").format(value=_quoted(value))
        if path[-1:] == ("leave",) and not likeliest(str(value), (*LEAVE, *allowed)):
            fix = _("Write one of {words}; any other kind is {other}, with a note.")
            words = _(", ").join((*LEAVE, *allowed))
            return Problem("wrong-value", place, what, fix.format(words=words, other=OTHER_LEAVE))
        return Problem("wrong-value", place, what, did_you_mean(str(value), allowed))
    if (sign := _wide(details)) and isinstance(value, str):
        what = _("{value} cannot be used.").format(value=_quoted(value))
        return Problem("wrong-value", place, what, " ".join(width_words(sign)))
    if value is None:
        return Problem("value-missing", place, _("The value is missing."), _("Write it after the colon."))
    code, fix = _wanted(kind, context)
    if code == "wrong-form" and str(context["pattern"]) == _pattern_of(shapes.StaffNumber):
        numbers = [number for number, called in (names or {}).items() if called == value]
        if numbers:
            who = _("The staff number of {name} is {numbers}.")
            fix = f"{fix} {who.format(name=shown(value), numbers=_(', ').join(numbers))}"
    what = _("The key {value} cannot be used.") if is_key else _("{value} cannot be used.")
    if kind == "too_short":
        what = _("This is empty.")
    elif isinstance(value, dict | list):
        what = _("A list or a group of keys cannot be used here.")
    return Problem(code, place, what.format(value=_quoted(value)), fix)


def _wide(details: ErrorDetails) -> str:
    """The full-width colon or comma that has made one word of several in this value, which is no text for people."""
    free = details.get("ctx", {}).get("pattern") == _pattern_of(shapes.Text) or details["type"] == "string_too_long"
    value = details["input"]
    sign = full_width(value) if isinstance(value, str) and not free else ""
    return sign if sign in ("：", "，") else ""


def _quoted(value: object) -> str:
    words = {True: "true", False: "false"}
    return words[value] if isinstance(value, bool) else f"“{shown(value)}”"


def _wanted(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """The code, and the sentence that says what is wanted, for each kind of error the settings can raise."""
    match kind:
        case "string_pattern_mismatch":
            return "wrong-form", _pattern(str(context["pattern"]))
        case "string_too_long":
            most = context["max_length"]
            return "too-long", ngettext("At most {n} character.", "At most {n} characters.", most).format(
                n=most
            )
        case "too_short" | "string_too_short":
            return "too-few", _("There must be at least one entry.")
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return "wrong-type", _("Write a whole number.")
        case "float_parsing" | "float_type" | "number_type" | "finite_number":
            return "wrong-type", _("Write a number.")
        case "greater_than_equal":
            return "out-of-range", _("It must be at least {n}.").format(n=f"{context['ge']:g}")
        case "greater_than":
            return "out-of-range", _("It must be more than {n}.").format(n=f"{context['gt']:g}")
        case "less_than_equal":
            return "out-of-range", _("It must be at most {n}.").format(n=f"{context['le']:g}")
        case "bool_parsing" | "bool_type":
            return "wrong-type", _("Write true or false.")
        case "string_type":
            return "wrong-type", _("Write text; put it in quotes if it looks like something else.")
        case "dict_type" | "model_type" | "model_attributes_type":
            return "wrong-type", _('Write keys with values below it ("key: value", indented).')
        case "tuple_type" | "list_type":
            return "wrong-type", _('Write a list: "[a, b]", or one "- a" in each line.')
        case "time_zone":
            return "unknown-time-zone", _("Write a time zone's name such as Asia/Shanghai.")
        case "wall_time" | "time_parsing" | "time_type":
            return "wrong-time", _("Write a time as HH:MM, for example 06:00.")
        case "calendar_date" | "date_parsing" | "date_from_datetime_parsing" | "date_type":
            return "wrong-date", _("Write a date as YYYY-MM-DD that exists, for example 2026-02-17.")
        case "moment":
            fix = _("Write a date that exists, with a time or without: {example}.")
            return "wrong-date", fix.format(example="2026-02-17, 2026-02-17 14:00")
        case "shift_length":
            return "wrong-time", _("Write hours and minutes, at most 72:00, for example 36:00.")
        case "quarter":
            return "wrong-time", _("Write quarter-hours: 00:00, 00:15, 00:30 up to 23:45.")
        case "nobody_calls":
            return "empty-day", _("Give at least one quarter-hour and one queue more than 0.")
        case "ip_address":
            return "wrong-address", _("Write an IP address, for example 192.0.2.10.")
        case "ip_network":
            return "wrong-address", _("Write a network, for example 192.168.0.0/16.")
        case "host":
            return "wrong-address", _("Write an IP address or a host name, with :port if it is not 5060.")
    return "wrong-value", _("See the example for what is allowed ({kind}).").format(kind=kind)


def _pattern(pattern: str) -> str:
    if pattern == _pattern_of(shapes.Name) or pattern == _pattern_of(shapes.SipAccount):
        return _("Use 1 to 40 letters (a to z), digits, - and _; names begin with a letter.")
    if pattern == _pattern_of(shapes.StaffNumber):
        return _("A staff number has 2 to 12 digits.")
    if pattern == _pattern_of(shapes.DialString):
        return _("A telephone number has 2 to 20 digits, with + before them or not; no blanks, no dashes.")
    if pattern == _pattern_of(shapes.Key):
        return _('A key of a telephone is one of 0 to 9, "*" and "#".')
    if pattern == _pattern_of(shapes.PromptName):
        return _("A prompt's name has small letters, digits, - and _ and begins with a letter.")
    if pattern == _pattern_of(telephony.DialPrefix):
        return _("Write up to 12 digits, with + before them or not, in quotes.")
    if pattern == _pattern_of(telephony.AreaCode):
        return _("Write up to 6 digits in quotes, with the 0 or without it.")
    if pattern == _pattern_of(telephony.SipUser):
        return _("Write the user name alone: letters, digits and . _ + - @ only, no sip: before it.")
    if pattern == _pattern_of(shapes.Url):
        return _("Write an address that begins with http:// or https://.")
    if pattern == _pattern_of(shapes.Text):
        return _("Write one line of text, without blanks around it.")
    return _("It must look like {pattern}.").format(pattern=pattern)


def _pattern_of(annotated: object) -> str:
    return str(get_args(annotated)[1].pattern)


def _written(tree: Tree, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path as far as it stands in the file: what is written in a short form has no keys of its own."""
    here: object = tree.value
    for place, part in enumerate(path):
        if not (isinstance(here, dict) and part in here) and not (isinstance(here, list) and isinstance(part, int)):
            return path[:place]
        here = here[part]  # type: ignore[index]
    return path


def _siblings(tree: Tree, path: tuple[str | int, ...]) -> set[str]:
    here: object = tree.value
    for part in path[:-1]:
        here = here[part] if isinstance(here, dict | list) else {}  # type: ignore[index]
    return set(here) if isinstance(here, dict) else set()


def _keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    found = _type_at(model, path)
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        return []
    return [field.alias or name for name, field in found.model_fields.items()]


def _literals(model: type[BaseModel], path: tuple[str | int, ...], context: Mapping[str, Any]) -> list[str]:
    words = [str(word) for word in get_args(_type_at(model, path))]
    return words or [str(context["expected"])]


def _type_at(model: type[BaseModel], path: tuple[str | int, ...]) -> object:
    """The type that the settings have at a key path."""
    found: object = model
    for part in path:
        found = _bare(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            found = fields[str(part)].annotation if part in fields else None
        elif get_origin(found) is dict:
            found = get_args(found)[1]
        elif get_origin(found) is tuple:
            found = get_args(found)[0]
        else:
            return None
    return _bare(found)


def _bare(annotation: object) -> object:
    """The type without its Annotated and without ``| None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return annotation
