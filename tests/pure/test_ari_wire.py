"""HTTP's pieces as they come: cut anywhere, too long, too much, none; and who gets which connection."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, strategies as st

from ari.wire import Answer, CannotConnect, Wires, _Connection, host_and_port

LIMIT = 60.0
SIZED = b"HTTP/1.1 200 OK\r\nServer: Asterisk\r\nContent-Length: 11\r\n\r\n{\"a\": \"bcd\""
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\n{\"a\"\r\n7\r\n: \"bcd\"\r\n0\r\nT: 1\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\nServer: Asterisk\r\n\r\n"
FIRST = b"HTTP/1.1 100 Continue\r\n\r\n"


class Ear(asyncio.Transport):
    """A transport that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.gone

    def abort(self) -> None:
        self.gone = True


def fed(pieces: list[bytes]) -> tuple[Answer | BaseException | None, _Connection]:
    """What a request becomes when these pieces come."""

    async def run() -> tuple[Answer | BaseException | None, _Connection]:
        connection = _Connection(asyncio.get_running_loop())
        connection.connection_made(Ear())
        waiting = connection.send(b"GET / HTTP/1.1\r\n\r\n")
        for piece in pieces:
            connection.data_received(piece)
        if not waiting.done():
            return None, connection
        return waiting.exception() or waiting.result(), connection

    return asyncio.run(run())


@given(st.sampled_from([SIZED, CHUNKED, EMPTY, FIRST + SIZED]), st.lists(st.integers(0, 120), max_size=8))
def test_an_answer_cut_anywhere_is_the_same(whole: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    answer, connection = fed([whole[a:b] for a, b in itertools.pairwise(places) if a < b])
    assert isinstance(answer, Answer)
    assert answer.status == (204 if whole == EMPTY else 200)
    assert answer.body == {EMPTY: b"", CHUNKED: b'{"a": "bcd"'}.get(whole, b'{"a": "bcd"')
    assert connection.reusable


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"x" * 70_000,
        SIZED + EMPTY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000,
    ],
)
def test_what_is_no_answer_ends_the_connection(said: bytes) -> None:
    answer, connection = fed([said])
    assert isinstance(answer, ConnectionError)
    assert not connection.reusable


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_an_answer_without_an_end_is_given_up_before_it_fills_the_memory(
    head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari.wire.LARGEST", 1000)
    pieces = [b"64\r\n" + b"x" * 100 + b"\r\n"] * 20
    answer, connection = fed([head, *pieces])
    assert isinstance(answer, ConnectionError) and not connection.reusable


def test_a_connection_that_is_to_close_is_not_kept() -> None:
    answer, connection = fed([EMPTY.replace(b"Server: Asterisk", b"Connection: close")])
    assert isinstance(answer, Answer)
    assert not connection.reusable


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    answer, connection = fed([b"HTTP/1.0 200 OK\r\n\r\nabc", b"def"])
    assert answer is None

    async def run() -> bytes:
        again = _Connection(asyncio.get_running_loop())
        again.connection_made(Ear())
        waiting = again.send(b"x")
        again.data_received(b"HTTP/1.0 200 OK\r\n\r\nabc")
        again.data_received(b"def")
        again.eof_received()
        return waiting.result().body

    assert asyncio.run(run()) == b"abcdef"
    assert not connection.reusable


# --- the pool, against a server of a few lines


class Server:
    """Answers each request by ``reply``; counts connections."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0
        self.asked = asyncio.Event()
        self.reply: Callable[[asyncio.StreamWriter], None] = lambda out: out.write(EMPTY)
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                self.asked.set()
                self.reply(out)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            out.close()


@asynccontextmanager
async def pool(limit: int = 2, keepalive: float = 60.0) -> AsyncIterator[tuple[Server, Wires]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    wires = Wires("127.0.0.1", server.port, False, limit, keepalive)
    try:
        yield server, wires
    finally:
        await wires.close()
        listening.close()


GET = b"GET / HTTP/1.1\r\n\r\n"


async def test_a_connection_is_used_again_while_it_is_fresh() -> None:
    async with pool() as (server, wires):
        for _ in range(5):
            await wires.request(GET, LIMIT)
        assert (server.connections, server.requests) == (1, 5)
    async with pool(keepalive=0.0) as (server, wires):
        for _ in range(3):
            await wires.request(GET, LIMIT)
        assert (server.connections, server.requests) == (3, 3)


async def test_more_requests_than_connections_wait_their_turn() -> None:
    async with pool(limit=2) as (server, wires):
        answers = await asyncio.gather(*(wires.request(GET, LIMIT) for _ in range(50)))
        assert len(answers) == server.requests == 50
        assert server.connections <= 2


async def test_who_gives_up_takes_the_connection_down_and_the_next_gets_a_place() -> None:
    async with pool(limit=1) as (server, wires):
        server.reply = lambda out: None
        stalled = asyncio.create_task(wires.request(GET, LIMIT))
        queued = asyncio.create_task(wires.request(GET, LIMIT))
        impatient = asyncio.create_task(wires.request(GET, LIMIT))
        await server.asked.wait()
        impatient.cancel()
        server.reply = lambda out: out.write(EMPTY)
        stalled.cancel()
        assert (await queued).status == 204
        assert (await wires.request(GET, LIMIT)).status == 204
        assert server.requests == 3
        assert server.connections == 2


async def test_a_broken_request_is_not_sent_again() -> None:
    async with pool() as (server, wires):
        await wires.request(GET, LIMIT)
        server.reply = lambda out: out.transport.abort()
        with pytest.raises(ConnectionError):
            await wires.request(GET, LIMIT)
        assert server.requests == 2


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    async with pool() as (server, _wires):
        port = server.port
    gone = Wires("127.0.0.1", port, False, 1, 60.0)
    for _ in range(2):
        with pytest.raises(CannotConnect):
            await gone.request(GET, LIMIT)


@pytest.mark.parametrize(
    ("netloc", "secure", "found"),
    [
        ("a", False, ("a", 80)),
        ("a", True, ("a", 443)),
        ("a:8088", False, ("a", 8088)),
        ("[::1]:8088", False, ("::1", 8088)),
        ("[::1]", False, ("::1", 80)),
    ],
)
def test_the_address(netloc: str, secure: bool, found: tuple[str, int]) -> None:
    assert host_and_port(netloc, secure) == found
