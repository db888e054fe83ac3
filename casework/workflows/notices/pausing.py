"""Whether the relay may send: asked before each round, and before each message that is leased."""

from __future__ import annotations

from datetime import datetime

from casework.workflows.ports.notices import Notices, NoticeStore


def may_send(notices: Notices, now: datetime) -> bool:
    """Whether something may be sent; notes the database, and pauses in another one."""
    with notices.store() as store:
        if is_as_noted(store):
            return True
        state = store.relay_state(lock=True)
        state.stands_in(store.database_identity(), now)
        store.save_relay_state(state)
        return not state.is_paused


def is_as_noted(store: NoticeStore) -> bool:
    """Whether nothing is paused, and this is the database that was sent from before."""
    state = store.relay_state()
    return not state.is_paused and state.database == store.database_identity()
