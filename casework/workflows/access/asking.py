"""Who asks, assumed as they were when they last asked and confirmed in the first transaction.

The account is read anew with every request, as ever, but together with what tells the database who
asks, instead of in a transaction of its own before it. Nothing is written or told on an assumption.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor

AT_MOST: Final = 10_000


class RightsChanged(Exception):
    """An account is not as it was assumed to be: the request begins again, with what it is."""

    def __init__(self, account_id: UUID) -> None:
        super().__init__("the account is not as it was")
        self.account_id = account_id


class KnownActors:
    """The actors of the accounts that asked last, at most so many."""

    def __init__(self, at_most: int = AT_MOST) -> None:
        self._at_most, self._lock = at_most, Lock()
        self._actors: OrderedDict[UUID, Actor] = OrderedDict()

    def get(self, account_id: UUID) -> Actor | None:
        """The actor of an account as it was last seen."""
        return self._actors.get(account_id)

    def forget(self, account_id: UUID) -> None:
        """Assume nothing of an account until it is read again."""
        with self._lock:
            self._actors.pop(account_id, None)

    def remember(self, actor: Actor) -> None:
        """Keep an actor who was just seen, instead of who was seen first."""
        if actor.id is None:
            return
        with self._lock:
            self._actors[actor.id] = actor
            self._actors.move_to_end(actor.id)
            if len(self._actors) > self._at_most:
                self._actors.popitem(last=False)


@dataclass(slots=True)
class Asker:
    """Who asks with a token that was issued at an instant; to be confirmed once in a request."""

    actor: Actor
    account_id: UUID
    issued_at: datetime
    totp_is_required: bool
    is_confirmed: bool = False

    def confirm(self, account: Account | None) -> None:
        """Compare with the account as it is now. Raises RightsChanged."""
        current = account and account.actor_for(
            self.issued_at, totp_is_required=self.totp_is_required
        )
        if current != self.actor:
            raise RightsChanged(self.account_id)
        self.is_confirmed = True
