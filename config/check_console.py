"""Whether the web console can be opened as it is set, and whether anybody could read along."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from config.catalogue import _
from config.problems import Place, Problem, key_path
from config.settings import Hotline


def check_console(hotline: Hotline) -> Iterator[Problem]:
    """What is wrong with ``console``. The problems have no line; ``config.load`` adds it."""
    console = hotline.console
    if not console.enabled:
        return
    tls = console.tls
    for name, file in (("certificate", tls.certificate), ("key", tls.key)):
        if file is not None and not Path(file).is_file():
            what = _("There is no file {file}.").format(file=file)
            yield _problem("console-tls-missing", ("console", "tls", name), what, _("Write where it is, or remove it."))
    if tls.key is not None and tls.certificate is None:
        what = _("A key without a certificate opens no HTTPS.")
        yield _problem("console-tls-half", ("console", "tls", "key"), what, _("Give the certificate too."))
    if console.idle > console.longest:
        what = _("A session ends after {longest} s in any case, before it could be idle for {idle} s.")
        yield _problem("console-idle", ("console", "idle"), what.format(longest=f"{console.longest:g}",
                       idle=f"{console.idle:g}"), _("Make idle shorter than longest."), warning=True)  # fmt: skip
    if tls.certificate is None and not console.proxies and not ip_address(console.address).is_loopback:
        what = _("The console listens on {address} without HTTPS: passwords can be read on the network.")
        fix = _("Give console.tls a certificate, or listen on 127.0.0.1 behind a reverse proxy (console.proxies).")
        yield _problem("console-open", ("console", "address"), what.format(address=console.address), fix, warning=True)


def _problem(code: str, path: tuple[str, ...], what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place("hotline.yaml", 0, key_path(path)), what, fix, warning)
