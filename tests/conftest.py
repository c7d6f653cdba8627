"""Fixtures of every test."""

# Imported before anything runs: its plugin would compile it at the very end, when CPython 3.11's parser may find its
# recursion count off (python/cpython#106905) and fail a run that passed.
import hypothesis
import pytest

from config import catalogue

# How long an example takes says how busy the machine is, not whether the product is right.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


@pytest.fixture(autouse=True)
def language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins in the default language, whatever the test before it has chosen, and in a pipe without a width
    (pytest-xdist tells its workers one)."""
    monkeypatch.setattr(catalogue, "_chosen", None)
    monkeypatch.delenv("HOTLINE_LANG", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
