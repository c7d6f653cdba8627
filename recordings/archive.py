"""Finishing a recording: raw parts in, one verified file out. Runs in a worker process only (imports numpy).

The order makes it safe to be killed at any moment and run again:

1. scan the raw files (length, sound) and lay them out in call time;
2. an intact file made of exactly these samples is there already: done;
3. write a temporary file in the target's folder, sync it, decode it again and compare: a FLAC by the digest of every
   sample; an Opus, which is lossy, by its length and its level (``recordings.level``). The decoding also measures it;
4. rename it, sync the folder.

The raw files are not touched: ``recordings.folders.discard_parts`` deletes them once the event is committed.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from calllog.events import Archived, Measured, Span
from config.plain import open_plain, sync_folder
from recordings.errors import NoKey, Unreadable
from recordings.folders import RATE, RAW_FRAME, wav_layout
from recordings.jobs import ArchiveJob, ArchiveResult, Format
from recordings.keys import BadKey, Ring, load_ring
from recordings.layout import Heard, Layout, Placed, lay_out
from recordings.level import Level, alike
from recordings.mark import is_marked
from recordings.measures import write_measures
from recordings.measuring import Measuring
from recordings.sealed import digest_of
from recordings.sound import OPUS_RATES, Decoded, Samples, decode, digest, raw_blocks, silence, write_sound

SOUND_PEAK = 64
"""A 20 ms piece with a sample beyond this (-54 dBFS) holds sound; A-law silence decodes to 8."""
PIECE = RATE // 50
"""Frames in 20 ms, one RTP packet's worth."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Failed(Exception):
    """This job ends here; the text is of ``recordings.notes``'s words."""


class _Differs(_Failed):
    """What was written is not what was given."""

    def __init__(self) -> None:
        super().__init__("differs")


class _Tag(msgspec.Struct):
    """The file's comment: enough to tell what it is without the store. ``started`` is ISO 8601, UTC.

    ``pcm``: the digest of the samples that a lossy file was made of.
    """

    call: str
    category: str
    started: str
    talks: tuple[Span, ...] = ()
    pcm: str = ""


def finalise(job: ArchiveJob) -> ArchiveResult:
    """Make (or find) the finished file of this job, proved by what was recorded. Never raises an Exception.

    Talks: two channels, 16-bit, 8 kHz, caller left and agent right. Voicemail: one channel, the rate it was
    recorded at. Safe to repeat.
    """
    try:
        if not os.path.isdir(job.root) or (job.how.marked and not is_marked(Path(job.root))):
            raise _Failed("archive_gone")  # made anew it would lie below the mount point of a disk that is not there
        return _voicemail(job) if job.category == "voicemail" else _talks(job)
    except _Failed as failed:
        return ArchiveResult(why=str(failed))
    except (NoKey, BadKey):
        return ArchiveResult(why="no_key")
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        return ArchiveResult(why=f"disk_full={name}" if error.errno in _FULL else f"io={name}")
    except Exception as error:
        # A fault of ours must not take the call's recording with it: the raw files stay.
        return ArchiveResult(why=f"fault={type(error).__name__}")


def _talks(job: ArchiveJob) -> ArchiveResult:
    parts = [part for talk in job.talks for part in talk.parts]
    heard = {part.path: _scan(part.path) for part in parts}
    heard |= {part.key: _scan(part.path, *part.reach) for part in parts if part.since}
    layout = lay_out(job.talks, heard)
    started = next((part.started_at for part in parts if heard[part.path]), 0)
    awaited = [part for part in parts if heard[part.path] or not part.failed]
    complete = all(heard[part.path] for part in awaited)
    nothing = "unrecorded" if not awaited else "empty" if complete else "missing"
    return _finish(job, layout, RATE, 2, started, nothing, complete=complete)


