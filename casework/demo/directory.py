"""An invented directory: agencies in every district, and what each offers where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from casework.demo import names
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import (
    Centre,
    District,
    EntryState,
    Offering,
    Provider,
    ProviderKind,
    Service,
    distance_km,
)

AT_LEAST: Final = 2  # agencies with a free place for every service in every centre
# When the law came into force, and agencies were designated for it.
DESIGNATED_ON: Final = date(2026, 3, 27)
CITY: Final = "부산광역시"
WORKING_HOURS: Final = [
    {"day": day, "opens": "09:00", "closes": "18:00"} for day in ("mon", "tue", "wed", "thu", "fri")
]
SCATTER: Final = 0.01  # degrees: a kilometre or so around the middle of the district


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyKind:
    """A kind of agency: what it is called, what it gives, and what it gives only on paper.

    Of ``scarce``, each second district's agency is full and each other one's has closed.
    """

    code: ProviderKind
    name: str
    services: tuple[str, ...]
    designations: tuple[str, ...] = ()
    scarce: tuple[str, ...] = ()
    every: int = 1  # in each district, or in each second or third one
    languages: tuple[str, ...] = ()  # as far as they said


KINDS: Final = (
    AgencyKind(code=ProviderKind.CLINIC, name="방문의원", services=("MED-VISIT", "HLT-CHRONIC"),
         designations=("home_visit_15",), scarce=("MED-REHAB",)),
    AgencyKind(code=ProviderKind.HOME_CENTRE, name="재택의료센터",
         services=("MED-HOME-CENTRE", "MED-VISIT"),
         designations=("home_medical_centre",), scarce=("MED-HOSPICE",)),
    AgencyKind(code=ProviderKind.HOSPITAL, name="연계병원",
         services=("MED-DISCHARGE", "MED-NURSE", "MED-REHAB", "MED-HOSPICE"),
         designations=("agreement_hospital",), languages=("ko", "en")),
    AgencyKind(code=ProviderKind.KOREAN_MEDICINE, name="한의원", services=("MED-KMED",), every=2),
    AgencyKind(code=ProviderKind.DENTAL, name="치과의원", services=("MED-DENTAL",), every=2),
    AgencyKind(code=ProviderKind.PHARMACY, name="돌봄약국", services=("MED-DRUGS",), every=3),
    AgencyKind(code=ProviderKind.HEALTH_CENTRE, name="보건지소",
         services=("HLT-CHRONIC", "HLT-DEMENTIA", "HLT-EXERCISE", "HLT-FRAILTY",
                   "HLT-PHC-VISIT"), languages=("ko", "en", "vi")),
    AgencyKind(code=ProviderKind.HOME_CARE, name="방문요양센터",
         services=("NUR-BATH", "NUR-EQUIP", "NUR-HOMEHELP", "NUR-INTEGRATED", "NUR-VISITNURSE"),
         scarce=("FAM-RESPITE",)),
    AgencyKind(code=ProviderKind.DAY_CARE, name="주야간보호센터",
         services=("NUR-DAY", "NUR-SHORT", "NUR-HOMEHELP", "NUR-BATH", "FAM-RESPITE"),
         scarce=("CARE-DISCHARGE",)),
    AgencyKind(code=ProviderKind.WELFARE_CENTRE, name="종합복지관",
         services=("CARE-ACTIVIST", "CARE-AIOT", "CARE-ELDER", "CARE-HOUSEWORK", "CARE-MEALS",
                   "CARE-SAFETY"),
         scarce=("HOU-REPAIR",)),
    AgencyKind(code=ProviderKind.SELF_SUPPORT, name="자활돌봄센터",
         services=("CARE-DISCHARGE", "CARE-EMERGENCY", "CARE-ENDOFLIFE", "CARE-ESCORT",
                   "CARE-HOUSEWORK", "CARE-MEALS")),
    AgencyKind(code=ProviderKind.DISABILITY, name="장애인복지관",
         services=("CARE-DISABILITY",), every=3),
    AgencyKind(code=ProviderKind.HOUSING, name="주거복지센터",
         services=("HOU-BENEFIT", "HOU-PUBLIC", "HOU-REPAIR"), every=2),
    AgencyKind(code=ProviderKind.FAMILY, name="가족마음센터",
         services=("FAM-COUNSEL", "FAM-RESPITE", "HLT-MENTAL")),
)  # fmt: skip


def agencies(
    centres: Sequence[Centre],
    services: Sequence[Service],
    districts: Sequence[District],
    new_id: Callable[[], UUID],
    now: datetime,
    rng: Random,
) -> tuple[list[Provider], list[Offering]]:
    """The agencies of the city and their offerings.

    Every service has at least two open offerings with a free place in every centre; some further
    offerings are full, and some are closed.
    """
    founded = _found(centres, districts, new_id, rng)
    units = {service.code: service.unit for service in services}
    stock = _OfferingMaker(units, new_id, now, rng)
    offerings = []
    for code in units:
        givers = [provider for kind, provider in founded if code in kind.services]
        areas = _areas(givers, centres)
        offerings += [stock.free(giver, code, areas[giver.id]) for giver in givers]
    own = _by_district(centres)
    for n, district in enumerate(districts):
        area = [centre.code for centre in own[district.code]]
        for kind, provider in founded:
            if provider.district_code == district.code:
                closed = n % 2 == 1
                offerings += [stock.scarce(provider, code, area, closed) for code in kind.scarce]
    return [provider for _, provider in founded], offerings


def _found(
    centres: Sequence[Centre],
    districts: Sequence[District],
    new_id: Callable[[], UUID],
    rng: Random,
) -> list[tuple[AgencyKind, Provider]]:
    """Each district's agencies, near the middle of its centres."""
    own = _by_district(centres)
    founded: list[tuple[AgencyKind, Provider]] = []
    for n, district in enumerate(districts):
        kinds = [kind for k, kind in enumerate(KINDS) if (n + k) % kind.every == 0]
        lat, lon = _middle(own[district.code])
        for kind in kinds:
            provider = Provider(
                id=new_id(),
                slug=f"{_slug(district)}-{kind.code}-1",
                name=f"가상 {names.short_name(district.name_ko)} {kind.name}",
                kind=kind.code,
                phone=names.landline(len(founded) + 1),
                district_code=district.code,
                lat=round(lat + rng.uniform(-SCATTER, SCATTER), 4),
                lon=round(lon + rng.uniform(-SCATTER, SCATTER), 4),
                languages=list(kind.languages) or None,
                opening_hours=[dict(one) for one in WORKING_HOURS],
                contacts=[_reception(len(founded) + 1)],
            )
            founded.append((kind, provider))
    return founded


