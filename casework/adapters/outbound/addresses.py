"""Which addresses may be called, and looking one up within a time.

A name is looked up once for each exchange and that very address is called, so that a second answer
of the name's owner changes nothing. Where one address of a name may not be called, none is.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from queue import Empty, SimpleQueue
from typing import Final

from casework.adapters.outbound.failures import AddressForbidden, TimedOut, Unreachable

# Lookups that hang cannot be ended, so that only so many may hang at once.
_LOOKUPS: Final = threading.BoundedSemaphore(16)
# They carry another address, or none that is anybody's: of the transition to IPv6, and of sites.
_CARRIERS: Final = tuple(
    ipaddress.ip_network(one)
    for one in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
)


def is_public(address: str) -> bool:
    """Whether it is a global unicast address that carries no other one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    if mapped.version == 6 and any(mapped in carrier for carrier in _CARRIERS):
        return False
    return bool(mapped.is_global and not mapped.is_multicast and not mapped.is_reserved)


def addresses_of(host: str, port: int, *, private: bool, within_s: float) -> list[str]:
    """The addresses of a host, each once, in the order the resolver prefers.

    Raises AddressForbidden where one of them is not public and ``private`` is False; Unreachable
    for a name that there is not; TimedOut after ``within_s`` seconds.
    """
    found = list(dict.fromkeys(_look_up(host, port, within_s)))
    if not found:
        raise Unreachable("the name has no address")
    if not private and not all(is_public(one) for one in found):
        raise AddressForbidden("an address that is not public")
    return found


def _look_up(host: str, port: int, within_s: float) -> list[str]:
    """Ask the system's resolver, which knows no time of its own, in a thread."""
    lookups = _LOOKUPS
    if not lookups.acquire(timeout=within_s):
        raise TimedOut("too many lookups hang")
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()
    threading.Thread(target=_answer, args=(host, port, answers, lookups), daemon=True).start()
    try:
        answer = answers.get(timeout=within_s)
    except Empty as error:
        raise TimedOut("the lookup took too long") from error
    if isinstance(answer, Exception):
        raise Unreachable("no such name") from answer
    return answer


def _answer(
    host: str,
    port: int,
    answers: SimpleQueue[list[str] | Exception],
    lookups: threading.BoundedSemaphore,
) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put([str(info[4][0]) for info in found])
    except (OSError, UnicodeError) as error:
        answers.put(error)
    finally:
        lookups.release()
