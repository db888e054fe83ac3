"""Mail over SMTP, one connection per message, each bounded as a whole."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from casework.adapters.notifications.texts import subject_of, text_of
from casework.domain.notices.outbox import Letter

TIMEOUT_S = 10.0  # for one answer of the server
TOTAL_S = 20.0  # for all of a message


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail server. ``starttls`` requires an encrypted connection before anything is sent."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    starttls: bool = True
    language: str = "ko"
    total_s: float = TOTAL_S

    def __call__(self, letter: Letter, now: datetime) -> str | None:
        """Send one; None where the server accepted it, else an error code."""
        try:
            with self._connected() as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user is not None:
                    server.login(self.user, self.password or "")
                server.send_message(self._written(letter))
        except smtplib.SMTPResponseException as error:
            return f"smtp_{error.smtp_code}"
        except smtplib.SMTPRecipientsRefused:
            return "recipient_refused"
        except (smtplib.SMTPException, OSError):
            return "mail_unreachable"
        return None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection that is cut when the time for the whole message is over.

        A server that sends a byte now and then would otherwise never be waited for too long.
        """
        server = smtplib.SMTP(timeout=min(TIMEOUT_S, self.total_s))
        end = threading.Timer(self.total_s, _cut, (server,))
        end.daemon = True
        end.start()
        try:
            with server:
                server.connect(self.host, self.port)
                yield server
        finally:
            end.cancel()

    def _written(self, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, letter.email
        mail["Subject"] = subject_of(letter.message, self.language)
        # The same message sent twice is recognised by its id.
        mail["Message-ID"] = f"<{letter.message.id}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text_of(letter.message, self.language) + letter.added)
        return mail


def _cut(server: smtplib.SMTP) -> None:
    """End a connection under whoever waits on it."""
    connected = server.sock
    if connected is not None:
        with suppress(OSError):  # it is over already
            connected.shutdown(socket.SHUT_RDWR)
