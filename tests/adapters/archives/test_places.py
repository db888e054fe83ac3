"""Where exported heads are kept: what is added stays, and a place that fails says so."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from casework.adapters.archives import AddressError, archives_of
from casework.adapters.archives.file import TAIL_BYTES, ArchiveFile
from casework.adapters.outbound.exchange import Exchange
from casework.workflows.ports.audit import ArchiveFailed, ArchiveTooLong, HeadArchive

EXCHANGE = Exchange(private=True, total_s=2.0)


def place(address: str) -> HeadArchive:
    (found,) = archives_of(address, EXCHANGE, secure=False)
    return found


def test_several_places_are_named_in_one_setting(tmp_path: Path) -> None:
    named = f"file:{tmp_path}/heads, https://u:p@heads.example/a?token=x  syslog://log.example"
    found = archives_of(named, EXCHANGE, secure=True)
    assert [one.address for one in found] == [
        f"file:{tmp_path}/heads", "https://heads.example/a", "syslog://log.example:514",
    ]  # fmt: skip
    assert archives_of("", EXCHANGE, secure=True) == []


@pytest.mark.parametrize(
    "address",
    [
        "heads", "/var/heads", "file:heads", "file://host/heads", "ftp://h/x", "http://h/x",
        "syslog:", "https://[::1", "https://h:99999/",
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        archives_of(address, EXCHANGE, secure=True)


def test_a_file_keeps_every_line_for_its_owner_alone(tmp_path: Path) -> None:
    kept = place(f"file:{tmp_path}/heads")
    assert kept.last_lines() == []
    kept.add("one")
    kept.add("둘")
    assert kept.last_lines() == ["one", "둘"]
    assert (tmp_path / "heads").stat().st_mode & 0o777 == 0o600


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path) -> None:
    kept = ArchiveFile(tmp_path / "heads")
    (tmp_path / "heads").write_text("x" * 2 * TAIL_BYTES + "\n")
    kept.add("newest")
    lines = kept.last_lines()
    assert lines[-1] == "newest"
    assert sum(map(len, lines)) <= TAIL_BYTES


def test_a_folder_that_is_gone_is_no_empty_file(tmp_path: Path) -> None:
    kept = place(f"file:{tmp_path}/not-mounted/heads")
    with pytest.raises(ArchiveFailed):
        kept.last_lines()
    with pytest.raises(ArchiveFailed):
        kept.add("one")


def test_a_disk_that_took_half_a_line_did_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, write = ArchiveFile(tmp_path / "heads"), os.write
    monkeypatch.setattr(os, "write", lambda number, what: write(number, what[:3]))
    with pytest.raises(ArchiveFailed, match="full"):
        kept.add("a long line")
    monkeypatch.undo()
    kept.add("the next one")
    assert kept.last_lines() == ["a l", "the next one"]


@contextmanager
def collector(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """A collector on this host, and the lines it keeps."""
    lines: list[bytes] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            lines.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(b"")

        def do_GET(self) -> None:
            self._say(b"\n".join(lines))

        def _say(self, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/heads", lines
        server.shutdown()
        thread.join()


def test_a_collector_is_given_lines_and_asked_for_them() -> None:
    with collector() as (url, lines):
        kept = place(url)
        kept.add("one")
        kept.add("two")
        assert lines == [b"one", b"two"]
        assert kept.last_lines() == ["one", "two"]


@pytest.mark.parametrize(
    ("status", "is_empty"), [(404, True), (204, True), (500, False), (302, False)]
)
def test_a_collector_that_has_nothing_yet_is_empty_and_one_that_fails_is_not(
    status: int, is_empty: bool
) -> None:
    with collector(status) as (url, _):
        if is_empty:
            assert place(url).last_lines() == []
        else:
            with pytest.raises(ArchiveFailed):
                place(url).last_lines()
        if not 200 <= status < 300:
            with pytest.raises(ArchiveFailed):
                place(url).add("one")


def test_a_collector_that_gives_all_it_ever_took_is_too_long() -> None:
    with collector() as (url, lines):
        kept = place(url)
        lines.append(b"x" * (TAIL_BYTES - 1))
        assert len(kept.last_lines()) == 1
        kept.add("one more")
        with pytest.raises(ArchiveTooLong):
            kept.last_lines()


def test_a_collector_that_nobody_answers_for_fails() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        kept = place(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(ArchiveFailed):
            kept.add("one")
        with pytest.raises(ArchiveFailed):
            kept.last_lines()


def test_the_systems_log_gets_a_line_and_cannot_be_asked(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        log.settimeout(5)
        kept = place(f"syslog:{tmp_path}/log")
        kept.add('{"heads": []}')
        assert b'casework audit heads {"heads": []}' in log.recv(4096)
        assert kept.last_lines() == []


def test_a_log_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(ArchiveFailed):
        place(f"syslog:{tmp_path}/none").add("one")
