"""Refusals of what is not there, with a way out: what it may have been meant to be, or which command lists all."""

from __future__ import annotations

from collections.abc import Iterable

from config.catalogue import _


def no_agent(agent: str, known: Iterable[str]) -> str:
    """There is nobody with this staff number, among those that are ``known``."""
    from config.explain import likeliest  # loads much, which a command that is right does not need

    if near := likeliest(agent, known):
        said = _("There is no agent {agent}. Did you mean {near}? 'hotline agents' lists all.")
        return said.format(agent=agent, near=near)
    return _("There is no agent {agent}: 'hotline agents' lists all.").format(agent=agent)


def no_call(call: str) -> str:
    """There is no call of this id."""
    return _("There is no call {call}: 'hotline calls' names all of them.").format(call=call)
