"""``ari`` held against Asterisk's own description of ARI (Swagger 1.1, served below ``/ari/api-docs``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import msgspec

import ari
from ari.decode import decode
from ari.errors import response_error
from ari.model import Thing
from tests.ari_verbs import Sent, Verb

RENAMED = {"Dialplan": "DialplanCEP", "RtpStatistics": "RTPstat"}
"""Where our name is not Asterisk's."""

LOCAL = {"Connected", "Disconnected", "UnknownEvent"}
"""Events that no Asterisk sends."""

WHEN = "2026-11-25T13:48:00.123+0800"
SIMPLE = {
    "string": "text", "int": 7, "long": 7, "double": 0.5, "boolean": True, "Date": WHEN, "object": {"NAME": "value"},
}  # fmt: skip
IS_A_TIME = {("AsteriskPing", "timestamp")}
"""Described as a string; it is a time."""

Description = Mapping[str, Any]


class Contract:
    """All of a server's description: ``files`` by name, e.g. ``channels``."""

    def __init__(self, files: Mapping[str, Description]) -> None:
        self.models: dict[str, Description] = {}
        self.operations: list[tuple[str, Description]] = []
        for description in files.values():
            self.models |= description.get("models", {})
            for api in description["apis"]:
                self.operations += [(api["path"], operation) for operation in api["operations"]]

    # --- requests

    def request_problems(self, verb: Verb, sent: Sent) -> Iterator[str]:
        """What of this request Asterisk does not know."""
        operation = self._operation(sent)
        if operation is None:
            yield f"{verb.name}: there is no {sent.method} {sent.path}"
            return
        known = {p["name"]: p for p in operation.get("parameters", []) if p["paramType"] != "path"}
        given = sent.query | sent.body
        if sent.method in ("GET", "DELETE") and sent.body:
            yield f"{verb.name}: a {sent.method} with a body"
        for name, value in given.items():
            if name in known:
                yield from self._value_problems(verb, name, value, known[name])
            elif not _within_a_body(name, operation):
                yield f"{verb.name}: {sent.method} {sent.path} has no parameter {name!r}, only {sorted(known)}"
        if verb.words and not set(verb.words.values()) & set(map(str, given.values())):
            yield f"{verb.name}: {verb.words} is sent under no parameter"
        for name, parameter in known.items():
            if parameter["required"] and parameter["paramType"] == "query" and name not in given:
                yield f"{verb.name}: the required parameter {name!r} is missing"
        if (answered := operation["responseClass"]) != _described(sent.into):
            yield f"{verb.name}: the answer is {answered}, not {_described(sent.into)}"
        for error in operation.get("errorResponses", []):
            if type(response_error(int(error["code"]), "")) is ari.AriResponseError:
                yield f"{verb.name}: status {error['code']} has no error of its own"

    def _operation(self, sent: Sent) -> Description | None:
        found: list[tuple[int, Description]] = []
        for template, operation in self.operations:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if operation["httpMethod"] == sent.method and re.fullmatch(pattern, sent.path):
                found.append((template.count("{"), operation))
        # /channels/create is no channel: the path with the fewest placeholders is meant.
        return min(found, key=lambda each: each[0])[1] if found else None

    def _value_problems(self, verb: Verb, name: str, value: Any, parameter: Description) -> Iterator[str]:
        kind, many = parameter["dataType"], parameter.get("allowMultiple", False)
        values = list(value) if isinstance(value, list | tuple) else [value]
        if isinstance(value, list | tuple) and not many:
            yield f"{verb.name}: {name} takes one value"
        fits = {"string": (str, int), "int": (int,), "long": (int,), "boolean": (bool,), "double": (int, float)}
        for each in values:
            if kind in fits and (not isinstance(each, fits[kind]) or isinstance(each, bool) != (kind == "boolean")):
                yield f"{verb.name}: {name} is a {kind}, not {each!r}"
            words = parameter.get("allowableValues", {})
            if each in verb.words.values() and words.get("valueType") == "LIST" and each not in words["values"]:
                yield f"{verb.name}: {name} may not be {each!r}, only {words['values']}"

    # --- answers and events

    def struct_problems(self) -> Iterator[str]:
        """What of our structs is not as described, and what Asterisk might send that they do not take."""
        for ours in (*_things(), *events()):
            name = RENAMED.get(ours.__name__, ours.__name__)
            if name not in self.models:
                yield f"{name}: Asterisk describes no such thing"
                continue
            described = self._properties(name)
            for field in msgspec.structs.fields(ours):
                if field.encode_name not in described:
                    yield f"{name}: there is no {field.encode_name!r}, only {sorted(described)}"
            for full in (True, False):
                yield from self._sample_problems(ours, name, full)

    def _sample_problems(self, ours: type[msgspec.Struct], name: str, full: bool) -> Iterator[str]:
        how = "with all there is" if full else "with only what is required"
        sample = self._sample(name, full)
        is_event = issubclass(ours, ari.Event)
        try:
            text = msgspec.json.encode(sample | {"type": name} if is_event else sample)
            got = decode(text) if is_event else msgspec.json.decode(text, type=ours)
        except msgspec.ValidationError as misfit:
            yield f"{name} {how}: {misfit}"
            return
        if type(got) is not ours:
            yield f"{name} {how}: {getattr(got, 'why', '') or type(got).__name__}"
            return
        for field in msgspec.structs.fields(ours):
            value = sample.get(field.encode_name)
            if value is not None and not _same(getattr(got, field.name), value):
                yield f"{name} {how}: {field.name} is {getattr(got, field.name)!r} where {value!r} was sent"

    def _properties(self, name: str) -> dict[str, Description]:
        described = dict(self.models[name]["properties"])
        for parent, model in self.models.items():
            if name in (model.get("subTypes") or ()):
                described = self._properties(parent) | described
        return described

    def _sample(self, name: str, full: bool) -> dict[str, Any]:
        made = {}
        for key, described in self._properties(name).items():
            if full or described.get("required"):
                made[key] = WHEN if (name, key) in IS_A_TIME else self._example(described["type"], full)
        return made

    def _example(self, kind: str, full: bool) -> Any:
        if within := re.fullmatch(r"List\[(.+)\]", kind):
            return [self._example(within[1], full)]
        return SIMPLE[kind] if kind in SIMPLE else self._sample(kind, full)


