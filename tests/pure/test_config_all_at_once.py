"""Every mistake of every kind in one go: unknown key, wrong type, doubled numbers, no device, a menu that loops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.problems import Refused
from hotline import preflight
from hotline.asterisk.fault import AsteriskFault
from hotline.preflight import prepare

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
MISTAKES = {
    "hotline.yaml": [
        ("company: 示例公司", "company: 示例公司\ncolour: red"),
        ("numbers: [4001234567]", "numbers: [4001234567, 4001234567]"),
        ("  ring: 20", "  ring: soon"),
    ],
    "agents.yaml": [
        ('business, general], devices: [{sip: "8001"}]', "business, general], devices: []"),
        ('devices: [{sip: "8003"}]', 'devices: [{sip: "8002"}]'),
    ],
    "menu.yaml": [('"1": {label: 咨询, queue: inquiry}', '"1": {label: 咨询, menu: main}')],
}


def test_all_mistakes_are_told_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    for name, changes in MISTAKES.items():
        text = (tmp_path / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        prepare(tmp_path)
    errors = [problem for problem in refused.value.problems if not problem.warning]
    assert {(problem.place.file, problem.place.key, problem.code) for problem in errors} == {
        ("hotline.yaml", "colour", "unknown-key"),
        ("hotline.yaml", "numbers[1]", "number-doubled"),
        ("hotline.yaml", "times.ring", "wrong-type"),
        ("agents.yaml", "agents.8001.devices", "too-few"),
        ("agents.yaml", "agents.8003.devices[0].sip", "account-doubled"),
        ("menu.yaml", "menus.main.options.1.menu", "menu-loops"),
    }
    assert all(problem.place.line and problem.what and problem.fix for problem in errors)


def test_a_missing_espeak_is_one_error_and_not_one_for_every_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> list[str]:
        raise AsteriskFault("espeak-ng is missing")

    config = tmp_path / "config"
    config.mkdir()
    for file in EXAMPLE.glob("*.yaml"):
        shutil.copy(file, config)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preflight, "espeak_command", nowhere)
    with pytest.raises(Refused) as refused:
        prepare(config)
    errors = [problem for problem in refused.value.problems if not problem.warning]
    assert [problem.code for problem in errors] == ["espeak-missing"]
