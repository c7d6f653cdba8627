"""Who may do what: nothing that does not stand in the table, and no route without a verb."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from hypothesis import given, strategies as st

from console.app import API_ROOMS, ROOMS, make_app
from console.permit_words import DOCS, PAGES, table
from console.permits import EVERY_CALL, TABLE, NotPermitted, Role, Verb, Who, own_agent, verbs_of
from console.rooms import ANYONE, ApiRoom, Room, Undeclared, check_declared, declared
from tests.web.plain_site import Web

OPEN = {
    "/", "/sign-in", "/language", "/theme", "/static/{digest}/{name:path}", "/favicon.ico", "/healthz", "/readyz",
    "/api/v1/sign-in",
}
"""The only paths that need no sign-in."""


def test_every_verb_stands_in_the_table() -> None:
    assert set(TABLE) == set(Verb)


def test_every_route_says_who_may_use_it_and_few_are_open() -> None:
    routes = [route for room in (*ROOMS, *API_ROOMS) for route in room.routes]
    check_declared(routes)
    assert {route.path for route in routes if declared(route) is ANYONE} == OPEN  # type: ignore[attr-defined]


async def test_a_route_without_a_verb_keeps_the_app_from_starting(web: Web) -> None:
    forgotten = Room("forgotten")

    async def page() -> str:
        return "everybody sees this"

    with pytest.raises(Undeclared, match="/forgotten"):
        forgotten.add_api_route("/forgotten", page)
    forgotten.routes.append(APIRoute("/forgotten", page))
    with pytest.raises(Undeclared, match="/forgotten"):
        make_app(web.office, rooms=[*ROOMS, forgotten])
    plain = APIRouter()
    plain.add_api_route("/plain", page)
    with pytest.raises(Undeclared, match="/plain"):
        check_declared(plain.routes)
    twice = Room("twice")
    twice.page("/status", Verb.SELF)(page)
    with pytest.raises(Undeclared, match="twice"):
        make_app(web.office, rooms=[*ROOMS, twice], api_rooms=list[ApiRoom]())


@given(st.sets(st.sampled_from(Role)), st.sampled_from(Verb))
def test_who_may_not_is_refused(roles: set[Role], verb: Verb) -> None:
    who = Who("1", "name", "Name", frozenset(roles), verbs=verbs_of(roles))
    if roles & TABLE[verb]:
        who.must(verb)
    else:
        with pytest.raises(NotPermitted):
            who.must(verb)


@given(st.sets(st.sampled_from(Role)), st.sampled_from(["", "8001"]))
def test_only_who_sees_every_call_is_not_held_to_their_own(roles: set[Role], agent: str) -> None:
    who = Who("1", "name", "Name", frozenset(roles), agent, verbs_of(roles))
    assert (own_agent(who) is None) == bool(roles & EVERY_CALL)
    assert own_agent(who) in (None, agent)


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_print_the_table_of_today(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert table(PAGES[page]) in text, "run: python -m console.permit_words"