def designations(
    providers: Iterable[Provider], new_id: Callable[[], UUID], now: datetime
) -> list[Designation]:
    """What the city designated each kind of agency as, from the beginning of the law on."""
    codes = {kind.code: kind.designations for kind in KINDS}
    first = min(DESIGNATED_ON, day_in_seoul(now))
    return [
        Designation(
            id=new_id(),
            provider_id=provider.id,
            code=code,
            valid_from=first,
            valid_to=None,
            designated_by=CITY,
            recorded_at=now,
        )
        for provider in providers
        for code in codes[provider.kind]
    ]


def _reception(number: int) -> dict[str, str | None]:
    """The contact details of an agency; the mail domain cannot exist."""
    return {
        "name": "의뢰 담당",
        "role": "referrals",
        "phone": names.landline(number),
        "email": f"office{number}@agency.example",
    }


def _slug(district: District) -> str:
    return district.name_en.split("-")[0].lower()


def _middle(centres: Sequence[Centre]) -> tuple[float, float]:
    return (
        sum(centre.lat for centre in centres) / len(centres),
        sum(centre.lon for centre in centres) / len(centres),
    )


def _by_district(centres: Iterable[Centre]) -> dict[str, list[Centre]]:
    own: dict[str, list[Centre]] = {}
    for centre in centres:
        own.setdefault(centre.district_code, []).append(centre)
    return own


def _areas(givers: Sequence[Provider], centres: Sequence[Centre]) -> dict[UUID, list[str]]:
    """Which centres each agency covers: its own district's, and its neighbours' where few do."""
    areas: dict[UUID, list[str]] = {giver.id: [] for giver in givers}
    for centre in centres:
        here = (centre.lat, centre.lon)
        nearest = sorted(givers, key=lambda g: distance_km(here, (g.lat, g.lon)))
        covering = [g for g in nearest if g.district_code == centre.district_code]
        others = [g for g in nearest if g.district_code != centre.district_code]
        for giver in covering + others[: max(0, AT_LEAST - len(covering))]:
            areas[giver.id].append(centre.code)
    return areas


class _OfferingMaker:
    """Makes offerings, with figures that are some days old."""

    def __init__(
        self, units: dict[str, str], new_id: Callable[[], UUID], now: datetime, rng: Random
    ) -> None:
        self._units, self._new_id, self._now, self._rng = units, new_id, now, rng

    def free(self, provider: Provider, code: str, centres: list[str]) -> Offering:
        """Open, with places to give away."""
        capacity = self._rng.randint(20, 60)
        return self._offering(provider, code, centres, capacity, self._rng.randint(4, 15))

    def scarce(self, provider: Provider, code: str, centres: list[str], closed: bool) -> Offering:
        """Closed for good, or full with people waiting."""
        offering = self._offering(provider, code, centres, self._rng.randint(5, 20), 0)
        offering.is_open, offering.waiting = not closed, 0 if closed else self._rng.randint(1, 8)
        return offering

    def _offering(
        self, provider: Provider, code: str, centres: list[str], capacity: int, available: int
    ) -> Offering:
        return Offering(
            id=self._new_id(),
            provider_id=provider.id,
            service_code=code,
            is_open=True,
            capacity=capacity,
            available=available,
            stated_available=available,
            waiting=0,
            unit=self._units[code],
            as_of=self._now - timedelta(hours=self._rng.randint(1, 240)),
            state=EntryState.PUBLISHED,
            centres=centres,
        )
