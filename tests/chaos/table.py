"""The table of faults, for the terminal and for both READMEs."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import Literal

from hotline.trial_config import REPOSITORY
from tests.chaos.every import FAULTS
from tests.chaos.round import Row

HEAD = {
    "en": ("fault", "tries", "calls answered", "talks over 3 s: verified, with a reason", "losses"),
    "zh": ("故障", "次数", "已接来电", "超过 3 秒的接谈：已核验，有说明", "丢失"),
}
SAID = {
    "en": "Last run: {date}, seed {seed}, Asterisk {version}, {cores} cores, 5 calls/s, 12 agents.",
    "zh": "最近一次：{date}，种子 {seed}，Asterisk {version}，{cores} 核，每秒 5 通来电，12 名座席。",
}
PAGES: dict[Literal["en", "zh"], str] = {"en": "README.md", "zh": "README.zh-CN.md"}
BEGIN, END = "<!-- chaos -->", "<!-- /chaos -->"


def tries(row: Row) -> int:
    """What the table counts: kills, where one round is several."""
    return row.tries * {"daemon_killed": 20, "killed_at_an_arrival": 20}.get(row.fault, 1)


def lines(rows: list[Row], language: Literal["en", "zh"]) -> list[str]:
    """The table in Markdown."""
    head = HEAD[language]
    table = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for row in rows:
        audit = row.audit
        said = FAULTS[row.fault].say[language == "zh"]
        if row.skipped:
            table.append(f"| {said} | – | – | – | {row.skipped} |")
            continue
        reasons = sum(audit.reasons.values())
        table.append(f"| {said} | {tries(row)} | {audit.answered} | {audit.verified}, {reasons} | {len(row.losses)} |")
    return table


def into_readmes(rows: list[Row], version: str, seed: str) -> None:
    """Between the marks of both pages."""
    for language, name in PAGES.items():
        page = REPOSITORY / name
        said = SAID[language].format(
            date=dt.date.today().isoformat(), seed=seed, version=version, cores=os.cpu_count()
        )  # fmt: skip
        text = "\n".join([BEGIN, said, "", *lines(rows, language), END])
        found = re.sub(f"{BEGIN}.*?{END}", lambda _match, text=text: text, page.read_text(encoding="utf-8"), flags=re.S)
        page.write_text(found, encoding="utf-8")
