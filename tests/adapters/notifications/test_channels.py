"""Outgoing channels: signed webhooks to checked addresses, mail, and the console."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from casework.adapters.notifications.channels import Channels
from casework.adapters.notifications.mail import Mail
from casework.adapters.notifications.texts import subject_of, text_of
from casework.adapters.notifications.webhook import Webhook, new_secret, signature
from casework.adapters.outbound.exchange import Exchange
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import Letter, Message, Subscription

NOW = datetime(2026, 3, 10, 0, 0, 5, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
CASE = "01900000-0000-7000-8000-00000000000a"
NUMBER = "26350-26-00417-8"
ITEM = {
    "id": "01900000-0000-7000-8000-00000000000b", "kind": "escalation", "case_id": CASE,
    "case_number": NUMBER,
    "subject": {"type": "deadline", "id": CASE}, "about": "response", "tier": 1,
    "due_at": "2026-03-05T14:59:59+00:00",
}  # fmt: skip


class Sink(BaseHTTPRequestHandler):
    """Records what it is sent, and answers as configured."""

    received: list[tuple[dict[str, str], bytes]]
    answers: int

    def do_POST(self) -> None:
        """Record the request and answer it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.answers)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once; past the usual five the next one waits a whole second."""

    request_queue_size = 128


@contextmanager
def sink(answers: int = 204) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A listening endpoint: its address, and what it received."""
    handler: Any = type("Handler", (Sink,), {"received": [], "answers": answers})
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?a=b", handler.received
    finally:
        server.shutdown()
        server.server_close()


def letter(url: str | None = None, email: str | None = None, to: int = 12, **facts: Any) -> Letter:
    """A message to an endpoint, each of its own number, or to a person."""
    id, receiver = UUID("01900000-0000-7000-8000-00000000000c"), UUID(int=to)
    endpoint = url and Subscription(
        id=receiver, url=url, secret=SECRET, kinds=[NoticeKind.ESCALATION], provider_id=None,
        district_code=None, created_at=NOW, created_by=None,
    )  # fmt: skip
    usual: dict[str, Any] = {"kind": "escalation", "payload": ITEM}
    message = Message(
        id=id, account_id=None if url else id, subscription_id=receiver if url else None,
        district_code="26350", created_at=NOW, next_at=NOW, **(usual | facts),
    )  # fmt: skip
    return Letter(message=message, subscription=endpoint or None, email=email)


def hook(*, private: bool = True, total_s: float = 5.0) -> Webhook:
    """The transport to endpoints, as an installation that is developed has it."""
    return Webhook(Exchange(private=private, total_s=total_s))


def outcomes(channels: Channels, letters: list[Letter]) -> list[str | None]:
    """What came of each message, in the order they were given."""
    found = []
    with channels.sending() as sending:
        sending.start(letters, NOW)
        while deliveries := sending.finished():
            found += deliveries
    return [next(one.error for one in found if one.letter is letter) for letter in letters]


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it() -> None:
    with sink() as (url, received):
        assert hook()(letter(url), NOW) is None
    ((headers, body),) = received
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(b"k" * 32, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == "01900000-0000-7000-8000-00000000000c"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["host"] == url.split("/")[2]
    said = json.loads(body)
    assert (said["type"], said["data"]) == ("escalation", ITEM)


def test_the_signature_is_the_one_of_the_published_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "said"), [(200, None), (202, None), (301, "status_301"), (500, "status_500")]
)
def test_only_a_success_is_one_and_a_redirect_leads_nowhere(status: int, said: str | None) -> None:
    with sink(status) as (url, received):
        assert hook()(letter(url), NOW) == said
    assert len(received) == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.8", "192.168.1.1", "169.254.169.254", "[::1]", "0.0.0.0",
     "[::ffff:127.0.0.1]", "100.64.0.1", "[fd00::1]", "224.0.0.1"],
)  # fmt: skip
def test_an_address_within_the_house_is_not_called(host: str) -> None:
    with sink() as (_url, received):
        assert hook(private=False)(letter(f"http://{host}:9/"), NOW) == "address_forbidden"
    assert received == []


def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(_host: str, _port: int, **_how: Any) -> Any:
        return [(0, 0, 0, "", ("93.184.215.14", 443)), (0, 0, 0, "", ("10.0.0.8", 443))]

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    assert hook(private=False)(letter("https://clinic.example/"), NOW) == "address_forbidden"


def test_nobody_there_is_said_so() -> None:
    assert hook()(letter("http://127.0.0.1:1/"), NOW) == "unreachable"
    assert hook()(letter("http://no.such.host.invalid/"), NOW) == "unreachable"


