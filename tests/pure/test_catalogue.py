"""Every text of screens and commands has its Chinese, and the finder of texts finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config import catalogue
from config.catalogue import set_language
from config.catalogue_update import ROOT, faults, placeholders, update, uses


@pytest.fixture(autouse=True)
def _language_restored() -> object:
    before = catalogue._chosen
    yield
    catalogue._chosen = before


def test_every_text_is_translated() -> None:
    assert faults() == []


def test_texts_are_found() -> None:
    texts = {use.texts[0] for use in uses() if use.texts}
    assert len(texts) > 100
    assert "The file is missing." in texts


def test_language() -> None:
    set_language("zh")
    assert catalogue._("The file is missing.") == "文件不存在。"
    assert catalogue.ngettext("At most {n} character.", "At most {n} characters.", 3) == "最多 {n} 个字符。"
    set_language("en")
    assert catalogue._("The file is missing.") == "The file is missing."
    assert (
        catalogue.ngettext("At most {n} character.", "At most {n} characters.", 3)
        == "At most {n} characters."
    )
    with pytest.raises(ValueError):
        set_language("fr")  # type: ignore[arg-type]
    assert catalogue.language() == "en"


@pytest.mark.parametrize(
    ("value", "expected"), [("en", "en"), ("EN_us", "en"), ("zh", "zh"), ("", "zh"), ("klingon", "zh")]
)
def test_language_of_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    monkeypatch.setattr(catalogue, "_chosen", None)
    monkeypatch.setenv("HOTLINE_LANG", value)
    assert catalogue.language() == expected


def test_import_is_cheap() -> None:
    code = "import sys, config.catalogue; print('babel' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def room(tmp_path: Path, code: str, po: str) -> tuple[Path, Path]:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "__init__.py").write_text("")
    (tmp_path / "room" / "screen.py").write_text(code, encoding="utf-8")
    locale = tmp_path / "locale"
    locale.mkdir()
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    head += '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    (locale / "zh.po").write_text(head + po, encoding="utf-8")
    return tmp_path, locale


def test_good_room(tmp_path: Path) -> None:
    po = 'msgid "Hi {name}"\nmsgstr "{name}好"\n\n'
    po += 'msgid "{n} call"\nmsgid_plural "{n} calls"\nmsgstr[0] "{n} 通"\n'
    root, locale = room(tmp_path, '_("Hi {name}")\nngettext("{n} call", "{n} calls", 2)\n', po)
    assert faults(root, locale) == []


@pytest.mark.parametrize(
    ("code", "po", "expected"),
    [
        ('_(f"Hi {x}")', "", "literal"),
        ("_(text)", "", "literal"),
        ('catalogue._("a" + b)', "", "literal"),
        ('_("Hi")', "", "not translated"),
        ('_("Hi")', 'msgid "Hi"\nmsgstr ""\n', "not translated"),
        ('_("Hi {name}")', 'msgid "Hi {name}"\nmsgstr "好"\n', "placeholders"),
        ('_("Hi {name}")', 'msgid "Hi {name}"\nmsgstr "{nmae}好"\n', "placeholders"),
        ('_("Hi")', 'msgid "Hi"\nmsgstr "好{"\n', "placeholders"),
        ("", 'msgid "Hi"\nmsgstr "好"\n', "no code uses"),
        ('ngettext("a", "b", 2)', 'msgid "a"\nmsgstr "好"\n', "plural"),
    ],
)
def test_faults_are_found(tmp_path: Path, code: str, po: str, expected: str) -> None:
    found = faults(*room(tmp_path, code, po))
    assert len(found) == 1 and expected in found[0]


def test_update_adds_merges_and_keeps(tmp_path: Path) -> None:
    code = '_("Old")\n_("New")\n_("Twice")\nngettext("one", "many", 1)\n'
    po = 'msgid "Old"\nmsgstr "旧"\n\nmsgid "Twice"\nmsgstr ""\n\n'
    po += 'msgid "Twice"\nmsgstr "两次"\n\nmsgid "Gone"\nmsgstr "走"\n'
    root, locale = room(tmp_path, code, po)
    (locale / "zh.room.po.txt").write_text('msgid "New"\nmsgstr "新"\n', encoding="utf-8")
    update(root, locale)
    assert sorted(path.name for path in locale.iterdir()) == ["zh.po"]
    assert faults(root, locale) == [
        "room/screen.py:4: not translated in zh.po: 'one'",
        "zh.po: no code uses 'Gone'",
    ]
    before = (locale / "zh.po").read_bytes()
    update(root, locale)
    assert (locale / "zh.po").read_bytes() == before
    update(root, locale, prune=True)
    assert "Gone" not in (locale / "zh.po").read_text(encoding="utf-8")


def test_placeholders() -> None:
    assert placeholders("{a} {b:.0f} {{c}}") == {"a", "b"}
