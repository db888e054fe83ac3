"""What the city is answered over HTTP leaves four values open of every count, or more.

A small world has referrals, applications, clocks and unmet needs by month, district and agency,
many of them few. Every question that the city may ask is asked, of closed months too, and whatever
can be told by an answer less one or two others is told. A reader knows the rule: each answer is a
sum of cells, each of them one of the two multiples of five around its count. The controls draw anew
for each answer, and show counts as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert, literal, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.figures import figures
from casework.domain.clocks.standards import ClockKind
from casework.domain.figures import disclosure
from casework.domain.figures.figures import OUTCOMES, Month
from casework.domain.figures.same_events import SAME_EVENTS
from tests.api import acts
from tests.api.comparing import COMPARED
from tests.api.conftest import (
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    OTHER_DISTRICT,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)

MONTHS: Final = [Month(2026, n) for n in range(3, 6)]
CENTRES: Final = {DISTRICT: HERE, OTHER_DISTRICT: FAR}
GIVEN_IN: Final = {DISTRICT: ("alpha", "beta"), OTHER_DISTRICT: ("alpha", "gamma")}
SIZES: Final = (0, 1, 2, 3, 4, 5, 6, 9, 12)
FEW: Final = range(1, 5)
# What is counted: month, district, agency (None of what is of none).
Atom = tuple[str, str, str | None]
# What an answer is of: a figure, months, a district and an agency; None is all of them.
About = tuple[str, tuple[str, ...], str | None, str | None]
# The counts of one answer by their figures; None is hidden.
Counts = dict[str, int | None]


@dataclass
class City:
    """The world as it was made, and what was answered about it."""

    api: Api
    truth: dict[str, Counter[Atom]] = field(default_factory=dict)
    shown: dict[About, set[int]] = field(default_factory=dict)
    asked: int = 0

    def atoms(self, about: About) -> frozenset[Atom]:
        """What an answer counts."""
        figure, months, district, agency = about
        return frozenset(
            atom
            for atom in self.truth[figure]
            if atom[0] in months and district in (None, atom[1]) and agency in (None, atom[2])
        )

    def count(self, figure: str, atoms: Iterable[Atom]) -> int:
        """How many there are in truth."""
        return sum(self.truth[figure][atom] for atom in atoms)

    def hears(self, about: About, shown: int | None) -> None:
        """Note an answer; nothing shown is none, but where one cell alone is told as under ten."""
        figure, months, district, _ = about
        is_one_cell = figure == "applications" and len(months) == 1 and district is not None
        if shown is None and is_one_cell:
            assert self.count(figure, self.atoms(about)) < 2 * disclosure.STEP, about
        else:
            self.shown.setdefault(about, set()).add(shown or 0)

    def ask(self, path: str, **params: str) -> dict[str, Any]:
        """Ask as the city does."""
        answer = self.api.as_("city").get(path, params=params)
        assert answer.status_code == 200, answer.text
        self.asked += 1
        return dict(answer.json())


def a_city(api: Api, seed: int) -> City:
    """A world of residents whose referrals, clocks and unmet needs are few here and there."""
    city, random = City(api), Random(seed)
    served, unmet = acts.a_supported_case(api), acts.a_supported_case(api)
    sent = acts.a_referral(api, served)
    settled = {"disposition": "unmet_need"}
    path = f"/planned-services/{unmet.service}/settle"
    assert api.as_(WORKER).post(path, settled).status_code == 200
    first = str(MONTHS[0])
    city.truth = {
        "applications": Counter({(first, DISTRICT, None): 2}),
        "referrals": Counter({(first, DISTRICT, "alpha"): 1}),
        "unmet_needs": Counter({(first, DISTRICT, None): 1}),
        "on_time": Counter(),
        "late": Counter(),
    }
    with api.engine.begin() as connection:
        for month, district in product(MONTHS, CENTRES):
            for agency in GIVEN_IN[district]:
                for n in range(random.choice(SIZES)):
                    _referral(connection, api, sent, (month, district, agency), late=n % 2 == 1)
                    late = "late" if n % 2 else "on_time"
                    for figure in ("referrals", late):
                        city.truth[figure][str(month), district, agency] += 1
                    city.truth["applications"][str(month), district, None] += 1
            for _ in range(random.choice(SIZES)):
                _planned(connection, unmet.case, month, district)
                for figure in ("unmet_needs", "applications"):
                    city.truth[figure][str(month), district, None] += 1
    api.clock.set("2026-07-15T10:00")
    return city


def _copied(connection: Connection, table: Any, id: UUID, **other: Any) -> UUID:
    """Another row like one that is there, but for some columns."""
    made = new_id()
    values = other | {"id": made}
    columns = [
        literal(values[one.name], one.type) if one.name in values else one for one in table.c
    ]
    query = select(*columns).where(table.c.id == id)
    connection.execute(insert(table).from_select([one.name for one in table.c], query))
    return made


def _planned(connection: Connection, case: UUID, month: Month, district: str) -> tuple[UUID, ...]:
    """Somebody with a case of that month and a planned service: resident, case, service."""
    of = t.care_case.c
    old = connection.scalar(select(of.resident_id).where(of.id == case))
    assert old is not None
    at = seoul(f"{month}-10T10:00")
    place = {"centre_code": CENTRES[district], "district_code": district}
    resident = _copied(connection, t.resident, old, **place)
    made = _copied(
        connection, t.care_case, case, resident_id=resident, number=str(new_id())[-24:],
        applied_on=at.date(), **place,
    )  # fmt: skip
    service = connection.scalar(
        select(t.planned_service.c.id).where(t.planned_service.c.case_id == case)
    )
    assert service is not None
    also = {"case_id": made, "resident_id": resident, "settled_at": at}
    return resident, made, _copied(connection, t.planned_service, service, **also)


def _referral(
    connection: Connection, api: Api, like: UUID, of: tuple[Month, str, str], *, late: bool
) -> None:
    """A referral of a month, a district and an agency, answered on time or late."""
    month, district, agency = of
    case = connection.scalar(select(t.referral.c.case_id).where(t.referral.c.id == like))
    assert case is not None
    resident, case, service = _planned(connection, case, month, district)
    place = {"centre_code": CENTRES[district], "district_code": district}
    whose = {"case_id": case, "resident_id": resident}
    whom = {"provider_id": api.providers[agency].id}
    at, due = seoul(f"{month}-10T10:00"), seoul(f"{month}-13T23:00")
    made = _copied(
        connection, t.referral, like, planned_service_id=service, requested_at=at,
        requested_on=at.date(), offering_id=api.offerings[agency, "CARE-MEALS"].id,
        **place, **whose, **whom,
    )  # fmt: skip
    running = t.deadline.c
    clock = connection.scalar(
        select(running.id).where(
            running.subject_id == like, running.kind == ClockKind.RESPONSE.value
        )
    )
    assert clock is not None
    met = seoul(f"{month}-{20 if late else 12}T10:00")
    times = {"started_at": at, "due_at": due, "met_at": met}
    _copied(connection, t.deadline, clock, subject_id=made, **times, **place, **whose, **whom)


def ask_everything(city: City) -> None:
    """Every question for whole months that the city may ask."""
    for first, last in combinations(range(len(MONTHS) + 1), 2):
        of = tuple(str(month) for month in MONTHS[first:last])
        period = {"from": str(MONTHS[first].first), "to": str(MONTHS[last - 1].last)}
        for by in (None, "district", "provider", "field", "month"):
            answer = city.ask("/figures", **period, **({"by": by} if by else {}))
            groups = {one["key"]: counts_of(one, by) for one in answer.get("groups", [])}
            _note(city, of, by, {None: counts_of(answer)} | groups)
        for district in CENTRES:
            answer = city.ask("/figures", **period, district=district)
            _note(city, of, "district", {district: counts_of(answer)})
        for by in ("district", "service", "field", "reason"):
            answer = city.ask("/unmet-needs/summary", **period, by=by)
            parts = {one["key"]: {"unmet_needs": one["count"]} for one in answer["groups"]}
            _note(city, of, by, {None: {"unmet_needs": answer["total"]}} | parts)
    for month, district in product(map(str, MONTHS), CENTRES):
        answer = city.ask(f"/figures/months/{month}", district=district)
        _note(city, (month,), "district", {district: counts_of(answer)})


def counts_of(answer: dict[str, Any], by: str | None = None) -> Counts:
    """The counts of one answer or group; what cannot be told by an agency is none of them.

    What has no row shows nothing.
    """
    check_told_once(answer)
    found: Counts = dict.fromkeys(("referrals", "on_time", "late"), 0)
    if by not in ("provider", "field"):
        found["applications"] = answer["applications"]
    if by != "provider":
        found["unmet_needs"] = 0
    for row in answer["referrals"]:
        assert (row["field"], row["status"]) == ("care", None)
        found["referrals"] = row["count"]
    for row in answer["unmet_needs"] or []:
        found["unmet_needs"] = row["count"]
    for row in answer["clocks"]:
        if row["kind"] == "response":
            found |= {figure: row[figure] for figure in ("on_time", "late")}
    return found


def check_told_once(answer: dict[str, Any]) -> None:
    """Nothing of an answer counts what another part of it counts, nor says how long it took."""
    plans = answer["plans"] or {"submitted": None}
    assert (answer["causes"], answer["entered_late"], plans["submitted"]) == ([], [], None)
    told = {pair.hidden.kind for pair in SAME_EVENTS if pair.hidden.kind}
    for row in answer["clocks"]:
        assert row.get("running") is None, row  # a month has none
        assert row["kind"] not in told or {row[name] for name in OUTCOMES} == {None}, row
    for row in (*answer["clocks"], *answer["holders"]):
        assert row["median_working_days"] is row["p90_working_days"] is None, row


def _note(
    city: City, months: tuple[str, ...], by: str | None, groups: dict[str | None, Counts]
) -> None:
    """Note each count of one answer."""
    for key, counts in groups.items():
        for figure, count in counts.items():
            city.hears((figure, *_about(city, months, by, key)), count)


def _about(
    city: City, months: tuple[str, ...], by: str | None, key: str | None
) -> tuple[tuple[str, ...], str | None, str | None]:
    """Which months, district and agency a group of an answer is of."""
    if key is None or by not in ("district", "provider", "month"):
        return months, None, None
    if by == "month":
        return (key,), None, None
    slugs = {str(one.id): slug for slug, one in city.api.providers.items()}
    return (months, key, None) if by == "district" else (months, None, slugs[key])


def told(city: City, figure: str) -> Iterator[tuple[frozenset[Atom], int]]:
    """What answers tell of some cells: one answer, or one less one or two others within it."""
    heard: dict[frozenset[Atom], set[int]] = {}
    for about, shown in city.shown.items():
        if about[0] == figure and city.atoms(about):
            heard.setdefault(city.atoms(about), set()).update(shown)
    single = [(atoms, one) for atoms, shown in heard.items() for one in shown]
    for atoms, whole in single:
        yield atoms, whole
        within = [(part, one) for part, one in single if part < atoms]
        for part, one in within:
            yield atoms - part, whole - one
        for (part, one), (other, two) in combinations(within, 2):
            if not part & other and part | other != atoms:
                yield atoms - part - other, whole - one - two


def readings(city: City, figure: str) -> dict[frozenset[Atom], set[int]]:
    """All that is told of the same cells."""
    found: dict[frozenset[Atom], set[int]] = {}
    for atoms, shown in told(city, figure):
        found.setdefault(atoms, set()).add(shown)
    return found


def possible(shown: int, cells: int) -> range:
    """The counts of so many cells that may be shown so."""
    off = (disclosure.STEP - 1) * cells
    return range(max(0, shown - off), shown + off + 1)


def narrowed(city: City) -> Iterator[tuple[str, frozenset[Atom], set[int]]]:
    """Cells of which fewer than four counts are left, by all that is told of them together."""
    for figure in city.truth:
        for atoms, shown in readings(city, figure).items():
            left = set(possible(min(shown), len(atoms)))
            for one in shown:
                left &= set(possible(one, len(atoms)))
            if len(left) < 4:
                yield figure, atoms, left


def check_truth(city: City) -> int:
    """One number is told of the same cells, whatever is asked, and it may be of the truth.

    Returns of how many single cells something was told.
    """
    alone = 0
    for figure in city.truth:
        for atoms, shown in readings(city, figure).items():
            (one,) = shown
            assert one % disclosure.STEP == 0, (figure, atoms, one)
            assert city.count(figure, atoms) in possible(one, len(atoms)), (figure, atoms, one)
            alone += len(atoms) == 1
    return alone


def close_months(api: Api) -> None:
    """Both districts freeze every month."""
    for who, month in product((SUPERVISOR, FAR_SUPERVISOR), MONTHS):
        answer = api.as_(who).post(f"/figures/months/{month}/close")
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("seed", [1, 2])
def test_all_answers_together_leave_four_values_of_every_count(api: Api, seed: int) -> None:
    city = a_city(api, seed)
    close_months(api)
    ask_everything(city)
    assert check_truth(city) > 20
    assert list(narrowed(city)) == []
    assert city.asked > 70


def from_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the controls: nothing is answered from what is kept, where each draw is made once."""
    COMPARED[0] = False
    monkeypatch.setattr(figures.SqlFigures, "published", figures.SqlFigures.published_from_rows)


def test_a_new_draw_for_every_answer_tells_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same search finds what it looks for."""
    random = Random(5)
    from_the_rows(monkeypatch)
    monkeypatch.setattr(figures, "drawn", lambda *_: random.randrange(5))
    city = a_city(api, 1)
    close_months(api)
    ask_everything(city)
    assert any(len(shown) > 1 for shown in readings(city, "referrals").values())
    assert list(narrowed(city)), "what is told of the same cells meets in fewer than four values"


def test_counts_as_they_are_tell_themselves(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from_the_rows(monkeypatch)
    monkeypatch.setattr(disclosure, "stepped", lambda count, _: count)
    city = a_city(api, 1)
    close_months(api)
    ask_everything(city)
    few = [
        atoms
        for atoms, shown in readings(city, "referrals").items()
        if len(atoms) == 1 and shown == {city.count("referrals", atoms)} and max(shown) in FEW
    ]
    assert few
