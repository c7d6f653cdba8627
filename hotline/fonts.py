"""A font with Chinese characters for pictures made of pixels: this machine's own, else one fetched into the cache.

A browser shows an SVG with its reader's fonts; a PNG needs one here. Where there is none, WenQuanYi Micro Hei comes
from Debian (fonts-wqy-microhei, 2 MB) as the private Asterisk does: by this machine's own apt, without root.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.catalogue import _
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.install import cache_folder
from hotline.asterisk.packages import Apt
from hotline.asterisk.progress import Progress

PACKAGE = "fonts-wqy-microhei"

KNOWN: Mapping[str, str] = {
    "NotoSansCJK-Regular.ttc": "Noto Sans CJK SC",
    "NotoSansCJKsc-Regular.otf": "Noto Sans CJK SC",
    "NotoSansSC-Regular.otf": "Noto Sans SC",
    "NotoSansSC-Regular.ttf": "Noto Sans SC",
    "SourceHanSansSC-Regular.otf": "Source Han Sans SC",
    "SourceHanSansCN-Regular.otf": "Source Han Sans CN",
    "wqy-microhei.ttc": "WenQuanYi Micro Hei",
    "wqy-zenhei.ttc": "WenQuanYi Zen Hei",
    "DroidSansFallbackFull.ttf": "Droid Sans Fallback",
    "msyh.ttc": "Microsoft YaHei",
    "simhei.ttf": "SimHei",
}
"""Files of fonts with Chinese characters, the best first, and the name of each font."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font: its name, and its files (the bold one too, where there is one)."""

    family: str
    files: tuple[Path, ...]


def folders(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where fonts of this machine and this user lie (fontconfig's own folders)."""
    home = Path(environment.get("HOME") or "/")
    data = environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    return [own / "fonts", home / ".fonts", *(Path(part) / "fonts" for part in data.split(":") if part)]


def installed(places: Iterable[Path]) -> Font | None:
    """The best of the known fonts in these folders; None where there is none."""
    found: dict[str, Path] = {}
    for place in places:
        for folder, _folders, files in os.walk(place):
            for name in files:
                found.setdefault(name, Path(folder) / name)
    for name, family in KNOWN.items():
        if name in found:
            bold = found.get(name.replace("Regular", "Bold"))
            return Font(family, tuple(dict.fromkeys(path for path in (found[name], bold) if path is not None)))
    return None


def private_folder() -> Path:
    """Where a fetched font lies."""
    return cache_folder().absolute() / "fonts"


def find() -> Font | None:
    """A font of this machine, or the one that was fetched before; needs no network."""
    return installed([*folders(), private_folder()])


def fetch(progress: Progress | None = None) -> Font:
    """The font that there is, else the one from Debian. Raises AsteriskFault, with the reason, where there is none."""
    if (found := find()) is not None:
        return found
    folder = private_folder()
    fresh = folder.with_name(f"fonts.{os.getpid()}")
    try:
        fresh.mkdir(parents=True, exist_ok=True)
        apt = Apt(fresh / "apt", progress or Progress())
        apt.open()
        files = apt.download((PACKAGE,), title=_("Downloading a font with Chinese characters"))
        apt.unpack(files, fresh / "root", title=_("Unpacking the font"))
        shutil.rmtree(folder, ignore_errors=True)
        (fresh / "root").rename(folder)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or folder, reason=error.strerror)
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if (found := installed([folder])) is None:
        raise AsteriskFault(_("{package} holds no font that is known here.").format(package=PACKAGE))
    return found
