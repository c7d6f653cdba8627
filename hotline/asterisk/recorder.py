"""Whether this Asterisk may run one recorder from talk to talk (``recording.unbroken``), as far as can be known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.catalogue import _
from config.problems import Place, Problem
from config.settings import Settings
from phone.builds import has_opus_patch

from .fault import AsteriskFault
from .install import find_asterisk

PLACE = Place("hotline.yaml", 0, "recording.unbroken")


def check(settings: Settings, state: Path) -> Iterator[Problem]:
    """An error where the setting would lose sound, a warning where that cannot be told; nothing while it is off.

    Asks an Asterisk of one's own, and blocks for up to 5 s. Whatever it says, the daemon looks again at each
    connection, and records in parts on a build that loses sound (``phone.asterisk``).
    """
    if not settings.hotline.recording.unbroken:
        return
    if settings.hotline.asterisk.own is not None:
        yield from _own(settings, state)
        return
    try:
        install = find_asterisk()
    except AsteriskFault:
        return  # the start, and 'hotline check', say so
    if install.debian_patch or has_opus_patch(install.version_text):
        what = _("On this Asterisk ({asterisk}) the second agent of a call would be missing from the recording.")
        fix = _("Take it out, or build Asterisk without that patch: hotline asterisk build")
        yield Problem("recording-unbroken", PLACE, what.format(asterisk=install.described()), fix)


def _own(settings: Settings, state: Path) -> Iterator[Problem]:
    from .check_own import version_said

    version = version_said(settings, state)
    if version is None:
        what = _("Asterisk does not answer, so whether its build would lose the second agent of a call is not known.")
        fix = _("Start it and run 'hotline check'. On Debian's build each talk is recorded as a part of its own.")
        yield Problem("recording-unbroken-unknown", PLACE, what, fix, warning=True)
    elif has_opus_patch(version):
        what = _("Your Asterisk ({asterisk}) is of Debian's package, or rebuilt from it; with that package's Opus patch the second agent of a call would be missing from the recording, and nobody can see from outside whether it is without.")  # noqa: E501
        fix = _("Take it out, or run an Asterisk that is built from its own source.")
        yield Problem("recording-unbroken", PLACE, what.format(asterisk=version), fix)
