"""Every request that ``ari`` can make, found by looking: each verb of each group, with the least and all arguments."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import ari
from ari.bridges import Bridges
from ari.channels import Channels
from ari.verbs import Applications, Asterisk, DeviceStates, Endpoints, Playbacks, Recordings, UserEvents

GROUPS = (
    Channels, Bridges, Playbacks, Recordings, Endpoints, DeviceStates, Applications, Asterisk, UserEvents,
)  # fmt: skip


@dataclass(frozen=True)
class Verb:
    """``do(client)`` makes the request; ``name`` is e.g. ``channels.answer`` with how it was called."""

    name: str
    do: Callable[[ari.Client], Awaitable[Any]]
    words: Mapping[str, str] = field(default_factory=dict)
    """The words that were chosen from those that our types allow, by our name of the argument."""


@dataclass
class Sent:
    """One request as it would go out."""

    method: str
    path: str
    into: Any = None
    """What its answer is decoded into; None where it holds nothing, bytes where it is taken as it is."""
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


def verbs() -> Iterator[Verb]:
    """Each verb with the arguments it must have, with all it can have, and with each word of each choice."""
    client = ari.Client("http://127.0.0.1:1/ari", "", "", "hotline")
    groups = {name: group for name, group in vars(client).items() if isinstance(group, GROUPS)}
    assert len(groups) == len(GROUPS)
    for group_name, group in groups.items():
        for name, verb in inspect.getmembers(type(group), inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            hints = typing.get_type_hints(verb, vars(inspect.getmodule(verb)))
            parameters = [p for p in inspect.signature(verb).parameters.values() if p.name != "self"]
            needed = [p for p in parameters if p.default is p.empty]
            yield _verb(group_name, name, "least", needed, hints)
            yield _verb(group_name, name, "all", parameters, hints)
            for parameter in parameters:
                for word in _choices(hints[parameter.name]):
                    given = [p for p in parameters if p in needed or p is parameter]
                    yield _verb(group_name, name, word, given, hints, {parameter.name: word})


async def sent(verb: Verb) -> Sent:
    """The one request of this verb; nothing leaves the machine."""
    client = ari.Client("http://127.0.0.1:1/ari", "", "", "hotline")
    seen: list[Sent] = []

    async def raw(
        method: str, path: str, *, query: Any = None, body: Any = None, timeout: float | None = None
    ) -> bytes:
        seen.append(Sent(method, path, bytes, _given(query), _given(body)))
        return b""

    async def do(method: str, path: str, **more: Any) -> None:
        await raw(method, path, **more)
        seen[-1].into = None

    async def call(into: Any, method: str, path: str, **more: Any) -> Any:
        await raw(method, path, **more)
        seen[-1].into = into
        return ari.Variable() if into is ari.Variable else None

    for name, instead in (("raw", raw), ("do", do), ("call", call)):
        setattr(client.http, name, instead)
    await verb.do(client)
    (only,) = seen
    return only


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value is not None}


def _verb(
    group: str,
    name: str,
    how: str,
    parameters: list[inspect.Parameter],
    hints: dict[str, Any],
    chosen: Mapping[str, Any] | None = None,
) -> Verb:
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        value = (chosen or {}).get(parameter.name, _value(parameter.name, hints[parameter.name]))
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [value, f"{value}2"]
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            positional.append(value)
        else:
            named[parameter.name] = value
    return Verb(
        f"{group}.{name}({how})",
        lambda client: getattr(getattr(client, group), name)(*positional, **named),
        {key: value for key, value in (chosen or {}).items()},
    )


def _choices(hint: Any) -> tuple[Any, ...]:
    """The words of a Literal, also of an optional one."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(word for part in get_args(hint) for word in _choices(part))


def _value(name: str, hint: Any) -> Any:
    """A value of this type."""
    if words := _choices(hint):
        return words[0]
    kinds = (hint, *get_args(hint))
    origins = [get_origin(kind) or kind for kind in kinds]
    if Mapping in origins:
        return {"NAME": "value"}
    if Sequence in origins:
        return ["StasisStart"] if name in ("allowed", "disallowed") else ["alaw"]
    if bool in origins:
        return True
    if int in origins or float in origins:
        return 1
    assert str in origins, f"{name}: {hint}"
    return f"{name}1"
