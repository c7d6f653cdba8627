"""Versions of the configuration: looked at, kept and taken back byte for byte; half-written files are noticed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from config.difference import Difference
from config.load import load_settings
from config.snapshot import Eye, Snapshot, being_written, look
from config.versions import Damaged, History, Note, aside, changed_files, write_back
from hotline.watch import RETRY, SETTLE, Settling
from ivr.versions import draft_folder, lay, sweep, version_folder
from tests.pure.config_play import EXAMPLE

NAMES = ["hotline.yaml", "menu.yaml", "agents.yaml", "prompts.en.yaml", "sounds/zh/greeting.wav", "sounds/zh/a b.wav"]
folders = st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=40), min_size=1)


def write(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def take(history: History, folder: Path) -> Snapshot:
    seen = look(folder)
    history.keep(seen, folder)
    history.add(seen, 1, "edit", [])
    return seen


@given(st.lists(folders, min_size=2, max_size=5), st.data())
@settings(max_examples=40, deadline=None)
def test_going_back_to_any_version_gives_its_bytes_back(
    tmp_path_factory: pytest.TempPathFactory, contents: list[dict[str, bytes]], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("undo")
    folder, history = root / "config", History(root / "var")
    for files in contents:
        write(folder, files)
        take(history, folder)
    for _ in range(3):
        chosen = data.draw(st.integers(1, len(contents)))
        version = next(one for one in history.versions() if one.version == chosen)
        write_back(history, version, folder)
        assert read(folder) == contents[chosen - 1]
        assert look(folder).digest == version.digest
        take(history, folder)
        contents = [*contents, contents[chosen - 1]]
    shutil.rmtree(root)


def test_comments_modes_and_links_survive_an_undo(tmp_path: Path) -> None:
    folder, real = tmp_path / "config", tmp_path / "elsewhere.yaml"
    shutil.copytree(EXAMPLE, folder)
    (folder / "queues.yaml").rename(real)
    (folder / "queues.yaml").symlink_to(real)
    real.chmod(0o640)
    before = real.read_bytes()
    assert b"#" in before
    history = History(tmp_path / "var")
    take(history, folder)
    real.write_bytes(before.replace(b"300", b"60") + b"# more\n")
    take(history, folder)
    write_back(history, history.versions()[0], folder)
    assert real.read_bytes() == before and (folder / "queues.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


def test_an_edit_that_never_took_effect_is_set_aside_before_it_is_overwritten(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"menu.yaml": b"one"})
    take(history, folder)
    (folder / "menu.yaml").write_bytes(b"hours of work")
    assert changed_files(history.versions()[0], look(folder)) == ["menu.yaml"]
    write_back(history, history.versions()[0], folder)
    assert read(folder) == {"menu.yaml": b"one"}
    assert [path.read_bytes() for path in aside(history).rglob("*.yaml")] == [b"hours of work"]


def test_who_wrote_the_files_stands_with_their_version_alone(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"menu.yaml": b"one"})
    history.leave_note(Note(look(folder).digest, "wang", "undo", 7))
    seen = take(history, folder)
    assert (history.versions()[0].author, history.versions()[0].how) == ("wang", "undo")
    history.add(seen, 2, "edit", [Difference("a", "b", "1", "2")] * 300)
    last = history.last()
    assert last is not None and (last.author, last.version, len(last.changes), last.more) == ("", 2, 200, 100)
    assert oct((history.folder / "versions.jsonl").stat().st_mode)[-3:] == "600"


def test_a_line_that_a_crash_left_half_costs_no_other(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"menu.yaml": b"one"})
    seen = take(history, folder)
    with (history.folder / "versions.jsonl").open("ab") as out:
        out.write(msgspec.json.encode(history.versions()[0])[:30])
    history.add(seen, 2, "edit", [])
    assert [one.version for one in history.versions()] == [1, 2]


def test_a_version_can_be_read_as_settings_and_one_whose_text_is_lost_says_so(tmp_path: Path) -> None:
    history = History(tmp_path / "var")
    seen = take(history, EXAMPLE)
    version = history.versions()[0]
    assert history.settings(version).settings == load_settings(EXAMPLE)
    (history.folder / "files" / seen.files["menu.yaml"]).unlink()
    with pytest.raises(Damaged, match="files"):
        history.settings(version)


def test_a_recording_that_changes_while_it_is_kept_is_refused(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"sounds/zh/greeting.wav": b"one"})
    seen = look(folder)
    (folder / "sounds/zh/greeting.wav").write_bytes(b"two")
    with pytest.raises(Damaged):
        history.keep(seen, folder)
    assert not (history.folder / "files" / seen.files["sounds/zh/greeting.wav"]).exists()


# --- looking ----------------------------------------------------------------------------------------------------------


def test_a_second_look_sees_every_kind_of_write(tmp_path: Path) -> None:
    write(tmp_path / "c", {"menu.yaml": b"one", "sounds/zh/a.wav": b"x", ".menu.yaml.swp": b"", "note.txt": b""})
    eye, file = Eye(tmp_path / "c"), tmp_path / "c" / "menu.yaml"
    first = eye.look()
    assert sorted(first.files) == ["menu.yaml", "sounds/zh/a.wav"] and eye.look() == first
    about = file.stat()
    file.write_bytes(b"two")  # the same length, and a file system whose times are coarse
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    second = eye.look()
    assert second.digest != first.digest and second.texts["menu.yaml"] == b"two"
    file.with_name("new").write_bytes(b"three")
    file.with_name("new").rename(file)
    third = eye.look()
    file.unlink()
    gone = eye.look()
    os.mkfifo(file)  # must not block
    odd = eye.look()
    file.unlink()
    file.symlink_to(tmp_path / "nowhere")
    lost = eye.look()
    shutil.rmtree(tmp_path / "c")
    none = eye.look()
    assert len({one.digest for one in (first, second, third, gone, odd, lost, none)}) == 7
    assert not odd.whole and not lost.whole and gone.whole and none.files == {}


def test_a_file_that_is_open_for_writing_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "menu.yaml"
    file.write_bytes(b"menus:\n")
    if os.getuid() != file.stat().st_uid:
        pytest.skip("not ours")
    assert being_written(tmp_path, ["menu.yaml", "gone.yaml"]) == ""
    with file.open("ab"):
        assert being_written(tmp_path, ["menu.yaml"]) == "menu.yaml"
    assert being_written(tmp_path, ["menu.yaml"]) == ""


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.1, 2)), max_size=40))
@settings(max_examples=300, deadline=None)
def test_only_what_has_lain_still_and_closed_is_taken(looks: list[tuple[str, bool, float]]) -> None:
    settling, now, history = Settling("a"), 0.0, list[tuple[float, str, bool]]()
    for digest, written, gap in looks:
        now += gap
        history.append((now, digest, written))
        if settling.step(now, digest, written):
            assert digest != "a" and not written
            still = [one for one in history if one[0] >= now - SETTLE]
            assert all(seen == digest and not open_ for _at, seen, open_ in still[1:])


def test_what_was_refused_is_looked_at_again_when_it_changes_or_after_a_while() -> None:
    settling = Settling("good")
    assert [settling.step(now, "bad") for now in (0.0, 0.5, 1.0)] == [False, False, True]
    settling.refuse(1.0, "bad")
    assert not any(settling.step(2.0 + now / 2, "bad") for now in range(100))
    assert [settling.step(60 + now, "worse") for now in (0.0, 1.0)] == [False, True]
    settling.take("worse")
    assert not settling.step(70, "worse")
    settling.refuse(100, "bad")
    assert [settling.step(100 + RETRY + now, "bad") for now in (0, 1)] == [False, True]


# --- the prompts of a version -----------------------------------------------------------------------------------------


def test_a_version_keeps_its_prompts_when_the_live_ones_are_replaced(tmp_path: Path) -> None:
    live = tmp_path / "sounds" / "zh" / "greeting.wav"
    live.parent.mkdir(parents=True)
    live.write_bytes(b"old")
    old, draft = version_folder(tmp_path, "1" * 64), draft_folder(tmp_path)
    lay(tmp_path, old)
    lay(tmp_path, draft)
    fresh = draft / "sounds" / "zh" / "new"
    fresh.write_bytes(b"new")
    fresh.replace(draft / "sounds" / "zh" / "greeting.wav")
    assert live.read_bytes() == b"old"
    new = version_folder(tmp_path, "2" * 64)
    lay(draft, new)
    lay(new, tmp_path)
    assert live.read_bytes() == b"new" and (old / "sounds/zh/greeting.wav").read_bytes() == b"old"
    sweep(tmp_path, [new, old])
    assert old.exists() and draft.exists()  # the draft of a process that lives
    sweep(tmp_path, [new])
    assert not old.exists() and new.exists()


def test_a_name_that_is_no_text_keeps_no_version_from_being_written_down(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"hotline.yaml": b"a", "sounds/zh/greeting.wav": b"b"})
    odd = os.fsencode(folder / "sounds/zh") + b"/" + "欢迎.wav".encode("gbk")
    with open(odd, "wb") as file:
        file.write(b"c")
    take(history, folder)
    (version,) = history.versions()
    assert sorted(version.files) == ["hotline.yaml", "sounds/zh/greeting.wav"]
    (folder / "hotline.yaml").write_bytes(b"d")
    write_back(history, version, folder)
    assert os.path.exists(odd)


@pytest.mark.parametrize("name", ["../outside", "/outside", "sounds/../../outside", "sounds/zh/..", "a/b/c"])
def test_a_tampered_version_leads_out_of_no_folder(tmp_path: Path, name: str) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"hotline.yaml": b"a"})
    take(history, folder)
    lines = history.folder / "versions.jsonl"
    lines.write_text(lines.read_text() * 2)
    lines.write_text(lines.read_text().replace("hotline.yaml", name, 1))
    assert [list(version.files) for version in history.versions()] == [["hotline.yaml"]]


@pytest.mark.parametrize(
    ("was", "becomes"), [('"at":1,', f'"at":{1 << 62},'), ('"at":1,', '"at":-1,'), (':"ca978', ':"../../ca978'),
                         ('"version":1', '"version":0')],
)  # fmt: skip
def test_a_version_that_cannot_be_is_passed_over(tmp_path: Path, was: str, becomes: str) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"hotline.yaml": b"a"})
    take(history, folder)
    lines = history.folder / "versions.jsonl"
    assert was in lines.read_text()
    lines.write_text(lines.read_text().replace(was, becomes))
    assert history.versions() == []


def test_a_kept_text_that_has_changed_is_not_taken_back(tmp_path: Path) -> None:
    folder, history = tmp_path / "config", History(tmp_path / "var")
    write(folder, {"hotline.yaml": b"a"})
    digest = take(history, folder).files["hotline.yaml"]
    (history.folder / "files" / digest).write_bytes(b"tampered")
    (folder / "hotline.yaml").write_bytes(b"b")
    with pytest.raises(Damaged, match="has changed"):
        write_back(history, history.versions()[0], folder)
    assert read(folder) == {"hotline.yaml": b"b"}
