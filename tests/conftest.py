"""Fixtures of every test."""

# Imported before anything runs: its plugin would compile it at the very end, when CPython 3.11's parser may find its
# recursion count off (python/cpython#106905) and fail a run that passed.
import hypothesis
import pytest

from config import catalogue

# How long an example takes tells how busy the machine is, not whether the product is right. A tree gives the same
# examples each time, so that a change is not blamed for a rare one that it did not bring:
# --hypothesis-profile=explore looks for those.
hypothesis.settings.register_profile(
    "explore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "same", hypothesis.settings.get_profile("explore"), derandomize=True, max_examples=60
)
hypothesis.settings.load_profile("same")


@pytest.fixture(autouse=True)
def language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins in the default language, whatever the test before it has chosen, and in a pipe without a width
    (pytest-xdist tells its workers one)."""
    monkeypatch.setattr(catalogue, "_chosen", None)
    monkeypatch.delenv("HOTLINE_LANG", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)


LONGEST = (
    "test_reload", "test_daemon", "test_lifeboat", "test_restart", "test_connections",
    "test_asterisk_and_disk", "test_wires", "test_people", "test_bad_operator", "test_callers", "test_devices",
    "test_language", "test_voicemail", "test_bad_callers", "test_agents_phones", "test_openapi", "test_calls",
    "test_pausing",
    "test_call_paths", "test_left_behind", "test_own_asterisk", "test_trunks", "test_night", "test_quality",
    "test_console", "test_shift_change", "test_second_agent", "test_desk", "test_attacks",
)  # fmt: skip
"""Files of tests on a real Asterisk and of the console's, by how long they take: with ``--no-loadscope-reorder`` each
worker then takes the longest that is left, and none is begun when the others are at their end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
