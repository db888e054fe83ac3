"""The schema is migrated up and down while the API serves and the scheduler ticks.

As docs/operations/upgrading.md says: a version is installed, `casework migrate`, `serve` reloaded,
the scheduler started again. There is one revision so far: another one, of the kinds that are to be
expected, is written into a copy of the folder, which stands for the version that is installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Final
from unittest.mock import patch

import httpx2

from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.scope import row_level_security
from tests.proofs._faults.load import Load
from tests.proofs._faults.site import REVISIONS, Site, site
from tests.proofs._faults.trial import BACK_WITHIN_S, Outcome, Plan, strike_under_load
from tests.proofs._world import owner_of

WORKERS, SERVES_S = 2, 1.0
# A process that takes too long to start is given up, and the former one stays: it is told again.
TELLS_AGAIN_S, RELOADED_WITHIN_S = 75.0, 300.0
FIRST, SECOND = "0001", "0002"
REVISION: Final = '''\
"""What comes next."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
branch_labels = depends_on = None


def upgrade():
    op.create_table(
        "remark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    op.add_column("resident", sa.Column("remark_id", sa.Uuid(), nullable=True))
    op.create_index("ix_resident_remark_id", "resident", ["remark_id"])
{up}

def downgrade():
{down}
    op.drop_index("ix_resident_remark_id", "resident")
    op.drop_column("resident", "remark_id")
    op.drop_table("remark")
'''
# The defect: what the former version reads has another name.
RENAME: Final = '    op.alter_column("resident", "{}", new_column_name="{}")\n'
UP, DOWN = RENAME.format("sex", "gender"), RENAME.format("gender", "sex")


class Installation:
    """What is installed and runs: the API by two processes, and the scheduler."""

    def __init__(self, place: Site, plan: Plan) -> None:
        self._place, self._world = place, place.world
        self._folder = place.folder / "migrations"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(migrations.MIGRATIONS, self._folder, ignore=ignored)
        up, down = (UP, DOWN) if plan.is_control else ("", "")
        self._revision = REVISION.format(up=up, down=down)
        own = {REVISIONS: str(self._folder), "CASEWORK_MIGRATION_URL": owner_of(place.url)}
        self._own, self._is_newer = own, False
        self.served = place.serve(WORKERS, own)
        self._scheduler = place.run("scheduler", settings=own)
        self._scheduler.prepare()
        self.amiss: list[str] = []

    def move(self) -> None:
        """To the newer version, or back to the former one."""
        if self._is_newer:
            self._back()
        else:
            self._install(newer=True)
            self._migrate()
            self._renew()
        self._is_newer = not self._is_newer
        self._look()

    def _back(self) -> None:
        """The former version serves on the newer schema, which is then taken back."""
        later = self._second()
        self._install(newer=False)
        self._renew()
        later.write_text(self._revision, encoding="utf-8")
        _downgrade(owner_of(self._place.url), self._folder)
        self._install(newer=False)
        self._migrate()  # which puts up the policies again

    def _second(self) -> Path:
        return self._folder / "versions" / f"{SECOND}_remarks.py"

    def _install(self, *, newer: bool) -> None:
        if newer:
            self._second().write_text(self._revision, encoding="utf-8")
        else:
            self._second().unlink()

    def _migrate(self) -> None:
        command = self._place.run("migrate", role="app", settings=self._own)
        assert command.wait() == 0, "the schema was not migrated"

    def _renew(self) -> None:
        """Reload the API, as `systemctl reload` does, and start the scheduler again."""
        before = {one.pid for one in self.served.workers()}
        self._scheduler.stop()
        self._scheduler.start()
        began = told = time.monotonic()
        os.kill(self.served.pid, signal.SIGHUP)
        while not self._is_renewed(before):
            assert time.monotonic() < began + RELOADED_WITHIN_S, "the processes were not renewed"
            if time.monotonic() > told + TELLS_AGAIN_S:
                os.kill(self.served.pid, signal.SIGHUP)
                told = time.monotonic()
            time.sleep(0.3)

    def _is_renewed(self, before: set[int]) -> bool:
        ready = {one.pid for one in self.served.ready_workers()}
        there = {one.pid for one in self.served.workers()}
        return len(ready) == WORKERS and not before & there

    def _look(self) -> None:
        """Readiness says that the schema is the one of the version, and every policy stands."""
        answer = httpx2.get(self.served.address + "/health/ready", timeout=8)
        if not answer.json()["schema"]:
            self.amiss.append("readiness says that the schema is another version's")
        with self._world.application.engine.connect() as connection:
            found = row_level_security.outdated_tables(connection)
        self.amiss += [f"the policies of {table} are not up" for table in found]


def _downgrade(url: str, folder: Path) -> None:
    """There is no command for it: what the tests of each revision use."""
    with patch.object(migrations, "MIGRATIONS", folder):
        migrations.downgrade(url, FIRST)


def migrate_while_serving(plan: Plan) -> Outcome:
    """A newer version is installed and migrated to, then the former one, while clients write."""
    with site("postgresql", plan.server) as place:
        installed = Installation(place, plan)
        # Few requests, or a new process takes longer to start than it is given.
        load = Load(place, installed.served.address, thinks_s=0.5, clients=2)

        def strike() -> float:
            installed.move()
            moment = time.monotonic()
            time.sleep(SERVES_S)
            return moment

        def settle() -> None:
            if plan.is_control:
                installed.move()

        outcome = strike_under_load(load, plan, strike, settle)
        outcome.amiss += installed.amiss
        ends = sorted(end for _, end in load.seen.acknowledged)
        pause = max((later - end for end, later in pairwise(ends)), default=0.0)
        outcome.figures["longest_pause_s"] = round(pause, 2)
        if pause > BACK_WITHIN_S:
            outcome.amiss.append(f"nothing was acknowledged for {pause:.1f} s")
        return outcome
