"""Guessed links, many of them, on SQLite and PostgreSQL: `dev.py proof links --guesses 10000`."""

import argparse
import os
import sys

import pytest

ARGUMENTS = ["-q", "-s", "-n", "0", "tests/web/test_links.py", "-k", "guesses"]


def main() -> int:
    """Run the suite's check with that many guesses, where the suite makes a few."""
    given = argparse.ArgumentParser(prog="dev.py proof links", description=__doc__)
    given.add_argument("--guesses", type=int, default=10_000)
    asked, others = given.parse_known_args()
    os.environ["CASEWORK_PROOF_GUESSES"] = str(asked.guesses)
    return int(pytest.main([*ARGUMENTS, *others]))


if __name__ == "__main__":
    sys.exit(main())
