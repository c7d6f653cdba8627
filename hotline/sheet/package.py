"""An .xlsx file that nobody trusts: what kind of file it is, and its XML parts, never more of them than is safe.

A workbook comes from a person's mail, edited by whatever program. So its sizes are judged by the directory of the zip
before anything is unpacked, only stored and deflated parts are read, and a document type (the source of every entity
attack) is refused. Limits are generous: a roster of 1,000 people and a month takes 2 MB unpacked.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from config.catalogue import _
from config.problems import Place, Problem, Refused, shown

LARGEST_FILE = 20_000_000
"""Bytes of the file itself."""

LARGEST_PART = 64_000_000
"""Bytes of one part unpacked: an empty row of Excel takes 40, and a sheet can claim 1,048,576 of them."""

LARGEST_WHOLE = 128_000_000
"""Bytes of all parts that are read, unpacked."""

MOST_PARTS = 2_000
MOST_ELEMENTS = 6_000_000
"""XML elements of all parts that are read: some seconds of CPU."""

DEEPEST = 60
"""Levels of XML; a workbook has about 10."""

CHUNK = 4_000_000
"""Bytes given to the parser at once. Older expats read an unfinished token anew with each chunk (CVE-2023-52425)."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How Excel 97's files begin, and WPS's own, and every file that Excel has locked with a password ([MS-CFB])."""

Attributes = dict[str, str]


class Package:
    """The parts of an .xlsx file. Raises Refused for whatever is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self._left, self._elements = LARGEST_WHOLE, MOST_ELEMENTS
        self._zip = self._open(path)
        self._parts = self._directory()

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def refused(self, code: str, what: str, fix: str, cell: str = "") -> Refused:
        """The refusal of this file as a whole."""
        return Refused([Problem(code, Place(shown(self.file), 0, cell), what, fix)])

    def damaged(self, part: str) -> Refused:
        """The refusal of a file that is not what a workbook must be."""
        return self.refused(
            "sheet-damaged",
            _("The file is damaged ({part}).").format(part=shown(part)),
            _("Open it in Excel or WPS, save it anew as .xlsx, and try again."),
        )

    def parse(
        self,
        part: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] = lambda name: None,
        text: Callable[[str], None] = lambda data: None,
    ) -> None:
        """Read one part: each element by its name without prefix (transitional and strict files have the same), and its
        text. Raises Refused."""
        level = 0

        def begins(name: str, attributes: Attributes) -> None:
            nonlocal level
            level += 1
            self._elements -= 1
            if self._elements < 0 or level > DEEPEST:
                raise self._too_large()
            start(name[name.rfind(":") + 1 :], attributes)

        def ends(name: str) -> None:
            nonlocal level
            level -= 1
            end(name[name.rfind(":") + 1 :])

        def document_type(*_declared: object) -> None:
            raise self.refused(
                "sheet-unsafe",
                _("The file has a document type inside ({part}), which no Excel writes.").format(part=shown(part)),
                _("It is not taken. Where does it come from?"),
            )

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = begins
        parser.EndElementHandler = ends
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = document_type
        try:
            with self._zip.open(self._parts[part]) as stream:
                while data := stream.read(CHUNK):
                    self._left -= len(data)
                    if self._left < 0:
                        raise self._too_large()
                    parser.Parse(data, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, LookupError) as error:
            raise self.damaged(part) from error
        except (RuntimeError, NotImplementedError, OSError) as error:
            raise self.damaged(part) from error

    # --- opening ------------------------------------------------------------------------------------------------

    def _open(self, path: Path) -> zipfile.ZipFile:
        about = path.stat()  # OSError says which file and why
        if not stat.S_ISREG(about.st_mode):
            raise self.refused("sheet-not-a-file", _("This is not a file."), _("Name an .xlsx file."))
        if about.st_size > LARGEST_FILE:
            raise self._too_large()
        with path.open("rb") as file:
            head = file.read(4096)
        if head.startswith(_OLE):
            raise self._locked_or_old(path)
        if not head:
            raise self.refused("sheet-empty", _("The file is empty."), _("Export the roster anew, or save it again."))
        if not head.startswith(b"PK"):
            raise self._no_workbook()
        try:
            return zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, IndexError, OverflowError) as error:
            raise self.damaged("zip") from error
        except OSError as error:
            if error.filename is not None:
                raise
            raise self.damaged("zip") from error

    def _directory(self) -> dict[str, zipfile.ZipInfo]:
        parts = self._zip.infolist()
        if len(parts) > MOST_PARTS:
            raise self._too_large()
        for part in parts:
            if part.flag_bits & 0x1:
                raise self._locked()
            if part.file_size > LARGEST_PART and _is_read(part.filename):
                raise self._too_large()
        if sum(part.file_size for part in parts if _is_read(part.filename)) > LARGEST_WHOLE:
            raise self._too_large()
        found = {part.filename.lstrip("/"): part for part in parts}
        if "xl/workbook.bin" in found or "mimetype" in found or "xl/workbook.xml" not in found:
            raise self._no_workbook()
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in found.values()):
            raise self.damaged("zip")
        return found

    def _locked_or_old(self, path: Path) -> Refused:
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            return self._locked()
        return self.refused(
            "sheet-old",
            _("This is a file of Excel 97 (.xls) or of WPS (.et)."),
            _("Open it and save it as an Excel workbook (.xlsx)."),
        )

    def _locked(self) -> Refused:
        return self.refused(
            "sheet-locked",
            _("The file is locked with a password."),
            _("Take the password off in Excel or WPS (File, Information, Protect), and save it again."),
        )

    def _no_workbook(self) -> Refused:
        return self.refused(
            "sheet-other-kind",
            _("This is no Excel workbook (.xlsx)."),
            _("Open it in Excel or WPS and save it as an Excel workbook (.xlsx)."),
        )

    def _too_large(self) -> Refused:
        return self.refused(
            "sheet-too-large",
            _("The file is far larger than any roster."),
            _("Is it the right file? Delete empty rows and columns that carry formats, pictures and other sheets."),
        )


def _is_read(part: str) -> bool:
    """Pictures and the like are never unpacked."""
    return part.lower().endswith((".xml", ".rels"))
