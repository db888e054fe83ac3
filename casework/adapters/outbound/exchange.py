"""HTTP exchanges with others, each bounded as a whole.

From the lookup of the name to the last byte that is wanted, everything happens within one time: a
peer that answers a byte now and then gains nothing by it. Redirects are not followed, proxies of
the environment not used, connections not kept, and no byte is read beyond what is wanted.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

import httpcore2
import httpx2

from casework.adapters.outbound.addresses import addresses_of
from casework.adapters.outbound.failures import TimedOut, TooLarge, Unreachable

TOTAL_S: Final = 5.0
CONNECT_S: Final = 3.0


class Exchange:
    """Calls addresses of others; ``private`` allows those of private networks, for development."""

    def __init__(self, *, private: bool, total_s: float = TOTAL_S) -> None:
        self._private, self._total_s = private, total_s

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Created at the first exchange: it loads all root certificates."""
        return ssl.create_default_context()

    def status_of_post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Post it; the status of the answer, of which nothing else is read.

        Raises ExchangeFailed.
        """
        with self._opened("POST", url, headers, content) as answer:
            return answer.status

    def fetch(self, url: str, headers: Mapping[str, str], *, largest: int) -> tuple[int, bytes]:
        """The status and the body, of at most ``largest`` bytes. Raises ExchangeFailed."""
        with self._opened("GET", url, headers, b"") as answer:
            body = b""
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > largest:
                    raise TooLarge(f"more than {largest} bytes")
            return answer.status, body

    @contextmanager
    def _opened(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> Iterator[httpcore2.Response]:
        backend = _Backend(time.monotonic() + self._total_s, private=self._private)
        try:
            named = httpx2.URL(url)
            with (
                httpcore2.ConnectionPool(
                    ssl_context=self._tls, max_connections=1, network_backend=backend
                ) as pool,
                pool.stream(
                    method,
                    httpcore2.URL(
                        scheme=named.raw_scheme,
                        host=named.raw_host,
                        port=named.port,
                        target=named.raw_path,
                    ),
                    headers=[("Host", named.netloc.decode("ascii")), *headers.items()],
                    content=content or None,
                ) as answer,
            ):
                yield answer
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.UnsupportedProtocol,
            httpx2.InvalidURL,
            ssl.SSLError,
            UnicodeError,
        ) as error:
            raise Unreachable(type(error).__name__) from error


class _Backend(httpcore2.NetworkBackend):
    """Connects to an allowed address of the host, until an instant of the monotonic clock."""

    def __init__(self, until: float, *, private: bool) -> None:
        self._until, self._private = until, private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._until)
        tried: OSError | None = None
        for address in addresses_of(host, port, private=self._private, within_s=left):
            within = min(CONNECT_S, _left(self._until))
            try:
                return _Stream(socket.create_connection((address, port), within), self._until)
            except OSError as error:
                tried = error
        _left(self._until)
        raise Unreachable("nobody listens there") from tried


class _Stream(httpcore2.NetworkStream):
    """A connection on which nothing waits beyond the instant that it was opened with."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._socket, self._until = connected, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._bounded():
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            with self._bounded():
                view = view[self._socket.send(view) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            with self._bounded():
                secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return _Stream(secured, self._until)

    def get_extra_info(self, info: str) -> Any:
        """Nothing but what the protocol is to be chosen by."""
        is_secured = info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket)
        return self._socket if is_secured else None

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Wait for the peer no longer than what is left."""
        self._socket.settimeout(_left(self._until))
        try:
            yield
        except TimeoutError as error:
            raise TimedOut("the exchange took too long") from error
        except OSError as error:
            raise Unreachable(type(error).__name__) from error


def _left(until: float) -> float:
    """The seconds that are left. Raises TimedOut where there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimedOut("the exchange took too long")
    return left
