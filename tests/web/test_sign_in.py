"""Signing in as people and as attackers do it."""

from __future__ import annotations

from tests.web.conftest import Person


async def test_a_person_signs_in_and_out(nobody: Person) -> None:
    assert await nobody.sign_in("admin") == "/"
    await nobody.get("/status")
    assert await nobody.post("/sign-out") == "/sign-in"
    await nobody.get("/status", 303)


async def test_a_wrong_password_opens_nothing_and_costs_time(nobody: Person) -> None:
    now = nobody.web.site.now()
    nobody.web.office.sessions._now = lambda: now
    for _try in range(3):
        await nobody.get("/sign-in")
        await nobody.post("/sign-in", {"name": "admin", "password": "wrong wrong wrong"}, status=401)
    await nobody.get("/sign-in")
    await nobody.post("/sign-in", {"name": "admin", "password": "wrong wrong wrong"}, status=429)
    await nobody.get("/status", 303)


async def test_the_form_is_bound_to_its_browser(nobody: Person) -> None:
    await nobody.get("/sign-in")
    nobody.csrf = "forged"
    await nobody.post("/sign-in", {"name": "admin", "password": "correct horse battery"}, status=403)
