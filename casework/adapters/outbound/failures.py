"""How an exchange fails."""

from __future__ import annotations


class ExchangeFailed(OSError):
    """No answer came, or none within the bounds."""


class TimedOut(ExchangeFailed):
    """The time for the whole exchange is over."""


class Unreachable(ExchangeFailed):
    """No such name, nobody listening, or nothing that speaks HTTP."""


class AddressForbidden(ExchangeFailed):
    """The name stands for an address that may not be called."""


class TooLarge(ExchangeFailed):
    """The answer is larger than what is wanted of it."""
