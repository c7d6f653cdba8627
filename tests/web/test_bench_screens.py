"""The bench of the screens stands on the tests' browser: a change of that must not break it unseen."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench_screens.py"


def test_it_can_be_loaded_and_knows_pages_for_every_role() -> None:
    known = runpy.run_path(str(SCRIPT), run_name="loaded")
    assert set(known["PATHS"]) == set(known["Role"]) and callable(known["screens"])
    assert known["quantile"]([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
