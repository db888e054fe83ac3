"""Every kind of broken token on every route, on SQLite and PostgreSQL: `dev.py proof tokens`."""

import os
import sys

import pytest

ARGUMENTS = ["-q", "-s", "-n", "0", "tests/api/access/test_broken_tokens.py", "-k", "every_route"]


def main() -> int:
    """Run the suite's check with all kinds, where the suite takes some in turn."""
    os.environ["CASEWORK_PROOF_TOKENS"] = "all"
    return int(pytest.main([*ARGUMENTS, *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
