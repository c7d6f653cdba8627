"""How long versions of the configuration are kept: by properties, and an undo among those that are left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from config import pruning
from config.pruning import KEPT_FOR, LEAST, MOST, forget_old, to_keep
from config.snapshot import look
from config.versions import History, Version, aside, write_back

DAY = 86_400_000_000


def numbered(times: list[int]) -> list[Version]:
    return [Version(n, at, "edit", {}) for n, at in enumerate(sorted(times), 1)]


@given(st.lists(st.integers(0, 3_000), max_size=300), st.integers(0, 4_000))
def test_what_was_in_force_of_late_is_kept_and_the_newest_always(days: list[int], now: int) -> None:
    versions = numbered([day * DAY for day in days])
    kept = to_keep(versions, now * DAY)
    assert kept == versions[len(versions) - len(kept) :]
    assert len(kept) >= min(len(versions), LEAST)
    gone = versions[: len(versions) - len(kept)]
    for after in versions[1 : len(gone) + 1]:
        assert after.at + KEPT_FOR <= now * DAY, "it was in force within the time that is promised"
    if gone and len(kept) > LEAST:
        assert versions[len(gone) + 1].at + KEPT_FOR > now * DAY, "it could have gone"


def test_there_are_never_too_many() -> None:
    assert len(to_keep(numbered([0] * (MOST + 50)), 0)) == MOST


def test_old_versions_go_with_their_contents_and_an_undo_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "LEAST", 2)
    folder, history = tmp_path / "config", History(tmp_path / "var")
    folder.mkdir()
    for day, text in enumerate(["a", "b", "a", "c", "d"]):
        (folder / "queues.yaml").write_text(text)
        history.keep(look(folder), folder)
        history.add(look(folder), day * 100 * DAY, "edit", [])
    with history.lines.open("ab") as torn:
        torn.write(b'{"version":9')
    (aside(history) / "1" / "x").mkdir(parents=True)
    os.utime(aside(history) / "1", (1, 1))
    assert forget_old(history, 0) == 0 and len(history.versions()) == 5
    now = 2 * 100 * DAY + KEPT_FOR  # the second was replaced exactly so long ago
    assert forget_old(history, now) == 2
    assert [version.version for version in history.versions()] == [3, 4, 5]
    assert len(list((history.folder / "files").iterdir())) == 3 and not (aside(history) / "1").exists()
    write_back(history, history.versions()[0], folder)
    assert (folder / "queues.yaml").read_text() == "a"
    history.keep(look(folder), folder)
    assert history.add(look(folder), now, "undo", []).version == 6
    assert forget_old(history, 10 * now) == 2 and [version.version for version in history.versions()] == [5, 6]
    assert history.content(history.versions()[0].files["queues.yaml"]) == b"d"
