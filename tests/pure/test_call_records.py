"""Call records: kept whole and for ever, complete as the settings say, and whatever anybody writes into them."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from calllog import events as ev, writer
from calllog.folds import AgentState
from calllog.journal import Journal
from calllog.kpi import record_completeness
from calllog.migrate import back_up
from calllog.notes import new_note
from calllog.record_queries import Completeness, completeness, due_records, note_texts
from calllog.verify import rebuild, verify
from cases.record import FIELDS, LONGEST, TEXTS, Content, NotTaken, changed_by, missing, needs_of
from cases.records import Records
from cases.subjects import subjects_of
from config.load import load_settings
from config.record_file import CallRecords, SubjectFile
from config.settings import Settings
from hotline.record_verbs import complete_records
from tests.pure.cli_play import hotline
from tests.pure.config_play import EXAMPLE, problems
from tests.pure.journal_faults_play import locked, put, until
from tests.pure.journal_play import UNHURRIED, new_store, open_journal, run, short_call, stored, tamper

C = "hotline-1.1"
NASTY = [
    "<script>alert(1)</script>", "=HYPERLINK(\"http://x\")", "a\x00b\x1b[31mred\r\n\x7f", "'; DROP TABLE note; --",
    "../../etc/passwd", "\u202eright to left", "字" * LONGEST, "  ", "{company} %s \\ \"",
]  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Settings:
    return load_settings(EXAMPLE)


@asynccontextmanager
async def records(
    path: Path, house: Settings, told: list[tuple[str, bool]] | None = None, calls: tuple[str, ...] = (C,)
) -> AsyncIterator[tuple[Records, Journal]]:
    journal = await open_journal(path)
    for call in calls:
        if not await journal.events_of(call):
            put(journal, short_call(call))
    heard: list[tuple[str, bool]] = told if told is not None else []
    yield Records(journal, lambda: house, lambda call, whole: heard.append((call, whole))), journal
    await journal.close()


def sound(path: Path) -> None:
    assert verify(path) == []
    assert rebuild(path).changed == 0


# --- written and kept ---------------------------------------------------------------------------------------------


async def test_every_version_is_kept_with_who_and_when(tmp_path: Path, house: Settings) -> None:
    path, told = new_store(tmp_path), list[tuple[str, bool]]()
    async with records(path, house, told) as (desk, journal):
        assert (await desk.read(C)).version == 0
        first = await desk.write(C, {"name": "王芳", "problem": "要求退款"}, by="8001", version=0)
        assert (first.version, first.complete, first.missing) == (1, False, ("subject", "solved"))
        again = await desk.write(C, {"name": "王芳"}, by="8002")
        assert again == first, "what changes nothing is no version"
        with pytest.raises(NotTaken) as refused:
            await desk.write(C, {"name": "李"}, by="8002", version=0)
        assert refused.value.outdated
        done = await desk.write(C, {"subject": "consult-order", "solved": "yes"}, by="李强", version=1)
        assert (done.version, done.complete, done.missing) == (2, True, ())
        assert [(each.by, each.agent, each.changed) for each in done.versions] == [
            ("8001", "8001", ("name", "problem")), ("李强", "8001", ("subject", "solved")),
        ]  # fmt: skip
        assert done.versions[0].content == Content(name="王芳", problem="要求退款")
        assert told == [(C, False), (C, False), (C, True)]
        with pytest.raises(LookupError):
            await desk.write("hotline-9.9", {"name": "x"}, by="8001")
        events = [each.event for each in await journal.events_of(C) if isinstance(each.event, ev.RecordWritten)]
        assert events[0].notes == events[1].notes, "what did not change keeps its note"
    sound(path)
    row = "SELECT call_id, version, agent, written_by, subject, solved, complete FROM call_record"
    assert stored(path, row) == [(C, 2, "8001", "李强", "consult-order", "yes", 1)]
    assert "王芳" not in "".join(data for (data,) in stored(path, "SELECT data FROM event")), "no name in an event"


async def test_a_note_is_spooled_with_its_event_and_taken_in_once(
    tmp_path: Path, house: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BUSY_TIMEOUT", "RETRY_BUSY_TIMEOUT", "RETRY_FIRST", "RETRY_LONGEST"):
        monkeypatch.setattr(writer, name, 0.02)
    path = new_store(tmp_path)
    async with records(path, house) as (desk, journal):
        await journal.flush()
        with locked(path):
            card = await desk.write(C, {"problem": "退款", "name": "王"}, by="8001")
            assert card.content.problem == "退款", "read back from the spool"
            spool = tmp_path / "spool.jsonl"
            assert spool.stat().st_mode & 0o777 == 0o600
            assert "退款" in spool.read_text(encoding="utf-8")
            shutil.copy(spool, tmp_path / "killed.jsonl")
            back_up(path, tmp_path / "killed.db")
        await until(lambda: not journal.degraded)
        assert not spool.exists()
    sound(path)
    # A daemon that was killed with the spool unread: the next start takes event and notes in, and so does another try.
    killed = tmp_path / "killed.db"
    for _start in range(2):
        spool = tmp_path / "again.jsonl"
        shutil.copy(tmp_path / "killed.jsonl", spool)
        await (await open_journal(killed, spool=spool)).close()
    assert sorted((await note_texts(killed, C)).values()) == ["王", "退款"]
    assert verify(killed) == []


async def test_what_is_erased_is_gone_and_everything_still_agrees(tmp_path: Path, house: Settings) -> None:
    path = new_store(tmp_path)
    async with records(path, house) as (desk, _journal):
        await desk.write(C, {"name": "王芳", "problem": "退款", "subject": "consult-other", "solved": "no"}, by="8001")
    tamper(path, "UPDATE note SET text = '' WHERE field = 'name'")
    sound(path)
    async with records(path, house) as (desk, _journal):
        card = await desk.read(C)
        assert (card.content.name, card.versions[0].erased, card.complete) == ("", ("name",), True)
        assert (await desk.write(C, {"solved": "yes"}, by="8001")).content.problem == "退款"
    sound(path)


async def test_a_note_that_is_missing_or_nobodys_is_found(tmp_path: Path, house: Settings) -> None:
    path = new_store(tmp_path)
    async with records(path, house) as (desk, _journal):
        await desk.write(C, {"name": "王芳", "problem": "退款"}, by="8001")
    tamper(path, "DELETE FROM note WHERE field = 'name'")
    assert len(verify(path)) == 1
    tamper(path, "INSERT INTO note VALUES ('n', 'c', 'record', 'name', 1, 'x'), ('m', 'c', 'record', 'name', 1, 'x')")
    assert len(verify(path)) == 3 - 1


fields = st.fixed_dictionaries({}, optional={
    **{name: st.one_of(st.sampled_from([*NASTY, ""]), st.text(max_size=40)) for name in TEXTS},
    "identity_checked": st.booleans(),
    "subject": st.sampled_from(["", "complaint-refund", "nothing-wrong"]),
    "solved": st.sampled_from(["", "yes", "no", "open"]),
})  # fmt: skip


@settings(UNHURRIED, max_examples=25)
@given(st.lists(fields, min_size=1, max_size=4))
def test_whatever_is_written_is_read_back_as_given(
    tmp_path_factory: pytest.TempPathFactory, house: Settings, edits: list[dict[str, Any]]
) -> None:
    path = new_store(tmp_path_factory.mktemp("record"))
    expected = Content()

    async def play() -> None:
        nonlocal expected
        async with records(path, house) as (desk, _journal):
            for edit in edits:
                before, expected = expected, changed_by(expected, edit, subjects_of(house))
                card = await desk.write(C, edit, by="8001")
                assert card.content == expected
                assert card.complete == (card.version > 0 and not missing(expected, subjects_of(house), house))
                assert card.version <= len(edits) and (card.version or before == expected)

    run(play())
    sound(path)


@pytest.mark.parametrize("change", [
    {"name": "字" * (LONGEST + 1)}, {"problem": "\ud800"}, {"solved": "maybe"}, {"subject": "consult"},
    {"subject": "no-such"}, {"identity_checked": "yes"}, {"agent": "8001"}, {"name": 7}, {"notes": {}},
])  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_every_reason(house: Settings, change: dict[str, Any]) -> None:
    with pytest.raises(NotTaken) as refused:
        changed_by(Content(), {**change, "contact": "=" * (LONGEST + 1)}, subjects_of(house))
    assert {fault.field for fault in refused.value.faults} == {*change, "contact"}
    assert all(fault.what and len(fault.what) < 200 for fault in refused.value.faults)


# --- complete or not ----------------------------------------------------------------------------------------------

TREE = {"a": {"label": "甲", "needs": ["name"], "subjects": {
    "b": {"label": "乙"}, "c": {"label": "丙", "retired": True, "subjects": {"d": {"label": "丁", "needs": []}}},
}}, "e": {"label": "戊"}}  # fmt: skip


def with_tree(house: Settings, tree: object, **record: Any) -> Settings:
    hotline = house.hotline.model_copy(update={"record": CallRecords(**record)})
    return house.model_copy(update={"hotline": hotline, "subjects": SubjectFile.model_validate({"subjects": tree})})


def test_the_tree_says_what_can_be_chosen_and_what_is_needed(house: Settings) -> None:
    tree = with_tree(house, TREE, needs=("subject", "solved"))
    subjects = subjects_of(tree)
    assert [one.id for one in subjects.values() if one.open] == ["b", "e"]
    assert subjects["d"].label == "甲 › 丙 › 丁", "retired, and still readable"
    assert needs_of("b", subjects, tree) == ("name",)
    assert needs_of("d", subjects, tree) == ()
    assert needs_of("e", subjects, tree) == needs_of("gone", subjects, tree) == ("subject", "solved")
    assert needs_of("", {}, tree) == ("solved",), "where there are no subjects nobody is asked for one"
    kept = changed_by(Content(subject="d"), {"subject": "d", "name": "x"}, subjects)
    assert kept == Content(subject="d", name="x"), "a retired subject may stay"


@given(fields, st.sets(st.sampled_from(["name", "contact", "identity", "subject", "problem", "solution", "solved"])))
def test_a_record_is_complete_exactly_when_nothing_needed_is_missing(
    house: Settings, edit: dict[str, Any], needs: set[str]
) -> None:
    rules = with_tree(house, {"x": {"label": "x"}}, needs=sorted(needs))
    content = Content(**{**edit, "subject": "x" if edit.get("subject") else ""})
    lacks = set(missing(content, subjects_of(rules), rules))
    assert lacks <= needs
    for one in needs:
        value = content.identity_checked if one == "identity" else getattr(content, one)
        assert (one in lacks) == (not value or (isinstance(value, str) and not value.strip()))


def test_an_id_stands_once_in_the_tree(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "config")
    file = tmp_path / "config" / "subjects.yaml"
    file.write_text("subjects:\n  a:\n    label: 甲\n    subjects:\n      b: {label: 乙}\n  b: {label: 丙}\n")
    (found,) = problems(tmp_path / "config")
    assert (found.code, found.place.line, found.place.key) == ("subject-twice", 6, "subjects.b")
    file.unlink()
    assert problems(tmp_path / "config") == []
    assert load_settings(tmp_path / "config").subjects.subjects == {}


async def test_a_start_knows_whose_record_is_whole_already(tmp_path: Path, house: Settings) -> None:
    async with records(new_store(tmp_path), house, calls=("a", "b", "c")) as (desk, journal):
        await desk.write("a", {"subject": "nothing-wrong"}, by="8001")
        await desk.write("b", {"name": "x"}, by="8001")
        agents = [AgentState(f"800{n}", "wrap_up", call_id=call) for n, call in enumerate("abc")]
        agents.append(AgentState("8009", "paused", call_id="a"))
        assert await complete_records(journal, agents) == ["a"]


async def test_completeness_is_of_the_answered_calls(tmp_path: Path, house: Settings) -> None:
    path, whole = new_store(tmp_path), {"subject": "nothing-wrong"}
    async with records(path, house, calls=("a", "b", "c")) as (desk, _journal):
        await desk.write("a", whole, by="8001")
        await desk.write("b", {"name": "x"}, by="8001")
    assert await completeness(path) == Completeness(3, 1)
    assert await completeness(path, agent="8002") == Completeness()
    assert [(each.call_id, each.version, each.agent) for each in await due_records(path)] == [
        ("c", 0, "8001"), ("b", 1, "8001"),
    ]  # fmt: skip
    assert (record_completeness(1, 3), record_completeness(0, 0)) == (1 / 3, None)


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    shutil.copytree(EXAMPLE, config)
    state = tmp_path / "var"
    text = (config / "hotline.yaml").read_text(encoding="utf-8")
    (config / "hotline.yaml").write_text(text.replace("state_dir: var", f"state_dir: {state}"), encoding="utf-8")

    async def fill() -> None:
        journal = await open_journal(store)
        put(journal, short_call(C))
        await journal.close()

    store = new_store(tmp_path / "new").rename(state.with_name("hotline.sqlite"))
    state.mkdir()
    store = store.rename(state / "hotline.sqlite")
    asyncio.run(fill())
    return config


def test_the_command_writes_and_shows_while_nothing_runs(folder: Path) -> None:
    shown = hotline("record", C, config=folder)
    assert shown.exit_code == 0 and "尚未填写" in shown.output
    done = hotline(
        "record", "last", "--name", "=1+1\x1b[31m", "--subject", "退款", "--contact", "1380", "--problem", "退款",
        "--solved", "no", "--by", "8001", config=folder,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "投诉 › 退款" in done.output and "完整" in done.output and "\x1b[31m" not in done.output
    whole = json.loads(hotline("record", C, "--format", "json", config=folder).output)
    assert (whole["complete"], whole["record"]["name"]) == (True, "=1+1\x1b[31m")
    lines = hotline("record", C, "--format", "csv", config=folder).output.splitlines()
    assert "'=1+1" in lines[1]
    assert "记录完整率 100.0% = 登记完整 1 通" in hotline("record", "--since", "2020-01-01", config=folder).output
    wrong = hotline("record", C, "--problem", "x" * (LONGEST + 1), config=folder)
    assert wrong.exit_code == 1 and "10001" in wrong.output


def test_the_form_asks_field_by_field(folder: Path) -> None:
    from typer.testing import CliRunner

    from config.catalogue import set_language
    from hotline.cli import build

    set_language("zh")
    typed = "王芳\n\n是\n奇怪\n发票\n发票抬头\n已重开\ny\n"
    done = CliRunner().invoke(build(), ["record", C, "--fill", "--config", str(folder)], input=typed)
    assert done.exit_code == 0, done.output
    assert "没有这个选项" in done.output and "咨询 › 发票" in done.output
    broken = CliRunner().invoke(build(), ["record", C, "--fill", "--config", str(folder)], input="李\n")
    assert broken.exit_code == 1
    whole = json.loads(hotline("record", C, "--format", "json", config=folder).output)
    assert whole["version"] == 1
    assert [whole["record"][field] for field in FIELDS] == [
        "王芳", "", True, "consult-invoice", "发票抬头", "已重开", "yes",
    ]  # fmt: skip


def test_a_note_needs_no_call_of_its_own() -> None:
    one, other = new_note("comment", "text", "x"), new_note("comment", "text", "x")
    assert one.note_id < other.note_id and one.call_id == ""
