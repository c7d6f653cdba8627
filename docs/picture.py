"""Draws how-it-is-built.en.svg and how-it-is-built.zh.svg: ``python docs/picture.py``.

The source is this file alone: the boxes and arrows below, each with its words in English and Chinese. The rooms are
those of the import-linter contract in pyproject.toml. A test holds the two pictures against what this draws.
"""

from __future__ import annotations

from pathlib import Path

from hotline.svg import page, text

WIDTH, HEIGHT = 980, 620
FONT = "'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', 'Helvetica Neue', Arial, sans-serif"
LANGUAGES = ("en", "zh")

Words = tuple[str, str]
"""English, Chinese."""

# x, y, width, height, class, title, lines
BOXES: list[tuple[int, int, int, int, str, Words, list[Words]]] = [
    (20, 90, 190, 60, "out", ("callers", "来电者"), [("dial the company's number", "拨打公司热线号码")]),
    (20, 200, 190, 60, "out", ("carrier", "运营商"), [("the trunk", "中继线路")]),
    (20, 350, 190, 76, "out", ("agents' phones", "座席话机"), [
        ("desk phones, softphones", "SIP 话机、软电话"), ("register with a password", "凭密码注册")]),
    (290, 90, 225, 350, "asterisk", ("Asterisk 22", "Asterisk 22"), [
        ("answers, plays, mixes, records", "应答、放音、混音、录音"),
        ("a process of its own:", "独立进程："),
        ("talks outlive the daemon", "守护进程退出，通话不断")]),
    (304, 318, 197, 106, "inner", ("dialplan", "拨号方案"), [
        ("while the daemon is away:", "守护进程不在时："),
        ("apology, emergency number,", "播报致歉与应急电话，"),
        ("a message is taken", "请来电者留言")]),
    (640, 90, 320, 350, "daemon", ("the daemon, one event loop", "守护进程，单一事件循环"), []),
    (656, 130, 140, 44, "room", ("hotline", "hotline"), [("wiring, commands", "装配、启停、命令")]),
    (804, 130, 140, 44, "room", ("console", "console"), [("pages and API", "网页与接口")]),
    (656, 182, 288, 58, "room", ("routing", "routing"), [
        ("the call from beginning to end;", "一通电话的全过程；"),
        ("who gets it: roster, queue", "由谁接：排班、队列")]),
    (656, 248, 91, 44, "room", ("ivr", "ivr"), [("menu, prompts", "菜单、提示音")]),
    (755, 248, 91, 44, "room", ("recordings", "recordings"), [("archive", "归档、校验")]),
    (853, 248, 91, 44, "room", ("cases", "cases"), [("call records", "来电登记")]),
    (656, 300, 140, 58, "room", ("phone", "phone"), [("how we speak", "与 Asterisk"), ("to Asterisk", "对话")]),
    (804, 300, 140, 58, "room", ("calllog", "calllog"), [("journal, store,", "流水、数据库、"), ("queries", "查询")]),
    (656, 366, 140, 58, "room", ("config", "config"), [("settings and", "设置与"), ("their problems", "问题检查")]),
    (804, 366, 140, 58, "room", ("ari", "ari"), [("typed client", "类型化的"), ("of ARI", "ARI 客户端")]),
    (640, 16, 150, 44, "file", ("config/*.yaml", "config/*.yaml"), [("the settings", "公司自己的设置")]),
    (810, 16, 150, 44, "file", ("hotline …", "hotline …"), [("the command", "命令行")]),
    (290, 520, 215, 76, "file", ("recordings/spool, away", "recordings/spool、away"), [
        ("raw parts of talks,", "接谈的原始分段、"), ("messages", "留言")]),
    (530, 520, 135, 76, "daemon", ("worker", "工作进程"), [("measures, joins,", "测量、拼接、"), ("verifies", "校验")]),
    (690, 520, 125, 76, "file", ("recordings", "recordings"), [
        ("one FLAC a call,", "每通一个 FLAC，"), ("two channels", "双声道")]),
    (835, 520, 125, 76, "file", ("hotline.sqlite", "hotline.sqlite"), [
        ("the journal,", "事件流水与"), ("its rows", "各表")]),
]  # fmt: skip

