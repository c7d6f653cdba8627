"""The files that a browser needs besides the pages: our own style and modules, and the libraries of the npm lock.

All are read once at the start and served from memory under a name that holds the digest of all of them, so that a
browser may keep them for ever and modules find each other by relative names. A request never touches the disk.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.catalogue import _

STATIC = Path(__file__).parent / "static"

VENDOR: Mapping[str, str] = {
    "vendor/htmx.js": "htmx.org/dist/htmx.min.js",
    "vendor/wavesurfer.js": "wavesurfer.js/dist/wavesurfer.esm.js",
    "vendor/wavesurfer-regions.js": "wavesurfer.js/dist/plugins/regions.esm.js",
    "vendor/wavesurfer-timeline.js": "wavesurfer.js/dist/plugins/timeline.esm.js",
}
"""By the name under which it is served, where it stands in ``node_modules``."""

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
SMALL = 1_000
"""Bytes below which compressing gains nothing."""


class AssetsMissing(Exception):
    """The set-up has not fetched the libraries; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed (empty where that gains nothing)."""

    kind: str
    plain: bytes
    packed: bytes


def node_modules() -> Path:
    """Where ``scripts/setup.py`` lays the libraries: below ``HOTLINE_CACHE``, or ``.cache`` in the repository."""
    given = os.environ.get("HOTLINE_CACHE")
    cache = Path(given) if given else Path(__file__).resolve().parents[1] / ".cache"
    return cache / "web" / "node_modules"


class Assets:
    """The files by name. ``digest`` stands in their addresses."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = files
        whole = hashlib.sha256()
        for name in sorted(files):
            whole.update(name.encode() + b"\0" + hashlib.sha256(files[name].plain).digest())
        self.digest = whole.hexdigest()[:12]

    @classmethod
    def gather(cls) -> Assets:
        """Read them all. Raises AssetsMissing."""
        found = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
        modules = node_modules()
        found |= {name: modules / place for name, place in VENDOR.items()}
        try:
            return cls({name: _asset(path) for name, path in found.items()})
        except OSError as error:
            text = _("The console's libraries are not there ({path}): run 'make setup'.")
            raise AssetsMissing(text.format(path=error.filename)) from None

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError for one that is not there."""
        self._files[name]
        return f"/static/{self.digest}/{name}"

    def get(self, name: str) -> Asset | None:
        """The file of this name."""
        return self._files.get(name)


def _asset(path: Path) -> Asset:
    plain = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packs = len(plain) > SMALL and (kind.startswith("text/") or path.suffix == ".svg")
    return Asset(kind, plain, gzip.compress(plain, 9, mtime=0) if packs else b"")
