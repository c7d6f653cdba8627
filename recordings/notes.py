"""What is odd about a recording: short stable words for the journal, and sentences for a person.

A note is words joined by spaces, each ``word`` or ``word=value``: ``short=3.2 silent=agent``. The journal
holds the words, so that their wording can be bettered and read in either language.
"""

from __future__ import annotations

from calllog.events import RecordingFault
from config.catalogue import _


def say(note: str) -> list[str]:
    """A ``Span.note`` or ``ArchiveFailed.why`` as sentences in the reader's language; unknown words stay."""
    return [_sentence(*word.partition("=")[::2]) for word in note.split()]


def _sentence(word: str, value: str) -> str:
    match word, value:
        # Notes of one talk.
        case "unrecorded", _value:
            return _("This talk was not recorded.")
        case "missing", "":
            return _("The raw recording is missing.")
        case "missing", _value:
            return _("Raw parts missing: {count}.").format(count=value)
        case "empty", _value:
            return _("The raw recording is empty.")
        case "short", _value:
            return _("The recording is {seconds} s shorter than the talk.").format(seconds=value)
        case "long", _value:
            return _("The recording is {seconds} s longer than the talk.").format(seconds=value)
        case "no_end", _value:
            return _("The journal does not say when this talk ended.")
        case "paused", _value:
            return _("The recording was paused for {seconds} s.").format(seconds=value)
        case "silent", "caller":
            return _("Nothing is heard from the caller.")
        case "silent", "agent":
            return _("Nothing is heard from the agent.")
        case "silent", _value:
            return _("Nothing is heard from either side.")
        case "overlap", _value:
            return _("It is placed {seconds} s late, behind a part longer than the journal says.").format(
                seconds=value
            )
        case "gap_cut", _value:
            return _("{seconds} s of silence before it were cut.").format(seconds=value)
        case "raw_gone", _value:
            return _("It was finished before; the raw parts are already deleted.")
        # Why there is no finished recording.
        case "disk_full", _value:
            return _("The disk is full ({code}). The raw parts are kept.").format(code=value)
        case "io", _value:
            return _("The disk failed ({code}). The raw parts are kept.").format(code=value)
        case "unreadable", _value:
            return _("A raw part cannot be read ({code}). The raw parts are kept.").format(code=value)
        case "changed", _value:
            return _("A raw part became shorter while it was read. The raw parts are kept.")
        case "differs", _value:
            return _("The finished file did not hold the same sound. The raw parts are kept.")
        case "timeout", _value:
            return _("It took longer than {seconds} s. The raw parts are kept.").format(seconds=value)
        case "worker_died", _value:
            return _("The process that did it died three times. The raw parts are kept.")
        case "too_many", _value:
            return _("More than {count} recordings were waiting. The next start finishes it.").format(
                count=value
            )
        case "archive_gone", _value:
            return _("The recordings' folder has gone. Bring it back: what is recorded is finished then.")
        case "no_key", _value:
            return _("There is no key to seal it with, or one cannot be read. The raw parts are kept.")
        # Why a talk has no verified recording (``calllog.recording_coverage``).
        case "off", _value:
            return _("No recording was asked for: recording was off.")
        case "declined", _value:
            return _("The caller declined to be recorded.")
        case "no_notice", _value:
            return _("The recording notice could not be played, so the talk was not recorded.")
        case "refused", _value:
            return _("Asterisk did not record it: {why}.").format(why=value.replace("\u00a0", " "))
        case "due", _value:
            return _("The recording is not finished yet.")
        case "unproved", _value:
            return _("Its sound is not proved.")
        case "file", ("gone" | "size" | "digest" | "damaged" | "no_key" | "unreadable") as fault:
            return say_fault(fault)
        case "outside", _value:
            return _("The journal names a file outside the recordings' folder.")
        case "fault", _value:
            return _("A fault of Hotline's own ({what}). The raw parts are kept.").format(what=value)
    return f"{word}={value}" if value else word


def say_fault(fault: RecordingFault) -> str:
    """What is wrong with a finished recording's file, as a sentence; empty for nothing."""
    match fault:
        case "":
            return ""
        case "gone":
            return _("The recording's file has gone.")
        case "size":
            return _("The recording's file has another size than when it was archived.")
        case "digest":
            return _("The recording's file is not what was archived: its SHA-256 is another.")
        case "damaged":
            return _("The recording's file is damaged; no wrong sound is played.")
        case "no_key":
            return _("The key that opens the recording is not there: bring it back from your copy of the keys.")
        case "unreadable":
            return _("The recording's file cannot be read at the moment.")
