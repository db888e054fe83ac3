"""A mail server that says nothing keeps no round of the relay busy with one person's mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from casework.domain.notices.outbox import Letter
from casework.workflows.ports.notices import Delivery
from tests.adapters.persistence.notices.test_notices import Box, heard, listen, messages, round_of
from tests.api.acts import a_referral
from tests.api.conftest import PROVIDER, Api

MAILS = 3


class Silent(Box):
    """Of one person's mails the first is tried, in vain; the rest go back, as with `Channels`."""

    def __init__(self) -> None:
        super().__init__()
        self.tried: Counter[UUID | None] = Counter()

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        """Endpoints hear everything."""
        super().start([one for one in letters if one.subscription is not None], now)
        failed: set[UUID | None] = set()
        for one in letters:
            if one.subscription is None:
                person = one.message.account_id
                is_tried = person not in failed
                error = "mail_unreachable" if is_tried else None
                self.settled.append(Delivery(one, error, is_tried=is_tried))
                self.tried[person] += is_tried
                failed.add(person)


def test_a_person_whose_mail_fails_is_tried_once_a_round_and_endpoints_hear_all(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    for _ in range(MAILS):
        a_referral(api, priority="emergency")
    box = Silent()
    round_of(api, box=box)
    assert box.tried
    assert set(box.tried.values()) == {1}
    assert sum(heard(box).values()) == MAILS
    to_people = [row for row in messages(api) if row.account_id is not None]
    assert {row.state for row in to_people} == {"waiting"}
    api.clock.forward(hours=1)
    round_of(api)
    to_people = [row for row in messages(api) if row.account_id is not None]
    assert {row.state for row in to_people} == {"sent"}
