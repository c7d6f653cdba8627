"""Events folded into calls: what holds for every history, and the places where it is easy to get wrong."""

from __future__ import annotations

import pytest
from hypothesis import given

from calllog import events as ev
from calllog.codec import Undecodable, decode, encode, kind_of, stream_of
from calllog.envelope import fold_call
from calllog.folds import CallState
from calllog.rows import FOLDED, call_rows
from tests.pure.journal_play import UNHURRIED, Entry, call_events, histories, jumbled

C = "hotline-1.1"


def fold(*events: ev.CallEvent) -> CallState:
    state = CallState(C)
    for at, event in enumerate(events, 1):
        state.apply(at, event)
    return state


def archived(category: ev.Category, file: str) -> ev.Archived:
    return ev.Archived(category=category, file=file, sha256="0" * 64, frames=1, rate=8000, channels=2)


def rung(talk: str = "t") -> list[ev.CallEvent]:
    return [
        ev.Arrived(leg=C),
        ev.RingStarted(talk_id=talk, agent="8001", device="d", leg="l"),
        ev.RingEnded(talk_id=talk, agent="8001", result="answered"),
        ev.TalkStarted(talk_id=talk, agent="8001", bridge="b"),
        ev.RecordingRequested(talk_id=talk, part=0, file="t.0.raw"),
    ]


@UNHURRIED
@given(call_events(C))
def test_a_well_formed_history_folds_without_complaint(events: list[ev.CallEvent]) -> None:
    state = CallState(C)
    for at, event in enumerate(events, 1):
        assert fold_call(state, at, event) == ""
    assert (state.stage == "ended") == bool(state.outcome) == any(isinstance(each, ev.Ended) for each in events)
    assert len(state.talks) == sum(isinstance(e, ev.RingStarted) for e in events)


@UNHURRIED
@given(jumbled())
def test_an_event_that_does_not_fit_changes_nothing(history: list[Entry]) -> None:
    states: dict[str, CallState] = {}
    for at, (stream, call_id, event, _party) in enumerate(history, 1):
        state = states.setdefault(call_id, CallState(call_id))
        before = call_rows(state)
        if stream == "agent" or fold_call(state, at, event):
            assert call_rows(state) == before


@UNHURRIED
@given(histories())
def test_every_event_survives_json(history: list[Entry]) -> None:
    for stream, _stream_id, event, _party in history:
        assert decode(*encode(event)) == event
        assert stream_of(event) == stream
        assert encode(event)[0] == kind_of(event)


@UNHURRIED
@given(histories())
def test_rows_have_the_shape_of_their_tables(history: list[Entry]) -> None:
    states: dict[str, CallState] = {}
    for at, (stream, call_id, event, _party) in enumerate(history, 1):
        if stream == "call":
            fold_call(states.setdefault(call_id, CallState(call_id)), at, event)
    for state in states.values():
        for table, rows in call_rows(state).items():
            columns, keys = FOLDED[table]
            assert {len(row) for row in rows} <= {len(columns)}
            assert len({row[:keys] for row in rows}) == len(rows)


def test_the_first_outcome_stands_and_nothing_reopens_a_call() -> None:
    state = fold(*rung(), ev.Ended(outcome="answered"), ev.Ended(outcome="failed"))
    state.apply(9, ev.RingStarted(talk_id="late", agent="8002", device="d", leg="l"))
    state.apply(10, ev.RingEnded(talk_id="late", agent="8002", result="missed"))
    assert (state.outcome, state.stage) == ("answered", "ended")


def test_a_call_with_talks_and_a_voicemail_keeps_both_recordings() -> None:
    state = fold(
        *rung(), ev.VoicemailStarted(file="v.wav"), ev.VoicemailKept(file="v.wav", seconds=3.0),
        ev.Ended(outcome="answered"),
    )  # fmt: skip
    assert state.archives_due == ("call", "voicemail")
    state.apply(20, archived("call", "c.flac"))
    assert state.archives_due == ("voicemail",)
    state.apply(21, archived("voicemail", "v.flac"))
    assert state.archives_due == ()
    assert [row[4] for row in call_rows(state)["recording"]] == ["c.flac", "v.flac"]


def test_a_failed_archive_is_not_due_by_itself_but_counts_as_failed_until_it_is_done() -> None:
    state = fold(*rung(), ev.Ended(outcome="answered"))
    assert (state.archives_due, state.archives_failed) == (("call",), ())
    state.apply(20, ev.ArchiveFailed(why="disk full"))
    assert (state.archives_due, state.archives_failed, state.archive_failed) == ((), ("call",), "disk full")
    state.apply(21, archived("call", "c.flac"))
    assert (state.archives_due, state.archives_failed, state.archive_failed) == ((), (), "")


def test_an_archive_that_failed_without_saying_which_is_that_of_the_talks_else_the_voicemail() -> None:
    assert fold(*rung(), ev.ArchiveFailed(why="x")).archives_failed == ("call",)
    assert fold(ev.Arrived(leg=C), ev.ArchiveFailed(why="x")).archives_failed == ("voicemail",)


def test_nothing_is_due_for_a_recording_that_never_began() -> None:
    failed = fold(*rung(), ev.RecordingFailed(talk_id="t", part=0, why="no"), ev.Ended(outcome="answered"))
    assert failed.archives_due == ()
    assert call_rows(failed)["recording"][0][2] == "nothing"


def test_nothing_is_due_before_the_end() -> None:
    assert fold(*rung()).archives_due == ()
    assert call_rows(fold(*rung()))["recording"][0][2] == "open"


def test_a_calls_rating_is_that_of_its_last_rated_talk_and_each_talk_keeps_its_own() -> None:
    first = [*rung("a"), ev.TalkEnded(talk_id="a", agent="8001", by="agent"), ev.SurveyInvited(talk_id="a")]
    asked = fold(*first)
    assert (asked.stage, asked.rating, asked.talks[0].invited_at) == ("survey", 0, len(first))
    rated = fold(*first, ev.Rated(talk_id="a", rating=5))
    assert (rated.stage, rated.rating) == ("survey", 5)
    second = [*rung("b")[1:], ev.TalkEnded(talk_id="b", agent="8001", by="agent"), ev.SurveyInvited(talk_id="b")]
    again = fold(*first, ev.Rated(talk_id="a", rating=5), *second)
    assert (again.rating, [talk.rating for talk in again.talks]) == (5, [5, 0])
    again.apply(99, ev.Rated(talk_id="b", rating=2))
    assert (again.rating, [talk.rating for talk in again.talks]) == (2, [5, 2])
    rows = call_rows(again)
    assert [row[-2:] for row in rows["talk"]] == [(len(first), 5), (again.talks[1].invited_at, 2)]
    assert rows["card"][0][-1] == 2


def test_a_rating_of_a_talk_that_never_was_changes_nothing_and_one_out_of_range_is_not_read() -> None:
    state = fold(*rung("a"))
    for event in (ev.SurveyInvited(talk_id="b"), ev.Rated(talk_id="b", rating=1)):
        assert fold_call(state, 9, event) != "" and (state.stage, state.rating) == ("talk", 0)
    for key in (0, 6):
        with pytest.raises(Undecodable):
            decode("rated", 1, f'{{"kind": "rated", "talk_id": "a", "rating": {key}}}')


def test_an_older_end_of_a_talk_was_of_no_phone_that_was_lost() -> None:
    data = '{"kind": "talk_ended", "talk_id": "a", "agent": "8001", "by": "agent"}'
    assert decode("talk_ended", 1, data) == ev.TalkEnded(talk_id="a", agent="8001", by="agent", lost=False)
