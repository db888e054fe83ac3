"""Factories that build domain objects through public moves, so that none is impossible.

town = Town("2026-04-01T10:00")
file = CaseFileFactory(town=town, supported=True)
referral = ReferralFactory(town=town, file=file, accepted=True)
town.go_to("2026-04-20T09:00")
moves.move(town, file, referral, "start")
"""

from typing import Any

from tests.factories import cases, directory, moves, people, referrals
from tests.factories.referrals import PATHS
from tests.factories.town import Town, korean_days, seoul

# A type checker cannot see that calling a factory makes what it is a factory of.
ActorFactory: Any = people.ActorFactory
CaseFileFactory: Any = cases.CaseFileFactory
ConsentFactory: Any = people.ConsentFactory
OfferingFactory: Any = directory.OfferingFactory
ReferralFactory: Any = referrals.ReferralFactory
ResidentFactory: Any = people.ResidentFactory

__all__ = [
    "PATHS",
    "ActorFactory",
    "CaseFileFactory",
    "ConsentFactory",
    "OfferingFactory",
    "ReferralFactory",
    "ResidentFactory",
    "Town",
    "korean_days",
    "moves",
    "seoul",
]