def events() -> tuple[type[ari.Event], ...]:
    """The events that Asterisk sends: those below the bases."""
    every = [thing for name in ari.__all__ if isinstance(thing := getattr(ari, name), type)]
    found = [thing for thing in every if issubclass(thing, ari.Event) and thing.__name__ not in LOCAL]
    bases = {base for thing in found for base in thing.__mro__[1:]}
    return tuple(thing for thing in found if thing not in bases)


def _things() -> tuple[type[Thing], ...]:
    every = [thing for name in ari.__all__ if isinstance(thing := getattr(ari, name), type)]
    return tuple(thing for thing in every if issubclass(thing, Thing) and thing is not Thing)


def _within_a_body(name: str, operation: Description) -> bool:
    """Whether it is a part of a body whose parts are told in the operation's notes alone (the event filter)."""
    bodies = [p for p in operation.get("parameters", []) if p["paramType"] == "body" and p["dataType"] == "object"]
    return bool(bodies) and f'"{name}"' in operation.get("notes", "")


def _described(into: Any) -> str:
    """Our type in Asterisk's words."""
    if into is None or into is bytes:
        return "void" if into is None else "binary"
    if get_origin(into) is list:
        return f"List[{_described(get_args(into)[0])}]"
    return RENAMED.get(into.__name__, into.__name__)


def _same(ours: Any, sent: Any) -> bool:
    """Whether a decoded value holds what was sent, as far as we name it."""
    if sent == WHEN:
        return bool(ours == msgspec.json.decode(f'"{WHEN}"', type=type(ours)))
    if isinstance(ours, msgspec.Struct):
        return all(
            _same(getattr(ours, field.name), sent[field.encode_name])
            for field in msgspec.structs.fields(type(ours))
            if field.encode_name in sent
        )
    if isinstance(ours, tuple):
        return len(ours) == len(sent) and all(map(_same, ours, sent))
    return bool(ours == sent)
