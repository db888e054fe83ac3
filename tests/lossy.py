"""A way to PostgreSQL that can be cut, or fall silent, while the server itself goes on."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import parse_qs, quote, urlsplit

PORT = 5432


class Way:
    """Passes on what is sent between clients and a server's socket.

    ``cut`` closes what is open and refuses what is new; ``silence`` accepts and passes nothing on;
    ``slow`` lets everything pass late; ``mend`` lets all that is new pass again, at once.
    """

    def __init__(self, server: Path, folder: Path) -> None:
        self._server, self._path = server, folder / f".s.PGSQL.{PORT}"
        self._open: list[socket.socket] = []
        self._lock, self._ended, self._is_silent = Lock(), Event(), Event()
        self._listener: socket.socket | None = None
        self.connections, self._late_s = 0, 0.0

    def mend(self) -> None:
        """Let new connections pass."""
        self._is_silent.clear()
        self._late_s = 0.0
        self._close()
        listener = socket.socket(socket.AF_UNIX)
        self._path.unlink(missing_ok=True)
        listener.bind(str(self._path))
        listener.listen(64)
        self._listener = listener
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Close every connection, and refuse new ones."""
        self._close()
        self._path.unlink(missing_ok=True)

    def silence(self) -> None:
        """Take everything, and answer nothing any more."""
        self._is_silent.set()

    def slow(self, seconds: float) -> None:
        """Pass on whatever the server says that much later."""
        self._late_s = seconds

    def end(self) -> None:
        """Stop."""
        self._ended.set()
        self.cut()

    def _close(self) -> None:
        with self._lock:
            if self._listener is not None:
                with contextlib.suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server, contextlib.suppress(OSError):
            server.connect(str(self._server))
            with self._lock:
                self._open += [client, server]
            while not self._ended.is_set():
                readable, _, _ = select.select([client, server], [], [], 0.2)
                for one in readable:
                    said = one.recv(65536)
                    if not said:
                        return
                    if one is server and self._late_s:
                        self._ended.wait(self._late_s)
                    if not self._is_silent.is_set():
                        (server if one is client else client).sendall(said)


@contextlib.contextmanager
def lossy(url: str, folder: Path) -> Iterator[tuple[Way, str]]:
    """A way to a server that listens on a socket of this machine, and the URL over it."""
    there = urlsplit(url)
    (host,) = parse_qs(there.query)["host"]
    way = Way(Path(host) / f".s.PGSQL.{PORT}", folder)
    way.mend()
    try:
        yield way, there._replace(query=f"host={quote(str(folder))}").geturl()
    finally:
        way.end()
