"""Matching on the whole map, each service from each centre: `dev.py proof map`."""

import argparse
import os
import sys

import pytest

ARGUMENTS = ["-q", "-n", "0", "tests/deep/test_match_on_the_map.py", "--durations=6"]


def main() -> int:
    """Run the suite's comparison on all 7,790 queries, where the suite makes some 800."""
    given = argparse.ArgumentParser(prog="dev.py proof map", description=__doc__)
    _, others = given.parse_known_args()
    os.environ["CASEWORK_PROOF_MAP"] = "whole"
    return int(pytest.main([*ARGUMENTS, *others]))


if __name__ == "__main__":
    sys.exit(main())
