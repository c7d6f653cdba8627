"""The console over HTTPS: cookies that stay with this host, and strangers on the line."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from config.console import Console, ConsoleTls
from config.telephony import Sip, Tls
from console.server import Listener
from hotline.asterisk.certificates import make_for_trials
from hotline.asterisk.tls_files import files
from tests.web.conftest import Person
from tests.web.plain_site import Web, plain_web


def certificate(folder: Path) -> ConsoleTls:
    sip = Sip(tls=Tls(port=5061))
    make_for_trials(sip, folder)
    pem, key = files(sip.tls, folder)
    return ConsoleTls(certificate=str(pem), key=str(key))


class Secure(Web):
    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.port}"


async def test_https(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    async with plain_web(tmp_path / "var", settings=Console(tls=tls)) as web:
        context = ssl.create_default_context(cafile=tls.certificate)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(ssl=context)) as client:
            person = Person(Secure(web.site, web.office, web.app, web.listener), client)
            await person.sign_in("admin")
            session = next(each for each in jar if each.key == "__Host-hotline")
            assert session["secure"] and session["httponly"] and not session["max-age"]
            assert session["samesite"] == "strict"
            await person.get("/account")
        reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")  # no TLS at all
        async with asyncio.timeout(30):
            assert not (await reader.read()).startswith(b"HTTP")
            while True:
                if not web.listener.connections:
                    break
                await asyncio.sleep(0.01)
        writer.close()


async def test_what_cannot_be_opened_says_so(web: Web, tmp_path: Path) -> None:
    for settings in (
        Console(port=web.listener.port),
        Console(tls=ConsoleTls(certificate=str(tmp_path / "none.pem"))),
        Console(address="192.0.2.1"),
    ):
        listener = Listener(web.app, settings)
        with pytest.raises(OSError):
            await listener.open()
        await listener.close()


@pytest.mark.parametrize(("proxies", "believed"), [(("127.0.0.0/8",), True), ((), False)])
async def test_only_a_proxy_that_is_set_is_believed(tmp_path: Path, proxies: tuple[str, ...], believed: bool) -> None:
    async with plain_web(tmp_path, settings=Console(proxies=proxies)) as web:
        said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        async with aiohttp.ClientSession() as client, client.get(f"{web.url}/sign-in", headers=said) as answer:
            assert ("Strict-Transport-Security" in answer.headers) is believed
            assert answer.headers["Set-Cookie"].startswith("__Host-" if believed else "hotline-before")