# x1, y1, x2, y2, both ways, words, words' x, y, anchor
ARROWS: list[tuple[int, int, int, int, bool, Words, int, int, str]] = [
    (115, 150, 115, 200, False, ("", ""), 0, 0, "start"),
    (210, 230, 290, 230, True, ("SIP, RTP", "SIP, RTP"), 250, 222, "middle"),
    (210, 388, 290, 388, True, ("SIP, RTP", "SIP, RTP"), 250, 380, "middle"),
    (515, 180, 640, 180, True, ("ARI", "ARI"), 577, 172, "middle"),
    (515, 180, 640, 180, True, ("events, verbs", "事件、指令"), 577, 197, "middle"),
    (515, 260, 640, 260, True, ("AMI", "AMI"), 577, 252, "middle"),
    (515, 260, 640, 260, True, ("recorder, phones", "录音、话机状态"), 577, 277, "middle"),
    (715, 60, 715, 90, False, ("", ""), 0, 0, "start"),
    (885, 60, 885, 90, True, ("", ""), 0, 0, "start"),
    (400, 440, 400, 520, False, ("MixMonitor, Record", "MixMonitor、Record"), 408, 485, "start"),
    (652, 440, 652, 520, True, ("jobs", "任务"), 660, 485, "start"),
    (505, 558, 530, 558, False, ("", ""), 0, 0, "start"),
    (665, 558, 690, 558, False, ("", ""), 0, 0, "start"),
    (905, 440, 905, 520, True, ("every event", "每个事件"), 897, 485, "end"),
]

STYLE = """
text { font-family: %s; fill: #1f2933; font-size: 12px }
.title { font-weight: 600; font-size: 13px }
.words { fill: #52606d }
.out rect { fill: #f5f7fa; stroke: #9aa5b1; stroke-dasharray: 5 3 }
.asterisk rect { fill: #fff4e5; stroke: #d98324 }
.inner rect { fill: #fffaf3; stroke: #d98324 }
.daemon rect { fill: #e6f4f1; stroke: #2c7a7b }
.room rect { fill: #fafffe; stroke: #81b5b0 }
.file rect { fill: #eef2fb; stroke: #5a73b5 }
line { stroke: #52606d; stroke-width: 1.5 }
"""


def draw(language: str) -> str:
    """The picture in one language, as SVG."""
    at = LANGUAGES.index(language)
    alt = ("How Hotline is built", "Hotline 的构成")[at]
    parts = [
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#52606d"/></marker></defs>',
    ]
    for x, y, width, height, kind, title, lines in BOXES:
        parts.append(f'<g class="{kind}"><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>')
        parts.append(text(x + 10, y + 19, title[at], "title"))
        for number, line in enumerate(lines):
            parts.append(text(x + 10, y + 36 + 16 * number, line[at], "words"))
        parts.append("</g>")
    drawn = set()
    for x1, y1, x2, y2, both, words, x, y, anchor in ARROWS:
        if (x1, y1, x2, y2) not in drawn:
            start = ' marker-start="url(#tip)"' if both else ""
            parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{start} marker-end="url(#tip)"/>')
            drawn.add((x1, y1, x2, y2))
        if words[at]:
            parts.append(text(x, y, words[at], "words", anchor))
    return page(WIDTH, HEIGHT, alt, STYLE % FONT, parts)


def main() -> None:
    """Write both pictures beside this file."""
    for language in LANGUAGES:
        (Path(__file__).parent / f"how-it-is-built.{language}.svg").write_text(draw(language), encoding="utf-8")


if __name__ == "__main__":
    main()
