"""Factories that build domain objects through public moves, so that none is impossible.

town = Town("2026-04-01T10:00")
file = CaseFileFactory(town=town, supported=True)
referral = ReferralFactory(town=town, file=file, accepted=True)
town.go_to("2026-04-20T09:00")
moves.move(town, file, referral, "start")
"""

from tests.factories import moves
from tests.factories.cases import CaseFileFactory
from tests.factories.directory import OfferingFactory
from tests.factories.people import ActorFactory, ConsentFactory, ResidentFactory
from tests.factories.referrals import PATHS, ReferralFactory
from tests.factories.town import Town, korean_days, seoul

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