def test_a_silent_endpoint_is_given_up_soon() -> None:
    class Silent(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            threading.Event().wait(2)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        assert hook(total_s=0.2)(letter(url), NOW) == "timed_out"
        server.shutdown()


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(base64.b64decode(one.removeprefix("whsec_"))) == 32 for one in secrets)


# Mail


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs."""

    mails: list[bytes]
    refuses: bytes

    def handle(self) -> None:
        """Speak enough SMTP to receive mails."""
        self._say(b"220 here")
        for line in self.rfile:
            word = line.strip().upper()
            if self.refuses and word.startswith(self.refuses):
                self._say(b"554 no")
            elif word == b"DATA":
                self._say(b"354 go on")
                mail = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    mail += part
                self.mails.append(mail)
                self._say(b"250 taken")
            elif word == b"QUIT":
                return self._say(b"221 bye")
            else:
                self._say(b"250 well")
        return None

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


@contextmanager
def mail_server(refuses: bytes = b"") -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and the mails it took."""
    handler: Any = type("Handler", (Smtp,), {"mails": [], "refuses": refuses})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], handler.mails
        server.shutdown()


def mail(port: int, **facts: Any) -> Mail:
    usual: dict[str, Any] = {"sender": "casework@busan.example", "starttls": False}
    return Mail(host="127.0.0.1", port=port, **(usual | facts))


def digest(email: str | None = "worker@example.org", more: int = 0) -> Letter:
    payload = {"on": "2026-03-10", "count": 2 + more, "items": [ITEM, ITEM | {"due_at": None}]}
    return letter(email=email, kind="digest", payload=payload)


def test_a_digest_by_mail_names_cases_and_days_in_korean_or_english() -> None:
    for language, subject, words in (
        ("ko", "오늘 확인할 일 2건", ("기한 알림", f"사례 {NUMBER}", "2026-03-05 23:59")),
        ("en", "2 to look at today", ("deadline", f"case {NUMBER}", "due 2026-03-05 23:59")),
    ):
        with mail_server() as (port, mails):
            channels = Channels(hook(), mail(port, language=language))
            assert outcomes(channels, [digest()]) == [None]
        found = message_from_bytes(mails[0], policy=policy.default)
        assert subject in found["Subject"]
        assert (found["To"], found["From"]) == ("worker@example.org", "casework@busan.example")
        assert found["Message-ID"] == f"<{digest().message.id}@busan.example>"
        text = found.get_content()
        assert all(word in text for word in words)


def test_a_mail_server_that_takes_nothing_is_said_so() -> None:
    with mail_server(refuses=b"MAIL") as (port, mails):
        assert mail(port)(digest(), NOW) == "smtp_554"
    with mail_server(refuses=b"RCPT") as (port, mails):
        assert mail(port)(digest(), NOW) == "recipient_refused"
    assert mail(1)(digest(), NOW) == "mail_unreachable"
    assert mails == []


def test_nothing_is_said_to_a_mail_server_that_does_not_encrypt_where_that_is_demanded() -> None:
    with mail_server() as (port, mails):
        assert mail(port, starttls=True)(digest(), NOW) == "mail_unreachable"
    assert mails == []


def test_a_long_digest_says_how_many_more_there_are() -> None:
    assert text_of(digest(more=7).message, "en").endswith("and 7 more\n")
    assert text_of(digest(more=7).message, "ko").endswith("외 7건\n")
    assert "more" not in text_of(digest().message, "en")
    assert subject_of(letter().message, "en") == "[casework] Please look now"


# The console, and all of them together


def test_without_a_mail_server_or_an_address_the_console_says_it() -> None:
    with capture_logs() as logs:
        assert outcomes(Channels(hook()), [digest()]) == [None]
        assert outcomes(Channels(hook(), mail(1)), [digest(None)]) == [None]
    assert [(one["event"], one["kind"], one["count"]) for one in logs] == [
        ("notice", "digest", 2)
    ] * 2


def test_each_goes_its_own_way_and_one_that_fails_stops_no_other() -> None:
    with sink() as (url, received), mail_server() as (port, mails), capture_logs():
        channels = Channels(hook(), mail(port))
        letters = [
            letter("http://127.0.0.1:1/", to=1),
            letter(url, to=2),
            digest(),
            digest(None),
        ]
        assert outcomes(channels, letters) == ["unreachable", None, None, None]
    assert (len(received), len(mails)) == (1, 1)
