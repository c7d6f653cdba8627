"""The results of the formulas, beside them in the file.

Excel, WPS and LibreOffice count anew when they open it. But what only shows a workbook (a phone, a chat's preview)
shows the results that the file holds, and openpyxl writes either a formula or a value.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from functools import partial
from xml.sax.saxutils import escape

Result = int | float | str

_FORMULA = re.compile(r'<c r="([A-Z]+[0-9]+)"([^>]*)>(<f>[^<]*</f>)<v ?/>')


def with_results(content: bytes, results: Mapping[str, Mapping[str, Result]]) -> bytes:
    """The workbook with these results, by part (``xl/worksheets/sheet1.xml``) and cell (``F12``)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            known = results.get(part.filename)
            if known:
                data = _FORMULA.sub(partial(_cell, known), data.decode("utf-8")).encode("utf-8")
            target.writestr(part, data)
    return out.getvalue()


def _cell(known: Mapping[str, Result], found: re.Match[str]) -> str:
    result = known.get(found[1])
    if result is None:
        return found[0]
    attributes = re.sub(r' t="[^"]*"', "", found[2])
    if isinstance(result, str):
        return f'<c r="{found[1]}"{attributes} t="str">{found[3]}<v>{escape(result)}</v>'
    return f'<c r="{found[1]}"{attributes}>{found[3]}<v>{result:g}</v>'
