"""How long a refused sign-in takes: an unknown name, a wrong password, an account that has to wait.

    python3 dev.py proof signin --tries 2000 --store postgresql --json

The three are tried in turn, in random order, through the application and its middleware, on a
PostgreSQL with its usual, safe settings: with passwords of production's cost, and once more with
cheap ones, where nothing drowns what the rest takes, and steps that are shorter accordingly. For
each pair it is said how often the one takes longer than the other: half the times, if nobody can
tell them apart. The controls, which must be told apart: an application that answers at once and
compares nothing for an unknown name, and on PostgreSQL one that answers at once and writes nothing
for it. How far apart the three are where nothing but the steps is missing is said and not judged.
Exits 1 where a pair is told apart or a control is not.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any, Final
from unittest.mock import patch

from casework.adapters.identity import Argon2Passwords
from casework.adapters.persistence.access.sign_in import SqlSignInStore
from casework.adapters.persistence.schema import migrations
from tests import postgres
from tests.api.conftest import COLLEAGUE, WORKER, Api
from tests.api.signing import change, shut
from tests.proofs._ask import Asker, asking, quiet
from tests.proofs._world import STORES, database, small_world

UNKNOWN, WRONG, WAITING = "unknown name", "wrong password", "has to wait"
WHO: Final = {UNKNOWN: "nobody.at.all", WRONG: WORKER, WAITING: COLLEAGUE}
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
# Of a pair, by how much more than half the times the one may be slower, besides three times what
# chance makes of it; and by what part its middle may be longer.
MAY_DIFFER, MAY_TAKE_LONGER = 0.05, 0.02
CONTROLS, FEW = 200, 20
# A refusal with cheap passwords takes a tenth of a production's.
SHORT_STEP_S = 0.02
WARMING_UP: Final = 5
BUSY: Final = 5
Times = dict[str, list[float]]


@contextmanager
def a_world(store: str) -> Iterator[tuple[Api, Asker]]:
    """The small world, and who asks it."""
    with ExitStack() as stack:
        if store == "sqlite":
            url = stack.enter_context(database(store))
        else:
            server = stack.enter_context(postgres.running_server(careless=False))
            empty = stack.enter_context(server.database("casework_proof"))
            server.make_roles(empty)
            migrations.upgrade(server.url_as("casework_owner", empty))
            url = server.url_as("casework_app", empty)
        world = stack.enter_context(small_world(url))
        ask = stack.enter_context(asking(world.application.app()))
        quiet()
        yield world, ask


@dataclass(frozen=True)
class Trial:
    """Sign-ins of each kind to one world, so many times."""

    world: Api
    ask: Asker
    rng: Random

    def __call__(self, tries: int, *, cheap: bool, step_s: float | None = None) -> dict[str, Any]:
        """What was measured, with passwords that are cheap or cost what they cost in production.

        Refusals leave at multiples of so many seconds; those of production if None, at once if 0.
        """
        passwords = Argon2Passwords(cheap=cheap, refusal_step_s=step_s)
        self.world.application.passwords = passwords
        digest = passwords.digest("only the two know it")
        for name in (WORKER, COLLEAGUE):
            change(self.world, name, password_hash=digest)
        return compared(measured(self.world, self.ask, tries, self.rng))


def measured(world: Api, ask: Asker, tries: int, rng: Random) -> Times:
    """The seconds of each refusal, by its reason."""
    took: Times = {reason: [] for reason in WHO}
    for n in range(tries + WARMING_UP):
        world.clock.forward(hours=2)  # nobody's wrong tries add up
        shut(world, COLLEAGUE)
        with world.engine.begin() as connection:  # every source is as new as the other
            connection.exec_driver_sql("DELETE FROM sign_in_source")
        for reason in rng.sample(list(WHO), len(WHO)):
            body = f"username={WHO[reason]}&password=wrong+guess+{n}".encode()
            seconds = _refused(ask, body)
            if n >= WARMING_UP:
                took[reason].append(seconds)
    return took


def _refused(ask: Asker, body: bytes) -> float:
    """How long a refusal took; once more where the machine was too busy to give one."""
    for _ in range(BUSY):
        began = time.perf_counter()
        answer = ask("POST", "/api/v1/auth/token", content=body, headers=FORM)
        seconds = time.perf_counter() - began
        if answer.status != 503:
            break
    assert (answer.status, answer.code) == (401, "invalid_credentials"), answer.text
    return seconds


def slower(one: list[float], other: list[float]) -> float:
    """How often a time of the one is longer than one of the other, from 0 to 1."""
    ordered = sorted(other)
    longer = sum(bisect_left(ordered, x) + bisect_right(ordered, x) for x in one)
    return longer / (2 * len(one) * len(ordered))


def compared(took: Times) -> dict[str, Any]:
    """The middle of each, in milliseconds, and how each pair differs."""
    middle = {reason: statistics.median(times) for reason, times in took.items()}
    pairs, told_apart = {}, []
    for one, other in combinations(WHO, 2):
        often = slower(took[one], took[other])
        longer_by = middle[one] / middle[other] - 1
        name = f"{one} / {other}"
        pairs[name] = {"slower": round(often, 4), "longer_by": round(longer_by, 4)}
        if is_told_apart(often, longer_by, len(took[one])):
            told_apart.append(name)
    middles = {reason: round(1000 * seconds, 2) for reason, seconds in middle.items()}
    return {"middle_ms": middles, "pairs": pairs, "told_apart": told_apart}


def is_told_apart(often: float, longer_by: float, tries: int) -> bool:
    """Whether one of the pair is the slower one too often, and by too much."""
    by_chance = math.sqrt((2 * tries + 1) / (12 * tries**2))
    is_often = abs(often - 0.5) > MAY_DIFFER + 3 * by_chance
    return is_often and abs(longer_by) > MAY_TAKE_LONGER


@contextmanager
def nothing_compared_for_nobody() -> Iterator[None]:
    """The defect: without a digest no password is compared."""
    usual = Argon2Passwords.matches

    def hasty(self: Argon2Passwords, digest: str | None, password: str) -> bool:
        return digest is not None and usual(self, digest, password)

    with patch.object(Argon2Passwords, "matches", hasty):
        yield


@contextmanager
def nothing_written_for_nobody() -> Iterator[None]:
    """The defect: what is counted for an account that there is not is written nowhere."""
    with patch.object(SqlSignInStore, "save_attempts_of_nobody", lambda *_: None):
        yield


def prove(store: str, tries: int, whole_tries: int, seed: int) -> dict[str, Any]:
    """Measure the application, and the controls."""
    controls = {"nothing compared": nothing_compared_for_nobody}
    if store != "sqlite":  # its commit waits for no disk
        controls["nothing written"] = nothing_written_for_nobody
    with a_world(store) as (world, ask):
        trial, found = Trial(world, ask, Random(seed)), {}
        found["whole"] = trial(whole_tries, cheap=False)
        found["rest"] = trial(tries, cheap=True, step_s=SHORT_STEP_S)
        found["rest, at once"] = trial(tries, cheap=True, step_s=0)
        for name, defect in controls.items():
            with defect():
                cheap = name == "nothing written"
                few = min(tries if cheap else whole_tries, CONTROLS if cheap else FEW)
                found[f"control: {name}"] = trial(few, cheap=cheap, step_s=0)
    return {"tries_of_each": tries, "whole_tries_of_each": whole_tries, **found}


def is_proven(result: dict[str, Any]) -> bool:
    """Whether no pair was told apart, and an unknown name was by each control."""
    is_right = not result["whole"]["told_apart"] and not result["rest"]["told_apart"]
    controls = [value for name, value in result.items() if name.startswith("control")]
    return is_right and all(f"{UNKNOWN} / {WRONG}" in one["told_apart"] for one in controls)


def main() -> int:
    """Run the proof; print its figures."""
    parser = argparse.ArgumentParser(
        prog="proof signin", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--tries", type=int, default=2000)
    parser.add_argument(
        "--whole-tries", type=int, help="those with passwords of production's cost; else as many"
    )
    parser.add_argument("--store", choices=STORES, default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    began = time.monotonic()
    result = {
        "proof": "signin", "store": options.store, "seed": options.seed,
        **prove(options.store, options.tries, options.whole_tries or options.tries, options.seed),
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
