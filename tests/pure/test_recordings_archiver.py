"""The worker processes of the archive: killed, hung, orphaned, closed; and the calls that come through."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from calllog.events import Archived, ArchiveFailed, Measured
from calllog.folds import CallState
from calllog.talk import Part, Talk
from recordings import archive
from recordings.archiver import Archiver, Closed
from recordings.folders import Folders
from recordings.jobs import ArchiveJob, ArchiveResult, RawPart, TalkJob, jobs_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = 1_790_006_400_000_000  # 2026-09-21 16:00 UTC: midnight in Shanghai, so 22 September there
SECOND = 1_000_000
PATIENCE = 60.0


def call(folders: Folders, number: int = 1, *, voicemail: bool = False, raw: bool = True) -> CallState:
    """An ended call with one talk of a second, on disk with ``raw``; with a voicemail of a second."""
    folders.make()
    call_id = f"hotline-1790006400.{number}"
    state = CallState(call_id, arrived_at=T0, ended_at=T0 + 9 * SECOND)
    talk = Talk(f"{call_id}-t1", call_id, "8001", "desk", "leg", T0, started_at=T0, ended_at=T0 + SECOND)
    talk.parts.append(Part(1, f"{talk.talk_id}.1.raw", T0, T0, T0 + SECOND))
    state.talks.append(talk)
    if raw:
        folders.raw(talk.parts[0].file).write_bytes(bytes(range(200)) * 160)
    if voicemail:
        state.voicemail_file, state.voicemail_kept = f"{call_id}.wav", True
        folders.raw(state.voicemail_file).write_bytes(bytes(range(200)) * 80)
    return state


def failed(why: str) -> ArchiveFailed:
    return ArchiveFailed(why=why, category="call")


def first_time(job: ArchiveJob, step: str) -> bool:
    """Whether this step is reached for the first time; remembered on disk, since the worker dies of it."""
    marker = Path(job.root, f"{job.call_id}.{step}")
    if marker.exists():
        return False
    marker.touch()
    return True


def dies_at_begin(job: ArchiveJob) -> ArchiveResult:
    if first_time(job, "begin"):
        os.kill(os.getpid(), signal.SIGKILL)
    return archive.finalise(job)


def dies_in_writing(job: ArchiveJob) -> ArchiveResult:
    if first_time(job, "writing"):

        def half(path: Path, *_: object, **__: object) -> None:
            path.write_bytes(b"fLaC half a file")
            os.kill(os.getpid(), signal.SIGKILL)

        archive.write_sound = half  # type: ignore[assignment,attr-defined]
    return archive.finalise(job)


def dies_before_rename(job: ArchiveJob) -> ArchiveResult:
    if first_time(job, "rename"):
        archive.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[attr-defined]
    return archive.finalise(job)


def dies_after_rename(job: ArchiveJob) -> ArchiveResult:
    result = archive.finalise(job)
    if first_time(job, "renamed"):
        os.kill(os.getpid(), signal.SIGKILL)
    return result


def dies_on_first_call(job: ArchiveJob) -> ArchiveResult:
    if job.call_id.endswith(".1"):
        os.kill(os.getpid(), signal.SIGKILL)
    return ArchiveResult(why="done")


def hangs_on_first_call(job: ArchiveJob) -> ArchiveResult:
    if job.call_id.endswith(".1"):
        Path(job.root, "pid").write_text(str(os.getpid()))
        time.sleep(3600)
    return ArchiveResult(why="done")


def raises(job: ArchiveJob) -> ArchiveResult:
    raise RuntimeError(job.call_id)


@pytest.mark.parametrize("run", [dies_at_begin, dies_in_writing, dies_before_rename, dies_after_rename])
async def test_a_worker_killed_in_mid_job_is_followed_by_another(tmp_path: Path, run: object) -> None:
    folders = Folders(tmp_path)
    state = call(folders)
    async with Archiver(folders, SHANGHAI, run=run) as archiver:  # type: ignore[arg-type]
        archived, measured = await archiver.archive(state)
    assert isinstance(archived, Archived) and isinstance(measured, Measured)
    assert archived.file == "2026/09/22/hotline-1790006400.1.flac"
    assert archived.frames == 8000
    day = folders.finished(archived.file).parent
    assert {path.name for path in day.iterdir()} == {"hotline-1790006400.1.flac", "hotline-1790006400.1.flac.measure"}
    assert folders.raw(state.parts[0].file).exists()


async def test_a_job_that_kills_its_workers_fails_and_the_next_one_is_served(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    async with Archiver(folders, SHANGHAI, run=dies_on_first_call) as archiver:
        results = await asyncio.gather(*(archiver.archive(call(folders, number)) for number in (1, 2)))
    assert results == [(failed("worker_died"),), (failed("done"),)]


async def test_a_job_that_hangs_is_killed_and_the_next_one_is_served(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    async with Archiver(folders, SHANGHAI, run=hangs_on_first_call, timeout=1.0) as archiver:
        assert await archiver.archive(call(folders, 1)) == (failed("timeout=1"),)
        # The time-out was the first job's to suffer; a busy machine shall not make the second one's.
        archiver._lanes[0]._timeout = PATIENCE
        assert await archiver.archive(call(folders, 2)) == (failed("done"),)


async def test_a_fault_in_the_worker_is_a_result_and_it_lives_on(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    async with Archiver(folders, SHANGHAI, run=raises) as archiver:
        for number in (1, 2):
            assert await archiver.archive(call(folders, number)) == (failed("fault=RuntimeError"),)


async def test_talks_and_voicemail_are_two_recordings_and_are_discarded_apart(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    both, nothing = call(folders, voicemail=True), CallState("hotline-1.2", arrived_at=T0, ended_at=T0)
    lost = call(folders, 3, voicemail=True, raw=False)
    async with Archiver(folders, SHANGHAI, workers=2) as archiver:
        talks, voicemail, *measured = await archiver.archive(both)
        assert [each.category for each in measured if isinstance(each, Measured)] == ["call", "voicemail"]
        assert await archiver.archive(both, "voicemail") == (voicemail, measured[1])
        assert await archiver.archive(nothing) == ()
        kept, not_kept, _measured = await archiver.archive(lost)
        assert isinstance(talks, Archived)
        assert isinstance(voicemail, Archived)
        assert (talks.category, talks.channels, talks.frames) == ("call", 2, 8000)
        assert (voicemail.category, voicemail.channels, voicemail.frames) == ("voicemail", 1, 8000)
        assert voicemail.file == "2026/09/22/hotline-1790006400.1.voicemail.flac"
        assert isinstance(kept, Archived)
        assert not_kept == failed("missing")
        assert await archiver.discard(both, talks) == [both.parts[0].file]
        assert folders.raw(both.voicemail_file).exists()
        assert await archiver.discard(both, talks) == []
        folders.finished(voicemail.file).unlink()
        assert await archiver.discard(both, voicemail) == []
        assert folders.raw(both.voicemail_file).exists()


def test_a_job_is_what_the_journal_says(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    state = call(folders, voicemail=True)
    rung = Talk("t0", state.call_id, "8002", "desk", "leg", T0, "missed", T0 + SECOND)
    state.talks.insert(0, rung)
    state.parts[0].requested_at, state.parts[0].started_at = T0 + 5, 0
    state.talks[1].ended_at, state.hung_up_at = 0, T0 + 7 * SECOND
    talks, voicemail = jobs_of(state, folders, SHANGHAI)
    raw = RawPart(1, str(folders.spool / f"{state.call_id}-t1.1.raw"), T0 + 5, T0 + SECOND)
    assert talks.talks == (TalkJob(f"{state.call_id}-t1", T0, T0 + 7 * SECOND, (raw,)),)
    assert voicemail.voicemail == str(folders.spool / f"{state.call_id}.wav")
    state.call_id = "../../x"
    assert [job.file for job in jobs_of(state, folders, SHANGHAI)] == [
        "2026/09/22/..%2F..%2Fx.flac",
        "2026/09/22/..%2F..%2Fx.voicemail.flac",
    ]


async def test_a_file_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    state = call(folders)
    state.parts[0].file = "../../../etc/passwd"
    async with Archiver(folders, SHANGHAI) as archiver:
        assert await archiver.archive(state) == (failed("outside"),)


async def test_a_talk_that_asterisk_refused_to_record_gives_no_event_but_a_file_counts(
    tmp_path: Path,
) -> None:
    folders = Folders(tmp_path)
    refused, late = call(folders, 1, raw=False), call(folders, 2)
    for state in (refused, late):
        state.parts[0].failed, state.parts[0].started_at = "AMI did not answer", 0
    async with Archiver(folders, SHANGHAI) as archiver:
        assert await archiver.archive(refused) == ()
        archived, _measured = await archiver.archive(late)
    assert isinstance(archived, Archived)


async def test_a_full_queue_fails_that_call_and_a_close_leaves_the_rest_to_the_next_start(
    tmp_path: Path,
) -> None:
    folders = Folders(tmp_path)
    async with Archiver(folders, SHANGHAI, run=hangs_on_first_call, most_waiting=1) as archiver:
        hung = asyncio.create_task(archiver.archive(call(folders, 1)))
        async with asyncio.timeout(PATIENCE):
            # The worker tells by a file: there is no event to wait for.
            while not (folders.archive / "pid").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        waiting = asyncio.create_task(archiver.archive(call(folders, 2)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert archiver.waiting == 1
        assert await archiver.archive(call(folders, 3)) == (failed("too_many=1"),)
        await archiver.close(grace=0.05)
        async with asyncio.timeout(PATIENCE):
            for task in (hung, waiting):
                with pytest.raises(Closed):
                    await task
            with pytest.raises(Closed):
                await archiver.archive(call(folders, 4))


async def test_a_caller_that_goes_away_takes_nothing_down(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    async with Archiver(folders, SHANGHAI) as archiver:
        gone = asyncio.create_task(archiver.archive(call(folders, 1)))
        await asyncio.sleep(0)
        gone.cancel()
        archived, _measured = await archiver.archive(call(folders, 2))
    assert isinstance(archived, Archived)


DAEMON = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo
from recordings.archiver import Archiver
from recordings.folders import Folders
import test_recordings_archiver as here

async def main():
    folders = Folders(Path(sys.argv[1]))
    async with Archiver(folders, ZoneInfo("UTC"), run=here.hangs_on_first_call) as archiver:
        await archiver.archive(here.call(folders, 1))

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_worker_does_not_outlive_a_daemon_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "daemon.py"
    script.write_text(DAEMON)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    daemon = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env=os.environ | {"PYTHONPATH": path}
    )
    try:
        pid_file = Folders(tmp_path).archive / "pid"
        until = time.monotonic() + PATIENCE
        while not (pid_file.exists() and pid_file.read_text()):
            assert daemon.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        worker = os.pidfd_open(int(pid_file.read_text()))
    finally:
        daemon.kill()
        daemon.wait()
    try:
        ended, _, _ = select.select([worker], [], [], PATIENCE)
        if not ended:
            signal.pidfd_send_signal(worker, signal.SIGKILL)
        assert ended
    finally:
        os.close(worker)


def test_the_daemon_does_not_load_numpy() -> None:
    code = (
        "import sys, recordings.archiver, recordings.leftovers\n"
        "import recordings.listing, recordings.check, recordings.notes\n"
        "print(sorted({'numpy', 'soundfile', 'soxr'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert run.stdout.decode().strip() == "[]"


async def test_what_cannot_be_measured_is_archived_all_the_same_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_about: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "write_measures", full)
    folders = Folders(tmp_path)
    (job,) = jobs_of(call(folders), folders, SHANGHAI)
    result = archive.finalise(job)
    assert result.archived is not None and result.measured is None and result.unmeasured == "OSError ENOSPC"
    said: list[str] = []
    monkeypatch.setattr(
        "recordings.archiver.log", SimpleNamespace(warning=lambda text, **about: said.append(f"{text} {about['why']}"))
    )
    archiver = Archiver(folders, SHANGHAI)
    monkeypatch.setattr(archiver, "_do", lambda job: asyncio.sleep(0, result))
    (event,) = await archiver.archive(call(folders))
    assert isinstance(event, Archived) and said == [
        "a recording could not be measured; it is tried again later OSError ENOSPC"
    ]