def _voicemail(job: ArchiveJob) -> ArchiveResult:
    first, rate, frames = 0, RATE, 0
    there = True
    try:
        with _reading(job.voicemail), os.fdopen(open_plain(job.voicemail, links=False), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            first, rate = wav_layout(file.read(256), size)
            frames = max(0, size - first) // 2
    except FileNotFoundError:
        there = False
    placed = (Placed(job.voicemail, 0, frames, first),) if frames else ()
    nothing = "empty" if there else "missing"
    return _finish(job, Layout(placed, (), frames), rate, 1, job.arrived_at, nothing, complete=there)


def _finish(
    job: ArchiveJob, layout: Layout, rate: int, channels: int, started: int, nothing: str, *, complete: bool
) -> ArchiveResult:
    wanted: Format = job.how.format if rate in OPUS_RATES else "flac"
    ring = load_ring(Path(job.how.keys)) if job.how.keys else Ring({})
    file = str(Path(job.file).with_suffix(f".{wanted}"))

    def samples() -> Iterator[Samples]:
        return _samples(layout, channels)

    for there_as in dict.fromkeys((file, *(str(Path(file).with_suffix(f".{one}")) for one in ("flac", "opus")))):
        measuring = Measuring()
        try:
            there = decode(Path(job.root, there_as), there_as, ring, measuring.take)
        except (FileNotFoundError, Unreadable):
            continue
        tag = _tag(there.comment)
        made = digest(samples(), channels) if layout.frames else None
        if made and there.rate == rate and (there.pcm == made or (tag and tag.pcm == made.digest)):
            sync_folder(Path(job.root, there_as).parent)
            return _done(job, there_as, ring, there, layout.spans, measuring)
        if not complete and tag and tag.call == job.call_id:
            # Its raw files were deleted after it had been verified: it knows more than what is left of them.
            return _done(job, there_as, ring, there, tuple(_raw_gone(span) for span in tag.talks), measuring)
    if not layout.frames:
        raise _Failed(nothing)
    began = dt.datetime.fromtimestamp((started or job.arrived_at) / 1e6, dt.UTC)
    when = began.isoformat(timespec="milliseconds")
    tag = _Tag(job.call_id, job.category, when, layout.spans)
    tags = {"title": job.call_id, "date": when, "software": "Hotline"}
    if wanted == "opus":
        tag.pcm = digest(samples(), channels).digest
    ways: tuple[Format, ...] = (wanted, "flac")
    for kept_as in dict.fromkeys(ways):
        measuring, file = Measuring(), str(Path(file).with_suffix(f".{kept_as}"))
        tags["comment"] = msgspec.json.encode(tag).decode()
        try:
            written = _write(job, file, ring, samples, rate, channels, tags, measuring)
        except _Differs:
            if kept_as == "flac":
                raise
            continue  # sound that the lossy codec does not do justice to
        return _done(job, file, ring, written, layout.spans, measuring)
    raise AssertionError


def _done(
    job: ArchiveJob, file: str, ring: Ring, there: Decoded, spans: tuple[Span, ...], measuring: Measuring
) -> ArchiveResult:
    sha256, size = digest_of(Path(job.root, file), file, ring)
    archived = Archived(
        category=job.category, file=file, sha256=sha256, frames=there.pcm.frames, rate=there.rate,
        channels=there.pcm.channels, spans=spans, size=size,
    )  # fmt: skip
    try:
        return ArchiveResult(archived, measured=_measured(job, archived, ring, measuring))
    except Exception as error:  # no failure of the recording: it is measured again later
        code = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
        return ArchiveResult(archived, unmeasured=f"{type(error).__name__} {code or error}".strip())


def _measured(job: ArchiveJob, archived: Archived, ring: Ring, measuring: Measuring) -> Measured:
    """What was measured, once its file is written. Raises whatever goes wrong."""
    within = [(span.first, span.end) for span in archived.spans if span.end > span.first]
    begins = {span.talk_id: span.first for span in archived.spans}
    paused = [
        frames for talk in job.talks if talk.talk_id in begins
        for frames in talk.paused_frames(begins[talk.talk_id], archived.rate)
    ]  # fmt: skip
    measures = measuring.result(job.how.silence_from, job.how.talk_over_from, within, paused)
    write_measures(Path(job.root), archived.file, measures, ring if job.how.seal else None)
    return measures.event(job.category)


def _write(
    job: ArchiveJob,
    file: str,
    ring: Ring,
    samples: Callable[[], Iterator[Samples]],
    rate: int,
    channels: int,
    tags: dict[str, str],
    measuring: Measuring,
) -> Decoded:
    target = Path(job.root, file)
    _make_folder(target.parent)
    _remove_unfinished(target)
    # Our own id in the name: a worker that outlives its daemon for a moment cannot then rename a file that
    # its successor has half written.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    lossy = target.suffix == ".opus"
    given_level, heard_level = Level(), Level()

    def heard(block: Samples, rate: int) -> None:
        measuring.take(block, rate)
        if lossy:
            heard_level.take(block)

    try:
        given = write_sound(
            unfinished, given_level.through(samples()) if lossy else samples(), rate, channels, tags,
            format="opus" if lossy else "flac", seal=(file, ring) if job.how.seal else None,
        )  # fmt: skip
        written = decode(unfinished, file, ring, heard)
        same = alike(given_level, heard_level) if lossy else written.pcm == given
        if not same or (written.pcm.frames, written.rate) != (given.frames, rate):
            raise _Differs
        os.replace(unfinished, target)
    except Unreadable as error:
        if isinstance(error, NoKey):
            raise
        raise _Differs from error
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(target.parent)
    return written


def _samples(layout: Layout, channels: int) -> Iterator[Samples]:
    at = 0
    for part in layout.placed:
        yield from silence(part.first - at, channels)
        with _reading(part.path):
            yield from raw_blocks(part.path, part.offset, part.frames, channels)
        at = part.first + part.frames
    yield from silence(layout.frames - at, channels)


def _scan(path: str, first: int = 0, end: int | None = None) -> Heard | None:
    """The length of a raw part in whole frames, and how much sound each side has; None for no file.

    With ``first`` and ``end``: of these frames of it, as far as it has them.
    """
    try:
        with _reading(path):
            there = os.stat(path, follow_symlinks=False).st_size // RAW_FRAME
            frames = max(0, (there if end is None else min(there, end)) - first)
            sound = np.zeros(2, dtype=np.int64)
            for block in raw_blocks(path, first * RAW_FRAME, frames, 2):
                loud = (block > SOUND_PEAK) | (block < -SOUND_PEAK)
                whole = len(loud) // PIECE * PIECE
                # Both sides' bytes of a frame as one number: ten times as fast as by an axis of two.
                pieces = np.bitwise_or.reduce(loud[:whole].view(np.uint16).reshape(-1, PIECE), axis=1)
                sound += pieces.view(np.bool_).reshape(-1, 2).sum(axis=0) * PIECE
                sound += loud[whole:].any(axis=0) * (len(loud) - whole)
    except FileNotFoundError:
        return None
    return Heard(frames, int(sound[0]), int(sound[1]))


class _reading:
    """A raw file that is there but unreadable fails the job: it may be mended, and must be kept."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Unreadable):
            raise _Failed("changed") from error
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise _Failed(f"unreadable={errno.errorcode.get(error.errno or 0, 'EIO')}") from error


def _tag(comment: str) -> _Tag | None:
    try:
        return msgspec.json.decode(comment, type=_Tag)
    except msgspec.DecodeError:
        return None


def _raw_gone(span: Span) -> Span:
    return Span(span.talk_id, span.first, span.end, span.verified, f"{span.note} raw_gone".strip())


def _make_folder(folder: Path) -> None:
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        path.mkdir(mode=0o750, exist_ok=True)
        sync_folder(path.parent)


_UNFINISHED: dict[str, list[str]] = {}
"""By folder: what workers before this one left unfinished there. A day's folder is looked through once, since it holds
a day's calls; what we begin ourselves, we take away ourselves."""


def _remove_unfinished(target: Path) -> None:
    folder = str(target.parent)
    names = _UNFINISHED.get(folder)
    if names is None:
        names = _UNFINISHED[folder] = [name for name in os.listdir(folder) if name.endswith(".part")]
    for name in [name for name in names if name.startswith(f".{target.name}.")]:
        Path(folder, name).unlink(missing_ok=True)
        names.remove(name)
