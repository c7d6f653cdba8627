"""Pictures as SVG: the parts that every picture of ours is made of. Text stays text, with the reader's own fonts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"
STYLE = f"""
text {{ font-family: {FONT}; fill: #1f2933; font-size: 12px }}
.title {{ font-size: 18px; font-weight: 600 }}
.head {{ font-weight: 600; font-size: 13px }}
.axis {{ fill: #52606d; font-size: 11px }}
.grid {{ stroke: #e4e7eb; stroke-width: 1 }}
.base {{ stroke: #9aa5b1; stroke-width: 1 }}
"""


def page(width: float, height: float, title: str, style: str, parts: Sequence[str]) -> str:
    """A whole picture on a ground of its own; ``title`` is read out by a screen reader."""
    said = clean(title)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{said}">',
        f"<title>{said}</title>",
        f"<style>{style}</style>",
        f'<rect class="page" width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        *parts, "</svg>", "",
    ])  # fmt: skip


def clean(words: str) -> str:
    """Text that may stand in XML 1.0: marks escaped, characters that XML does not have replaced."""
    return escape("".join(char if _in_xml(char) else "�" for char in words))


def _in_xml(char: str) -> bool:
    """Whether XML 1.0 has this character (section 2.2, Char)."""
    code = ord(char)
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Words at a point of their base line."""
    named = f' class="{kind}"' if kind else ""
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{named} x="{x:.1f}" y="{y:.1f}"{placed}>{clean(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle; one narrower than nothing is not there."""
    width, height = max(0.0, width), max(0.0, height)
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def dot(x: float, y: float, colour: str, size: float = 3.0) -> str:
    """A dot through which others can be seen."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}" fill-opacity="0.7"/>'


def wide(words: str, size: float = 11.0) -> float:
    """About how wide the words become at ``size`` px: Chinese characters are square, others a little over half."""
    return sum(1.09 if ord(char) > 0x2E80 else 0.565 for char in words) * size
