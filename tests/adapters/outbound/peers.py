"""Peers that do what no honest endpoint does, each listening on this machine."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Talk = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def dribbles(connected: socket.socket, is_over: threading.Event) -> None:
    """A byte of the head now and then: each comes in time, all of them never."""
    for byte in HEAD * 1000:
        connected.send(bytes([byte]))
        if is_over.wait(0.1):
            return


def dribbles_its_body(connected: socket.socket, is_over: threading.Event) -> None:
    """A whole head, then a byte of the body now and then."""
    connected.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not is_over.wait(0.1):
        connected.send(b" ")


def never_ends(connected: socket.socket, is_over: threading.Event) -> None:
    """A body without end, as fast as it is taken."""
    connected.sendall(HEAD + b"\r\n")
    while not is_over.is_set():
        connected.sendall(b"x" * 65536)


def has_headers_without_end(connected: socket.socket, is_over: threading.Event) -> None:
    """A head without end."""
    connected.sendall(HEAD)
    while not is_over.is_set():
        connected.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def always_goes_on(connected: socket.socket, is_over: threading.Event) -> None:
    """Provisional answers without end."""
    while not is_over.wait(0.01):
        connected.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def says_nothing(_connected: socket.socket, is_over: threading.Event) -> None:
    """Takes the request, and is silent."""
    is_over.wait()


def talks_nonsense(connected: socket.socket, _is_over: threading.Event) -> None:
    """Something that is not HTTP."""
    connected.sendall(b"220 mail.example ESMTP\r\n" * 3)


def hangs_up(_connected: socket.socket, _is_over: threading.Event) -> None:
    """Ends the connection without a word."""


@contextmanager
def peer(talk: Talk) -> Iterator[int]:
    """The port at which one listens that talks like this."""
    is_over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.settimeout(5)
                self.request.recv(65536)
                talk(self.request, is_over)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close, request_queue_size = True, False, 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: that connections break is what happens here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            is_over.set()
            server.shutdown()
