"""A picture of ours as PNG. resvg draws the same SVG that a browser shows, with a font that has Chinese characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotline.fonts import Font

ZOOM = 2.0
"""Pixels of the PNG to one of the picture: sharp on today's screens and in print."""


def png_of(svg: str, font: Font | None) -> bytes:
    """The picture; without a ``font`` with what this machine has, in which Chinese characters may be missing."""
    import resvg_py

    if font is None:
        return resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, sans_serif_family="DejaVu Sans")
    files = [str(path) for path in font.files]
    return resvg_py.svg_to_bytes(
        svg_string=svg, zoom=ZOOM, skip_system_fonts=True, font_files=files,
        font_family=font.family, sans_serif_family=font.family,
    )  # fmt: skip
