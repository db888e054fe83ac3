"""Who is told: an endpoint of webhooks and a mail server, which remember what they heard."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


@dataclass
class Receiver:
    """What was heard, by the ids of messages, and how slowly it listens."""

    url: str = ""
    takes_s: float = 0.05
    heard: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def hear(self, id: str) -> None:
        """Remember one."""
        with self.lock:
            self.heard.append(id)


@contextlib.contextmanager
def endpoint() -> Iterator[Receiver]:
    """An endpoint on a socket of its own, which is slow enough for a sender to be in the middle."""
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(it.takes_s)
            it.hear(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class MailServer:
    """A mail server that takes mail, takes connections and says nothing, or is not there."""

    def __init__(self) -> None:
        self.receiver, self._over = Receiver(takes_s=0), Event()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """It takes connections and never says a word."""
        self._over.clear()
        with self._listening(lambda _handler: self._over.wait(60)):
            try:
                yield
            finally:
                self._over.set()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens."""
        yield

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """It takes mail."""
        with self._listening(self._converse):
            yield

    @contextlib.contextmanager
    def _listening(self, work: Any) -> Iterator[None]:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    work(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        with Server(("127.0.0.1", self.port), Handler) as server:
            thread = Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield
            finally:
                self._over.set()
                server.shutdown()
                thread.join(10)

    def _converse(self, handler: Any) -> None:
        def say(line: str) -> None:
            handler.wfile.write(f"{line}\r\n".encode())

        say("220 mail.example")
        while line := handler.rfile.readline().decode("utf-8", "replace").strip():
            match line.upper().split(" ")[0]:
                case "DATA":
                    say("354 go on")
                    self.receiver.hear(_message_id(handler.rfile))
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 yes")


def _message_id(lines: Any) -> str:
    """The id in a mail, which is read to its end."""
    found = ""
    while (line := lines.readline().decode("utf-8", "replace").strip()) != ".":
        name, _, value = line.partition(":")
        if name.lower() == "message-id":
            found = value.strip().strip("<>").partition("@")[0]
    return found
