"""Twin worlds that differ in one thing hidden from the actor answer in the same bytes.

    python3 dev.py proof twins --store sqlite

Everything that each role can read is read: every list, search, count and figure with its filters,
and every page of whom the role reaches. Then one thing is changed where the role does not reach, by
an actor who may change it there, and all is read again. Only the request id may differ. As a
control something is changed that the role does see, and the bytes must differ.
Exits 1 where hidden things show, or where a control does not.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.workflows.cases import running
from casework.workflows.residents import residents
from tests.api import acts
from tests.api.conftest import NEIGHBOUR, STRANGER, WORKER, Api
from tests.proofs._ask import quiet
from tests.proofs._operations import BASE, Operation, operations
from tests.proofs._scope import is_reached, relation_of
from tests.proofs._world import STORES
from tests.proofs.matrix import AGENCY, REQUIRED, WHO, Matrix, matrix_on

ALL: Final = tuple(WHO)
# Roles that count over the whole city see that one more was counted.
NOT_THE_CITY: Final = tuple(role for role in WHO if role != "city")
# The directory's stock is everyone's to see, and an answer of an agency changes it.
STOCK: Final = ("GET /offerings", "GET /offerings/{id}/capacity", "GET /directory/overview")
# It shows who looked, and so it is read before anybody else looks, in either world.
TELLS_WHO_LOOKED: Final = frozenset({"GET /access-requests/{id}/document"})
# Readers of the log may see that something was done, about anybody; never what was written,
# which the matrix looks for.
TELLS_OF_ACTS: Final = frozenset({"GET /audit", "GET /audit/affected", "GET /audit/summary"})
NEW_NAME, NEW_PHONE = "카나리변경가상", "010-7799-5599"


def _far(planted: Any) -> Any:
    return planted.relations["other district"].ids


def _next(planted: Any) -> Any:
    return planted.relations["same district"].ids


@dataclass(frozen=True)
class Difference:
    """One thing that is changed, for whom it is hidden, and where it shows to everyone anyway."""

    name: str
    make: Callable[[Api, Any], Any]
    hidden_from: tuple[str, ...]
    but_for: tuple[str, ...] = ()


def _changed(by: str, whose: Callable[[Any], Any], **changes: Any) -> Callable[[Api, Any], Any]:
    def make(api: Api, planted: Any) -> Any:
        ctx = replace(api.context(by), expected_version=1)
        return residents.change_resident(ctx, whose(planted)["resident"], changes, None)

    return make


def _noted(by: str, whose: Callable[[Any], Any]) -> Callable[[Api, Any], Any]:
    def make(api: Api, planted: Any) -> Any:
        return residents.write_note(
            api.context(by), whose(planted)["resident"], kind="call", with_whom="누구",
            text="카나리숨은기록", come_back_on=api.context(by).act.today,
        )  # fmt: skip

    return make


def _answered(by: str, agency: str, relation: str) -> Callable[[Api, Any], Any]:
    def make(api: Api, planted: Any) -> Any:
        return acts.moved(api, planted.relations[relation].ids["referral"], "accept", by)

    return make


def _own(planted: Any) -> Any:
    return planted.relations["own"].ids


def _ended(planted: Any) -> Any:
    return planted.relations["ended"].ids


DIFFERENCES: Final = (
    Difference("the name of a resident elsewhere",
               _changed(STRANGER, _far, name=NEW_NAME), ALL),
    Difference("the telephone of a resident elsewhere",
               _changed(STRANGER, _far, phone=NEW_PHONE), ALL),
    Difference("the birth date of a resident elsewhere",
               _changed(STRANGER, _far, birth_date=date(1939, 1, 2)), ALL),
    Difference("one more resident elsewhere",
               lambda api, _: acts.a_resident(api, STRANGER, name=NEW_NAME), ALL),
    Difference("one more case elsewhere", lambda api, _: acts.a_case(api, STRANGER), NOT_THE_CITY),
    Difference("a note elsewhere", _noted(STRANGER, _far), ALL),
    Difference("a signal elsewhere",
               lambda api, it: running.raise_signal(
                   api.context(STRANGER), _far(it)["case"], "worse", "카나리숨은징후"),
               NOT_THE_CITY),
    Difference("a request elsewhere that was accepted",
               _answered("provider.gamma", "gamma", "other district"), NOT_THE_CITY, STOCK),
    Difference("the name of the neighbours' resident",
               _changed(NEIGHBOUR, _next, name=NEW_NAME), ("worker", "provider", "admin")),
    Difference("one more of the neighbours' cases",
               lambda api, _: acts.a_case(api, NEIGHBOUR), ("worker", "provider", "assessor")),
    Difference("another agency's answer",
               _answered("provider.beta", "beta", "other agency"), ("provider", "admin"), STOCK),
    Difference("the telephone of a resident whose service has ended",
               _changed(WORKER, _ended, phone=NEW_PHONE), ("provider", "assessor", "admin")),
    Difference("a note on a resident of one's own",
               _noted(WORKER, _own), ("provider", "admin", "auditor")),
)  # fmt: skip
# The visible change: the same reads must notice it, or they would notice nothing.
CONTROLS: Final = (
    Difference("the name of a resident of one's own",
               _changed(WORKER, _own, name=NEW_NAME), ("worker", "supervisor", "provider")),
    Difference("one more case of one's own", lambda api, _: acts.a_case(api, WORKER),
               ("worker", "supervisor")),
    Difference("a signal of one's own",
               lambda api, it: running.raise_signal(
                   api.context(WORKER), _own(it)["case"], "worse", "카나리징후"),
               ("worker", "supervisor", "assessor")),
)  # fmt: skip
SEARCHES: Final = (
    {"name": "카나리"}, {"name": NEW_NAME}, {"phone": NEW_PHONE}, {"phone": "010-77"},
    {"birth_date": "1941-05-06"}, {"birth_date": "1939-01-02"}, {"centre_code": "2611051000"},
)  # fmt: skip


@dataclass
class Twins:
    """The readings of one world before and after."""

    matrix: Matrix
    asked: int = 0
    faults: list[str] = field(default_factory=list)

    def run(
        self,
        differences: tuple[Difference, ...] = DIFFERENCES + CONTROLS,
        names: tuple[str, ...] | None = None,
    ) -> None:
        """Each difference in a world that is as it was, read by these operations or by all."""
        reads = [
            one
            for one in operations(self.matrix.app)
            if not one.is_change
            and one.name not in TELLS_OF_ACTS
            and (names is None or one.name in names)
        ]
        self.first = [one for one in reads if one.name in TELLS_WHO_LOOKED]
        self.then = [one for one in reads if one.name not in TELLS_WHO_LOOKED]
        restore = self.matrix.keep()
        self.before: dict[str, dict[str, Any]] = {}
        for one in differences:
            before = {role: self._readings(role, self.first) for role in one.hidden_from}
            for role in one.hidden_from:
                if role not in self.before:
                    self.before[role] = self._readings(role, self.then)
            restore()
            one.make(self.matrix.api, self.matrix.planted)
            after = {role: self._readings(role, self.first) for role in one.hidden_from}
            for role in one.hidden_from:
                told = after[role] | self._readings(role, self.then)
                self._compare(one, role, before[role] | self.before[role], told)
            restore()

    def _compare(
        self, one: Difference, role: str, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        differ = [
            what
            for what, answer in before.items()
            if after[what] != answer and not what.startswith(one.but_for or ("no such",))
        ]
        if one in CONTROLS and not differ:
            self.faults.append(f"nothing shows to {role} of: {one.name}")
        if one not in CONTROLS:
            self.faults += [f"{what} shows to {role}: {one.name}" for what in differ]

    def _readings(self, role: str, reads: list[Operation]) -> dict[str, Any]:
        """Every answer that these reads give the role."""
        token, found = self.matrix.token(WHO[role]), {}
        for operation in reads:
            for what, path, query, body in self._questions(operation, role):
                self.asked += 1
                answer = self.matrix.ask(
                    operation.method, BASE + path, token=token, json=body,
                    query=REQUIRED.get(operation.name, {}) | query,
                )  # fmt: skip
                found[f"{operation.name} {what}"] = answer.same_bytes
        return found

    def _questions(self, operation: Operation, role: str) -> Iterator[tuple[Any, ...]]:
        relation = relation_of(operation.action, role)
        if relation is None:
            return
        actor, parameter = self.matrix.api.actor(WHO[role]), f"{{{operation.parameter}}}"
        if operation.method == "POST":
            for body in SEARCHES:
                yield body, operation.path, {}, body
        elif operation.kind is None:
            for query in self.matrix._queries(operation):
                yield query, operation.path, query, None
        else:
            for it in self.matrix._each(operation, *self.matrix.planted.relations.values()):
                id: UUID = self.matrix._id(operation, it)
                if is_reached(relation, operation.kind, it, actor, AGENCY):
                    yield it.name, operation.path.replace(parameter, str(id)), {}, None


def main() -> int:
    """Run the proof and print what it found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", choices=STORES, default="sqlite")
    asked = options.parse_args()
    quiet()
    began = time.monotonic()
    with matrix_on(asked.store) as matrix:
        twins = Twins(matrix)
        twins.run()
    told = {
        "differences": len(DIFFERENCES), "controls": len(CONTROLS), "asked": twins.asked,
        "wrong": len(twins.faults), "faults": twins.faults[:40], "store": asked.store,
        "seconds": round(time.monotonic() - began, 1), "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return 1 if twins.faults else 0


if __name__ == "__main__":
    sys.exit(main())
