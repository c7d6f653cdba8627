"""What people call their browser and machine, out of the long line that it sends. Pure; for the eye alone."""

from __future__ import annotations

from config.catalogue import _

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("QQBrowser/", "QQ"), ("MicroMessenger/", "WeChat"),
             ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"))  # fmt: skip
_MACHINES = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("HarmonyOS", "HarmonyOS"),
             ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


def browser_word(sent: str) -> str:
    """``Chrome · Windows``; where nothing of it is known, the beginning of what was sent."""
    browser = next((name for sign, name in _BROWSERS if sign in sent), "")
    machine = next((name for sign, name in _MACHINES if sign in sent), "")
    return " · ".join(each for each in (browser, machine) if each) or sent[:40] or _("unknown")
