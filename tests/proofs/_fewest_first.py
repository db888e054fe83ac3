"""A pytest plugin: tests with few cases run before those that cover a whole table.

A mutant is most often noticed by a test of its own, and the first that notices it is enough.
"""

from collections import Counter

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by the number of their cases."""
    cases = Counter(item.nodeid.partition("[")[0] for item in items)
    items.sort(key=lambda item: cases[item.nodeid.partition("[")[0]])
