"""Files that nobody should trust: whatever an .xlsx holds, it is read within bounds or refused in one sentence."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from openpyxl import load_workbook  # type: ignore[import-untyped]

from config.problems import Refused
from hotline.sheet import package
from hotline.sheet.understand import understand
from hotline.sheet.workbook import At, read_workbook
from tests.pure.sheet_play import NAMES, drawn, roster, words_of

WORDS = words_of(roster())
MAIN = "xl/worksheets/sheet1.xml"


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


PARTS = parts_of(drawn())


def packed(parts: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def code_of(folder: Path, content: bytes) -> str:
    """The code by which this file is refused."""
    path = folder / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        understand("a.xlsx", read_workbook(path), NAMES, WORDS)
    [problem] = refused.value.problems[:1]
    assert problem.what and problem.fix and problem.place.file == "a.xlsx"
    return problem.code


def sheet_with(xml: bytes) -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return packed({**PARTS, MAIN: head + xml + b"</worksheet>"}, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "sheet-empty"),
        (b"hello", "sheet-other-kind"),
        (b"<html><table><tr><td>8001", "sheet-other-kind"),  # what many a web page calls .xls
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "sheet-old"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "sheet-locked"),
        (b"PK\x03\x04" + bytes(60), "sheet-damaged"),
        (drawn()[: len(drawn()) // 2], "sheet-damaged"),
        (packed({"word/document.xml": b"<a/>"}), "sheet-other-kind"),
        (packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", **PARTS}), "sheet-other-kind"),
        (packed({**PARTS, "xl/workbook.xml": b"<workbook/>"}), "sheet-damaged"),
        (packed({**PARTS, MAIN: b"<worksheet"}), "sheet-damaged"),
        (packed({f"a{number}.txt": b"" for number in range(package.MOST_PARTS + 1)}), "sheet-too-large"),
        (packed(PARTS, zipfile.ZIP_LZMA), "sheet-damaged"),
        (sheet_with(b"<sheetData/>"), "sheet-other"),
        (sheet_with(b'<sheetData><row r="9999999"/></sheetData>'), "sheet-damaged"),
        (sheet_with(b'<sheetData><row><c r="AAAA1"/></row></sheetData>'), "sheet-damaged"),
        (sheet_with(b'<sheetData><row><c t="s"><v>99999</v></c></row></sheetData>'), "sheet-damaged"),
        (sheet_with(b"<a>" * 100 + b"</a>" * 100), "sheet-too-large"),
    ],
)
def test_files_of_another_kind_are_refused_in_a_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    assert code_of(tmp_path, content) == code


def test_a_locked_zip_a_folder_and_a_huge_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = bytearray(packed(PARTS))
    for place in range(len(locked) - 4):
        if locked[place : place + 4] == b"PK\x01\x02":
            locked[place + 8] |= 1
    assert code_of(tmp_path, bytes(locked)) == "sheet-locked"
    with pytest.raises(Refused):
        read_workbook(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_workbook(tmp_path / "none.xlsx")
    monkeypatch.setattr(package, "LARGEST_FILE", 1000)
    assert code_of(tmp_path, drawn()) == "sheet-too-large"


def test_a_bomb_is_refused_by_its_directory_and_by_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "LARGEST_PART", 5_000_000)
    bomb = packed({**PARTS, MAIN: b" " * 5_000_001}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert code_of(tmp_path, bomb) == "sheet-too-large"
    # One that lies about its size gives no more than it said.
    lying = bytearray(packed({**PARTS, MAIN: b"<a>" + b" " * 4_000_000}, zipfile.ZIP_DEFLATED))
    real = struct.pack("<L", 4_000_003)
    while (place := lying.find(real)) >= 0:
        lying[place : place + 4] = struct.pack("<L", 100)
    assert code_of(tmp_path, bytes(lying)) == "sheet-damaged"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", [MAIN, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_entities_are_refused_wherever_they_are(tmp_path: Path, part: str, encoding: str) -> None:
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hosts">]><a>&b;&c;</a>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{laughs}'
    assert code_of(tmp_path, packed({**PARTS, part: text.encode(encoding)})) == "sheet-unsafe"


def test_a_sheet_may_claim_empty_rows_and_merges_of_everything(tmp_path: Path) -> None:
    text = PARTS[MAIN].decode()
    rows = "".join(f'<row r="{row}" s="1" customFormat="1"/>' for row in range(2000, 82_000))
    text = text.replace("</sheetData>", f"{rows}</sheetData>", 1)
    text = text.replace("<mergeCells", '<mergeCell ref="A1000:XFD1048576"/><mergeCells', 1)
    text = text.replace('<dimension ref="', '<dimension ref="A1:XFD1048576" x="', 1)
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed({**PARTS, MAIN: text.encode()}, zipfile.ZIP_DEFLATED))
    grids = read_workbook(path)
    assert understand("a.xlsx", grids, NAMES, WORDS).cells == {}


def test_too_many_filled_cells_and_elements_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.sheet.workbook.MOST_CELLS", 20)
    assert code_of(tmp_path, drawn()) == "sheet-too-large"
    monkeypatch.setattr(package, "MOST_ELEMENTS", 100)
    assert code_of(tmp_path, drawn()) == "sheet-too-large"


def test_cells_are_read_as_openpyxl_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(drawn())
    for grid, sheet in zip(read_workbook(path), load_workbook(path).worksheets, strict=True):
        for row in sheet.iter_rows():
            for cell in row:
                there = grid.cells.get(At(cell.row, cell.column))
                if cell.value is None or cell.value == "":
                    assert there is None
                elif cell.data_type == "f":
                    assert there is not None and there.formula
                elif cell.is_date:
                    assert there is not None and there.date == cell.value.date()
                else:
                    assert there is not None and there.text == str(cell.value)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A1" t="inlineStr"><is><r><t>早</t></r><r><t>班</t></r><rPh><t>zao</t></rPh></is></c>', "早班"),
        ('<c t="str"><f>A2</f><v>夜</v></c>', "夜"),
        ("<c><v>8001</v></c>", "8001"),
        ("<c><v>8.5</v></c>", "8.5"),
        ("<c><v>1E400</v></c>", "1E400"),
        ("<c><v>nan</v></c>", "nan"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="d"><v>2027-02-06T00:00:00</v></c>', "2027-02-06"),
        ('<x:c xmlns:x="u" r="A1"><x:v>7</x:v></x:c>', "7"),
    ],
)
def test_every_kind_of_cell(tmp_path: Path, cell: str, text: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(sheet_with(f"<sheetData><row>{cell}</row></sheetData>".encode()))
    assert read_workbook(path)[0].text(1, 1) == text


def test_shared_texts_are_read_as_excel_shares_them(tmp_path: Path) -> None:
    shared = (
        "<sst><si><t>早</t></si><si><r><rPr/><t>夜</t></r><r><t>班</t></r><rPh sb='0'><t>ye</t></rPh></si><si/></sst>"
    )
    cells = "".join(f'<c t="s"><v>{number}</v></c>' for number in (1, 0, 2))
    content = parts_of(sheet_with(f"<sheetData><row>{cells}</row></sheetData>".encode()))
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed({**content, "xl/sharedStrings.xml": shared.encode()}))
    assert [read_workbook(path)[0].text(1, column) for column in (1, 2, 3)] == ["夜班", "早", ""]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_whatever_is_done_to_a_file_it_is_read_or_refused(seed: int) -> None:
    """Bytes of the file, or of a part, changed, cut, doubled or swapped with others; nothing else may come of it."""
    chance = random.Random(seed)
    if chance.random() < 0.3:
        content = _spoilt(drawn(), chance)
    else:
        parts = dict(PARTS)
        for _time in range(chance.randint(1, 3)):
            name = chance.choice(sorted(parts))
            parts[name] = _spoilt(parts[name], chance)
        content = packed(parts)
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"hotline-fuzz-{seed}.xlsx"
    path.write_bytes(content)
    try:
        understand("a.xlsx", read_workbook(path), NAMES, WORDS)
    except Refused as refused:
        assert all(problem.what for problem in refused.problems)
    finally:
        path.unlink()


WORDS_OF_XML = [
    b"<", b">", b'"', b"<c>", b"</c>", b"&#0;", b"&x;", b't="s"', b"-1", b"9" * 30, b"\xff\xfe", b"<!--", b"",
]  # fmt: skip


def _spoilt(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _time in range(chance.randint(1, 6)):
        one, other = sorted(chance.randrange(len(changed) + 1) for _side in range(2))
        other = min(other, one + chance.choice([1, 4, 60, 4000]))
        what = chance.randrange(4)
        if what == 0 and one < len(changed):
            changed[one] = chance.randrange(256)
        elif what == 1:
            del changed[one:other]
        elif what == 2:
            changed[one:one] = changed[one:other]
        else:
            changed[one:other] = chance.choice(WORDS_OF_XML)
    return bytes(changed)
