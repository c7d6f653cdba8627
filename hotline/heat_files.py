"""The map of coverage in a file: SVG as it is, PNG with a font that this machine has or gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from config.catalogue import _, language, set_language
from hotline.asterisk.fault import AsteriskFault
from hotline.fonts import fetch
from hotline.heat import Heat
from hotline.heat_picture import draw
from hotline.png import png_of
from hotline.show import near


def write(path: Path, heat_of: Callable[[bool], Heat]) -> Iterator[str]:
    """Draw it; yields what the reader must be told, line by line. Raises OSError where it cannot be written.

    ``heat_of(latin)`` makes the map. Where a PNG has no font with Chinese characters it is in English, with the
    queues' keys instead of their names.
    """
    if path.suffix.lower() == ".png":
        try:
            font = fetch()
        except AsteriskFault as fault:
            yield str(fault)
            yield _("Without a font that has Chinese characters the picture is in English. As .svg it needs none.")
            path.write_bytes(png_of(_in_english(heat_of), None))
        else:
            path.write_bytes(png_of(draw(heat_of(False), "light"), font))
    else:
        path.write_text(draw(heat_of(False)), encoding="utf-8")
    yield _("The coverage is drawn in {file}.").format(file=near(path))


def _in_english(heat_of: Callable[[bool], Heat]) -> str:
    before = language()
    set_language("en")
    try:
        return draw(heat_of(True), "light")
    finally:
        set_language(before)
