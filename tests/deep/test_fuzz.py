"""A bounded run of what `dev.py proof fuzz` does at length: nothing fails, most things succeed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests import canaries
from tests.proofs.fuzz import SHARE, Fuzz
from tests.proofs.matrix import matrix_on


def test_no_request_of_the_document_makes_it_fail() -> None:
    with matrix_on("sqlite") as matrix:
        fuzz = Fuzz(matrix, seed=1)
        fuzz.scope_of(("supervisor", "admin", "auditor", "provider"))
        fuzz.run(100, ("supervisor",), examples=1)
        told = fuzz.told()
    assert not told["faults"], "\n".join(told["faults"])
    assert told["share"] >= SHARE, told["never_succeeded"]
    assert told["by_phase"]["fuzzing"] >= told["operations"]
    assert told["by_phase"]["coverage"] > 50, told["by_phase"]


def test_a_fuzz_run_leaves_no_file_and_no_line_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with matrix_on("sqlite") as matrix:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        fuzz = Fuzz(matrix, seed=3)
        fuzz.scope_of(("worker",), tags=("residents", "referrals", "worklist"))
        with matrix.owner.connect() as connection:
            canaries.look_at_rows(connection)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert canaries.found_in(file.read_bytes().decode("utf-8", "replace")) is None, file
    assert canaries.found_in("".join(capfd.readouterr())) is None
    told = fuzz.told()
    assert not told["faults"]
    assert told["succeeded"] > 20
