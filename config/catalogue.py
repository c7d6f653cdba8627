"""The words of screens and commands: English in the code, Chinese in ``config/locale/zh.po``.

``_("text")`` and ``ngettext("one", "many", n)`` give the text in the language in force; placeholders are
filled in afterwards with ``str.format``. The argument is always a literal, so that a test can find every text
and its translation. The file is read once, at the first question, never on import. What callers hear is not
here but in ``prompts.<language>.yaml``.
"""

from __future__ import annotations

import gettext
import os
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babel.messages.catalog import Catalog, Message

Language = Literal["zh", "en"]

LOCALE = Path(__file__).parent / "locale"
DEFAULT: Language = "zh"

_chosen: Language | None = None
_answering: ContextVar[Language | None] = ContextVar("answering", default=None)


def set_language(language: Language) -> None:
    """Choose the language of every text from now on. Raises ValueError when there is none of that name."""
    global _chosen
    if language not in get_args(Language):
        raise ValueError(f"no such language: {language}")
    _chosen = language


@contextmanager
def answering(asked: object) -> Iterator[None]:
    """Within it texts are in the language that was ``asked`` for; in the one in force where there is none such.

    For putting an answer into words alone: tasks and timers that are made within it would keep the language.
    """
    token = _answering.set("zh" if asked == "zh" else "en" if asked == "en" else None)
    try:
        yield
    finally:
        _answering.reset(token)


def language() -> Language:
    """The language in force: what was set, else the environment's HOTLINE_LANG, else Chinese."""
    if (wanted := _answering.get()) is not None:
        return wanted
    if _chosen is not None:
        return _chosen
    asked = os.environ.get("HOTLINE_LANG", "")[:2].lower()
    return "en" if asked == "en" else DEFAULT


def _(msgid: str) -> str:
    """The text in the language in force; the English text itself where no translation is known."""
    return _translations(language()).gettext(msgid)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Like ``_``, for texts that depend on a number."""
    return _translations(language()).ngettext(singular, plural, n)


@cache
def _translations(wanted: Language) -> gettext.NullTranslations:
    path = LOCALE / f"{wanted}.po"
    if wanted == "en" or not path.is_file():
        return gettext.NullTranslations()
    return gettext.GNUTranslations(BytesIO(_compiled(path)))


def _compiled(path: Path) -> bytes:
    """The catalogue in gettext's binary form: kept beside Python's own compiled files, since every command and every
    worker reads it, and reading the text takes a tenth of a second."""
    about = path.stat()
    kept = path.parent / "__pycache__" / f"{path.stem}.{about.st_mtime_ns}-{about.st_size}.mo"
    with suppress(OSError):
        return kept.read_bytes()
    from babel.messages.mofile import write_mo

    made = BytesIO()
    write_mo(made, read_po([path]))
    with suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        for old in kept.parent.glob(f"{path.stem}.*.mo"):
            old.unlink(missing_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}.part")
        draft.write_bytes(made.getvalue())
        draft.replace(kept)
    return made.getvalue()


def read_po(paths: Iterable[Path], strict: bool = False) -> Catalog:
    """One catalogue out of several .po files.

    Of a text that stands there twice the translated one holds: people append to the file while it still holds
    the empty entry that ``config.catalogue_update`` has made. With ``strict``, a malformed file raises
    babel's PoFileError.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import PoFileParser

    class Merged(Catalog):
        def __setitem__(self, id: str | list[str] | tuple[str, ...], message: Message) -> None:
            known = self.get(id) if id else None
            if known is not None:
                if not is_empty(known):
                    return
                self.delete(known.id)
            super().__setitem__(id, message)

    catalogue = Merged(locale="zh", fuzzy=False)
    for path in paths:
        with path.open("rb") as file:
            PoFileParser(catalogue, ignore_obsolete=True, abort_invalid=strict).parse(file)
    return catalogue


def is_empty(message: Message) -> bool:
    """Whether a translation, or one of its plural forms, is still to be written."""
    return not all([message.string] if isinstance(message.string, str) else message.string or [""])
